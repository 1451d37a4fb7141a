"""One suite for every provider: what `robota_nb.core.ports.Provider` promises, and the check of it that is public."""

import pytest

from robota_nb import SessionManager
from robota_nb.core.ports import Finish, TextDelta, Waiting
from robota_nb.providers.offline import OfflineProvider
from robota_nb.testing import ScriptedProvider, check_provider
from support.core import Only
from support.examples import END, PIECE, faulty, ndjson, ollama
from support.provider import ask

_ = faulty, ollama
STOP = Finish(reason="stop")


@pytest.fixture(params=["example", "offline", "openai", "scripted"])
def provider(request, lab):
    """A provider that can be asked often enough."""
    if request.param == "openai":
        return lab
    if request.param == "offline":
        return OfflineProvider()
    if request.param == "scripted":
        return ScriptedProvider([["all is ", "well"]] * 7)
    for _ in range(7):
        request.getfixturevalue("faulty").steps(*ndjson(PIECE, END))
    return request.getfixturevalue("ollama")


def test_it_keeps_to_the_protocol_and_answers_in_a_chat(provider):
    text = check_provider(provider, ask("is all well?", temperature=0.2))
    chat = SessionManager(providers=Only(provider)).create_session("u").create_chat()
    turn = chat.send("is all well?")
    assert turn.text.removeprefix("7: ") == text.removeprefix("1: ")  # the fake server counts its requests
    assert turn.finish_reason == "stop"
    assert turn.usage


class Wrong:
    """A provider that plays any events."""

    name = "wrong"

    def __init__(self, *events):
        self.events = events

    def stream(self, request):
        return iter(self.events)


class Careless(Wrong):
    def stream(self, request):
        request.messages.append({"role": "user", "content": "and more"})
        return iter([STOP])


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        (object(), "a provider has a name"),
        (Wrong(), "without a Finish"),
        (Wrong(TextDelta("cut")), "without a Finish"),
        (Wrong(TextDelta(""), STOP), "never empty"),
        (Wrong(TextDelta(b"x"), STOP), "holds no text"),
        (Wrong(STOP, TextDelta("late")), "after the Finish"),
        (Wrong(STOP, STOP), "after the Finish"),
        (Wrong(TextDelta("x"), Waiting(seconds=1), STOP), "after text"),
        (Wrong("x", STOP), "no event"),
        (Wrong(Finish(reason="done")), "no finish reason"),
        (Careless(), "only read"),
    ],
)
def test_what_does_not_keep_to_it_is_told_why(provider, why):
    with pytest.raises(AssertionError, match=why):
        check_provider(provider, ask())
