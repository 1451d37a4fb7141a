"""How much of an answer a killed kernel takes along: ``python -m benchmarks.kills [KILLS]``.

A real kernel is killed at random moments of answers that arrive word by word; what the store holds of each is compared
with what the server had sent by then. Needs the extra ``test``.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figure import Figure
from benchmarks.page import line
from robota_nb.stores.sqlite import SqliteStore
from robota_nb.testing import FakeOpenAIServer

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.kernel import Kernel
from support.notebook import write

KILLS = 20
RATE = 95
"""Words a second, as a fast model writes them."""

LONGEST = 4.0
"""Seconds after which a kernel is killed at the latest."""

LIMIT = 1.0
"""Seconds of an answer that may be lost."""


def main() -> int:
    """Kill as many kernels as asked for, and return 1 if one took too much along."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    chance, lost = random.Random(kills), []
    words = [f"{number} " for number in range(int(RATE * LONGEST * 3))]
    with TemporaryDirectory() as root, FakeOpenAIServer(chunks=words, per_second=RATE) as server:
        for number in range(kills):
            lost.append(loss(Path(root), server, number, chance.uniform(0, LONGEST)))
            print(f"killed {number + 1}, {lost[-1]:.2f} s lost", file=sys.stderr, flush=True)
    figures = [
        Figure(f"what a killed kernel takes along, the most of {kills} kills", max(lost), LIMIT, "s"),
        Figure("the same, median", median(lost), None, "s"),
    ]
    for figure in figures:
        print(line(figure))
    return 0 if all(figure.holds for figure in figures) else 1


def loss(root: Path, server: FakeOpenAIServer, number: int, after: float) -> float:
    """Return the seconds of an answer that a kernel takes along that is killed *after* seconds of it."""
    path, store = write(root / f"{number}.ipynb"), SqliteStore(root / "store.sqlite")
    kernel = Kernel(
        root, ROBOTA_NB_STORE=str(root / "store.sqlite"), ROBOTA_NB_NOTEBOOK=str(path), **server.environment()
    )
    with kernel:
        kernel.ok("%load_ext robota_nb")
        kernel.begin("%%robota\nhello", "cell").shows("0 ")
        began = time.monotonic()
        time.sleep(after)
        kernel.kill()
        sent = int((time.monotonic() - began) * RATE)
        kept = said(store.unsaved(str(path)))
    store.close()
    return max(0, sent - kept) / RATE


def said(unsaved: dict[str, dict[str, dict[str, Any]]]) -> int:
    """Return how many words the store has of the answer."""
    texts = [e["content"] for entries in unsaved.values() for e in entries.values() if e.get("role") == "assistant"]
    return len("".join(texts[0]).split()) if texts else 0


if __name__ == "__main__":
    sys.exit(main())
