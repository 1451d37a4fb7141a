"""The examples of docs/extending.md do what the page says; the suites in `conformance` hold them to the protocols."""

import os
import re
import shutil
import subprocess
import sys
from threading import Thread

import pytest

from examples.provider import NativeOllama
from robota_nb.core.ports import Finish, Request, Usage, Waiting
from robota_nb.display.hints import told
from robota_nb.errors import KeyMissing, ProviderError
from robota_nb.providers.context import ProviderContext
from robota_nb.providers.endpoint import Endpoint, EndpointError
from robota_nb.providers.registry import EndpointCheck, ProviderRegistry
from robota_nb.testing import Act, FaultServer, check_provider, http
from support.examples import END, PIECE, faulty, native_ollama, ndjson, ollama
from support.git import Repository
from support.kernel import Kernel
from support.paths import ROOT, TESTS
from support.provider import CANARY, answer, ask, assert_no_key, failure, said
from support.require import require

_ = faulty, ollama
EXAMPLES = TESTS / "examples"


# -- the provider


def test_the_provider_keeps_to_the_protocol():
    piece = b'{"model": "m", "message": {"content": "well, "}, "done": false}\n'
    end = piece.replace(b"false}", b'true, "done_reason": "stop", "prompt_eval_count": 1, "eval_count": 6}')
    with FaultServer() as server:
        for _ in range(6):
            server.steps(http("application/x-ndjson"), piece, end)
        endpoint = Endpoint("native-ollama", server.base_url.removesuffix("/v1"), provider="native-ollama")
        provider = NativeOllama(ProviderContext(endpoint=endpoint))
        request = Request(model="m", messages=[{"role": "user", "content": "is all well?"}])
        assert check_provider(provider, request) == "well, well, "


def broken(provider, request=None):
    """Return what was received, and the error that says why there is no more."""
    events = []
    with pytest.raises(ProviderError) as caught:
        events.extend(provider.stream(request or ask()))  # which takes one by one
    return said(events), str(caught.value)


def test_the_provider_asks_and_answers_in_the_servers_own_words(faulty, ollama):
    faulty.steps(*ndjson(PIECE, END))
    dot = {"url": "data:image/png;base64,QUJD"}
    prompt = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": dot}]
    usage = Usage(input_tokens=3, output_tokens=4)
    assert answer(ollama, ask(prompt, "m", seed=7)) == ("all is well", Finish(reason="stop", model="m-1", usage=usage))
    assert faulty.requests == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "what is it?", "images": ["QUJD"]}],
            "options": {"seed": 7},
        }
    ]


@pytest.mark.parametrize(("reason", "told"), [("length", "length"), ("stop", "stop"), ("load", "unknown")])
def test_the_provider_says_how_an_answer_ended(faulty, ollama, reason, told):
    faulty.steps(*ndjson({**END, "done_reason": reason}))
    assert answer(ollama)[1].reason == told


@pytest.mark.parametrize(
    ("steps", "text", "why"),
    [
        (ndjson(PIECE), "all is ", "broke the answer off"),
        ([*ndjson(PIECE), Act.RESET], "", "broke the answer off"),
        ([*ndjson(PIECE), b"{"], "all is ", "another protocol"),
        (ndjson([]), "", "another protocol"),
        (ndjson({"error": "out of memory"}), "", "look into its log"),
        ([http(status="404 Not Found")], "", "does not know the model 'm' or the path (HTTP 404)"),
        ([http(status="500 Oops"), b"out of memory"], "", "failed (HTTP 500): that is the server's side"),
        ([http(status="500 Oops"), b"out of memory"], "", "(it said: out of memory)"),
        ([b"nonsense\r\n\r\n"], "", "fell silent"),
    ],
)
def test_the_provider_says_what_went_wrong_and_what_to_do(faulty, ollama, steps, text, why):
    faulty.steps(*steps)
    received, error = broken(ollama)
    assert received.startswith(text)
    assert why in error


def test_the_provider_says_that_nobody_is_there(faulty, ollama):
    faulty.close()
    assert "run ollama serve" in broken(ollama)[1]


def test_an_ask_that_a_silent_server_has_not_answered_can_be_stopped(faulty, ollama):
    request = ask()
    faulty.steps(lambda: Thread(target=request.cancellation.cancel).start(), Act.STALL)
    broken(ollama, request)
    assert faulty.hung_up.wait(5)


def test_the_provider_gets_the_key_and_no_answer_and_no_error_shows_it():
    with FaultServer() as server:
        provider = native_ollama(server, key=CANARY)
        for cut in (4, 12):
            pieces = [{**PIECE, "message": {"content": text}} for text in (CANARY[:cut], CANARY[cut:])]
            server.steps(*ndjson(*pieces, END))
            assert answer(provider)[0] == "…well"
        server.steps(http(status="401 No"), f"wrong key {CANARY}".encode())
        _, error = failure(provider)  # which looks at every frame's variables
        assert_no_key(told(error))
        assert {headers["authorization"] for headers in server.headers} == {f"Bearer {CANARY}"}
        assert "check the environment variable OLLAMA_KEY (it said: wrong key …)" in told(error)


