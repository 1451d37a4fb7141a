"""The stories' world without a kernel: a real manager, and a small interpreter of cells."""

from contextlib import suppress

from robota_nb.core import ask_flow
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.ports import Finish, TextDelta
from robota_nb.core.record import snapshot
from robota_nb.core.record.config import settings_from
from robota_nb.core.record.entries import source_hash
from robota_nb.core.turn import Turn
from robota_nb.errors import ProviderError, ReplayMiss
from support.story import Failed


class Oracle:
    """Answers `<serial>:<prompts>[@model]`; fails or breaks off when told to."""

    name = "oracle"

    def __init__(self):
        self.serial, self.requests, self.failure = 0, 0, None

    def default(self):
        return "oracle", ""

    def get(self, name):
        return self

    def stream(self, request):
        self.requests += 1
        failure, self.failure = self.failure, None
        if failure == "error":
            raise ProviderError("provider")
        self.serial += 1
        prompts = "".join(m["content"] for m in request.messages if m["role"] == "user")
        yield TextDelta(f"{self.serial}:{prompts}" + (f"@{request.model}" if request.model else ""))
        if failure == "interrupted":
            yield TextDelta("~")
            raise KeyboardInterrupt
        yield Finish(reason="stop")


class ManagerWorld:
    """Cells are run by a small interpreter over the manager, as the magics do it."""

    def __init__(self):
        self.cells, self.oracle, self.manager = [], Oracle(), None

    def set_up(self, *, ids, listed, rerun):
        self.ids, self.listed, self.rerun = ids, listed, rerun
        if self.manager is None:
            self.start()
            session = self.manager.create_session("u", "S")
            session.create_chat("main")
            runtime_of(self.manager).replay.clicked = None
        runtime_of(self.manager).replay.rerun = rerun

    def start(self, mode="auto"):
        self.manager = SessionManager(providers=self.oracle)
        runtime_of(self.manager).replay.mode, self.vars = mode, {}
        self.asked_before = self.oracle.requests

    def restart(self, *, strict=False):
        saved = self.written()
        self.start("strict" if strict else "auto")
        runtime_of(self.manager).replay.rerun = self.rerun
        self.manager.adopt(snapshot.parse(saved), "u")

    @property
    def live(self):
        return self.oracle.requests - self.asked_before

    @property
    def session(self):
        return self.manager.active_session("u")

    def written(self):
        return self.manager.snapshot("u")

    def run(self, cell):
        source = "\n".join(cell.lines)
        document = runtime_of(self.manager).replay.document
        if self.listed:
            document.list_cells([(c.id, source_hash("\n".join(c.lines))) for c in self.cells])
        running = document.run(cell.id if self.ids else None, source_hash(source))
        try:
            for line in cell.lines:
                self.command(cell, running, *line.split())
        except ReplayMiss as miss:
            raise Failed("ReplayMiss") from miss
        except ProviderError as error:
            raise Failed("provider") from error
        except KeyboardInterrupt:
            pass  # the stories go on with the next cell by themselves

    def command(self, cell, running, word, *args):
        if word == "ask":
            chat = args[1] if args[0] == "--chat" else None
            self.ask(cell, running, args[-1], chat)
        elif word in ("loop", "asks"):
            for text in args if word == "loop" else self.vars[args[0]]:
                self.ask(cell, running, text)
        elif word == "var":
            self.vars[args[0]] = args[1:]
        elif word == "undo":
            ask_flow.current_chat(self.manager, running, "u").undo()
        elif word == "set":
            self.configure(running, ask_flow.current_chat(self.manager, running, "u").id, args)
        else:
            name, *settings = args
            if word == "fork":
                chat = ask_flow.current_chat(self.manager, running, "u").fork(name)
            elif word == "open" and view_of(self.session).find(name) is None:
                chat = self.session.create_chat(name)
            else:
                chat = self.session.switch_to(name)
            runtime_of(self.manager).replay.cell_chose(running, "chat", name)
            self.configure(running, chat.id, settings)

    def configure(self, running, chat, pairs):
        settings = settings_from(dict(pair.split("=") for pair in pairs))
        view_of(self.session).set_for_next(chat, settings)
        runtime_of(self.manager).replay.cell_set(running, chat, settings)

    def ask(self, cell, running, text, chat=None):
        answer = ask_flow.ask(self.manager, text, running, user_id="u", chat=chat)
        try:
            turn = answer if isinstance(answer, Turn) else answer.result()
        except KeyboardInterrupt:
            turn = answer.turn
            cell.shows.append(turn.text)
            raise
        cell.shows.append(turn.text)

    def click_chat(self, name):
        if view_of(self.session).find(name) is None:
            self.session.create_chat(name)
        self.session.switch_to(name)

    def click_set(self, key, value):
        self.session.active_chat.configure(**{key: value})

    def send(self, text):
        with suppress(ProviderError, KeyboardInterrupt):
            self.session.active_chat.send(text)

    def next_answer(self, how):
        self.oracle.failure = how

    def paths(self):
        return {chat.name: " ".join(turn.text.split(":")[0] for turn in chat.turns) for chat in self.session.chats}
