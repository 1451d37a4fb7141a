"""What grows with the history, and what must not: in a real kernel, as a user feels it, but where a note says so."""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import histories
from benchmarks.figure import Figure
from benchmarks.kernel import Kernel
from benchmarks.server import serve
from benchmarks.sizes import memory, saved_notebook
from robota_nb.core.inside import view_of
from robota_nb.core.rules.search import by_use, matches_here
from robota_nb.display import report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 7
WARM_UP = 2
"""Rounds that do not count: imports, connections."""
MANY = 25
"""Rounds of what takes about a millisecond."""
TURNS = (10, 100, 1_000, 5_000)
CHATS = (10, 100, 2_000)
CELLS = (10, 100, 1_000)
OPEN = "%load_ext robota_nb\n%config RobotaMagics.max_chats = 0"

TIMER = """
import time
from robota_nb.core import live
def _timed(end, times):
    def timed(*args):
        begin = time.perf_counter()
        end(*args)
        times.append(time.perf_counter() - begin)
    return timed
_ended = []
live._Outcome.end = _timed(live._Outcome.end, _ended)
"""
"""Measures in the kernel what follows an answer's last word: recorded, in the store, on its way to the document."""


def deltas() -> Iterator[Figure]:
    """One turn more: from its last word to its entries on their way to the document, and a snapshot of all."""
    with serve("endless", 1) as server:
        for turns in TURNS:
            with Kernel(server.base_url) as kernel:
                kernel.open(histories.conversation(turns))
                kernel.run(f"{OPEN}\n{TIMER}")
                runs = [kernel.run(f"%%robota\nGo {number}.") for number in range(ROUNDS + WARM_UP)][WARM_UP:]
                times = [1e3 * float(word) for word in kernel.run("print(*_ended)").text.split()][WARM_UP:]
                sent = [sum(size for _, kind, size in run.messages if kind == "comm_msg") for run in runs]
                snapshots = [1e3 * kernel.run("%robota snapshot").seconds for _ in range(ROUNDS)]
            name = f"after {turns:,} turns"
            yield Figure(f"{name}: a turn's entries on their way", median(times), 5, "ms", worst(times))
            yield Figure(f"{name}: bytes sent for them", max(sent) / 1e3, 3, "KB")
            yield Figure(f"{name}: %robota snapshot", median(snapshots), None, "ms", worst(snapshots))


def resume() -> Iterator[Figure]:
    """The first command in a fresh kernel that was given the document."""
    for turns in (10, 1_000, 5_000):
        value, times = histories.conversation(turns), []
        for _ in range(3):
            with Kernel() as kernel:
                kernel.open(value)
                kernel.run(OPEN)
                times.append(kernel.run("%robota").seconds)
        yield Figure(f"resume {turns:,} turns, in the first command", median(times), 1, "s", worst(times, "s"))


def replay() -> Iterator[Figure]:
    """All cells of a notebook run again: a cell with a recorded turn, less an empty cell."""
    for cells in CELLS:
        value = histories.conversation(cells, cells=True)
        sources = [histories.source(question) for question, _ in histories.talk(cells)]
        listed = [("load", OPEN), *((histories.cell_id(n), source) for n, source in enumerate(sources))]
        with Kernel() as kernel:
            kernel.open(value, listed)
            yield from _replayed(kernel, f"replay {cells:,} cells, with ids and a list", listed)
        with Kernel() as kernel:
            kernel.keep(value)
            nameless = [("", source) for _, source in listed]
            yield from _replayed(kernel, f"replay {cells:,} cells, with neither", nameless)


def _replayed(kernel: Kernel, name: str, cells: list[tuple[str, str]]) -> Iterator[Figure]:
    load, *asks = cells
    kernel.run(load[1], cell=load[0])
    kernel.run("%robota replay strict")  # and so no request
    empty, times = [], []
    for cell, source in asks:
        empty.append(1e3 * kernel.run("pass").seconds)
        times.append(1e3 * kernel.run(source, cell=cell).seconds - empty[-1])
    yield Figure(
        name, median(times[WARM_UP:]), 2, "ms a turn", f"beyond the empty cell before it: {median(empty):.2g} ms"
    )
    if len(times) == CELLS[-1]:
        first, last = median(times[1:101]), median(times[-100:])
        yield Figure(
            f"{name}: the last hundred less the first", last - first, 0.5, "ms a turn", f"first: {first:.3g} ms"
        )


