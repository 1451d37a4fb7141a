"""Notebooks with long conversations in them."""

from core_support import new_manager
from notebook_support import write

from robota_nb.core.inside import ledger_of
from robota_nb.core.ports import Finish, TextDelta
from robota_nb.core.record.snapshot import dump

ANSWER = 9_000
"""Bytes of an answer."""


def with_snapshot(path, size, *sources):
    """Write a notebook whose snapshot has about *size* bytes; return how many turns there are."""
    turns = size // (ANSWER + 600)
    manager = new_manager(providers=Long())
    chat = manager.create_session("u", "Long").create_chat("Talk")
    for number in range(turns):
        chat.send(f"question {number}")
    write(path, *sources, metadata={"robota_nb": dump(ledger_of(manager).records("u"))})
    return turns


class Long:
    """Answers at length."""

    def default(self):
        return "openai", "m"

    def get(self, _):
        return self

    def stream(self, request):
        line = f'{len(request.messages)} is the number of messages \U0001f98a\U0001f43b that were sent to "me".\n'
        yield TextDelta(line * (ANSWER // len(line.encode())))
        yield Finish(reason="stop")
