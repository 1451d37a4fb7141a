"""Runs in the kernel of the canaries' test: asks with one key after another, and spills all that could show one.

No frame here has a key among its variables, for these frames are in the tracebacks that are looked at.
"""

import gc
import json
import logging
import os
import pickle
import shutil
import threading
import traceback
from pathlib import Path

import keyring

from robota_nb.kernel.extension import _HOOKED
from support.hub import Reader


class Hidden:
    """The keys, one a line in a file of the test's, without a repr."""

    def __init__(self):
        self._keys = Path(os.environ["CANARY_KEYS"]).read_text().split()

    def __repr__(self):
        return "Hidden()"

    def give(self, number, endpoints, endpoint):
        """Put a key into the environment, the prompt or the keyring, in turn."""
        os.environ.pop("OPENAI_API_KEY", None)
        endpoints.forget_key("openai")
        account = "robota_nb", f"openai {endpoint.origin}"
        (
            lambda key: os.environ.update(OPENAI_API_KEY=key),
            lambda key: endpoints.take_key("openai", lambda _: key),
            lambda key: keyring.set_password(*account, key),
        )[number % 3](self._keys[number])


class Sinks:
    """What could show a key, by the kind of place: the words of all texts, each once."""

    def __init__(self):
        self._words = {}

    def take(self, name, text):
        self._words.setdefault(name, set()).update(text.split())

    def write(self, root):
        for name, words in self._words.items():
            root.joinpath(name).write_text("\n".join(words), encoding="utf-8", errors="surrogatepass")


class Log(logging.Handler):
    def __init__(self, sinks):
        super().__init__(logging.DEBUG)
        self._sinks = sinks

    def emit(self, record):
        self._sinks.take("log", f"{self.format(record)} {vars(record)!r}")


class Canaries:
    """One for the kernel; `spend` is what each cell of the notebook calls."""

    def __init__(self, shell, asks):
        self.shell, self.asks = shell, asks
        self.sinks, self.hidden = Sinks(), Hidden()
        self.app = next(iter(_HOOKED.values())).app()
        self.reader = Reader(self.app.hub)
        logging.getLogger().setLevel(logging.DEBUG)
        logging.getLogger().addHandler(Log(self.sinks))
        threading.excepthook = lambda hooked: self._spill("thread", hooked.exc_value)

    def spend(self, number):
        """Ask in every way with one key."""
        endpoints = self.app.endpoints
        self.hidden.give(number, endpoints, endpoints._registry().endpoints["openai"])
        self.shell.run_line_magic("robota", f"new Chat {number}")
        for ask in range(self.asks):
            self._ask(f"ask {number} {ask}", verbose=ask == number)
        thread = threading.Thread(target=self.app.manager.active_session().active_chat.send, args=("in a thread",))
        thread.start()
        thread.join()
        self.reader.answer(self.reader.ask("ask", text="from a view"))
        self.shell.run_line_magic("robota", "endpoint list")
        self._objects(endpoints)

    def _ask(self, line, *, verbose):
        magics = self.app.magics
        magics.short_errors = not verbose
        try:
            self.shell.run_line_magic("robota", line)
        except Exception as error:
            self._spill("traceback", error)
            if verbose:
                self.shell.run_line_magic("xmode", "Verbose")
            self.shell.showtraceback()
            self.shell.run_line_magic("xmode", "Context")
        finally:
            magics.short_errors = True

    def _spill(self, name, error):
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.sinks.take(name, "".join(report.format()))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            for value in frame.f_locals.values():
                self.sinks.take(name, _walked(value))
        self.sinks.take("repr", f"{error!r} {error} {vars(error)!r}")
        self._pickle(error)

    def _objects(self, endpoints):
        manager = self.app.manager
        provider = endpoints.get("openai")
        session = manager.active_session()
        chat = session.active_chat
        holders = (manager, session, chat, chat.turns, endpoints, endpoints._registry(), provider, provider._client,
                   endpoints._keys, provider._context, self.app, self.app.magics, self.app.hub)  # fmt: skip
        for holder in holders:
            self.sinks.take("repr", _walked(holder))
            self._pickle(holder)

    def _pickle(self, value):
        try:
            self.sinks.take("pickle", pickle.dumps(value).decode("latin-1"))
        except Exception as error:
            self.sinks.take("pickle", repr(error))

    def end(self):
        """Write down all that was seen."""
        root = Path(os.environ["CANARY_SINKS"])
        gc.collect()
        for thing in gc.get_objects():
            if str(type(thing).__module__).partition(".")[0] in ("robota_nb", "openai", "httpx2"):
                self.sinks.take("repr", repr(thing))
        self.reader.fence().fetch()
        self.sinks.take("widget", json.dumps([self.reader.messages, self.reader.state()], ensure_ascii=False))
        self.sinks.write(root)
        for file in Path(os.environ["ROBOTA_NB_STORE"]).parent.iterdir():
            shutil.copy(file, root / f"store {file.name}")


def _walked(value):
    """Show a value, and what it holds, as a tool does that draws the variables of a frame."""
    try:
        return f"{value!r} {vars(value)!r}"
    except TypeError:
        return repr(value)
