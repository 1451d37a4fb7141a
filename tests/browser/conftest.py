"""A real JupyterLab and a real Notebook 7 in a real browser, one of each for the whole run."""

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

import pytest

from robota_nb.testing import FakeOpenAIServer
from support.jupyter import JupyterServer
from support.labextension import SOURCE
from support.page import FLAGS, Notebook
from support.require import require

VIEWPORT = {"width": 1200, "height": 900}
LEAVE = """() => {
    const { shell } = window.jupyterapp;
    [...shell.widgets('main')].forEach(widget => widget.dispose());
    shell.collapseRight();
    shell.activateById('filebrowser');
    document.querySelectorAll('.jp-Dialog .jp-mod-reject').forEach(button => button.click());
    return window.isOneTab ?? null;
}"""
"""Closes what a test has opened in JupyterLab; null if the page was loaded again since `OneTab` has opened it."""


@pytest.fixture(scope="session")
def chromium():
    """The browser's program."""
    require("browser", find_spec("playwright") and find_spec("jupyterlab"), "pip install '.[test]'")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require("browser", path, "there is no chromium on the PATH")
    return path


@pytest.fixture(scope="module")  # no longer: it runs an event loop in this thread, and other tests run their own
def playwright(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright, chromium):
    browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def model():
    with FakeOpenAIServer() as server:
        yield server


@pytest.fixture
def server(model):
    """The model server that kernels ask; nobody has asked it yet."""
    model.reset()
    return model


@pytest.fixture(scope="session")
def servers(chromium, model, tmp_path_factory):
    """Starts an application's server when it is first asked for."""
    running = {}

    def start(application):
        if application not in running:
            root = tmp_path_factory.mktemp(application)
            running[application] = JupyterServer(root, application, **model.environment()).start()
        return running[application]

    yield start
    for server in running.values():
        server.stop()


@pytest.fixture(params=["lab", pytest.param("notebook", marks=pytest.mark.long("most is the same in JupyterLab"))])
def jupyter(request, servers, server):
    """A running JupyterLab, then a running Notebook 7, which ``IN_BOTH`` brings into the suite of CI."""
    return servers(request.param)


@pytest.fixture
def lab(servers, server):
    """A running JupyterLab."""
    return servers("lab")


@pytest.fixture
def work(request, tmp_path):
    """A directory of this test's, below the root that the application shows."""
    jupyter = request.getfixturevalue("jupyter" if "jupyter" in request.fixturenames else "lab")
    (jupyter.work / tmp_path.name).mkdir()
    return jupyter.work / tmp_path.name


@pytest.fixture
def context(browser):
    context = browser.new_context(viewport=VIEWPORT)
    yield context
    context.close()


class OneTab:
    """A tab with JupyterLab for the tests of a module: to load the application takes longer than most of them.

    Parameters
    ----------
    context
        Where in the browser.
    lab
        The `JupyterServer`.
    """

    def __init__(self, context, lab):
        self.context, self.lab = context, lab
        self.notebook = None

    def open(self, path):
        """Show a notebook in it, in place of what it shows."""
        if self.notebook is None:
            self.notebook = Notebook(self.context.new_page(), self.lab, path).open()
            self.notebook.page.evaluate("() => { window.isOneTab = true; }")
        else:
            self.notebook.show(path)
        return self.notebook

    def leave(self):
        """Let it be as it was, for the next test; what was loaded again or closed is used no more."""
        if self.notebook is None:
            return
        page = self.notebook.page
        if page.is_closed() or page.evaluate(LEAVE) is None:
            self.notebook.close()
            self.notebook = None
        else:
            page.set_viewport_size(VIEWPORT)


@pytest.fixture(scope="module")
def one_tab(browser, servers):
    """Has `opened` open notebooks of JupyterLab in the same tab, one after the other.

    Not of a test that wants the browser's ``context`` for itself.
    """
    context = browser.new_context(viewport=VIEWPORT)
    yield OneTab(context, servers("lab"))
    context.close()


@pytest.fixture
def opened(request):
    """Opens notebook files, each in a tab of the browser; ends their kernels when the test is done."""
    jupyter = request.getfixturevalue("jupyter" if "jupyter" in request.fixturenames else "lab")
    asked = set(request.fixturenames)
    is_shared = "one_tab" in asked and "context" not in asked and jupyter.application == "lab"
    shared = request.getfixturevalue("one_tab") if is_shared else None
    count = 0

    def open_(path, context=None):
        nonlocal count
        count += 1
        if shared and count == 1:
            return shared.open(path)
        context = context or request.getfixturevalue("context")
        return Notebook(context.new_page(), jupyter, path).open()

    yield open_
    if shared:
        shared.leave()
    jupyter.end_kernels()


class Handler(SimpleHTTPRequestHandler):
    extensions_map = {".js": "text/javascript", ".css": "text/css"}

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b'<!doctype html><link rel="stylesheet" href="/switcher/markdown.css"><title>Blank</title>')
        return None

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def origin():
    """Serves the labextension's source."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=SOURCE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
