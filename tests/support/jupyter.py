"""Jupyter applications for tests, each with files, settings and kernels of its own."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from support.kernel import isolated

APPLICATIONS = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}
IN_BOTH = pytest.mark.parametrize("jupyter", APPLICATIONS, indirect=True)
"""For what the application has a part in; the rest CI sees in JupyterLab alone."""
OVER_FILES = ["--KernelManager.transport=ipc"] if os.name == "posix" else []
"""For the command line of what starts kernels; see `support.kernel.over_files`."""
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
_MODULES = {"lab": "jupyterlab", "notebook": "notebook"}


def free_port():
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class JupyterServer:
    """A running server.

    Parameters
    ----------
    root
        A directory for all that it keeps.
    application
        One of `APPLICATIONS`.
    *options
        More of its command line.
    python
        The Python of the environment that it runs in.
    port
        Where it listens; 0 for any.
    **environment
        Variables for it and its kernels.
    """

    def __init__(self, root, application, *options, python=sys.executable, port=0, **environment):
        self.application = application
        self.work = Path(root, "work")
        self.work.mkdir()
        self.store = Path(root, "store.sqlite")
        self.env = {**isolated(root, **environment), "ROBOTA_NB_STORE": str(self.store)}
        self.runtime = TemporaryDirectory(prefix="jupyter-")
        self.env["JUPYTER_RUNTIME_DIR"] = self.runtime.name
        quiet = Path(self.env["JUPYTER_CONFIG_DIR"], "lab/user-settings/@jupyterlab/apputils-extension")
        quiet.mkdir(parents=True)
        Path(quiet, "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
        name = APPLICATIONS[application]
        self.command = [
            python, "-m", _MODULES[application], "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            "--IdentityProvider.token=", f"--ServerApp.root_dir={self.work}", f"--{name}.expose_app_in_browser=True",
            "--ServerApp.disable_check_xsrf=True", *OVER_FILES, *options,
        ]  # fmt: skip

    def start(self):
        """Start it, and wait until it serves."""
        self.process = subprocess.Popen(
            self.command, env=self.env, cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        said = ""
        while not (found := _ADDRESS.search(said)):
            line = self.process.stderr.readline()
            assert line, said
            said += line
        self.url = found[0]
        # Nobody reads on: what it says must not fill the pipe.
        self._drain = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self._drain.wait()
        self.process.stderr.close()
        self.runtime.cleanup()

    def page(self, path):
        """Return the address of a page that shows a file; of JupyterLab's, one in a fresh workspace."""
        local = Path(path).relative_to(self.work).as_posix()
        where = f"lab/workspaces/{uuid4().hex}/tree" if self.application == "lab" else "notebooks"
        return f"{self.url}{where}/{local}"

    def request(self, path, method="GET"):
        """Ask the server's own interface."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}api/{path}", method=method)) as response:
            return json.loads(response.read() or b"null")

    def end_kernels(self):
        for session in self.request("sessions"):
            self.request(f"sessions/{session['id']}", "DELETE")
