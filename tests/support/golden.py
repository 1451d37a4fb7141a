"""The golden files, and what the first release makes of them."""

import json
import os
import subprocess
import sys
from typing import NamedTuple

from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.json").read_text(encoding="utf-8"))
WORK = "s_" + "a" * 32
"""The first of its two sessions."""

RELEASED = TESTS / "golden" / "robota_nb-0.1.0-py3-none-any.whl"

IN_IT = """
import json, sys
from robota_nb import SessionManager
from robota_nb.core import snapshot
from robota_nb.core.ports import Finish, TextDelta

class Lab:
    name = "lab"
    def default(self): return "lab", "m"
    def get(self, name): return self
    def stream(self, request):
        sent.append(request.messages)
        yield TextDelta("ok")
        yield Finish(reason="stop")

sent = []
manager = SessionManager(providers=Lab())
manager.adopt(snapshot.parse(json.load(open(sys.argv[1], encoding="utf-8"))), "u")
session = manager.sessions("u")[0]
chat = session.chats[0]
texts = [turn.text for turn in chat.turns]
chat.send("next")
kept = manager.records("u")[session.id]
chat.purge(int(sys.argv[2]))
print(json.dumps([texts, sent[0], kept, manager.records("u")[session.id]]))
"""


class InTheFirstRelease(NamedTuple):
    """What version 0.1 makes of a snapshot."""

    texts: list
    """The answers of its first chat."""
    sent: list
    """The messages of a question that is asked in it then."""
    kept: dict
    """The entries after that,"""
    purged: dict
    """and when a turn was purged, too."""


def in_the_first_release(name, purge):
    """Read a golden file with version 0.1, ask in its first chat, and purge the turn of that number."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", IN_IT, str(TESTS / "golden" / name), str(purge)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(RELEASED)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return InTheFirstRelease(*json.loads(done.stdout))
