"""Whatever a server sends: no exception but ours, an honest end, all the text that arrived, and a chat that goes on."""

import pytest

from robota_nb import SessionManager
from robota_nb.errors import RobotaError
from robota_nb.testing import SHAPES, FaultServer
from support.core import Only
from support.provider import lab_provider


@pytest.fixture(scope="module")
def faulty():
    with FaultServer() as server:
        yield server


@pytest.fixture
def usual(faulty):
    provider = lab_provider(faulty)
    yield provider
    provider.close()


@pytest.fixture
def brief(faulty):
    provider = lab_provider(faulty, timeouts={"silence": 0.2, "answer": 0.4})
    yield provider
    provider.close()


def received(live):
    pieces, error = [], None
    try:
        for piece in live:
            pieces.append(piece)
    except RobotaError as ours:  # and no other
        error = ours
    return "".join(pieces), error


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_end_is_honest_and_what_arrived_is_kept(faulty, usual, brief, shape):
    providers = Only(brief if shape.slow else usual)
    chat = SessionManager(providers=providers).create_session("u").create_chat()
    faulty.shape = shape
    text, error = received(live := chat.stream("hi"))
    assert text == shape.text or (not shape.exact and shape.text.startswith(text))
    reason = live.turn.finish_reason if live.turn is not None else "error"
    assert reason in shape.ends
    assert (error is not None) <= (reason == "error")
    assert " failed with " not in str(error)  # which is what the chat says of a provider's own bugs
    assert [turn.text for turn in chat.turns] == ([text] if live.turn is not None else [])
    assert live.turn is not None or error
    faulty.shape, providers.provider = None, usual  # the same one, unless that one is in a hurry
    assert chat.send("and now?").text == "all is well"  # the chat is free, and the next answer is not spoiled


def test_there_are_many_shapes_and_each_has_a_name_of_its_own():
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 80
