"""What has arrived of an answer is in the store before it has ended: a kernel that dies does not take it along."""

import threading

import nbformat
import pytest

from robota_nb.core.events import EntriesAdded, TurnStarted
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.live import LiveTurn
from robota_nb.core.plan import Plan
from robota_nb.core.record.nodes import Path
from robota_nb.frontends.headless import FrontEnd
from robota_nb.stores.sqlite import SqliteStore
from robota_nb.sync.partial_answers import PartialAnswers
from robota_nb.sync.persistence import Persistence
from robota_nb.testing import FakeOpenAIServer
from support.core import scripted
from support.kernel import PATIENCE, Kernel
from support.notebook import write

LOAD = "%load_ext robota_nb"


def texts(unsaved):
    """The prompts and answers among entries, and how the answers ended."""
    said = [e for entries in unsaved.values() for e in entries.values() if e["kind"] == "message"]
    return sorted(("".join(e["content"]), e.get("finish_reason", "")) for e in said)


class Filing:
    """A manager, its unsaved entries, and a store that tells when something is filed."""

    def __init__(self, steps):
        self.manager = scripted(*steps)
        self.persistence = Persistence(self.manager, [].append, lambda: None, [].append, has_outputs=True)
        self.unsaved = self.persistence.unsaved
        self.partial_answers = PartialAnswers(self.manager, self.persistence)
        self.filed = threading.Condition()
        self.manager.subscribe(self.heard)
        self.store, add = self.unsaved.store, self.unsaved.store.add

        def told(*args):
            with self.filed:
                add(*args)
                self.filed.notify_all()

        self.store.add = told
        self.session = self.manager.create_session("user")

    def heard(self, event):
        if isinstance(event, EntriesAdded):
            self.persistence.commit({event.session: event.entries}, {event.session: event.removed})
        elif isinstance(event, TurnStarted):
            self.partial_answers.begin()

    def holds(self, *wanted):
        """Wait until the store holds exactly these messages."""
        with self.filed:
            found = self.filed.wait_for(
                lambda: texts(self.store.unsaved(self.unsaved.place)) == sorted(wanted), PATIENCE
            )
        assert found, texts(self.store.unsaved(self.unsaved.place))


@pytest.fixture
def filing(monkeypatch):
    for name in ("JPY_SESSION_NAME", "ROBOTA_NB_NOTEBOOK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ROBOTA_NB_STORE", "memory")
    return Filing


def test_what_has_arrived_is_filed_and_makes_way_for_the_answer(filing):
    here = filing([["one ", "two ", "three"]])
    live = here.session.create_chat().stream("hello")
    next(live)
    here.holds(("hello", ""), ("one ", "interrupted"))
    next(live)
    here.holds(("hello", ""), ("one two ", "interrupted"))
    live.result()
    here.holds(("hello", ""), ("one two three", "stop"))


def test_answers_that_arrive_side_by_side_are_filed_apart(filing):
    here = filing([["a1 ", "a2"], ["b1 ", "b2"]])
    one, other = (here.session.create_chat(name).stream(name) for name in "ab")
    next(one)
    next(other)
    here.holds(("a", ""), ("a1 ", "interrupted"), ("b", ""), ("b1 ", "interrupted"))
    other.result()
    here.holds(("a", ""), ("a1 ", "interrupted"), ("b", ""), ("b1 b2", "stop"))
    one.result()
    here.holds(("a", ""), ("a1 a2", "stop"), ("b", ""), ("b1 b2", "stop"))
    # The config that both were asked with is there, also for the one that did not bring it.
    entries = here.store.unsaved(here.unsaved.place)[here.session.id]
    assert {e["config"] for e in entries.values() if e.get("role") == "assistant"} <= entries.keys()


def test_the_next_answer_of_a_chat_is_filed_though_it_has_as_many_pieces(filing):
    here = filing([["one "], ["two ", "three"]])
    chat = here.session.create_chat()
    first = chat.stream("1")
    next(first)
    here.holds(("1", ""), ("one ", "interrupted"))
    first.result()
    second = chat.stream("2")
    next(second)
    here.holds(("1", ""), ("2", ""), ("one ", "stop"), ("two ", "interrupted"))
    second.close()
    here.holds(("1", ""), ("2", ""), ("one ", "stop"), ("two ", "interrupted"))
    assert chat.turns[-1].finish_reason == "interrupted"


def test_an_answer_on_its_way_is_nothing_that_was_not_saved(filing):
    here = filing([["one ", "two"]])
    live = here.session.create_chat().stream("hello")
    next(live)
    here.holds(("hello", ""), ("one ", "interrupted"))
    assert texts(here.unsaved.entries()) == []  # a page that is loaded again must not get it as a turn of its own
    live.result()
    assert texts(here.unsaved.entries()) == [("hello", ""), ("one two", "stop")]


def test_what_is_not_to_be_recorded_is_not_filed(filing):
    here = filing([["unheard ", "of"], ["one ", "two"]])
    aside = here.session.create_chat("aside")
    plan = Plan(text="once", before=Path.of([]), place=None, config=aside.config, record=False)
    once = LiveTurn(ledger_of(aside), view_of(aside), aside.id, lambda: plan)
    next(once)
    live = here.session.create_chat("open").stream("hello")
    next(live)
    here.holds(("hello", ""), ("one ", "interrupted"))
    once.result()
    live.result()
    here.holds(("hello", ""), ("one two", "stop"))


def test_a_killed_kernel_s_unfinished_answer_comes_back_marked_and_can_be_asked_again(tmp_path):
    path, gate = write(tmp_path / "nb.ipynb", LOAD, "%%robota\nhello"), threading.Event()
    store = SqliteStore(tmp_path / "store.sqlite")
    with FakeOpenAIServer(chunks=["one ", "two ", "three"], gate=gate, gate_after=2) as server:
        kernel = Kernel(tmp_path, ROBOTA_NB_STORE=str(tmp_path / "store.sqlite"), **server.environment())
        kernel.front = FrontEnd(nbformat.read(path, as_version=4), path)
        with kernel:
            kernel.ok(LOAD)
            kernel.begin("%%robota\nhello", "cell-1").shows("one")
            while ("one two ", "interrupted") not in texts(store.unsaved(str(path))):
                pass  # another process writes it
            kernel.kill()
            gate.set()
            kernel.front = FrontEnd(nbformat.read(path, as_version=4), path)
            kernel.start().connect().ok(LOAD)
            log = kernel.ok("%robota chat log").text
            assert "one two" in log
            assert "interrupted" in log
            assert "added what the notebook had not saved: 1 session, 1 turn" in kernel.front.notices[0]
            assert "one two three" in kernel.ok("%robota chat retry").answer
            assert "interrupted" not in kernel.ok("%robota chat log", "below").text  # above it, all is as it was
    store.close()
