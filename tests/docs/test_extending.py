"""The examples of docs/extending.md do what the page says; the suites in `conformance` hold them to the protocols."""

import os
import shutil
import subprocess
import sys
from threading import Thread

import pytest

from examples.provider import NativeOllama
from robota_nb.core.ports import Finish, Request, Usage
from robota_nb.errors import ProviderError
from robota_nb.magics.commands import COMMANDS
from robota_nb.providers.registry import ProviderRegistry
from robota_nb.testing import Act, FaultServer, check_provider, http
from support.examples import END, PIECE, faulty, ndjson, ollama
from support.git import Repository
from support.kernel import Kernel
from support.paths import ROOT, TESTS
from support.provider import answer, ask, said
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
        provider = NativeOllama(server.base_url.removeprefix("http://").removesuffix("/v1"))
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
        ([*ndjson(PIECE), Act.RESET], "", "fell silent"),
        ([*ndjson(PIECE), b"{"], "all is ", "another protocol"),
        (ndjson([]), "", "another protocol"),
        (ndjson({"error": "out of memory"}), "", "look into its log"),
        ([http(status="404 Not Found")], "", "run ollama pull"),
        ([http(status="500 Oops")], "", "refused to answer"),
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


def test_a_provider_of_another_package_is_found_by_its_name(monkeypatch, tmp_path):
    about = tmp_path / "mine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[robota_nb.providers]\nnative-ollama = examples.provider:NativeOllama\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = ProviderRegistry()
    assert "native-ollama" in registry.names()
    assert registry.get("native-ollama").name == "native-ollama"


# -- the command


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A copy of the package and of the commands' story, with the change of the example."""
    require("git", shutil.which("git"))
    copy = Repository(tmp_path_factory.mktemp("changed"))
    shutil.copytree(ROOT / "robota_nb", copy.root / "robota_nb", ignore=shutil.ignore_patterns("__pycache__"))
    (copy.root / "tests" / "kernel").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "kernel" / "test_all_commands.py", copy.root / "tests" / "kernel")
    copy.git("apply", EXAMPLES / "command.diff")
    return copy.root


def test_the_command_works_and_help_and_completion_know_it(changed, tmp_path):
    with Kernel(tmp_path, PYTHONPATH=str(changed)) as kernel:
        kernel.ok("%load_ext robota_nb")
        assert "%robota ask TEXT makes one" in kernel.run("%robota new A\n%robota chat last").error["evalue"]
        answered = kernel.ok("%%robota\nWhat is 6 * 7?").answer
        assert kernel.ok("%robota chat last").text.strip() == answered.strip()
        assert "Show the last answer of the active chat again." in kernel.ok("%robota help chat").text
        assert "%robota chat last" in kernel.complete("%robota chat l")


def test_the_commands_story_tells_it(changed):
    code = "import test_all_commands as story; story.test_they_are_all_in_the_story(); print(len(story.COMMANDS))"
    path = os.pathsep.join(map(str, [changed, changed / "tests" / "kernel", TESTS]))
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=changed, env=env, check=True, capture_output=True, text=True
    )
    assert int(done.stdout) == len(COMMANDS) + 1
