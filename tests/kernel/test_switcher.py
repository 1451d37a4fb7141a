"""The switcher in a real kernel: as a widget, as a panel's comm, and where there are no widgets."""

import json
import subprocess
import sys
import threading
from html.parser import HTMLParser
from uuid import uuid4

import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter

from robota_nb.frontends.headless import FrontEnd
from robota_nb.switcher.views import TARGET
from support.hub import Reader
from support.kernel import PATIENCE, isolated
from support.notebook import plain, run, value, write

EVIL = "<img src=x onerror=alert(1)>"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;"
WIDGET = "application/vnd.jupyter.widget-view+json"
CHATS = "application/vnd.robota-nb.chats+json"


class Panel(Reader):
    """A view in a front end: it opens a comm with a real kernel."""

    def __init__(self, kernel, *, full=True, comm=None, hello=True):
        super().__init__(None, hello=False)
        self.kernel, self.id, self.gone = kernel, comm or uuid4().hex, False
        self.running = None  # a cell that is executed meanwhile
        self._others = kernel.hear
        kernel.hear = self._hear
        if comm is None:
            self.send("comm_open", target_name=TARGET, data={})
        if hello:
            self.say(op="hello", full=full)

    def _hear(self, message):
        self._others(message)
        if message["content"].get("comm_id") == self.id:
            if message["msg_type"] == "comm_msg":
                self.hears(message["content"]["data"])
            elif message["msg_type"] == "comm_close":
                self.gone = True

    def hears(self, data):
        self.take(data)

    def send(self, kind, **content):
        session = self.kernel.client.session
        self.kernel.client.shell_channel.send(session.msg(kind, {"comm_id": self.id, **content}))

    def say(self, **message):
        self.send("comm_msg", data=message)

    def until(self, condition):
        while not condition():
            message = self.kernel.client.get_iopub_msg(timeout=PATIENCE)
            self.kernel.hear(message)
            if self.running and message["parent_header"].get("msg_id") == self.running.number:
                self.running.execution.take(message, self.kernel.displays)
                self.running.idle = self.running.idle or message["content"].get("execution_state") == "idle"


class Widget(Panel):
    """A view of a widget that a cell shows."""

    def hears(self, data):
        if data["method"] == "custom":
            self.take(data["content"])

    def say(self, **message):
        self.send("comm_msg", data={"method": "custom", "content": message})


@pytest.fixture
def kernel(kernel):
    yield kernel
    kernel.__dict__.pop("hear", None)


def prompts(server, n=-1):
    return [message["content"] for message in server.requests[n]["messages"] if message["role"] == "user"]


def shown(execution):
    """What the one output of `%robota ui` holds."""
    (output,) = execution.outputs
    return output["data"]


# -- the widget


def test_the_switcher_is_a_widget_and_where_there_are_none_it_is_escaped_text(kernel, server):
    server.chunks = ["<script>alert(2)</script> said the model"]
    kernel.ok(f'%robota new "{EVIL}"')
    kernel.ok("%%robota\n<b>hello</b> & goodbye")
    data = shown(kernel.ok("%robota ui"))
    assert sorted(data) == [WIDGET, CHATS, "text/html", "text/plain"]
    assert data[CHATS] == {}  # nbval compares it
    assert EVIL in data["text/plain"]
    assert "<script>alert(2)</script>" in data["text/plain"]
    assert ESCAPED in data["text/html"]
    for tag in ("<img", "<script", "<b>hello"):
        assert tag not in data["text/html"]
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in data["text/html"]


def test_without_a_conversation_the_switcher_says_how_to_begin(kernel):
    assert "%%robota" in shown(kernel.ok("%robota ui"))["text/plain"]


def test_a_widget_is_told_what_a_panel_is_told(kernel):
    kernel.ok("%robota new A\n%robota ask hello")
    panel = Panel(kernel)
    widget = Widget(kernel, comm=shown(kernel.ok("%robota ui"))[WIDGET]["model_id"])
    widget.fence()
    panel.fence()
    assert widget.state() == panel.state()
    made = widget.do("chat.new", name="B")
    panel.until(lambda: panel.chat == made["chat"])
    panel.do("ask", text="in b")
    widget.fence()
    assert widget.state() == panel.state()
    assert [row["reply"] for row in widget.turns.values()] == ["2: in b"]


# -- the panel


