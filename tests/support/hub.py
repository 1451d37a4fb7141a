"""What the tests of the switcher's hub share: a host, providers that a test leads, and views that take in messages as
the front end's ``view_state.js`` does."""

import json
import queue
import threading
from itertools import count

from robota_nb import SessionManager
from robota_nb.core.events import TurnEnded
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.core.rules.search import matches_here
from robota_nb.core.users import default_user
from robota_nb.magics.presets import settings_of_preset
from robota_nb.providers.registry import EndpointCheck
from robota_nb.switcher.hub import Hub
from robota_nb.switcher.views import View
from support.core import Only
from support.patience import PATIENCE


class Host:
    """What the hub needs around it; counts what it was asked for."""

    def __init__(self, manager):
        self.manager = manager
        self.writes_wanted = 0
        self.readied = 0
        self.reached = "in kernel"
        self.failure = None
        self.namespace = self.variables = {}
        self.presets = {}
        self.endpoints = Offered()
        self.found = []

    def say(self, text):
        return text

    def ready(self):
        self.readied += 1
        if self.failure:
            raise self.failure

    def write_soon(self):
        self.writes_wanted += 1

    def level(self):
        return self.reached

    running_number = None
    """The cell that runs."""

    def is_prompt(self, source):
        return source.startswith("%%robota")

    def preset(self, name):
        return settings_of_preset(name, self.presets)

    def search(self, text, *, everywhere):
        views = ledger_of(self.manager).owned(default_user())
        return self.found if everywhere else [match for view in views for match in matches_here(view, text)]


class Offered:
    """An endpoint that has two models."""

    def prices(self):
        return {}

    def names(self):
        return ["scripted"]

    def check(self, name):
        return EndpointCheck(name=name, models=("m-1", "m-2"))


class Fed:
    """A provider whose answers are what the test feeds: texts, an exception, or None for the end."""

    def __init__(self):
        self.requests, self.food = [], queue.Queue()

    def stream(self, request):
        self.requests.append(request)
        while (piece := self.food.get(timeout=PATIENCE)) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield TextDelta(piece)
        yield Finish(reason="stop", model="m-1", usage=Usage(input_tokens=1, output_tokens=2))

    def feed(self, *pieces):
        for piece in pieces:
            self.food.put(piece)


def fed(**options):
    """A manager whose answers are fed, and what feeds them."""
    provider = Fed()
    return SessionManager(providers=Only(provider), **options), provider


class Reader:
    """A view, as a front end has it: it knows what it was told, and nothing else."""

    ids = count(1)

    def __init__(self, hub, *, full=True, hello=True):
        self.hub = hub
        self.heard = threading.Condition()
        self.messages, self.bytes = [], 0
        self.closed = False
        self.view = View(send=self.take, close=self._close)
        self.answers = {}
        self.sessions, self.session, self.chat, self.chats = [], None, None, {}
        self.status, self.shown, self.count, self.turns, self.arriving = {}, None, 0, {}, None
        self.gauge = {}
        if hello:
            self.say(op="hello", full=full)

    def _close(self):
        with self.heard:
            self.closed = True
            self.heard.notify_all()

    def take(self, message):
        """Take in a message, which goes as JSON."""
        text = json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
        with self.heard:
            assert not self.closed
            self.messages.append(json.loads(text))
            self.bytes += len(text)
            said = {key: value for key, value in self.messages[-1].items() if key != "op"}
            getattr(self, f"_{message['op']}")(**said)
            self.heard.notify_all()

    def _status(self, **status):
        self.status = status

    def _lists(self, chats, gone=(), whole=False, **head):
        self.__dict__.update(head)
        if whole:
            self.chats.clear()
        for chat in gone:
            self.chats.pop(chat, None)
        self.chats.update({row["id"]: row for row in chats})

    def _gauge(self, **gauge):
        self.gauge = gauge

    def _transcript(self, *, chat, count, stale, first, turns, **kept):
        self.shown, self.count = chat, count
        self.turns = {at: row for at, row in self.turns.items() if at < kept["from"] and at not in stale}
        self._turns(chat, first, turns)
        if chat is None:
            self.arriving = None

    def _turns(self, chat, first, turns):
        if chat == self.shown:
            self.turns.update(enumerate(turns, first))

    def _arriving(self, **arriving):
        self.arriving = arriving

    def _text(self, chat, text):
        if self.arriving:
            self.arriving["text"] += text

    def _arrived(self, chat):
        self.arriving = None

    def _picture(self, **picture):
        self.answers[picture.pop("id")] = picture

    def _answer(self, **answer):
        self.answers[answer.pop("id")] = answer

    # -- what it says

    def say(self, **message):
        self.hub.receive(self.view, json.loads(json.dumps(message)))

    def ask(self, what, **args):
        """Ask for something, and return what the answer will be known by."""
        number = f"n{next(self.ids)}"
        self.say(op="do", id=number, what=what, **args)
        return number

    def answer(self, number):
        """Wait for the answer."""
        self.until(lambda: number in self.answers)
        return self.answers[number]

    def do(self, what, **args):
        """Ask for something that is done, and return the answer."""
        answer = self.answer(self.ask(what, **args))
        assert "error" not in answer, answer
        return answer

    def refused(self, what, **args):
        """Ask for something that is not done; return why: one line."""
        answer = self.answer(self.ask(what, **args))
        assert set(answer) == {"error"}, answer
        assert answer["error"]
        assert "\n" not in answer["error"]
        return answer["error"]

    # -- what it waits for

    def until(self, condition):
        with self.heard:
            assert self.heard.wait_for(condition, PATIENCE), (self.messages[-3:], self.state())

    def fence(self):
        """Wait until all that was so when this was called has been told."""
        number = f"p{next(self.ids)}"
        self.say(op="picture", id=number)
        self.until(lambda: number in self.answers)
        return self

    def fetch(self):
        """Ask for turns as the front end does, until all are here."""
        while missing := sorted(set(range(self.count)) - set(self.turns)):
            self.say(op="want", first=missing[0], last=missing[-1] + 1)
            self.until(lambda: missing[0] in self.turns)
        return self

    def ops(self):
        return [message["op"] for message in self.messages]

    def of(self, op):
        return [message for message in self.messages if message["op"] == op]

    def forget(self):
        with self.heard:
            self.messages.clear()
            self.bytes = 0

    def state(self):
        """All that it knows."""
        return {
            "status": self.status, "sessions": self.sessions, "session": self.session, "chat": self.chat,
            "chats": self.chats, "shown": self.shown, "count": self.count,
            "turns": [self.turns.get(at) for at in range(self.count)], "arriving": self.arriving,
            "gauge": self.gauge,
        }  # fmt: skip

    def leave(self):
        self.hub.leave(self.view)


