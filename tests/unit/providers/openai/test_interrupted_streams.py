"""The user's interrupt, at any moment of a stream: what had arrived is kept, and the next turn works."""

import random
import signal
import threading
from contextlib import closing

import pytest

from robota_nb import SessionManager
from robota_nb.testing import Act, FaultServer, http
from support.core import Only
from support.patience import PATIENCE
from support.provider import lab_provider

WORDS = [f"word{n} " for n in range(20)]
CHUNKS = [b'data: {"choices": [{"index": 0, "delta": {"content": "%b"}}]}\n\n' % word.encode() for word in WORDS]


def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_an_interrupt_at_a_random_chunk_keeps_what_had_arrived_and_the_next_turn_works(scale):
    count = scale(fast=4, all=12, long=200)
    with FaultServer() as server:
        provider = lab_provider(server)
        chat = SessionManager(providers=Only(provider)).create_session("u").create_chat()
        draw = random.Random(0)
        for n in range(count):
            at, arrived, seen = draw.randint(1, len(WORDS)), threading.Event(), []
            # It strikes once the client has `at` words, while more of them come; the stream does not end by itself.
            server.steps(http(), *CHUNKS[:at], lambda: arrived.wait(PATIENCE), interrupt, *CHUNKS[at:], Act.STALL)
            with pytest.raises(KeyboardInterrupt), closing(chat.stream(f"ask {n}")) as live:
                for text in live:
                    seen.append(text)
                    if len("".join(seen)) >= len("".join(WORDS[:at])):
                        arrived.set()
            turn = chat.turns[-1]
            assert (turn, turn.finish_reason) == (live.turn, "interrupted")
            assert turn.text.startswith("".join(seen))
            assert "".join(WORDS[:at]) in turn.text
            assert "".join(WORDS).startswith(turn.text)
            assert chat.send(f"next {n}").text == "all is well"
        assert len(chat.turns) == 2 * count
        provider.close()
