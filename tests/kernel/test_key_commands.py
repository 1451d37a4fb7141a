"""``%robota endpoint key`` in a real kernel: asked for out of sight, kept where it should be, and never repeated."""

import json
import os

import nbformat
import pytest

from robota_nb.errors import CommandError, InvalidName, RobotaError
from robota_nb.magics.parser import parse, parse_cell
from robota_nb.testing import FakeOpenAIServer
from support.kernel import PATIENCE, RESET, Client, Kernel
from support.notebook import run, write
from support.paths import TESTS

KEY = "sk-proj-7hQ2xV9mRt4Lw8Zp"
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FRAGMENTS = [
    text[at : at + length]
    for text, length in ((KEY[8:], 5), (HEX, 10))  # ids and hashes are hex, too: of five digits, some agree by chance
    for at in range(len(text) - length + 1)
]


def hidden(*values):
    for value in values:
        assert not [fragment for fragment in FRAGMENTS if fragment in str(value)]


@pytest.fixture(scope="module")
def lab_server():
    with FakeOpenAIServer() as server:
        yield server


@pytest.fixture(scope="module")
def typing_kernel(lab_server, tmp_path_factory):
    root = tmp_path_factory.mktemp("typing")
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    extra = {"PYTHON_KEYRING_BACKEND": "support.file_keyring.FileKeyring", "KEYRING_FILE": str(root / "keyring.json")}
    with Kernel(root, PYTHONPATH=path, **extra) as kernel:
        kernel.connect()
        kernel.client.stdin_channel.start()
        kernel.ok("%load_ext robota_nb")
        yield kernel


@pytest.fixture
def lab(typing_kernel, lab_server):
    """A kernel with an endpoint `lab` that needs a key, which nothing has yet."""
    lab_server.reset()
    (typing_kernel.root / "keyring.json").unlink(missing_ok=True)
    typing_kernel.ok(RESET)
    typing_kernel.ok(f"%robota endpoint add lab {lab_server.base_url} --key-env LAB_KEY --model m")
    typing_kernel.ok("%robota chat open A --provider lab")
    return typing_kernel


def typing(kernel, code, key):
    """Run a cell that asks for a key, as a user who types this one."""
    running = kernel.begin(code, allow_stdin=True)
    asked = kernel.client.get_stdin_msg(timeout=PATIENCE)["content"]
    assert asked == {"prompt": "API key of lab: ", "password": True}
    kernel.client.input(key)
    return running.finish()


def listed(kernel):
    (line,) = (line for line in kernel.ok("%robota endpoint list").text.splitlines() if line.startswith("lab"))
    return line


def test_a_typed_key_is_asked_for_out_of_sight_used_and_shown_nowhere(lab, lab_server):
    assert lab.run("%robota ask hi").error["evalue"].startswith("endpoint 'lab' has no API key: run %robota endpoint")
    assert listed(lab) == "lab · m · has no key: %robota endpoint key lab"
    execution = typing(lab, "%robota endpoint key lab", f"  {KEY}\n")
    said = "lab takes its key from what was typed in this kernel (%robota endpoint key lab --forget removes it)\n"
    assert execution.text == said
    lab.ok("%robota ask hi")
    assert lab_server.headers[0]["authorization"] == f"Bearer {KEY}"
    again = lab.run("%robota endpoint key lab", allow_stdin=True)  # Run All does not ask again
    assert again.text == said
    looks = [
        "%history -n",
        "%whos",
        "%who_ls",
        "%robota",
        "%robota endpoint list",
        "%config RobotaMagics",
        "%notebook n",
    ]
    hidden(execution.messages, *(lab.run(code).messages for code in looks), (lab.root / "n").read_text())
    for file in lab.root.rglob("*"):  # IPython's history among them
        hidden(file.read_bytes() if file.is_file() else "")


def test_a_typed_key_stays_when_settings_change_and_the_extension_is_reloaded(lab, lab_server):
    typing(lab, "%robota endpoint key lab", KEY)
    lab.ok("%config RobotaMagics.max_chats = 60\n%reload_ext robota_nb")
    lab.ok(f"%robota endpoint add lab {lab_server.base_url} --key-env LAB_KEY --model m")
    assert "what was typed in this kernel" in listed(lab)


def test_a_typed_key_does_not_go_to_another_server_of_the_same_name(lab, lab_server):
    typing(lab, "%robota endpoint key lab", KEY)
    with FakeOpenAIServer() as other:
        lab.ok(f"%robota endpoint add lab {other.base_url} --key-env LAB_KEY --model m")
        assert lab.run("%robota ask hi").error["ename"] == "KeyMissing"
        assert other.headers == lab_server.headers == []


def test_saved_is_kept_for_other_kernels_and_forgotten_on_request(lab, lab_server):
    said = "lab takes its key from the system's keyring (%robota endpoint key lab --forget removes it)\n"
    assert typing(lab, "%robota endpoint key lab --save", KEY).text == said
    origin = lab_server.base_url.removesuffix("/v1")
    assert json.loads((lab.root / "keyring.json").read_text()) == {f"robota_nb: lab {origin}": KEY}
    assert lab.ok("%robota endpoint key lab --save").text == said  # as it stands
    lab.ok("%robota ask hi")
    assert lab_server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert lab.ok("%robota endpoint key lab --forget").text == "the key of lab is forgotten\n"
    assert lab.ok("%robota endpoint key lab --forget").text == "the key of lab is not kept here\n"
    assert (lab.root / "keyring.json").read_text() == "{}"
    assert "has no key" in listed(lab)


def test_a_typed_key_can_be_saved_later(lab):
    typing(lab, "%robota endpoint key lab", KEY)
    assert "the system's keyring" in lab.ok("%robota endpoint key lab --save").text
    assert KEY in (lab.root / "keyring.json").read_text()


