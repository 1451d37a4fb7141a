"""What the tests of the examples share: an Ollama that says what it is told to say."""

import json

import pytest

from examples.provider import NativeOllama
from robota_nb.providers.context import ProviderContext, Timeouts
from robota_nb.providers.endpoint import Endpoint
from robota_nb.providers.keys.lookup import Keys
from robota_nb.testing import FaultServer, http

PIECE = {"model": "m-1", "message": {"role": "assistant", "content": "all is "}, "done": False}
END = {
    **PIECE, "message": {"role": "assistant", "content": "well"},
    "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4,
}  # fmt: skip


def ndjson(*answer):
    """What goes over the wire: lines of JSON."""
    return http("application/x-ndjson"), *(json.dumps(line).encode() + b"\n" for line in answer)


def native_ollama(server, *, key="", max_retries=0, **settings):
    """The provider of the example, for an endpoint whose server is this one."""
    url = server.base_url.removesuffix("/v1")
    endpoint = Endpoint("native-ollama", url, "OLLAMA_KEY" if key else "", "m", "native-ollama", settings)
    keys = Keys({"OLLAMA_KEY": key})
    context = ProviderContext(endpoint=endpoint, keys=keys, timeouts=Timeouts(silence=5), max_retries=max_retries)
    return NativeOllama(context)


@pytest.fixture
def faulty():
    with FaultServer() as server:
        yield server


@pytest.fixture
def ollama(faulty):
    """The provider of the example; `faulty` plays its server."""
    return native_ollama(faulty)
