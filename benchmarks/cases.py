"""The measurements of robota_nb alone, as the running interpreter has it: each yields lines of the table."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figure import Figure
from benchmarks.kernel import Kernel
from benchmarks.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 5
PACED_SECONDS = 30
PER_SECOND = 95
LINGER = 4
"""Seconds after a cell in which the entry of a long answer still goes out, in parts."""
STORE_SECONDS = 2
SHAPES = {"paragraphs": "in paragraphs", "endless": "one endless paragraph"}


def first_command() -> Iterator[Figure]:
    """The first command of a kernel, without a key and with one."""
    with serve("endless", 1) as server:
        for what, base_url in (("no key", ""), ("a key in the environment", server.base_url)):
            times = []
            for _ in range(ROUNDS + 1):
                with Kernel(base_url) as kernel:
                    kernel.run("%load_ext robota_nb")
                    times.append(1e3 * kernel.run("%robota").seconds)
            yield Figure(
                f"the first %robota, with {what}", median(times[1:]), None, "ms", f"worst {max(times[1:]):.0f} ms"
            )


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


SLOW_STORE = """
import threading, time
from robota_nb.kernel.extension import _HOOKED
_app = _HOOKED[get_ipython()].app()
_chats = {chat.name: chat for chat in _app.manager.active_session().chats}
_begun = threading.Event()
def _slowly(add):
    def slow(*args, **kwargs):
        _begun.set()
        time.sleep(SECONDS)
        return add(*args, **kwargs)
    return slow
def _measure():
    store = _app.persistence.unsaved.store
    usual, store.add = store.add, _slowly(store.add)
    try:
        _begun.clear()
        asking = threading.Thread(target=_chats["one"].send, args=["Go."])
        asking.start()
        _begun.wait()
        begin = time.perf_counter()
        [chat.turns for chat in _chats.values()]
        read = time.perf_counter()
        live = _chats["two"].stream("Go.")
        next(live)
        first = time.perf_counter()
        waiting = asking.is_alive()
        live.close()
        asking.join()
    finally:
        store.add = usual
    return read - begin, first - read, waiting
"""
"""What measures, in the kernel, what others wait for while one turn is being stored."""


def slow_store() -> Iterator[Figure]:
    """A store that takes two seconds: what a reader waits for, and another chat for its first word."""
    with serve("endless", 1) as server, Kernel(server.base_url) as kernel:
        kernel.run("%load_ext robota_nb")
        for name in ("one", "two"):
            kernel.run(f"%robota chat open {name} --provider openai")
            kernel.run("%%robota\nGo.")
        kernel.run(SLOW_STORE.replace("SECONDS", str(STORE_SECONDS)))
        reads, words = [], []
        for _ in range(ROUNDS):
            read, word, waiting = kernel.run("print(*_measure())").text.split()
            assert waiting == "True", "the turn that is stored waits for its store"
            reads.append(1e3 * float(read))
            words.append(1e3 * float(word))
        for what, times in (("a reader waits", reads), ("another chat's first word comes", words)):
            name = f"while a store takes {STORE_SECONDS} s: {what}"
            yield Figure(name, max(times), 50, "ms", f"the worst of {ROUNDS}")


CASES: tuple[Callable[[], Iterator[Figure]], ...] = (first_command, slow_store, paced)
