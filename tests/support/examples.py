"""What the tests of the examples share: an Ollama that says what it is told to say."""

import json

import pytest

from examples.provider import NativeOllama
from robota_nb.testing import FaultServer, http

PIECE = {"model": "m-1", "message": {"role": "assistant", "content": "all is "}, "done": False}
END = {
    **PIECE, "message": {"role": "assistant", "content": "well"},
    "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4,
}  # fmt: skip


def ndjson(*answer):
    """What goes over the wire: lines of JSON."""
    return http("application/x-ndjson"), *(json.dumps(line).encode() + b"\n" for line in answer)


@pytest.fixture
def faulty():
    with FaultServer() as server:
        yield server


@pytest.fixture
def ollama(faulty):
    """The provider of the example; `faulty` plays its server."""
    return NativeOllama(faulty.base_url.removeprefix("http://").removesuffix("/v1"), timeout=5)
