"""Real kernels for tests: what a front end does with one, on plain values, without a sleep."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from robota_nb.carriers import document
from robota_nb.frontends.headless import requests
from support.patience import PATIENCE

_FOREIGN = ("OPENAI", "ROBOTA", "JUPYTER", "JPY", "IPYTHON", "PYTEST", "COV", "XDG")


RESET = """
%unload_ext robota_nb
__import__("robota_nb.kernel.extension").kernel.extension._KEPT.clear()
get_ipython().config.pop("RobotaMagics", None)
get_ipython().reset()
%load_ext robota_nb
"""
"""What gives a test the kernel of another one as if the extension had just been loaded."""


def isolated(root, **extra):
    """Return an environment for a child process that sees nothing of this user: no key, no files, no settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    places = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
    }
    for name, place in places.items():
        Path(root, place).mkdir(parents=True, exist_ok=True)
        inherited[name] = str(Path(root, place))
    return {**inherited, "ROBOTA_NB_STORE": "memory", "PYDEVD_DISABLE_FILE_VALIDATION": "1", **extra}


def over_files(manager):
    """Have a manager's kernel talk over files: of many kernels that start at once, two now and then get one TCP port.

    The files' paths may have about a hundred characters, which pytest's directories exceed.
    """
    if os.name == "posix":
        manager.transport, manager.ip = "ipc", str(Path(gettempdir(), f"kernel-{uuid4().hex}"))
    return manager


class Client(NotebookClient):
    """Nbclient's own client, whose kernel talks over files."""

    def create_kernel_manager(self):
        return over_files(super().create_kernel_manager())


@dataclass
class Execution:
    """What one request to run a cell has led to."""

    messages: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    reply: dict | None = None
    displays: dict = field(default_factory=dict)
    swept: bool = False  # with the next output

    def take(self, message, displays):
        """Take in a message as a front end does: displays are updated, streams are joined."""
        self.messages.append(message)
        kind, content = message["msg_type"], message["content"]
        if kind == "clear_output":
            self.swept = True
        elif self.swept and kind in ("stream", "display_data", "execute_result", "error"):
            self.outputs.clear()
            self.swept = False
        if kind == "stream":
            self._stream(content)
        elif kind in ("display_data", "execute_result"):
            output = {"output_type": kind, "data": content["data"], "metadata": content["metadata"]}
            self.outputs.append(output)
            if display_id := content.get("transient", {}).get("display_id"):
                displays.setdefault(display_id, []).append(output)
        elif kind == "update_display_data":
            for output in displays.get(content["transient"]["display_id"], ()):
                output.update(data=content["data"], metadata=content["metadata"])
        elif kind == "error":
            self.outputs.append({"output_type": "error", **content})

    def _stream(self, content):
        last = self.outputs[-1] if self.outputs else {}
        if (last.get("output_type"), last.get("name")) == ("stream", content["name"]):
            last["text"] += content["text"]
        else:
            self.outputs.append({"output_type": "stream", **content})

    @property
    def status(self):
        return self.reply["status"]

    @property
    def error(self):
        """The error's output; the test fails if there is none, or more than one."""
        (error,) = (output for output in self.outputs if output["output_type"] == "error")
        return error

    @property
    def text(self):
        """What was printed."""
        return "".join(output["text"] for output in self.outputs if output["output_type"] == "stream")

    @property
    def shown(self):
        """The answers that stand there, as Markdown; an empty output shows nothing."""
        return [text for output in self.outputs if (text := output.get("data", {}).get("text/markdown"))]

    @property
    def answer(self):
        """The one answer that is all the cell shows."""
        assert [sorted(output.get("data", output)) for output in self.outputs] == [["text/markdown"]], self.outputs
        return self.shown[0]


class Running:
    """A cell that is being executed."""

    def __init__(self, kernel, number):
        self.kernel, self.number = kernel, number
        self.execution = Execution()
        self.idle = False

    def next(self):
        """Wait for the next message of this cell, and return it."""
        while True:
            message = self.kernel.client.get_iopub_msg(timeout=PATIENCE)
            self.kernel.hear(message)
            if message["parent_header"].get("msg_id") == self.number:
                self.execution.take(message, self.kernel.displays)
                self.idle = self.idle or message["content"].get("execution_state") == "idle"
                return message

    def shows(self, text=""):
        """Wait until an answer that holds *text* is shown."""
        while text not in str(self.next()["content"].get("data", {}).get("text/markdown")):
            assert not self.idle, self.execution.outputs

    def finish(self):
        """Wait until the cell is done."""
        while not self.idle:
            self.next()
        while self.execution.reply is None:
            reply = self.kernel.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == self.number:
                self.execution.reply = reply["content"]
        return self.execution


