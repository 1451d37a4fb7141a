"""A local model server in a process of its own, so that its work is not measured as the client's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from robota_nb.testing import FakeOpenAIServer

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = ("lorem ", "ipsum ", "dolor ", "sit amet, ", "adipiscing ", "elit ", "sed do ", "*tempor* ", "magna. ")
ENDING = "the end"
"""What an answer that has arrived ends with."""


def answer(shape: str, count: int, size: int) -> list[str]:
    """Return *count* chunks of about *size* characters; in paragraphs of 40 chunks, or as one endless line.

    The last one is `ENDING`.
    """
    chunks = []
    for number in range(count):
        word = WORDS[number % len(WORDS)]
        chunk = (word * (1 + size // len(word)))[: size - 1] + " "
        chunks.append("\n\n" + chunk[:-2] if shape == "paragraphs" and number % 40 == 39 else chunk)
    return [*chunks[:-1], ENDING.ljust(size, ".")]


class Server:
    """A running server.

    Parameters
    ----------
    process
        Its process; it writes where it answers, and then the time at which it begins to answer, a line for each
        request.

    Attributes
    ----------
    base_url
        Where it answers.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._lines, self._times = process.stdout, SimpleQueue[float]()
        self.base_url = self._lines.readline().strip()
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def began(self, since: float = 0) -> float:
        """Return when the next answer began, as `time.time` told it; earlier ones are passed over."""
        while (at := self._times.get()) < since:
            pass
        return at

    def join(self) -> None:
        """Wait until its process has said its last."""
        self._thread.join()

    def _read(self) -> None:
        with self._lines:
            for line in self._lines:
                self._times.put(float(line))


@contextmanager
def serve(shape: str, count: int, size: int = 10, *, batch: int = 1, per_second: float = 0) -> Iterator[Server]:
    """Run a server that gives the same answer to every request."""
    command = [sys.executable, "-m", "benchmarks.server", shape, str(count), str(size), str(batch), str(per_second)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdin is not None
    server = Server(process)
    try:
        yield server
    finally:
        process.stdin.close()  # and it ends
        process.wait()
        server.join()


def main(shape: str, count: str, size: str, batch: str, per_second: str) -> None:
    """Serve until standard input is closed."""
    chunks = answer(shape, int(count), int(size))

    def reply(_: object) -> list[str]:
        print(time.time(), flush=True)
        return chunks

    with FakeOpenAIServer(reply, batch=int(batch), per_second=float(per_second)) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
