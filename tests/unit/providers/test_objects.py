"""Provider objects in the place of configured endpoints."""

import inspect

import pytest

from robota_nb import SessionManager
from robota_nb.errors import EndpointNotFound, ProviderError
from robota_nb.providers.offline import OfflineProvider
from robota_nb.testing import ScriptedProvider


class TestObjects:
    def test_the_first_object_is_the_default_and_each_is_found_by_its_name(self):
        one, two = ScriptedProvider(["of one"]), ScriptedProvider(["of two"])
        session = SessionManager(providers={"one": one, "two": two}).create_session("u")
        assert session.create_chat("A").send("hi").text == "of one"
        chat = session.create_chat("B", provider="two")
        assert (chat.send("hi").text, chat.config.provider) == ("of two", "two")

    def test_what_is_not_there_is_an_error_that_says_what_is(self):
        chat = SessionManager(providers={"one": OfflineProvider()}).create_session("u").create_chat(provider="openai")
        with pytest.raises(EndpointNotFound, match="no provider 'openai' is here: choose one of one"):
            chat.send("hi")

    @pytest.mark.parametrize(
        ("objects", "words"),
        [
            ({}, "give at least one"),
            ({"one": object()}, "one is an object of type object, not a provider: it needs a name and stream"),
            ({"one": OfflineProvider}, "one is the class OfflineProvider, not a provider: make an object of it"),
            ({"a b": OfflineProvider()}, "use letters, digits"),
            ({7: OfflineProvider()}, "use letters, digits"),
        ],
    )
    def test_what_is_no_provider_is_refused_at_once(self, objects, words):
        with pytest.raises(ProviderError, match=words):
            SessionManager(providers=objects)


def test_a_session_manager_knows_its_parameters_by_name():
    kinds = {parameter.kind for parameter in inspect.signature(SessionManager).parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}  # so that type checkers refuse what Python refuses
    with pytest.raises(TypeError, match="max_active_session"):
        SessionManager(max_active_session=3)