def test_a_panel_is_told_everything_and_what_it_asks_for_is_done(kernel, server):
    kernel.ok("%robota new A\n%robota ask one")
    kernel.ok("%robota new B")
    panel = Panel(kernel).fence()
    assert panel.ops()[:3] == ["status", "lists", "transcript"]
    assert panel.status["chat"] == "B"
    assert sorted(row["name"] for row in panel.chats.values()) == ["A", "B"]
    (a,) = (row["id"] for row in panel.chats.values() if row["name"] == "A")
    panel.do("chat.switch", chat=a)
    assert [row["reply"] for row in panel.turns.values()] == ["1: one"]
    panel.do("ask", chat=a, text="two")
    assert prompts(server) == ["one", "two"]
    assert [row["reply"] for row in panel.turns.values()] == ["1: one", "2: two"]
    assert panel.refused("chat.new", name="b")


def test_a_cell_goes_to_the_chat_that_was_clicked(kernel, server):
    kernel.ok("%robota new A\n%robota ask one")
    kernel.ok("%robota new B\n%robota ask other")
    panel = Panel(kernel).fence()
    (a,) = (row["id"] for row in panel.chats.values() if row["name"] == "A")
    panel.do("chat.switch", chat=a)
    assert kernel.ok("%%robota\ntwo").answer == "3: two"
    assert prompts(server) == ["one", "two"]
    panel.fence()
    assert [row["prompt"] for row in panel.turns.values()] == ["one", "two"]
    assert [row["cell"] for row in panel.turns.values()] == [True, True]


def test_the_panel_sees_a_cell_s_answer_while_it_arrives(kernel, server):
    kernel.ok("%robota new A")
    panel = Panel(kernel).fence()
    server.chunks, server.gate = ["first ", "second"], threading.Event()
    panel.running = running = kernel.begin("%%robota\nhello")
    panel.until(lambda: panel.arriving and panel.arriving["text"] == "first ")
    assert panel.arriving["cell"]
    server.gate.set()
    panel.until(lambda: panel.count == 1 and not panel.arriving)
    assert panel.turns[0]["reply"] == "first second"
    assert running.finish().answer == "first second"


def test_a_view_of_the_status_sets_nothing_up_until_there_is_something_to_see(kernel, server):
    kernel.restart()
    kernel.ok("import sys\n%load_ext robota_nb")
    status = Panel(kernel, full=False)
    loaded = "[name for name in ('robota_nb.kernel.app', 'robota_nb.switcher.hub', 'anywidget') if name in sys.modules]"
    assert kernel.value(loaded) == []
    assert status.messages == []
    kernel.ok("%robota new A")
    status.until(lambda: status.status.get("chat") == "A")
    assert set(status.ops()) == {"status"}
    assert kernel.value(loaded) == ["robota_nb.kernel.app", "robota_nb.switcher.hub"]


def test_a_panel_that_shows_all_sets_up_what_it_takes(kernel, server):
    kernel.restart()
    kernel.ok("%load_ext robota_nb")
    panel = Panel(kernel).fence()
    assert panel.do("ask", text="hello")["turn"] == panel.turns[0]["id"]
    assert prompts(server) == ["hello"]


def test_unloading_lets_all_views_go_and_lets_none_open(kernel):
    kernel.restart()
    kernel.ok("%load_ext robota_nb")
    waiting, silent = Panel(kernel, full=False), Panel(kernel, hello=False)
    kernel.ok("%unload_ext robota_nb")
    for view in (waiting, silent):
        view.until(lambda view=view: view.gone)
    late = Panel(kernel, hello=False)
    late.until(lambda: late.gone)  # as the protocol has it for an unknown target
    kernel.ok("%load_ext robota_nb")
    panel, status = Panel(kernel).fence(), Panel(kernel, full=False).fence()
    kernel.ok("%unload_ext robota_nb")
    for view in (panel, status):
        view.until(lambda view=view: view.gone)
    assert kernel.value("[t.name for t in __import__('threading').enumerate() if t.name == 'robota_nb-switcher']") == []


def test_reloading_lets_views_open_anew_and_widgets_go_on(kernel):
    kernel.ok("%robota new A\n%robota ask hello")
    widget = Widget(kernel, comm=shown(kernel.ok("%robota ui"))[WIDGET]["model_id"]).fence()
    panel = Panel(kernel).fence()
    kernel.ok("%reload_ext robota_nb")
    panel.until(lambda: panel.gone)
    again = Panel(kernel).fence()
    assert again.state() == panel.state()
    made = widget.do("chat.new", name="B")
    assert widget.chat == made["chat"]
    again.do("ask", text="in b")
    widget.fence()
    assert widget.state() == again.state()