class Kernel:
    """A real kernel with a client that knows what a front end knows."""

    def __init__(self, root, *arguments, **extra):
        self.root = Path(root)
        self.arguments = list(arguments)
        self.env = isolated(root, **extra)
        self.front = None  # a robota_nb.frontends.headless.FrontEnd that holds the document
        self.manager = self.client = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, env=None):
        """Start the process; `connect` waits until it can be used."""
        self.env.update(env or {})
        self.manager = over_files(KernelManager(kernel_name="python3"))
        self.manager.connection_file = str(self.root / f"kernel-{uuid4().hex}.json")
        self.manager.start_kernel(env=self.env, cwd=str(self.root), extra_arguments=self.arguments)
        return self

    def connect(self):
        """Wait until the kernel is there, and tell it of its document, if there is one."""
        if self.client is None:
            self.displays, self.comms = {}, []
            self.client = self.manager.client()
            self.client.start_channels(hb=False, stdin=False)
            self.client.wait_for_ready(timeout=PATIENCE)
            if self.front is not None:
                self.say(self.front.opening())
        return self

    def begin(self, code, cell_id=None, *, console=False, **options):
        """Send a cell to the kernel."""
        self.connect()
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {},
            "allow_stdin": True,  # as where a person sits before it; tools say False
            "stop_on_error": False,  # old kernels would also refuse what is sent in the next moments
            **options,
        }  # fmt: skip
        # Without an id it is a notebook that does not say which cell that is; without the key it would be a console.
        message = self.client.session.msg("execute_request", content, metadata={} if console else {"cellId": cell_id})
        self.client.shell_channel.send(message)
        return Running(self, message["header"]["msg_id"])

    def run(self, code, cell_id=None, **options):
        """Run a cell."""
        return self.begin(code, cell_id, **options).finish()

    def ok(self, code, cell_id=None):
        """Run a cell that must not fail."""
        execution = self.run(code, cell_id)
        assert execution.status == "ok", execution.outputs
        return execution

    def value(self, expression):
        """Return the value of an expression in the kernel, which must be a literal."""
        import ast

        reply = self.run("", silent=True, store_history=False, user_expressions={"it": expression}).reply
        result = reply["user_expressions"]["it"]
        assert result["status"] == "ok", result
        return ast.literal_eval(result["data"]["text/plain"])

    def complete(self, code, cursor=None):
        """Return what the kernel offers at the cursor, as whole texts."""
        return [text for text, _ in self.offers(code, cursor)]

    def offers(self, code, cursor=None):
        """Return what the kernel offers at the cursor: whole texts, each with what is said to be offered."""
        self.connect()
        content = self._answer(self.client.complete(code, cursor))
        found = content["metadata"]["_jupyter_types_experimental"]
        return [(code[: one["start"]] + one["text"] + code[one["end"] :], one["type"]) for one in found]

    def inspect(self, code, cursor=None):
        """Return what the kernel says of the word at the cursor, as plain text; nothing if it is unknown."""
        self.connect()
        return self._answer(self.client.inspect(code, cursor))["data"].get("text/plain", "")

    def _answer(self, number):
        """Wait for the reply to a request, and return its content."""
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == number:
                return reply["content"]

    def say(self, message):
        """Tell the kernel something as the front end that holds the document, and wait until it has heard."""
        for request in requests(self.client.session, message):
            self.client.shell_channel.send(request)
            running = Running(self, request["header"]["msg_id"])
            running.finish()

    def hear(self, message):
        """Do what the kernel wants of the front end."""
        if message["msg_type"] == "comm_open" and message["content"]["target_name"] == document.TARGET:
            self.comms.append(message["content"]["comm_id"])
        elif message["msg_type"] == "comm_msg" and message["content"]["comm_id"] in self.comms and self.front:
            if answer := self.front.take(message["content"]["data"]):
                content = {"comm_id": message["content"]["comm_id"], "data": answer}
                self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def interrupt(self):
        self.manager.interrupt_kernel()

    def kill(self):
        """End the process as the out-of-memory killer does, and wait until it is gone."""
        process = self.manager.provisioner.process
        process.kill()
        process.wait()
        self._disconnect()

    def restart(self):
        """Start a fresh process in place of this one."""
        self.kill()
        self.start()
        return self.connect()

    def close(self):
        if self.manager is not None:
            self.kill()

    def _disconnect(self):
        if self.client is not None:
            self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
        self.manager = self.client = None
