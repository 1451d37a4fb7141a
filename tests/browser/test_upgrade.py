"""An upgraded install: a browser keeps what lies under ``static`` for a year, and uses nothing of the old version."""

import json
import shutil
from pathlib import Path

import pytest

from support.jupyter import JupyterServer, free_port
from support.labextension import SOURCE, build_hook
from support.notebook import write
from support.page import FLAGS, Notebook

pytestmark = pytest.mark.slow("installs two versions into a JupyterLab of its own")

MODULES = sorted(path.name for path in SOURCE.glob("*.js"))


@pytest.fixture
def build():
    return build_hook().build


@pytest.fixture
def profile(playwright, chromium, tmp_path):
    """Opens a browser with one profile, as a user who comes back every day."""

    def open_():
        return playwright.chromium.launch_persistent_context(tmp_path / "profile", executable_path=chromium, args=FLAGS)

    return open_


def edition(tmp_path, version):
    """A source of the labextension that says its version in each of its modules."""
    source = Path(shutil.copytree(SOURCE, tmp_path / f"source-{version}"))
    (source / "version.js").write_text(f"export const VERSION = '{version}';\n")
    for name in MODULES:
        text = (source / name).read_text()
        (source / name).write_text(f"{text}\n(window.editions ??= []).push('{name} {version}');\n")
    package = json.loads((source / "package.json").read_text())
    (source / "package.json").write_text(json.dumps({**package, "version": version}))
    return source


def seen(jupyter, context, path):
    """Open a notebook; return the modules that ran with their versions, and the one that the kernel was told."""
    notebook = Notebook(context.new_page(), jupyter, path).open()
    notebook.run(0)
    notebook.notice("this page has robota_nb")
    told = notebook.page.locator(".jp-toastContainer .Toastify__toast").first.inner_text()
    editions = notebook.page.evaluate("() => window.editions")
    jupyter.end_kernels()
    context.close()
    return editions, told


def test_a_browser_that_knew_the_old_version_runs_the_new_one_and_nothing_else(build, profile, server, tmp_path):
    port = free_port()
    for number, version in enumerate(("90.1.0", "90.2.0")):
        root = tmp_path / f"server-{number}"
        root.mkdir()
        # The user's own labextensions come before those of this environment, for once.
        jupyter = JupyterServer(root, "lab", port=port, JUPYTER_PREFER_ENV_PATH="0", **server.environment())
        installed = Path(jupyter.env["JUPYTER_DATA_DIR"], "labextensions", "robota_nb")
        build(edition(tmp_path, version), installed)
        path = write(jupyter.work / "nb.ipynb", "%load_ext robota_nb\n%robota")
        jupyter.start()
        try:
            editions, told = seen(jupyter, profile(), path)
        finally:
            jupyter.stop()
        assert sorted(editions) == [f"{name} {version}" for name in MODULES]
        assert f"this page has robota_nb {version}" in told
