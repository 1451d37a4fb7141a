"""Notebook files for tests, and ways to run them."""

import json
import os
from pathlib import Path

import nbformat
from click.testing import CliRunner

from robota_nb.cli import main as cli
from robota_nb.frontends import headless
from support.kernel import Client
from support.patience import PATIENCE

BAN = """
import os, socket

def refuse(self, *_, **__):
    if getattr(self, "family", None) in (None, socket.AF_INET, socket.AF_INET6):
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write("an attempt to reach the network\\n")
        raise OSError("the network is banned in this test")
    return connect(self, *_, **__)

connect = socket.socket.connect
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda *_, **__: refuse(None)
"""
"""Keeps Python code from the network (the kernel's own ZeroMQ is not Python)."""


def write(path, *sources, metadata=None):
    """Write a notebook with a code cell for each source."""
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    kernelspec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={**kernelspec, **(metadata or {})}), path)
    return path


def edit(path, number, source):
    """Change the source of a cell, as an editor would."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[number].source = source
    nbformat.write(notebook, path)


def content(path):
    return json.loads(Path(path).read_text())


def value(path):
    """What stands under metadata.robota_nb, or None."""
    return content(path)["metadata"].get("robota_nb")


def outputs(path):
    return [cell.get("outputs", []) for cell in content(path)["cells"]]


def answers(path):
    """The answers that the notebook shows, in order."""
    shown = (
        output["data"]["text/markdown"]
        for cell in outputs(path)
        for output in cell
        if "text/markdown" in output.get("data", ())
    )
    return ["".join(text) for text in shown]


def run(path, *args, **kwargs):
    """Run a notebook as the command line does, and return what happened."""
    return headless.run(path, *args, timeout=PATIENCE, **kwargs)


def limited(seconds, word):
    """How long each cell may take: *seconds* if *word* stands in it, as long as it takes if not (nbclient's option)."""
    return lambda cell: seconds if word in cell.source else PATIENCE


def command(*words):
    """Run ``robota-nb``."""
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def plain(path):
    """Execute a notebook with nbclient alone, as VS Code or papermill would, and save it."""
    notebook = nbformat.read(path, as_version=4)
    client = Client(notebook, timeout=PATIENCE, resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    nbformat.write(notebook, path)


def offline(monkeypatch, root):
    """Keep the kernels from the network, and take the key away; returns the file that attempts go to."""
    (root / "ban").mkdir(exist_ok=True)
    (root / "ban" / "sitecustomize.py").write_text(BAN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(root / "ban"), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("ATTEMPTS", str(root / "attempts"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return root / "attempts"