def test_what_was_typed_and_is_no_key_is_not_kept(lab):
    execution = typing(lab, "%robota endpoint key lab", f"'{KEY}'")
    assert execution.error["evalue"] == (
        "the API key of endpoint 'lab', from what was typed, stands in quotes: set it without them"
    )
    hidden(execution.messages)
    assert "has no key" in listed(lab)
    assert "nothing was typed" in typing(lab, "%robota endpoint key lab", "").error["evalue"]


def test_nothing_of_a_wrong_key_is_in_a_verbose_traceback(lab):
    lab.ok("%config RobotaMagics.short_errors = False\n%xmode Verbose")
    execution = typing(lab, "%robota endpoint key lab", f'"{KEY}"')
    lab.ok("%xmode Context")
    assert "hold" in str(execution.error["traceback"])
    hidden(execution.messages)


def test_where_the_environment_has_the_key_nobody_is_asked(lab):
    lab.ok(f"import os; os.environ['LAB_KEY'] = {KEY!r}")
    try:
        said = lab.ok("%robota endpoint key lab --save").text
        assert said == "lab takes its key from the environment variable LAB_KEY\n"
        forgotten = lab.ok("%robota endpoint key lab --forget").text
        assert forgotten == "the key of lab is not kept here; there is one in the environment variable LAB_KEY\n"
    finally:
        lab.ok("del os.environ['LAB_KEY']")
    assert not (lab.root / "keyring.json").exists()


def test_where_nobody_can_be_asked_the_error_says_what_to_set(lab):
    assert lab.run("%robota endpoint key lab", allow_stdin=False).error["traceback"] == [
        "KeyMissing: nobody can be asked for a key here: set the environment variable LAB_KEY"
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("endpoint key lab --save --forget", "give one of them"),
        ("endpoint key ollama", "--key-env"),
        (f"endpoint key {HEX}", "no endpoint has that name: %robota endpoint list"),
        ("endpoint key offline", "no endpoint has that name"),
    ],
)
def test_what_cannot_be_done_is_said(lab, line, words):
    error = lab.run(f"%robota {line}").error
    assert words in error["evalue"]
    hidden(error["evalue"], error["traceback"])


def test_a_runner_that_cannot_ask_fails_the_cell_and_strict_replay_does_not_ask(connected, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    path = write(connected / "nb.ipynb", "%load_ext robota_nb", "%robota endpoint key openai")
    with pytest.raises(Exception, match="nobody can be asked for a key here: set the environment variable OPENAI"):
        Client(nbformat.read(path, as_version=4), timeout=PATIENCE).execute()
    run(path, replay="strict")
    assert "openai needs no key now: replay is strict" in path.read_text()


ON_LINES = [
    *(f"endpoint key lab {key}" for key in (KEY, HEX, "password")),
    *(f"endpoint add lab https://lab.example/v1 {key}" for key in (f"api_key={KEY}", KEY, HEX, f"--api-key={HEX}")),
    *(f"endpoint add lab https://lab.example/v1 --{option} {HEX}" for option in ("api-key", "key", "token")),
    f"endpoint test lab {KEY}",
    *(f"chat set {name}={HEX}" for name in ("api_key", "apikey", "openai_api_key", "authorization", "password", "key")),
    f"chat set temperature=1 user={KEY}",
    f"chat open A --set api_key={HEX}",
    f"chat open A --set 'api_key = {KEY}'",
    f"ask --set access_token={HEX} hi",
    f"ask --model {KEY} hi",
    f"new {KEY}",
    "new eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    f"new AIzaSyD{KEY[8:]}9tSrke72PouQMnMX",
]


@pytest.mark.parametrize("line", ON_LINES)
def test_a_key_on_a_line_is_refused_and_not_repeated(line):
    with pytest.raises(CommandError, match="%robota endpoint key NAME, which asks for it") as caught:
        parse(line)
    hidden(caught.value)


def test_a_key_on_the_line_of_a_cell_is_refused():
    with pytest.raises(CommandError, match="take it out of the cell"):
        parse_cell(f"--set api_key={HEX}")


@pytest.mark.parametrize(
    "line",
    [HEX, KEY, f"chat {HEX}", f"chat log {HEX}", f"chat open A --set {HEX}", f"replay {HEX}", f"ask -f {HEX} x",
     f"ask -o {KEY} x", f"chat edit {HEX} x", f"chat log --{HEX}", f"snapshot --save {HEX}",
     f"endpoint add lab https://lab.example/v1 --key-env {HEX} x"],
)  # fmt: skip
def test_an_error_does_not_repeat_a_word_that_could_be_a_key(line):
    with pytest.raises(RobotaError) as caught:
        parse(line)
    hidden(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "chat set prompt_cache_key=abc max_tokens=5 stop_token_ids=[1]", f"chat checkout e_{HEX[:32]}",
        f"session open s_{HEX[:32]}", "new sk-learn-comparison-of-estimators-2024", "new key", f"ask what is {KEY}?",
        "endpoint add lab https://lab.example/v1 --key-env LAB_KEY", "chat open A --model gpt-4o-mini-2024-07-18",
    ],
)  # fmt: skip
def test_what_only_looks_a_little_like_a_key_is_no_key(line):
    parse(line)


@pytest.mark.parametrize("name", ["api_key", "apikey", "lab_api_key", "token", "access_token", "authorization"])
def test_from_python_a_key_is_no_setting_either(session, name):
    with pytest.raises(
        InvalidName, match="is no setting of a chat: a key stands in the environment variable"
    ) as caught:
        session.create_chat("A", **{name: KEY})
    hidden(caught.value)
