"""The tools that run notebooks, each as its users call it; and notebooks for them, recorded with a model."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import nbformat

from support.notebook import BAN, plain

LOAD = "%load_ext robota_nb"
ASK = """# NBVAL_IGNORE_OUTPUT
def show(place):
    get_ipython().run_cell_magic("robota", "-o turn", f"Capital of {place}?")
    seen.append(turn)
interact(show, place=["France", "Peru"]);"""
NOTEBOOKS = {
    "chat": [LOAD, "%%robota -o first\nCapital of France?", "%%robota -o last\nAnd of Peru?", "print(first, last)"],
    "branches": [
        LOAD, "%robota new Left", "%%robota\nCapital of France?", "%robota chat fork Right", "%%robota\nto the right?",
        "%robota switch Left", "%%robota\nto the left?", "%robota chat undo", "%%robota -o x\nor not?", "print(x)",
    ],
    "pictures": [
        r"picture = b'\x89PNG\r\n\x1a\nfake'", LOAD, "%%robota -o last --image picture\nCapital of France?",
        "%%robota\nand what else?", "print(last)",
    ],
    "interact": [LOAD, "from ipywidgets import interact\nseen = []", ASK, "print(*seen)"],
}  # fmt: skip
"""Four notebooks, by what is in them."""

OFFLINE = re.compile("offline model|You said")
"""What only the embedded model says."""


class Failed(Exception):
    """A tool has ended with an error."""


def _call(python, *words, cwd, **extra):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run([python, *map(str, words)], cwd=cwd, capture_output=True, text=True, env=environment | extra)
    if done.returncode:
        raise Failed(done.stdout + done.stderr)
    return done.stdout


def _in_place(*words):
    def run(python, path):
        _call(python, *words, path.name, cwd=path.parent)
        return path

    return run


def _into(*words):
    """Of a tool that takes where to write as the last word."""

    def run(python, path):
        out = path.with_name("out.ipynb")
        _call(python, *words, path.name, out.name, cwd=path.parent)
        return out

    return run


def _nbconvert(python, path):
    _call(python, *_NBCONVERT, "--output=out.ipynb", path.name, cwd=path.parent)
    return path.with_name("out.ipynb")


def _nbclient(_, path):
    plain(path)
    return path


def _nbval(python, path):
    """Nbval writes nothing: it compares, and what it passes stands in the file."""
    _call(python, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", path.name, cwd=path.parent)
    return path


def _myst_nb(python, path):
    conf = "extensions = ['myst_nb']\nnb_execution_mode = 'force'\nnb_execution_raise_on_error = True\n"
    path.with_name("conf.py").write_text(f"{conf}root_doc = {path.stem!r}\nexclude_patterns = ['built']\n")
    _call(python, "-m", "sphinx", "-q", ".", "built", cwd=path.parent)
    return path.parent / "jupyter_execute" / path.name


def _voila(python, path):
    """Voila serves a page: what is in it stands for the outputs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "voila", path.name, "--no-browser", f"--port={port}", "--show_tracebacks=True"]
    environment = {**os.environ, "PYTHONPATH": ""}  # a server may listen: only its kernels are kept from the network
    startup = Path(os.environ["IPYTHONDIR"], "profile_default", "startup", "ban.py")
    startup.parent.mkdir(parents=True)
    startup.write_text(BAN)
    with subprocess.Popen(
        [python, *words], cwd=path.parent, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if "running at" in line:
                break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=120) as answer:
                page = answer.read().decode()
        finally:
            process.terminate()
            process.stderr.read()
    out = path.with_suffix(".html")
    out.write_text(page)
    if "NotebookUnknown" in page or "KeyMissing" in page:
        raise Failed(page)
    return out


_PLOOMBER = "import sys; from ploomber_engine import execute_notebook as run; run(*sys.argv[1:], progress_bar=False)"

_NBCONVERT = ["-m", "nbconvert", "--to", "notebook", "--execute"]
_NBMAKE = ["-m", "pytest", "-p", "no:cacheprovider", "--nbmake", "--overwrite"]

RUNNERS = {
    "`robota-nb run`": (_in_place("-m", "robota_nb", "run"), "robota_nb"),
    "`pytest --nbval`": (_nbval, "nbval"),
    "papermill": (_into("-m", "papermill"), "papermill"),
    "`papermill --engine robota_nb`": (_into("-m", "papermill", "--engine", "robota_nb"), "papermill"),
    "`jupyter execute`": (_in_place("-m", "jupyter", "execute", "--inplace"), "nbclient"),
    "`nbconvert --execute`": (_nbconvert, "nbconvert"),
    "`nbconvert --execute --inplace`": (_in_place(*_NBCONVERT, "--inplace"), "nbconvert"),
    "nbclient": (_nbclient, "nbclient"),
    "nbmake": (_in_place(*_NBMAKE), "nbmake"),
    "myst-nb": (_myst_nb, "myst_nb"),
    "voila": (_voila, "voila"),
    "ploomber-engine": (_into("-c", _PLOOMBER), "ploomber_engine"),
}
"""How each is called, with a Python and a notebook, and the module that it is; what it returns has the outputs."""


def has(python, module):
    """Say whether a Python has a module."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python or sys.executable, "-c", code], cwd="/", check=False).returncode == 0


def shown(path):
    """What the outputs of a notebook show, cell by cell: its texts, joined as far as they follow each other."""
    notebook = nbformat.read(path, as_version=4)
    return [_shown(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]


def _shown(outputs):
    left = []
    for output in outputs:
        text = output.get("text")
        if text and left and isinstance(left[-1], str):  # a kernel may send what is printed in pieces
            left[-1] += text
        else:
            left.append(text or dict(output.get("data", {})) or output.get("evalue"))
    return left
