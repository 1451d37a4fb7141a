"""How much room conversations take: in memory, and in a saved notebook."""

from __future__ import annotations

import gc
import json
import os
import tracemalloc
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest import mock

import nbformat

from benchmarks import histories
from benchmarks.figure import Figure
from robota_nb.core.inside import ledger_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.record import snapshot
from robota_nb.frontends import headless
from robota_nb.testing import FakeOpenAIServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MESSAGES = 8_000
LONG = 2_000
"""Messages of many lines."""
TURNS = 50

ANSWER = """\
The short answer is **yes**, and there are two ways to get there. Which of them is the better one depends on how \
often the table changes, and on whether the readers can wait for a moment after each change.

1. **Build it once, and keep it.** The work is done when the program starts. Everything that asks later finds the \
result ready, so that each question costs next to nothing.
2. **Build it when it is asked for.** Nothing is done in vain, and nothing is out of date, but the first one who asks \
has to wait, and so does everybody who comes after a change.

Here is the first of the two, with a lock around the part that must not be done twice:

```python
from threading import Lock

class Table:
    def __init__(self, rows):
        self._rows = rows
        self._lock = Lock()
        self._index = None

    def find(self, key):
        with self._lock:
            if self._index is None:
                self._index = {row.key: row for row in self._rows}
        return self._index.get(key)
```

A few things to keep in mind:

- The lock is held while the index is built. With a million rows that takes about a second, and in that time all the \
others wait; if that is too long, build the index beside the old one and put it in its place at the end.
- A row that is changed later is still found under its former key. Either forbid that (make the rows immutable), or \
drop the index whenever a row says that it has changed.
- Measure before you go any further. A list of a few hundred rows is searched in microseconds, and then none of this \
is worth the lines it takes.

There is a third way, which is to keep the rows in a database and let that do the work. It is the right one as soon \
as the table does not fit into memory, or more than one program reads it.

If you tell me how many rows there are, and how often they change, I can say which of the two I would take. I would \
begin with the second one in any case: it is shorter, and the step from there to the first is a small one.
"""
"""An answer of 2 KB as models give them: prose, lists, and code; a paragraph is one line."""


def memory() -> Iterator[Figure]:
    """What a manager needs for a message beside its text, in process: for messages of one line, and of many."""
    short = list(histories.talk(MESSAGES // 2))
    long = [(question, f"{number}\n{ANSWER}") for number, (question, _) in enumerate(short[: LONG // 2])]
    for turns, kind in ((short, "of a line"), (long, f"with answers of {len(ANSWER):,} characters")):
        text = json.dumps(histories.dump(histories.add_turns(histories.new_chat(), turns, cells=True)))
        said = sum(len(question) + len(answer) for question, answer in turns)
        makers = {
            "after a resume, with the page": (partial(_resumed, text), 2048),
            "after live turns": (partial(histories.add_turns, histories.new_chat(), turns, cells=True), 1024),
        }
        for when, (make, limit) in makers.items():
            name = f"memory of a message beside its text, {when}"
            value = (_size(make) - said) / (2 * len(turns))
            yield Figure(name, value, limit, "bytes", f"{2 * len(turns):,} messages {kind}")


def _resumed(text: str) -> SessionManager:
    """Return a manager that has taken over a snapshot, with the page that its turns stand on."""
    manager = SessionManager(providers=histories.Model())
    manager.adopt(snapshot.parse(json.loads(text)), histories.USER)
    ledger_of(manager).page(histories.USER).memory()
    return manager


def _size(make: Callable[[], object]) -> int:
    """Return the bytes of what is made."""
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del made
    return size


def saved_notebook() -> Iterator[Figure]:
    """A notebook of answers of 2 KB, as nbformat writes it, by the bytes of what was asked and answered."""
    ask = "how do I find a row of this table by its key without reading all of it, if it changes?"
    questions = [f"Question {number:03}: {ask}" for number in range(TURNS)]
    sources = ["%load_ext robota_nb", *map(histories.source, questions)]
    node = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
    with (
        TemporaryDirectory() as home,
        FakeOpenAIServer(lambda _: [ANSWER]) as server,
        mock.patch.dict(os.environ, _environment(home, server.base_url)),
    ):
        path = Path(home) / "saved.ipynb"
        nbformat.write(node, path)
        headless.run(path)
        saved = nbformat.read(path, as_version=4)
    said = sum(len(question.encode()) + len(ANSWER.encode()) for question in questions)
    whole = len(nbformat.writes(saved).encode())
    for cell in saved.cells:
        cell.outputs = []
    bare = len(nbformat.writes(saved).encode())
    note = f"{TURNS} turns, answers of {len(ANSWER.encode()):,} bytes in {len(ANSWER.splitlines())} lines"
    yield Figure("a saved notebook, with outputs", whole / said, 3, "of the text", note)
    yield Figure("a saved notebook, without outputs", bare / said, None, "of the text", note)


def _environment(home: str, base_url: str) -> dict[str, str]:
    store = {"ROBOTA_NB_STORE": f"{home}/store.sqlite", "IPYTHONDIR": home}
    return {**store, "OPENAI_API_KEY": "fake-key-for-tests", "OPENAI_BASE_URL": base_url}
