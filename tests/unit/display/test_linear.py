"""What is read, shown and compared costs in proportion to the notebook, whatever stands in it: work is counted."""

import sys
import tracemalloc

import pytest

from robota_nb.cli.git import compare
from robota_nb.core.inside import ledger_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.rules import stats
from robota_nb.core.rules.recorded import Recorded
from robota_nb.core.rules.search import search
from robota_nb.display import report
from support import bombs
from support.core import new_manager


def work(done):
    """Return how many calls a function makes, those into C and the steps of generators among them."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        done()
    finally:
        sys.setprofile(before)
    return calls


def room(done):
    """Return how many bytes a function takes at its peak."""
    tracemalloc.start()
    try:
        done()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def of_files(entries):
    """Do what the program does with a notebook."""
    value = snapshot.dump({bombs.SESSION: entries})
    report.tree(value)
    compare.changes({}, snapshot.parse(value))


def of_the_record(entries):
    """Do what a kernel does when it reads a notebook."""
    state = SessionState(bombs.SESSION)
    state.apply(entries)
    recorded = Recorded(state)
    recorded.answers()
    recorded.in_order(recorded.steps())
    recorded.pending()
    list(recorded.outside(()))


def of_views(entries):
    """Do what the commands and the switcher of a kernel do."""
    manager = new_manager()
    manager.adopt({bombs.SESSION: entries}, "u")
    (session,) = manager.sessions("u")
    ledger = ledger_of(manager)
    list(ledger.page("u").marks())
    report.chats(session)
    report.log(session.chats[0])
    report.branches(session.chats[0])
    view = ledger.views[session.id]
    chats = [chat.id for chat in view.live_chats()]
    search(view.record, chats, "nowhere", view.path)
    stats.count_chats([(view, chat) for chat in chats], sessions=1, made=(), replayed=())
    view.names()


@pytest.mark.parametrize("done", [of_files, of_the_record, of_views], ids=lambda done: done.__name__)
@pytest.mark.parametrize("bomb", bombs.ALL, ids=lambda bomb: bomb.__name__)
def test_four_times_the_notebook_is_about_four_times_the_work(bomb, done):
    small, large = bomb(60), bomb(240)
    done(small)  # what is imported and cached comes first
    less, more = work(lambda: done(small)), work(lambda: done(large))
    assert more < 6 * less, f"{less:,} calls, and {more:,} for four times as much"


@pytest.mark.parametrize("done", [of_files, of_the_record, of_views], ids=lambda done: done.__name__)
@pytest.mark.parametrize("bomb", bombs.ALL, ids=lambda bomb: bomb.__name__)
def test_four_times_the_notebook_takes_about_four_times_the_room(bomb, done):
    small, large = bomb(60), bomb(240)
    done(small)
    less, more = room(lambda: done(small)), room(lambda: done(large))
    assert more < 6 * less, f"{less:,} bytes, and {more:,} for four times as much"


def test_a_terminal_is_shown_so_many_lines_and_is_told_what_shows_the_others():
    outline = report.outlined({bombs.SESSION: bombs.chain(5)})
    assert report.drawn(outline, most=4).splitlines() == [
        *report.drawn(outline).splitlines()[:4],
        "… and more: a pipe gets all, as in robota-nb show NOTEBOOK | less",
    ]
    assert report.drawn(outline, most=7) == report.drawn(outline)
    assert len(report.drawn(outline).splitlines()) == 7
