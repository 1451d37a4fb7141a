"""The short run: a hundred thousand cases in CI, and a bug of each kind that must be found by them."""

import json
import re
import tempfile
from importlib.util import find_spec

import pytest

from robota_nb.carriers import document, file
from robota_nb.core import chat_format as exchange
from robota_nb.core.record import snapshot
from robota_nb.core.record.nodes import Register
from robota_nb.display.segments import Segmenter
from robota_nb.magics import parser as command
from robota_nb.prompt import fields as prompt
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.responses_reply import ResponsesReply
from robota_nb.providers.openai.sse import EventParser
from support.require import require

from . import mutations
from .harness import BATCH, CORPUS, REFUSED, Crash, Target, run
from .pages import PageTarget, browser_path
from .targets import TARGETS

CASES = {
    "sse": 20_000, "reply": 20_000, "responses": 8_000, "snapshot": 1_500, "merge": 1_500, "file": 500,
    "export": 15_000, "talk": 6_000, "line": 3_500, "prompt": 10_000, "answer": 4_000, "message": 8_000,
    "entries": 7_000, "document": 4_000,
}  # fmt: skip

TELLING = 20
"""Of so many cases at least one must be what is wanted, or all of them are turned away at the door."""


@pytest.fixture(params=TARGETS)
def target(request):
    """A target that is ready."""
    target = TARGETS[request.param]
    if isinstance(target, PageTarget):
        require("browser", find_spec("playwright") and browser_path(), "there is no chromium on the PATH")
    with target.ready():
        yield target


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Where failing cases are kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_there_are_a_hundred_thousand_cases_of_all_targets():
    assert CASES.keys() == TARGETS.keys() == {path.name for path in CORPUS.iterdir()}
    assert sum(CASES.values()) >= 100_000


def test_no_case_fails(target, scale):
    cases = CASES[target.name] * scale(fast=1, all=20, long=200) // 20
    ends = run(target, cases=cases)
    assert ends.total() == cases
    assert sum(count for end, count in ends.items() if not end.startswith(REFUSED)) > ends.total() / TELLING


# -- the harness finds what there is to find


def forgets_half_a_line_end(self, data):
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def leaves_halves(self, *, last=False):
    text = "".join(self._texts)
    self._texts.clear()
    return text


def takes_what_comes_last(self, stamp, value):
    self.stamp, self.value = stamp, value
    return True


def cuts_at_pieces(self, delta, feed=Segmenter.feed):
    if self._lines:
        self._cut()
    return feed(self, delta)


def counts_bytes(title, role, text, more):
    mark = exchange._mark(
        role, {"characters": len(text.encode()), **{key: value for key, value in more.items() if value}}
    )
    return f"\n## {title}\n\n{mark}{text}\n"


def ends_the_process(self, message):
    raise SystemExit(message)


DUNDERS = re.compile(prompt.EXPRESSION.pattern.replace(r"\.(?!_)", r"\."), re.VERBOSE)

PLANTED = {
    "sse": (EventParser, "_unix_lines", forgets_half_a_line_end),
    "reply": (Reply, "text", leaves_halves),
    "responses": (ResponsesReply, "text", leaves_halves),
    "snapshot": (Register, "put", takes_what_comes_last),
    "merge": (snapshot, "replaces", lambda entry, other: entry.get("kind") == "purged"),
    "file": (file, "_checked", lambda notebook, name: notebook),
    "export": (exchange, "_said", lambda mark, name: json.loads(mark["said"])),
    "talk": (exchange, "_message", counts_bytes),
    "line": (command._Parser, "error", ends_the_process),
    "prompt": (prompt, "EXPRESSION", DUNDERS),
    "answer": (Segmenter, "feed", cuts_at_pieces),
    "message": (document, "_joined", "".join),
    "entries": (PageTarget, "source", lambda self, name: text_without(name, "UNSAFE_KEYS.has(key)")),
    "document": (PageTarget, "source", lambda self, name: text_without(name, "this._lookTimer !== undefined")),
}


def text_without(name, check, source=PageTarget.source):
    return source(None, name).replace(check, "false")


@pytest.mark.slow("fuzzes until it finds the bug, and makes the case small")
def test_a_planted_bug_is_found(request, monkeypatch, target, kept):
    monkeypatch.setattr(*PLANTED[target.name])
    if isinstance(target, PageTarget):
        target.page.reload()
    with pytest.raises(Crash) as caught:
        run(target, cases=CASES[target.name])
    (path,) = kept.glob(f"fuzz-{target.name}-*")
    assert path.read_bytes() == caught.value.case
    assert f"cp {path} {CORPUS / target.name}" in str(caught.value)


class Seeded(Target):
    """A target with one seed, and a check of its own."""

    def __init__(self, check):
        super().__init__("seeded", mutate=mutations.as_bytes, check=check)

    def seeds(self):
        return [b"of no importance"]


def test_what_fails_is_made_small():
    def check(case):
        assert not case.count(b"[DONE]") > 1
        return f"{len(case)}"

    with pytest.raises(Crash) as caught:
        run(Seeded(check), cases=20_000)
    assert caught.value.case == b"[DONE][DONE]"


def test_the_same_seed_gives_the_same_cases_and_another_one_others():
    def cases(seed):
        seen = []
        ends = run(Seeded(lambda case: seen.append(case) or "done"), cases=3 * BATCH, seed=seed)
        assert ends == {"done": 3 * BATCH}
        return seen

    assert cases(1) == cases(1)
    assert cases(1) != cases(2)


def test_what_hangs_is_found():
    def check(case):
        while b"{" in case:
            pass
        return "done"

    with pytest.raises(Crash, match="it hangs") as caught:
        run(Seeded(check), cases=1_000, patience=0.2)
    assert b"{" in caught.value.case


def test_what_fails_for_all_cases_together_is_found():
    class Heaped(Seeded):
        def check_all(self, cases):
            assert len(cases) < 2
            return ["done" for _ in cases]

    with pytest.raises(Crash):
        run(Heaped(None), cases=BATCH)
