"""Notebooks with long conversations, or with many of them."""

from robota_nb.core.inside import ledger_of
from robota_nb.core.ports import Finish, TextDelta
from robota_nb.core.record.snapshot import dump
from support.core import new_manager
from support.notebook import write

ANSWER = 9_000
"""Bytes of an answer."""

CHATS, TURNS = 2000, 2000
LIMITS = "%config RobotaMagics.max_chats = 0"


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


def library(chats=50, turns=2000):
    """A snapshot of so many chats, among which so many turns are shared out evenly."""
    manager = new_manager(max_chats=0)
    session = manager.create_session()
    for number in range(chats):
        chat = session.create_chat(f"chat {number}")
        for at in range(turns // chats):
            chat.send(f"turn {at} of {number}: " + "a few words " * (1 + at % 40))
    return manager.snapshot()


def crowded():
    """A snapshot with very many chats, and a chat with very many turns."""
    manager = new_manager(max_chats=0)
    session = manager.create_session()
    for number in range(CHATS - 1):
        session.create_chat(f"chat {number}")
    session.chat("chat 7").send("seven")
    long = session.create_chat("Long")
    for number in range(TURNS):
        long.send(f"turn {number}: " + "a few words " * (1 + number % 40))
    session.switch_to("chat 7")
    return manager.snapshot()
