"""A local model server in a process of its own, so that its work is not measured as the client's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.testing import FakeOpenAIServer

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = ("lorem ", "ipsum ", "dolor ", "sit amet, ", "adipiscing ", "elit ", "sed do ", "*tempor* ", "magna. ")


def answer(shape: str, count: int, size: int) -> list[str]:
    """Return *count* chunks of about *size* characters; in paragraphs of 40 chunks, or as one endless line."""
    chunks = []
    for number in range(count):
        word = WORDS[number % len(WORDS)]
        chunk = (word * (1 + size // len(word)))[: size - 1] + " "
        chunks.append("\n\n" + chunk[:-2] if shape == "paragraphs" and number % 40 == 39 else chunk)
    return chunks


class Server(NamedTuple):
    """A running server.

    Parameters
    ----------
    base_url
        Where it answers.
    process
        Its process; it writes the time at which it begins to answer, a line for each request.
    """

    base_url: str
    process: subprocess.Popen[str]

    def began(self) -> float:
        """Return when the next answer began, as `time.time` told it."""
        assert self.process.stdout is not None
        return float(self.process.stdout.readline())


@contextmanager
def serve(shape: str, count: int, size: int = 10, *, batch: int = 1, per_second: float = 0) -> Iterator[Server]:
    """Run a server that gives the same answer to every request."""
    command = [sys.executable, "-m", "benchmarks.server", shape, str(count), str(size), str(batch), str(per_second)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    try:
        yield Server(process.stdout.readline().strip(), process)
    finally:
        process.communicate()  # closes its standard input, and it ends


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