def rested(manager):
    """Wait until no turn runs."""
    with runtime_of(manager).lock:
        assert runtime_of(manager).lock.wait_for(lambda: not runtime_of(manager).running, PATIENCE)


def ends(manager):
    """An event that is set when the next turn has ended."""
    ended = threading.Event()

    def hear(event):
        if isinstance(event, TurnEnded):
            leave()
            ended.set()

    leave = manager.subscribe(hear)
    return ended


def so(manager):
    """What a view has to know, as the manager says it."""
    session = manager.active_session()
    chat = session.active_chat if session else None
    return {
        "sessions": [(one.id, one.name, one.state, len(one.chats)) for one in manager.sessions()],
        "session": session and session.id,
        "chat": chat and chat.id,
        "chats": {
            one.id: (one.name, one.config.model or one.config.provider, len(one.turns), False)
            for one in (session.chats if session else [])
        },
        "turns": [(turn.id, turn.prompt.content, turn.text) for turn in (chat.turns if chat else [])],
        "status": (session and session.name, chat and chat.name, len(runtime_of(manager).running)),
    }


def known(reader):
    """The same, as a view knows it."""
    keys = ("name", "model", "turns", "running")
    return {
        "sessions": [(row["id"], row["name"], row["state"], row["chats"]) for row in reader.sessions],
        "session": reader.session,
        "chat": reader.chat,
        "chats": {cid: tuple(row[key] for key in keys) for cid, row in reader.chats.items()},
        "turns": [(row["id"], row["prompt"], row["reply"]) for row in reader.state()["turns"]],
        "status": tuple(reader.status[key] for key in ("session", "chat", "running")),
    }


def agree(manager, *readers):
    """Check that views know what is so, all of it, and that a new one is told the same."""
    rested(manager)
    states = []
    for reader in readers:
        reader.fence().fetch()
        assert known(reader) == so(manager)
        states.append(reader.state())
    fresh = Reader(readers[0].hub).fence().fetch()  # only now: it has all be looked at anew
    fresh.leave()
    assert known(fresh) == so(manager)
    assert fresh.arriving is None
    for state in states:
        assert state == fresh.state()


def hub_of(manager):
    return Hub(Host(manager))


def stopped(hub):
    """Wait until the hub's thread has ended."""
    thread = hub._thread
    if thread:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def filled(chat, count, text="x"):
    """Ask some things in a chat."""
    for at in range(count):
        chat.send(f"{text} {at}")
    return chat