def test_without_its_key_the_provider_asks_nobody(faulty):
    provider = native_ollama(faulty, key=" ")
    _, error = failure(provider, kind=KeyMissing)
    assert "set the environment variable OLLAMA_KEY" in str(error)
    assert faulty.requests == []


def test_the_provider_asks_a_busy_server_again_and_says_that_it_waits(faulty, monkeypatch):
    monkeypatch.setattr("robota_nb.providers.retry._SHOWN_WAIT", 0)
    faulty.steps(http(status="429 Busy", headers={"Retry-After-Ms": "1"}))
    faulty.steps(Act.RESET)
    faulty.steps(*ndjson(PIECE, END))
    monkeypatch.setattr("robota_nb.providers.retry.backoff", lambda retries: 0)
    first, *rest = native_ollama(faulty, max_retries=2).stream(ask())
    assert first == Waiting(seconds=0.001)
    assert said(rest) == "all is well"
    assert len(faulty.requests) == 3


def test_the_provider_lists_its_models_and_passes_its_settings_on(faulty):
    provider = native_ollama(faulty, keep_alive="5m")
    faulty.steps(http("application/json"), b'{"models": [{"name": "llama3:latest"}]}')
    assert provider.models() == ["llama3:latest"]
    faulty.steps(*ndjson(PIECE, END))
    answer(provider)
    assert (faulty.requests[-1]["model"], faulty.requests[-1]["keep_alive"]) == ("m", "5m")


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A package that brings the provider of the example."""
    about = tmp_path / "mine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[robota_nb.providers]\nnative-ollama = examples.provider:NativeOllama\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_a_provider_of_another_package_is_found_by_its_name(installed):
    registry = ProviderRegistry()
    assert "native-ollama" in registry.names()
    assert registry.get("native-ollama").name == "native-ollama"


def test_a_provider_of_another_package_is_configured_as_an_endpoint(installed, faulty):
    url = faulty.base_url.removesuffix("/v1")
    desk = {"provider": "native-ollama", "base_url": url, "model": "m", "keep_alive": "5m"}
    registry = ProviderRegistry({"desk": desk}, {}, default_provider="desk")
    faulty.steps(http("application/json"), b'{"models": [{"name": "m:latest"}]}')
    assert registry.check("desk") == EndpointCheck(name="desk", model="m", models=("m:latest",))
    assert registry.default() == ("desk", "m")
    faulty.steps(*ndjson(PIECE, END))
    assert answer(registry.get("desk"))[0] == "all is well"
    assert faulty.requests[-1]["keep_alive"] == "5m"


def test_the_url_of_another_packages_endpoint_is_held_to_the_same_rules(installed):
    for url in ("http://far.example", "https://lab.example?key=1"):
        with pytest.raises(EndpointError, match="endpoint 'desk'"):
            ProviderRegistry({"desk": {"provider": "native-ollama", "base_url": url}}).get("desk")


# -- the command


SUITES = ("unit/magics/test_parser.py", "kernel/test_all_commands.py")
"""Those that go through every command; the others that do, of the documentation, follow the table."""


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A copy of the package and its tests, with the change of the example."""
    require("git", shutil.which("git"))
    copy = Repository(tmp_path_factory.mktemp("changed"))
    for part in ("robota_nb", "tests"):
        shutil.copytree(ROOT / part, copy.root / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy.root)
    copy.git("apply", EXAMPLES / "command.diff")
    return copy.root


def test_the_command_takes_three_files():
    assert len(re.findall(r"^\+\+\+ ", (EXAMPLES / "command.diff").read_text(encoding="utf-8"), re.MULTILINE)) == 3


def test_the_command_works_and_help_and_completion_know_it(changed, tmp_path):
    with Kernel(tmp_path, PYTHONPATH=str(changed)) as kernel:
        kernel.ok("%load_ext robota_nb")
        assert "%robota ask TEXT makes one" in kernel.run("%robota new A\n%robota chat last").error["evalue"]
        answered = kernel.ok("%%robota\nWhat is 6 * 7?").answer
        assert kernel.ok("%robota chat last").text.strip() == answered.strip()
        assert "Show the last answer of the active chat again." in kernel.ok("%robota help chat").text
        assert "%robota chat last" in kernel.complete("%robota chat l")


@pytest.mark.slow("runs other suites, one of them in kernels")
@pytest.mark.parametrize("suite", SUITES)
def test_the_suites_that_know_every_command_pass_with_it(changed, suite):
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/{suite}"]
    env = {**os.environ, "PYTHONPATH": str(changed)}
    done = subprocess.run(words, cwd=changed, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
