"""The gauge of the views: what the active chat sends and has cost, and that it is compacted and back by a click."""

import pytest

from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.switcher import rows
from support.core import Echo, new_manager
from support.hub import Reader, hub_of

PRICES = {"echo": {"input": 1e6, "output": 1e6}}


class Small(Echo):
    """A model that takes a hundred tokens."""

    def window(self, model):
        return 100

    def stream(self, request):
        self.requests.append(request)
        yield TextDelta("<b>ok</b>")
        yield Finish(reason="stop", model="<i>m</i>", usage=Usage(input_tokens=len(request.messages), output_tokens=3))


@pytest.fixture
def chat():
    chat = new_manager(providers=Small()).create_session(name="S").create_chat("A")
    for text in "abcdef":
        chat.send(text)
    return chat


def test_it_tells_what_the_next_ask_sends_and_follows_the_active_chat(chat):
    reader = Reader(hub_of(chat.session.manager)).fence()
    assert reader.gauge == {
        "chat": chat.id, "tokens": 14, "window": 100, "summed": 0, "model": "", "can": True,
        "cost": None, "saved": None,
    }  # fmt: skip
    other = chat.session.create_chat("B")
    reader.fence()
    assert (reader.gauge["chat"], reader.gauge["tokens"], reader.gauge["can"]) == (other.id, 0, False)


def test_a_click_compacts_the_chat_and_another_one_undoes_it(chat):
    reader = Reader(hub_of(chat.session.manager)).fence()
    before = chat.preview("next").request.messages
    assert "error" not in reader.do("chat.compact", chat=chat.id)
    assert (reader.gauge["summed"], reader.gauge["model"], reader.gauge["can"]) == (2, "<i>m</i>", False)
    assert chat.summary.turns == 2
    refused = reader.answer(reader.ask("chat.compact", chat=chat.session.create_chat("B").id))
    assert refused["error"] == "there is nothing to sum up yet: the last turns are sent as they are"
    chat.session.switch_to("A")
    assert "error" not in reader.do("chat.compact_undo", chat=chat.id)
    assert reader.gauge["summed"] == 0
    assert chat.preview("next").request.messages == before


def test_the_settings_of_a_chat_do_not_show_it(chat):
    chat.compact()
    reader = Reader(hub_of(chat.session.manager)).fence()
    assert reader.do("chat.settings", chat=chat.id)["settings"]["params"] == {}


def test_money_is_told_where_there_is_a_price(chat):
    assert rows.gauge(chat, {})["cost"] is None
    assert rows.gauge(chat, {"other": PRICES["echo"]})["cost"] is None
    gauge = rows.gauge(chat, PRICES)
    assert (gauge["cost"], gauge["saved"]) == (1 + 3 + 5 + 7 + 9 + 11 + 6 * 3, None)
    assert rows.gauge(None, PRICES)["chat"] is None
