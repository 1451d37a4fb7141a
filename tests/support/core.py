"""What the tests of the core share: managers with providers that need no network, and a genuine snapshot."""

import json
from contextlib import contextmanager

import pytest

from robota_nb.core import ask_flow
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.core.record.snapshot import parse
from robota_nb.core.turn import Turn
from robota_nb.testing import ScriptedProvider


class Echo:
    """A provider, and the registry that holds it: answers with the prompt, and says what it saw."""

    name = "echo"

    def __init__(self):
        self.requests = []

    def default(self):
        return "echo", "m"

    def get(self, name):
        return self

    def stream(self, request):
        self.requests.append(request)
        yield TextDelta("re: ")
        content = request.messages[-1]["content"]
        yield TextDelta(content if isinstance(content, str) else content[0]["text"])
        yield Finish(reason="stop", model="m-1", usage=Usage(input_tokens=1, output_tokens=2))


def new_manager(**options):
    return SessionManager(providers=options.pop("providers", None) or Echo(), **options)


def genuine():
    """A snapshot with two sessions, three chats, a fork, settings and an undo."""
    manager = new_manager()
    first = manager.create_session("u", "First")
    chat = first.create_chat("A", system="be\nbrief", temperature=0.2)
    chat.send("hello\nworld")
    chat.send("äöü 🙂")
    chat.configure(model="n")
    first.active_chat.fork("B").send("on the fork")
    first.switch_to("A").undo()
    manager.create_session("u", "Second").create_chat()
    return manager.snapshot("u")


def of_three_turns(session):
    """A chat in which three things were asked."""
    chat = session.create_chat("A")
    for text in "abc":
        chat.send(text)
    return chat


class Only:
    """A registry that has one provider, under every name."""

    def __init__(self, provider):
        self.provider = provider

    def default(self):
        return "scripted", "m"

    def get(self, name):
        return self.provider


def scripted(*steps, **options):
    """A manager whose provider plays these steps."""
    return SessionManager(providers=Only(ScriptedProvider(steps)), **options)


def raised(error, call, *args):
    """The text of the error that the call raises: one line."""
    with pytest.raises(error) as caught:
        call(*args)
    text = str(caught.value)
    assert "\n" not in text
    return text


def texts(chat):
    """The answers on the chat's path."""
    return [turn.text for turn in chat.turns]


def entries_of(manager):
    """What the manager would write."""
    return manager.snapshot("u")["sessions"]


def asked(chat):
    """What stands on the chat's path, as it was asked."""
    return "".join(turn.prompt.content for turn in chat.turns)


def sent(manager):
    """The last request's prompts."""
    return "".join(m["content"] for m in runtime_of(manager).providers.requests[-1].messages if m["role"] == "user")


def beside(chat):
    """The chat's branches: after how many turns, and what was asked there."""
    return [(branch.after, "".join(turn.prompt.content for turn in branch.turns)) for branch in chat.branches]


def restarted(manager, **options):
    """A new kernel's manager with what the notebook holds, which went through its file."""
    again = new_manager(**options)
    again.adopt(parse(json.loads(json.dumps(manager.snapshot("u")))), "u")
    return again


def everything(manager):
    """All that the manager holds and would write, as text."""
    return json.dumps([manager.snapshot("u"), ledger_of(manager).records("u")], ensure_ascii=False)


@contextmanager
def in_cell(manager, name="cell", source="hash", *, user="u", failed=False):
    """Run what is in the block as the cell of that id and source; yields the page; it fails if the block does."""
    page = ledger_of(manager).page(user)
    page.begin(name, source)
    try:
        yield page
    except BaseException:
        failed = True
        raise
    finally:
        page.end(failed=failed)


def ask_in_cell(manager, text, name="cell", source="hash", *, user="u", **options):
    """Ask in a cell of that id and source, and return the turn."""
    with in_cell(manager, name, source, user=user):
        answer = ask_flow.ask(manager, text, user_id=user, **options)
        return answer if isinstance(answer, Turn) else answer.result()