def chats() -> Iterator[Figure]:
    """Switch and fork among many chats: a line magic less an empty one; and by the API, in process."""
    for count in CHATS:
        chat = histories.new_chat("chat 0")
        session = chat.session
        for number in range(1, count):
            session.create_chat(f"chat {number}")
        for each in session.chats:
            histories.add_turns(each, histories.talk(2))
        value = histories.dump(chat)
        names = [f"chat {number * count // MANY}" for number in range(MANY)]
        switches = _timed(session.switch_to, names)
        forks = _timed(partial(chat.fork, at=1), [f"fork {number} of {name}" for number, name in enumerate(names)])
        yield Figure(f"switch among {count:,} chats, in process", median(switches), 1, "ms", worst(switches))
        yield Figure(f"fork among {count:,} chats, in process", median(forks), 1, "ms", worst(forks))
        with Kernel() as kernel:
            kernel.open(value)
            kernel.run(f"{OPEN}\nget_ipython().register_magic_function(lambda line: None, 'line', 'nothing')")
            kernel.run("%robota")
            for verb, line in (("switch", "%robota switch {1}"), ("fork", "%robota chat fork fork {0} of {1}")):
                times = []
                for number, name in enumerate(names):
                    empty = kernel.run("%nothing").seconds
                    times.append(1e3 * (kernel.run(line.format(number, name)).seconds - empty))
                yield Figure(f"{verb} among {count:,} chats, the command", median(times[1:]), 1, "ms", worst(times[1:]))


def _timed(act: Callable[[Any], object], arguments: list[str]) -> list[float]:
    times = []
    for argument in arguments:
        begin = time.perf_counter()
        act(argument)
        times.append(1e3 * (time.perf_counter() - begin))
    return times


def reading() -> Iterator[Figure]:
    """Commands that read a long history, by how their time grows from 1,000 turns to 5,000: 5 is linear."""
    times: dict[str, list[float]] = {}
    lines = ("%robota", "%robota chat log", "%robota chat list", "%robota session stats", "%robota chat branches")
    for turns in (1_000, 5_000):
        with Kernel() as kernel:
            kernel.open(histories.conversation(turns, cells=True), [("load", OPEN)])
            kernel.run(OPEN)
            kernel.run("%robota")
            for line in lines:
                times.setdefault(line, []).append(1e3 * median(kernel.run(line).seconds for _ in range(ROUNDS)))
    for line, (few, many) in times.items():
        yield Figure(f"{line} at 5,000 turns", many, None, "ms", f"{many / few:.2g} times that at 1,000")


def searching() -> Iterator[Figure]:
    """Find a text in 50 chats of 40 turns, 2.5 million characters, and list what was found; in process."""
    chat = histories.new_chat("chat 0")
    for number in range(1, 50):
        chat.session.create_chat(f"chat {number}")
    for number, each in enumerate(chat.session.chats):
        texts = (
            (f"{question}, number {number}", f"{answer} 데이터를 나누는 방법 " * 24)
            for question, answer in histories.talk(40)
        )
        histories.add_turns(each, texts)
    view = view_of(chat)
    for what, text in {"nowhere": "no such words", "in one chat": "number 49", "everywhere": "데이"}.items():
        times = _timed(lambda text: report.matches(by_use(matches_here(view, text))), [text] * MANY)
        yield Figure(f"search for what is {what} in 2,000 turns, in process", median(times), 100, "ms", worst(times))


def worst(times: list[float], unit: str = "ms") -> str:
    """Return the note that names the longest time."""
    return f"worst {max(times):.3g} {unit}"


CASES: tuple[Callable[[], Iterator[Figure]], ...] = (
    deltas, resume, replay, chats, reading, searching, memory, saved_notebook,
)  # fmt: skip
