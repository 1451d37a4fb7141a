"""The measurements of all contenders, in turns (A B C, A B C, …): each yields its table, and lines for the limits."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import histories
from benchmarks.cases import LINGER, PER_SECOND
from benchmarks.contenders import BARE, HISTORY, OURS, RAW
from benchmarks.environments import Entrant
from benchmarks.figure import Figure
from benchmarks.kernel import Kernel, Run
from benchmarks.server import ENDING, Server, answer, serve
from benchmarks.table import WARM, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 5
SHORT_ROUNDS = 25
EMPTY_CELLS = 3
PATIENCE = 30.0
"""Seconds that a peer may take in a table; then it sits out the rounds that are left."""
PACED_SECONDS = 15
HISTORIES = (10, 1_000, 5_000, 19_800)
"""Messages; a session of robota_nb holds 20,000 entries, so the longest is a little shorter."""
HEAVY = ("openai", "ipywidgets", "anywidget", "nbformat", "nbclient", "sqlite3")
ROLES = ("user", "assistant")
MODULES = "import sys\nprint(*sorted({name.partition('.')[0] for name in sys.modules}), len(sys.modules))"

OURS_NAME, BARE_NAME = OURS.name, BARE.name
CHUNKS = (2_000, 10_000)
ANSWER = "An answer of {:,} chunks at once"
TOTAL, TRAFFIC = "total, ms", "iopub bytes a byte of text"
CONVERSATION = "One more call in a long conversation"
COLUMNS = {count: f"{count:,} messages, ms" for count in HISTORIES}


def load(entrants: list[Entrant]) -> Iterator[Table | Figure]:
    """A fresh kernel: loading, and the first answer."""
    loading, loaded, heap = "load, ms", "modules", "memory after loading, MB"
    both, full = "load + first answer, ms", "memory after the answer, MB"
    table = Table(
        "Loading, and the first answer",
        (loading, loaded, heap, both, full),
        "Each in a fresh kernel, which has run one empty cell. *Load* is the cell that loads or imports; *load + first "
        "answer* adds the cells that begin a conversation and ask in it, until the answer of one word stands there. "
        "Modules and memory are what came on top of the empty kernel.",
    )
    heavy: set[str] = set()
    with serve("endless", 1) as server:

        def measure(entrant: Entrant, _: int) -> dict[str, float]:
            with _kernel(entrant, server) as kernel:
                *there, count = kernel.run(MODULES).text.split()
                memory = kernel.memory
                first = kernel.run(_fill(entrant.contender.load, server))
                rise = kernel.memory - memory
                *names, after = kernel.run(MODULES).text.split()
                if entrant.contender is OURS:
                    heavy.update((set(names) - set(there)) & set(HEAVY))
                rest = _begin(kernel, entrant, server, 0), _ask(kernel, entrant, server, 0)
                return {
                    loading: 1e3 * first.seconds,
                    loaded: int(after) - int(count),
                    heap: rise / 1e6,
                    both: 1e3 * (first.seconds + sum(run.seconds for run in rest)),
                    full: (kernel.memory - memory) / 1e6,
                }

        _in_turns(table, entrants, ROUNDS, measure)
    yield Figure(
        "%load_ext in a fresh kernel",
        table.median(OURS_NAME, loading),
        30,
        "ms",
        f"worst {table.worst(OURS_NAME, loading):.0f} ms",
    )
    yield Figure("%load_ext: heavy modules imported", len(heavy), 0, "", ", ".join(sorted(heavy)))
    yield from _ratio(table, loading, 0.06, "%load_ext", "of `import openai`")
    yield from _ratio(table, both, 1.05, "load + first answer", "of bare")
    yield table


def short_call(entrants: list[Entrant]) -> Iterator[Table | Figure]:
    """A one-word answer, less an empty cell."""
    whole, over = "call, ms", "over an empty cell, ms"
    table = Table(
        "One short call",
        (whole, over),
        "The cell that asks for one word, in a conversation that grows with each round; and the same less an empty "
        f"cell (`pass`) of the same kernel, the median of {EMPTY_CELLS} just before.",
    )
    with serve("endless", 1) as server, ExitStack() as stack:
        kernels = _ready(stack, entrants, server, table)

        def measure(entrant: Entrant, number: int) -> dict[str, float]:
            kernel = kernels[entrant.name]
            empty = median(kernel.run("pass").seconds for _ in range(EMPTY_CELLS))
            asked = _ask(kernel, entrant, server, number).seconds
            return {whole: 1e3 * asked, over: 1e3 * (asked - empty)}

        _in_turns(table, entrants, SHORT_ROUNDS, measure)
    yield from _ratio(table, over, 1.0, "one short call, over an empty cell", "of bare")
    yield table


def burst(entrants: list[Entrant]) -> Iterator[Table | Figure]:
    """Answers of 2,000 and 10,000 chunks at once."""
    for count in CHUNKS:
        yield from _burst(entrants, count)


def _burst(entrants: list[Entrant], count: int) -> Iterator[Table | Figure]:
    first, messages = "first output, ms", "iopub messages"
    text = "".join(answer("paragraphs", count, 10))
    table = Table(
        ANSWER.format(count),
        (first, TOTAL, messages, TRAFFIC),
        f"{len(text) / 1000:.0f} KB in paragraphs, as fast as it is taken; each answer in a new conversation. *First "
        "output* is counted from the server's first byte, and an empty one before it is none; *total* is the whole "
        f"cell. In the last round, traffic is counted for {LINGER} s more where the document is told of the turn. "
        "Who does not stream gets all in one piece, which a real model gives only after its last word.",
    )
    with serve("paragraphs", count, batch=20) as server, ExitStack() as stack:
        kernels = _ready(stack, entrants, server, table)

        def measure(entrant: Entrant, number: int) -> dict[str, float]:
            kernel = kernels[entrant.name]
            _begin(kernel, entrant, server, number)
            run = _ask(
                kernel, entrant, server, number, LINGER if entrant.contender.document and number == ROUNDS else 0
            )
            return {
                first: 1e3 * run.first_output(server.began(run.start)),
                TOTAL: 1e3 * run.seconds,
                messages: len(run.messages),
                TRAFFIC: run.size / len(text),
            }

        _in_turns(table, entrants, ROUNDS, measure)
    if count == CHUNKS[-1]:
        name = f"{count:,} chunks at once"
        worst = f"worst {table.worst(OURS_NAME, first):.1f} ms"
        yield Figure(f"{name}: first output after the answer begins", table.median(OURS_NAME, first), 20, "ms", worst)
        yield from _ratio(table, TOTAL, 0.4, f"{name}, rendered Markdown: total time", "of bare")
        note = f"{table.worst(OURS_NAME, messages):.0f} messages"
        yield Figure(f"{name}: iopub traffic", table.worst(OURS_NAME, TRAFFIC), 3, "bytes a byte of text", note)
    yield table


def steady(entrants: list[Entrant]) -> Iterator[Table]:
    """The peak of a steady stream."""
    peak = "busiest second, MB"
    count = PACED_SECONDS * PER_SECOND
    text = "".join(answer("paragraphs", count, 35))
    table = Table(
        f"A steady answer of {PER_SECOND} chunks a second",
        (peak, TRAFFIC),
        f"{len(text) / 1000:.0f} KB in {PACED_SECONDS} s, in paragraphs, once. Who does not stream shows it in one go.",
    )
    with serve("paragraphs", count, 35, per_second=PER_SECOND) as server, ExitStack() as stack:
        kernels = _ready(stack, entrants, server, table)

        def measure(entrant: Entrant, number: int) -> dict[str, float]:
            run = _ask(kernels[entrant.name], entrant, server, number, LINGER)
            return {peak: run.busiest_second() / 1e6, TRAFFIC: run.size / len(text)}

        _in_turns(table, entrants, 0, measure)
    yield table


def history(entrants: list[Entrant]) -> Iterator[Table | Figure]:
    """One more call in long conversations."""
    columns = tuple(COLUMNS.values())
    table = Table(
        CONVERSATION,
        columns,
        "A short answer after so many messages of about 32 bytes. Who has no other way to get there was asked "
        "every question before, up to 1,000 messages. *raw POST* sends the same bytes, ready made, with `http.client`.",
    )
    room = next(entrant.python for entrant in entrants if entrant.name == BARE_NAME)
    with serve("endless", 1, 33) as server:
        for count, column in COLUMNS.items():
            able = [each for each in (*entrants, Entrant(RAW, room)) if count <= each.contender.most]
            with ExitStack() as stack:
                kernels = _ready(stack, able, server, table, count)

                def measure(entrant: Entrant, number: int) -> dict[str, float]:
                    return {column: 1e3 * _ask(kernels[entrant.name], entrant, server, number).seconds}  # noqa: B023

                _in_turns(table, able, ROUNDS, measure)
    yield from _ratio(table, columns[2], 0.05, "one more call at 5,000 messages", "of bare")
    sizes = [len(json.dumps(_messages(count))) for count in HISTORIES]
    per_byte = [table.median(OURS_NAME, column) / size for column, size in zip(columns[2:], sizes[2:], strict=True)]
    yield Figure(
        "one more call at 19,800 messages: time for a byte sent",
        per_byte[1] / per_byte[0],
        1.1,
        "of that at 5,000",
        f"1 is linear; {table.median(OURS_NAME, columns[3]):.0f} ms, {sizes[3] / 1e6:.1f} MB",
    )
    yield table


COMPARED = (load, short_call, burst, steady, history)


# -- the ways of all cases


def _in_turns(
    table: Table, entrants: list[Entrant], rounds: int, measure: Callable[[Entrant, int], dict[str, float]]
) -> None:
    """Measure everyone in turns; a peer that fails is named and left out, one that takes too long sits out the rest."""
    spent = dict.fromkeys((entrant.name for entrant in entrants), 0.0)
    for number in range(WARM + rounds):
        for entrant in entrants:
            name = entrant.name
            if name in table.missing or spent[name] > PATIENCE:
                continue
            begin = time.monotonic()
            with _excused(table, entrant):
                table.add(name, number, measure(entrant, number))
            if entrant.contender not in (OURS, BARE):
                spent[name] += time.monotonic() - begin


@contextmanager
def _excused(table: Table, entrant: Entrant) -> Iterator[None]:
    """Note why a peer cannot be measured, and go on without it."""
    try:
        yield
    except RuntimeError as error:
        if entrant.contender in (OURS, BARE):
            raise
        table.missing[entrant.name] = (str(error).strip() or "it fails").splitlines()[-1]


def _ready(
    stack: ExitStack, entrants: list[Entrant], server: Server, table: Table, messages: int = 0
) -> dict[str, Kernel]:
    """Return a kernel for each, loaded, in a conversation of so many messages."""
    kernels = {}
    for entrant in entrants:
        if entrant.name in table.missing:
            continue
        with _excused(table, entrant):
            kernels[entrant.name] = kernel = stack.enter_context(_kernel(entrant, server, messages))
            kernel.run(_fill(entrant.contender.load, server))
            if not (messages and entrant.contender.document):
                _begin(kernel, entrant, server, 10_000)
            if messages and entrant.contender.history:
                kernel.run(_fill(entrant.contender.history, server))
            if messages and entrant.contender.asked:
                _converse(kernel, entrant, server, messages // 2)
    return kernels


def _converse(kernel: Kernel, entrant: Entrant, server: Server, turns: int) -> None:
    """Ask so many times; it may take as long as a table may."""
    until = time.monotonic() + PATIENCE
    for number in range(turns):
        _ask(kernel, entrant, server, 10_000 + number)
        if time.monotonic() > until:
            raise RuntimeError(f"a conversation of {2 * turns:,} messages takes more than {PATIENCE:.0f} s to make")


@contextmanager
def _kernel(entrant: Entrant, server: Server, messages: int = 0) -> Iterator[Kernel]:
    contender = entrant.contender
    files = {name: _fill(text, server) for name, text in contender.files.items()}
    if messages and contender.history:
        files[HISTORY] = json.dumps(_messages(messages))
    environment = {name: _fill(value, server) for name, value in contender.environment.items()}
    with Kernel(server.base_url, entrant.python, environment=environment, files=files, limit=2 * PATIENCE) as kernel:
        if contender.document:
            kernel.open(histories.conversation(messages // 2) if messages else None)
        yield kernel


def _begin(kernel: Kernel, entrant: Entrant, server: Server, number: int) -> Run:
    return kernel.run(_fill(entrant.contender.fresh, server, number))


def _ask(kernel: Kernel, entrant: Entrant, server: Server, number: int, linger: float = 0) -> Run:
    """Ask, and make sure that what is shown is the answer."""
    run = kernel.run(_fill(entrant.contender.ask, server, number), linger)
    if entrant.contender is not RAW and not run.shows(ENDING):
        raise RuntimeError(f"does not show the answer: {str(run.last[-1:])[:200]}")
    return run


def _fill(cell: str, server: Server, number: int = 0) -> str:
    return cell.replace("BASE_URL", server.base_url).replace("NUMBER", str(number))


def _messages(count: int) -> list[dict[str, str]]:
    pairs = histories.talk(count // 2)
    return [{"role": role, "content": text} for pair in pairs for role, text in zip(ROLES, pair, strict=True)]


def _ratio(table: Table, column: str, limit: float, what: str, unit: str) -> Iterator[Figure]:
    ratios: Any = table.ratios(OURS_NAME, column, BARE_NAME)
    mine, theirs = table.median(OURS_NAME, column), table.median(BARE_NAME, column)
    note = f"{mine:.1f} ms to {theirs:.1f} ms; {min(ratios):.2g} to {max(ratios):.2g}"
    yield Figure(what, table.ratio(OURS_NAME, column, BARE_NAME), limit, unit, note)
