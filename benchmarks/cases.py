"""The measurements: each yields lines of the table."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.figure import Figure
from benchmarks.kernel import BARE_SETUP, Kernel, bare_call
from benchmarks.server import serve
from robota_nb.core import snapshot
from robota_nb.core.manager import SessionManager
from robota_nb.testing import ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 5
SHORT_ROUNDS = 25
PACED_SECONDS = 30
PER_SECOND = 95
LINGER = 4
"""Seconds after a cell in which the entry of a long answer still goes out, in parts."""
SHAPES = {"paragraphs": "in paragraphs", "endless": "one endless paragraph"}
HEAVY = ("openai", "ipywidgets", "anywidget", "nbformat", "nbclient", "sqlite3")


def burst() -> Iterator[Figure]:
    """10,000 chunks at once, in turns with the bare client."""
    name = "10,000 chunks, 100 KB in paragraphs, at once"
    with (
        serve("paragraphs", 10_000, batch=20) as server,
        Kernel(server.base_url) as ours,
        Kernel(server.base_url) as bare,
    ):
        _prepare(ours, bare)
        pairs, sizes, counts, firsts = [], [], [], []
        for number in range(ROUNDS + 1):
            ours.run(f"%robota chat open burst {number} --provider openai")
            mine = ours.run("%%robota\nGo.")
            began = server.began()
            theirs = bare.run(bare_call("[{'role': 'user', 'content': 'Go.'}]"))
            server.began()
            if number == 0:
                continue  # imports, connection
            pairs.append((mine.seconds, theirs.seconds))
            sizes.append(mine.size)
            counts.append(len(mine.messages))
            firsts.append(mine.first_output - began)
        yield Figure(
            f"{name}: iopub traffic", max(sizes) / 1e6, 0.5, "MB", f"bare, printed once: {theirs.size / 1e6:.2f} MB"
        )
        yield Figure(f"{name}: iopub messages", max(counts), 250, "")
        yield Figure(
            f"{name}: first output after the answer begins",
            1e3 * median(firsts),
            20,
            "ms",
            f"worst {1e3 * max(firsts):.0f} ms",
        )
        yield _ratio(f"{name}: total time", pairs, 0.6)


def paced() -> Iterator[Figure]:
    """A steady stream, in paragraphs and as one paragraph that never ends."""
    count = PACED_SECONDS * PER_SECOND
    for shape, size in (("paragraphs", 10), ("paragraphs", 35), ("endless", 10), ("endless", 35)):
        with serve(shape, count, size, per_second=PER_SECOND) as server, Kernel(server.base_url) as ours:
            ours.open()
            ours.run("%load_ext robota_nb")
            ours.run("%robota chat open paced --provider openai")
            run = ours.run("%%robota\nGo.", linger=LINGER)
        name = f"{PER_SECOND} chunks of {size} characters a second, {SHAPES[shape]}: busiest second"
        sent = f"{count * size // 1000} KB of text, {run.size / 1e6:.2f} MB, {len(run.messages)} messages"
        yield Figure(name, run.busiest_second() / 1e6, 0.1, "MB", sent)


def load() -> Iterator[Figure]:
    """``%load_ext`` in fresh kernels."""
    times, firsts, heavy = [], [], set()
    code = (
        "import sys, time\n_before = set(sys.modules)\n_start = time.perf_counter()\n"
        "get_ipython().run_line_magic('load_ext', 'robota_nb')\n"
        "print(time.perf_counter() - _start, *{m.partition('.')[0] for m in sys.modules.keys() - _before})"
    )
    for _ in range(ROUNDS + 1):
        with Kernel() as kernel:
            seconds, *modules = kernel.run(code).text.split()
            times.append(float(seconds))
            heavy |= set(modules) & set(HEAVY)
            firsts.append(kernel.run("%robota").seconds)
    yield Figure(
        "%load_ext in a fresh kernel", 1e3 * median(times[1:]), 30, "ms", f"worst {1e3 * max(times[1:]):.0f} ms"
    )
    yield Figure("%load_ext: heavy modules imported", len(heavy), 0, "", ", ".join(sorted(heavy)))
    yield Figure("the first %robota after it", 1e3 * median(firsts), None, "ms", f"worst {1e3 * max(firsts):.0f} ms")


def short_call() -> Iterator[Figure]:
    """A one-word answer, in turns with the bare client; a cell's whole round trip."""
    with serve("endless", 1) as server, Kernel(server.base_url) as ours, Kernel(server.base_url) as bare:
        _prepare(ours, bare)
        ours.run("%robota chat open short --provider openai")
        pairs = []
        for number in range(SHORT_ROUNDS + 2):
            mine = ours.run(f"%%robota --chat short\nGo {number}.")
            history = ", ".join("{'role': 'user', 'content': 'Go.'}" for _ in range(2 * number + 1))
            theirs = bare.run(bare_call(f"[{history}]"))
            pairs.append((mine.seconds, theirs.seconds))
        yield _ratio("one short call", pairs[2:], 1.2)


def long_chat() -> Iterator[Figure]:
    """One more call in a chat that was resumed with 5,000 messages."""
    value = _conversation(2_500)
    with serve("endless", 1) as server, Kernel(server.base_url) as ours, Kernel(server.base_url) as bare:
        _prepare(ours, bare, value)
        begin = time.time()
        ours.run("%robota")
        resumed = time.time() - begin
        bare.run(
            "history = [{'role': ('user', 'assistant')[n % 2], 'content': f'message number {n} of a long chat'}"
            " for n in range(5_001)]"
        )
        pairs = []
        for number in range(ROUNDS + 2):
            mine = ours.run(f"%%robota\nGo {number}.")
            theirs = bare.run(bare_call("history"))
            pairs.append((mine.seconds, theirs.seconds))
        mine, theirs = (median(column) for column in zip(*pairs[2:], strict=True))
        yield Figure(
            "one more call in a chat of 5,000 messages", 1e3 * mine, 35, "ms", f"bare, typed: {1e3 * theirs:.0f} ms"
        )
        yield Figure("resuming that chat, in its first command", 1e3 * resumed, None, "ms")


CASES: tuple[Callable[[], Iterator[Figure]], ...] = (load, short_call, long_chat, burst, paced)


def _prepare(ours: Kernel, bare: Kernel, value: object = None) -> None:
    ours.open(value)
    ours.run("%load_ext robota_nb")
    bare.run(BARE_SETUP)


def _ratio(what: str, pairs: list[tuple[float, float]], limit: float) -> Figure:
    mine, theirs = (median(column) for column in zip(*pairs, strict=True))
    ratio = median(a / b for a, b in pairs)
    return Figure(what, ratio, limit, "of bare", f"{1e3 * mine:.1f} ms to {1e3 * theirs:.1f} ms")


class _Scripted:
    """A registry that knows one provider."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider

    def default(self) -> tuple[str, str]:
        return "openai", "fake-model"

    def get(self, _: str) -> Any:
        return self._provider


def _conversation(turns: int) -> dict[str, Any]:
    """Return the snapshot of a chat with this many turns."""
    provider = ScriptedProvider(f"message number {2 * n + 1} of a long chat" for n in range(turns))
    manager = SessionManager(providers=_Scripted(provider))
    chat = manager.create_session("user").create_chat("Long")
    for number in range(turns):
        chat.send(f"message number {2 * number} of a long chat")
    return snapshot.dump({session.id: session.record.entries for session in manager.sessions("user")})
