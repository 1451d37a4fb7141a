"""A kernel elsewhere: behind a gateway, with another home and directory, and no way to the notebook's file."""

import re
import subprocess
import sys
from importlib.util import find_spec
from tempfile import TemporaryDirectory

import pytest

from robota_nb.core.record import snapshot
from support.jupyter import OVER_FILES, JupyterServer, free_port
from support.kernel import isolated
from support.large import with_snapshot
from support.notebook import write
from support.page import prompts
from support.require import require

pytestmark = pytest.mark.slow("starts a JupyterLab and a gateway")

LOAD = "%load_ext robota_nb"
WHERE = "import os; print(os.environ['HOME'], os.getcwd(), 'JPY_SESSION_NAME' in os.environ)"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, model):
    """A running gateway: its address, and the directory that its kernels run in."""
    require("gateway", find_spec("kernel_gateway"), "pip install '.[test]'")
    root = tmp_path_factory.mktemp("gateway")
    (root / "elsewhere").mkdir()
    runtime = TemporaryDirectory(prefix="gateway-")
    env = {**isolated(root, **model.environment()), "JUPYTER_RUNTIME_DIR": runtime.name}
    process = subprocess.Popen(
        [sys.executable, "-m", "kernel_gateway", "--KernelGatewayApp.ip=127.0.0.1",
         f"--KernelGatewayApp.port={free_port()}", "--KernelGatewayApp.port_retries=0",
         f"--KernelGatewayApp.env_process_whitelist={sorted(env)}", *OVER_FILES],
        env=env, cwd=root / "elsewhere", stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = ""
    while not (found := re.search(r"http://127\.0\.0\.1:\d+", said)):
        line = process.stderr.readline()
        assert line, said
        said += line
    drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
    yield found[0], root / "elsewhere"
    process.terminate()
    process.wait()
    drain.wait()
    process.stderr.close()
    runtime.cleanup()


@pytest.fixture(scope="module")
def behind(gateway, chromium, tmp_path_factory):
    server = JupyterServer(tmp_path_factory.mktemp("lab"), "lab", f"--GatewayClient.url={gateway[0]}").start()
    yield server
    server.stop()


@pytest.fixture
def lab(behind, server):
    """A JupyterLab whose kernels run behind the gateway."""
    return behind


@pytest.fixture
def opened(opened):
    """Opens notebook files; once more where the kernel is never heard of, as a user would load the page again.

    The server connects twice to the gateway, which takes the first line for stale ("Replacing stale connection"): what
    a new kernel says of itself is now and then lost between them.
    """
    from playwright.sync_api import TimeoutError as NeverHeard

    def open_(path):
        try:
            return opened(path)
        except NeverHeard:
            return opened(path)

    return open_


def test_conversations_of_a_kernel_elsewhere_are_in_the_open_notebook(lab, opened, work, gateway, server):
    path = write(work / "far.ipynb", LOAD, "%%robota\none", "%%robota\ntwo", WHERE, "%robota snapshot --save")
    notebook = opened(path)
    notebook.run()
    assert str(lab.work) not in notebook.output(3)
    notebook.shows(3, str(gateway[1]))
    notebook.holds("one", "two")
    notebook.is_saved()  # as its last cell has asked for: a file that is being written is empty for a moment
    notebook.save()
    value = notebook.file()["metadata"]["robota_nb"]
    snapshot.parse(value)
    assert sorted(prompts(value)) == ["one", "two"]
    server.requests.clear()
    notebook.close()
    lab.end_kernels()  # and not a restart: through this gateway a restarted kernel may never answer, with or without us
    notebook = opened(path)
    notebook.run()
    assert server.requests == []
    notebook.shows(2, "2: two")
    notebook.shows(4, "saving")
    notebook.is_saved()
    notebook.menu("File", "Rename")
    notebook.page.locator(".jp-Dialog input").fill("further.ipynb")
    notebook.accept()
    notebook.edit(2, "%%robota\nthree")
    notebook.run(2)
    notebook.path = path.with_name("further.ipynb")
    notebook.holds("three")
    notebook.save()
    assert sorted(prompts(notebook.file()["metadata"]["robota_nb"])) == ["one", "three", "two"]
    assert notebook.errors == []


def test_a_long_conversation_reaches_a_kernel_elsewhere(lab, opened, work, server):
    path = work / "long.ipynb"
    turns = with_snapshot(path, 12_000_000, "%load_ext robota_nb\n%robota", "%%robota\nand now?")
    notebook = opened(path)
    notebook.run(0)
    notebook.shows(0, f"{turns} turns")
    notebook.run(1)
    assert len(server.requests[0]["messages"]) == 2 * turns + 1
    notebook.holds("and now?")
