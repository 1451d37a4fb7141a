"""Public doubles for tests: a scripted provider, and real local model servers, good and bad.

None of them sleeps or guesses: what they do is scripted, and what was asked of them is recorded. And `check_provider`,
for tests of providers.
"""

from __future__ import annotations

from robota_nb.testing.doubles import ScriptedProvider, Step
from robota_nb.testing.provider_check import check_provider
from robota_nb.testing.servers.fake_openai import FakeOpenAIServer
from robota_nb.testing.servers.fault_server import Act, FaultServer, Shape, http
from robota_nb.testing.servers.stream_shapes import SHAPES

__all__ = [
    "SHAPES",
    "Act",
    "FakeOpenAIServer",
    "FaultServer",
    "ScriptedProvider",
    "Shape",
    "Step",
    "check_provider",
    "http",
]
