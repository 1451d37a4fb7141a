"""What `docs/configuration.md` says of ``ipython_config.py``, in real kernels that read it."""

import os

import pytest

from support.ipython_config import LAZY, OPTIONS, START, configure
from support.kernel import Kernel
from support.notebook import command, run, value, write

pytestmark = pytest.mark.slow("starts a kernel for each configuration")

LOADED = "[name for name in __import__('sys').modules if name.partition('.')[0] == 'robota_nb']"
LONG = "word " * 20_000
"""An answer whose entry goes out in parts, with a pause between them."""


@pytest.fixture
def configured(tmp_path, server):
    """Starts a kernel with samples in its configuration."""
    started = []

    def start(*samples):
        configure(tmp_path / "ipython", *samples)
        started.append(Kernel(tmp_path, **server.environment()).start())
        return started[-1]

    yield start
    for kernel in started:
        kernel.close()


def test_a_lazy_magic_loads_the_extension_with_the_first_cell(configured, server):
    kernel = configured(LAZY, OPTIONS.replace('provider = "lab"', 'rerun = "append"'))
    assert kernel.value(LOADED) == []
    assert kernel.ok("%%robota\nwhat is it?", "cell-0").answer == "1: what is it?"
    assert kernel.complete("%robota chat pre") == ["%robota chat preview"]
    assert kernel.complete("%robota chat open X --provider la") == ["%robota chat open X --provider lab"]
    assert kernel.ok("%robota ask and why?").answer == "2: and why?"
    (page,) = kernel.run("%robota?").reply["payload"]
    assert "%robota help" in page["data"]["text/plain"]
    assert kernel.ok("%config RobotaMagics.rerun").outputs[0]["data"]["text/plain"] == "'append'"
    assert "already loaded" in kernel.ok("%load_ext robota_nb").text


def test_a_lazy_magic_is_reloaded_and_unloaded_like_any_other(configured):
    kernel = configured(LAZY)
    kernel.ok("%robota new Left")
    kernel.ok("%reload_ext robota_nb")
    assert "Left" in kernel.ok("%robota").text
    kernel.ok("%unload_ext robota_nb")
    assert kernel.value("'robota' in get_ipython().magics_manager.magics['line']") is False
    kernel.ok("%load_ext robota_nb")
    assert "Left" in kernel.ok("%robota").text


def test_an_extension_loaded_as_the_kernel_starts_is_there_with_all_it_has(configured, server):
    kernel = configured(START)
    assert kernel.complete("%robota chat pre") == ["%robota chat preview"]
    assert kernel.ok("%robota ask what is it?", "cell-0").answer == "1: what is it?"
    assert kernel.value("list(__import__('comm').get_comm_manager().targets)").count("robota_nb_ui") == 1
    kernel.ok("%unload_ext robota_nb")
    assert kernel.value("list(__import__('comm').get_comm_manager().targets)").count("robota_nb_ui") == 0


@pytest.mark.parametrize("sample", [START, LAZY], ids=["start", "lazy"])
def test_a_notebook_that_loads_nothing_itself_is_kept_and_replayed(connected, server, sample):
    configure(os.environ["IPYTHONDIR"], sample)
    server.chunks = [LONG]
    path = write(connected / "bare.ipynb", "1 + 1", "%%robota\none", "%%robota\ntwo")
    assert run(path).requests == 2
    assert "verified: 1 session, 2 turns" in command("verify", path).output
    kept = value(path)
    assert run(path).requests == 0
    assert len(server.requests) == 2
    assert value(path) == kept
