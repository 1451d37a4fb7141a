"""Requests of a chat share their bytes up to what is new: servers keep what they have read of a beginning."""

from json import JSONDecoder

import pytest

from robota_nb.core.ports import Image
from robota_nb.errors import ProviderError
from support.core import Only, new_manager

FIELD = '"messages":'
PICTURE = Image(media_type="image/png", data=b"a picture")


def messages_of(body):
    """The list of messages as it was on the wire."""
    text = body.decode()
    _, start, rest = text.partition(FIELD)
    assert start, text[:200]
    return rest[: JSONDecoder().raw_decode(rest.lstrip())[1] + len(rest) - len(rest.lstrip())]


def go_on(bodies):
    """Say of each request but the first whether it begins with all of the one before it."""
    lists = [messages_of(body) for body in bodies]
    return [new.startswith(old.removesuffix("]")) for old, new in zip(lists, lists[1:], strict=False)]


@pytest.fixture
def chat(lab):
    manager = new_manager(providers=Only(lab))
    return manager.create_session("u").create_chat(
        "C", provider="lab", system="Be brief: \u00e9 \u2603", temperature=0.5
    )


def test_each_request_begins_with_all_of_the_one_before(chat, server):
    chat.send("a \u00e9\n\t\u2028")
    chat.send("look", [PICTURE])
    server.end("length")
    chat.send("cut off")
    chat.configure(temperature=0.7, seed=3)
    server.error(after=1)
    with pytest.raises(ProviderError):
        chat.send("broken off")
    server.fail(500)
    with pytest.raises(ProviderError):
        chat.send("not answered")
    server.chunks = [" "]
    chat.send("an empty answer")
    server.chunks = None
    chat.send("a plain one")
    chat.send("the last")
    told = [message["content"] for message in server.requests[-1]["messages"] if message["role"] == "assistant"]
    assert [text.partition("\n\n")[2] for text in told] == [
        "", "", "[cut off at the length limit]", "[broken off by an error]", "",
    ]  # fmt: skip
    server.bodies[:] = [body for body, sent in zip(server.bodies, server.requests, strict=True) if not_lost(sent)]
    assert go_on(server.bodies) == [True] * 5


def not_lost(request):
    """Whether the question of a request has stayed in the chat's messages: it got an answer with words in it."""
    return request["messages"][-1]["content"] not in ("not answered", "an empty answer")


@pytest.mark.parametrize(("limit", "rare"), [(2, 1), (6, 2), (12, 3), (20, 5)])
def test_of_a_long_chat_most_requests_do_and_some_turns_leave_at_once(lab, server, limit, rare):
    manager = new_manager(providers=Only(lab), max_messages=limit)
    chat = manager.create_session("u").create_chat("C", provider="lab")
    for number in range(30):
        chat.send(f"question {number}")
    kept = go_on(server.bodies)
    first = limit // 2
    assert all(kept[:first])
    assert [at for at, goes_on in enumerate(kept) if not goes_on] == list(range(first, len(kept), rare))
    assert max(len(request["messages"]) for request in server.requests) == limit + 1


def test_the_latest_picture_changes_the_beginning_only_where_there_is_a_later_one(chat, server):
    chat.configure(pictures="latest")
    for text, images in [("one", [PICTURE]), ("two", []), ("three", [PICTURE]), ("four", []), ("five", [])]:
        chat.send(text, images)
    assert go_on(server.bodies) == [True, False, True, True]
