"""Fixtures that several tests share; of real kernels and model servers there is one for each module."""

import os
import sys

import pytest
from hypothesis import settings

from robota_nb.testing import FakeOpenAIServer
from support.core import new_manager
from support.hub import hub_of, stopped
from support.kernel import RESET, Kernel, isolated
from support.provider import lab_provider

pytest_plugins = ["support.tiers"]

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"  # this user's keyring is none of our business


def pytest_configure(config):
    """Set Hypothesis up: the same cases each time, but in ``--long``, which is there to find new ones."""
    derandomize = config.option.tier != "long"
    settings.register_profile(
        "robota_nb", deadline=None, derandomize=derandomize
    )  # benchmarks say how long a case takes
    settings.load_profile("robota_nb")


@pytest.fixture
def manager():
    """A session manager that asks nobody."""
    return new_manager()


@pytest.fixture
def session(manager):
    """Its first session."""
    return manager.create_session("u", "S")


@pytest.fixture
def hub(manager):
    """The hub of its views, whose thread ends with the test."""
    hub = hub_of(manager)
    yield hub
    hub.close()
    stopped(hub)


@pytest.fixture
def hasty():
    """Python changes threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture(scope="module")
def module_server():
    with FakeOpenAIServer() as server:
        yield server


@pytest.fixture
def server(module_server):
    """A model server that nobody has asked yet, and that answers as by default."""
    module_server.reset()
    return module_server


@pytest.fixture
def lab(server):
    """The provider of an endpoint of that name, which asks `server`."""
    provider = lab_provider(server)
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def module_kernel(module_server, tmp_path_factory):
    with Kernel(tmp_path_factory.mktemp("kernel"), **module_server.environment()) as kernel:
        kernel.ok("%load_ext robota_nb")
        yield kernel


@pytest.fixture
def kernel(server, module_kernel):
    """A kernel in which the extension was just loaded, without any conversation, asking `server`."""
    module_kernel.ok(RESET)
    return module_kernel


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """This process, and what it starts, see nothing of this user; the directory is `tmp_path`."""
    environment = isolated(tmp_path / "user")
    for name in set(os.environ) - set(environment):
        if not name.startswith("PYTEST"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def connected(alone, server, monkeypatch):
    """As `alone`; kernels ask `server`."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return alone