def test_a_panel_that_closes_is_forgotten(kernel):
    kernel.ok("%robota new A")
    panel = Panel(kernel).fence()
    panel.send("comm_close", data={})
    kernel.ok("import threading")
    ended = "[thread.join(60) for thread in threading.enumerate() if thread.name == 'robota_nb-switcher'] and None"
    kernel.value(f"({ended}, 0)[1]")
    assert kernel.value("[t.name for t in threading.enumerate() if t.name == 'robota_nb-switcher']") == []


# -- what is written


def test_what_a_view_asks_while_a_cell_runs_is_written_once(kernel, server, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("hold()", id="cell-1")])
    kernel.restart()
    kernel.front = FrontEnd(notebook, tmp_path / "talk.ipynb")
    writes = []
    take = kernel.front.take
    kernel.front.take = lambda message: (writes.append(json.loads(json.dumps(message))), take(message))[1]
    try:
        kernel.say(kernel.front.opening())
        kernel.ok("%load_ext robota_nb")
        panel = Panel(kernel).fence()
        server.gate = threading.Event()
        server.chunks = ["first ", "second"]
        number = panel.ask("ask", text="from the panel")
        panel.until(lambda: panel.arriving and panel.arriving["text"])
        held = "import threading\nprint('here', flush=True)\n"
        held += "[t.join(60) for t in threading.enumerate() if t.name == 'robota_nb-ask']"
        running = kernel.begin(held, "cell-1")  # a cell that runs until the answer is there
        while not running.execution.text:
            running.next()
        server.gate.set()
        running.finish()
        turn = panel.answer(number)["turn"]
        panel.do("chat.new", name="B")
        panel.do("chat.switch", chat=panel.shown)
        kernel.say({"op": "flush"})
        found = notebook.metadata["robota_nb"]["sessions"]
        added = [eid for message in writes if message["op"] == "write" for change in message["sessions"].values()
                 for eid in change["add"]]  # fmt: skip
        assert added.count(turn) == 1
        assert len(added) == len(set(added))
        assert {eid for entries in found.values() for eid in entries} == set(added) - {
            eid for message in writes if message["op"] == "write" for change in message["sessions"].values()
            for eid in change["remove"]
        }  # fmt: skip
        roles = [entry.get("role") for entries in found.values() for entry in entries.values()]
        assert (roles.count("user"), roles.count("assistant")) == (1, 1)
    finally:
        kernel.front = None


# -- where there are no widgets


def test_in_a_terminal_the_switcher_is_text_and_imports_no_widgets(tmp_path):
    script = tmp_path / "session.ipy"
    script.write_text(
        f'%load_ext robota_nb\n%robota new "{EVIL}"\n%robota ask hello\n%robota new Second\n'
        "%robota ask \u65e5\u672c\nprint('--')\n%robota ui\nprint('--')\n"
        "import sys; print(sorted({'anywidget', 'ipywidgets', 'comm'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", str(script)],
        env=isolated(tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    _, ui, loaded = done.stdout.split("--\n")
    lines = ui.splitlines()
    assert lines[:3] == ["Session 1 \u00b7 active", f"  {EVIL} \u00b7 1 turn", "\u25b8 Second \u00b7 1 turn"]
    assert "    \u65e5\u672c" in lines
    assert "\x1b" not in ui
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("runner", [plain, run], ids=["nbclient", "robota-nb run"])
def test_exports_show_escaped_text_and_no_script(connected, runner, server):
    server.chunks = ["so <script>alert(2)</script> it is"]
    path = write(
        connected / "talk.ipynb", "%load_ext robota_nb", f'%robota new "{EVIL}"\n%robota ask hello there', "%robota ui"
    )
    runner(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)  # JupyterLab saves it only if the user wishes it
    notebook.cells = notebook.cells[-1:]
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    assert ESCAPED in html
    assert "<img" not in html
    assert "alert(2)&lt;/script&gt;" in html
    assert "<script" not in html
    markdown, _ = MarkdownExporter().from_notebook_node(notebook)
    assert ESCAPED in markdown
    assert "<img" not in markdown
    assert "<script" not in markdown
    assert "hello there" in html
    assert "hello there" in markdown
    assert value(path) or runner is plain


def test_saved_widgets_hold_no_copy_of_the_modules_and_nothing_that_runs(connected, server):
    server.chunks = ["so </script><script>alert(2)</script> it is"]
    path = write(connected / "talk.ipynb", "%load_ext robota_nb", "%robota ask hello there", "%robota ui")
    run(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = notebook.cells[-1:]
    assert len(json.dumps(notebook.metadata.get("widgets"))) < 20_000
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    kinds = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: kinds.append(dict(attributes)["type"]) if tag == "script" else None
    parser.feed(html)
    assert kinds == ["text/javascript", WIDGET, WIDGET.replace("view", "state")]  # the first is nbconvert's own
