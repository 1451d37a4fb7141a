"""What each command of ``%robota`` does."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

from robota_nb.core.config import settings_from
from robota_nb.core.interrupts import deferred
from robota_nb.core.live import LiveTurn
from robota_nb.core.modes import MODES
from robota_nb.errors import ChatNotFound, PromptError
from robota_nb.notebook import command as parsing
from robota_nb.notebook import report
from robota_nb.notebook.prompt import expand
from robota_nb.notebook.render import choose_renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn
    from robota_nb.notebook.host import Host


class Interrupted(KeyboardInterrupt):
    """The user stopped an answer; what had arrived is kept."""

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]


class Commands:
    """Runs the commands of one shell.

    Parameters
    ----------
    shell
        The IPython shell: its user's variables, and where answers are shown.
    host
        The wiring around it.
    """

    def __init__(self, shell: Any, host: Host) -> None:
        self.shell = shell
        self.host = host
        self.asked_here: set[str] = set()  # turns of the running execution: they show themselves as they stream

    def line(self, line: str) -> object:
        """Run what follows ``%robota``."""
        command = parsing.parse(line)
        self.host.ready()
        result = self._COMMANDS[command.words](self, command.args)
        for notice in self.host.notices():
            print(notice)  # noqa: T201 - the command's output
        return result

    def cell(self, line: str, body: str) -> None:
        """Run a ``%%robota`` cell."""
        command = parsing.parse_cell(line)
        self.host.ready()
        self._ask({**command.args, "text": body.removesuffix("\n")})

    # -- asking

    def _ask(self, args: Mapping[str, Any]) -> Turn | None:
        text = args["text"] if args["raw"] else expand(args["text"], self.shell.user_ns)
        if not text.strip():
            raise PromptError("the prompt is empty: write what to send below the %%robota line")
        answer = self.host.manager.ask(
            text,
            self.host.cell(),
            session=args["session"],
            chat=args["chat"],
            options=_settings(args),
            fresh=args["fresh"],
            once=args["once"],
        )
        turn = self._stream(answer) if isinstance(answer, LiveTurn) else self._show(answer)
        self._keep(args, turn)
        return turn

    def _stream(self, live: LiveTurn) -> Turn:
        renderer = choose_renderer(self.shell)
        try:
            with closing(live):  # also when it is the display that is interrupted
                for delta in live:
                    renderer.feed(delta)
        except BaseException as error:
            if live.turn:
                self._show(live.turn, renderer)
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(_what_was_kept(live.turn)) from None
            raise
        assert live.turn is not None
        return self._show(live.turn, renderer)

    def _show(self, turn: Turn, renderer: Any = None) -> Turn:
        with deferred():  # what was recorded is shown as it will be replayed
            (renderer or choose_renderer(self.shell)).replay(
                turn.text, turn.finish_reason, self.host.keeper.output_metadata(turn)
            )
            self.asked_here.add(turn.id)
        return turn

    def _keep(self, args: Mapping[str, Any], turn: Turn) -> None:
        if args["out"]:
            self.shell.user_ns[args["out"]] = turn

    # -- commands

    def _status(self, _: Mapping[str, Any]) -> None:
        self._say(report.status(self.host))

    def _help(self, args: Mapping[str, Any]) -> None:
        self._say(parsing.help_text(args["command"]))

    def _session_open(self, args: Mapping[str, Any]) -> None:
        manager = self.host.manager
        session = manager.find_session(args["name"])
        if session is None:
            session = manager.create_session(name=args["name"])
        manager.activate(session)
        manager.replay.cell_chose(self.host.cell(), "session", args["name"])
        self._say(args["name"])  # and no more: the rest depends on what ran before

    def _session_list(self, _: Mapping[str, Any]) -> None:
        self._say(report.sessions(self.host.manager))

    def _session_rename(self, args: Mapping[str, Any]) -> None:
        session = self._session()
        session.rename(args["name"])
        self._say(args["name"])

    def _chat_open(self, args: Mapping[str, Any]) -> None:
        session, settings = self._session(), _settings(args)
        if session.find(args["name"]) is None:
            session.create_chat(args["name"])
        self._choose(session, args["name"], settings)

    def _chat_switch(self, args: Mapping[str, Any]) -> None:
        self._choose(self._session(), args["name"], {})

    def _choose(self, session: Session, name: str, settings: Mapping[str, str]) -> None:
        manager, cell = self.host.manager, self.host.cell()
        chat = session.switch_to(name)
        manager.replay.cell_chose(cell, "chat", name)
        self._configure(chat, settings)
        self._say(report.chosen(name))

    def _configure(self, chat: Chat, settings: Mapping[str, str]) -> None:
        chat.session.configure(chat.id, settings, lasting=False)
        self.host.manager.replay.cell_set(self.host.cell(), chat.id, settings)

    def _chat_set(self, args: Mapping[str, Any]) -> None:
        settings = _settings(args)
        self._configure(self._chat(), settings)
        self._say(report.settings(settings))

    def _chat_list(self, _: Mapping[str, Any]) -> None:
        self._say(report.chats(self._session()))

    def _chat_rename(self, args: Mapping[str, Any]) -> None:
        self._chat().rename(args["name"])
        self._say(report.chosen(args["name"]))

    def _chat_log(self, _: Mapping[str, Any]) -> None:
        self._say(report.log(self._existing_chat()))

    def _chat_undo(self, _: Mapping[str, Any]) -> None:
        chat = self._existing_chat()
        self._say(report.undone(chat, chat.undo()))

    def _snapshot(self, args: Mapping[str, Any]) -> None:
        self._say(self.host.keeper.snapshot(save=args["save"], to=args["to"], replace=args["replace"]))

    def _snapshot_show(self, _: Mapping[str, Any]) -> None:
        self._say(report.tree(self.host.keeper.recorded()))

    def _snapshot_verify(self, _: Mapping[str, Any]) -> None:
        self.host.keeper.check()
        self._say(report.verified(self.host.keeper.recorded()))

    def _resume(self, args: Mapping[str, Any]) -> None:
        self._say(self.host.keeper.resume(args["path"]))

    def _recover(self, args: Mapping[str, Any]) -> None:
        self._say(self.host.keeper.recover(args["path"]))

    def _replay(self, args: Mapping[str, Any]) -> None:
        replay = self.host.manager.replay
        if args["mode"]:
            replay.mode = next(mode for mode in MODES if mode == args["mode"])
        self._say(f"replay: {replay.mode}")

    _COMMANDS: ClassVar[Mapping[tuple[str, ...], Callable[[Commands, Mapping[str, Any]], object]]] = {
        (): _status,
        ("ask",): _ask,
        ("help",): _help,
        ("session", "open"): _session_open,
        ("session", "list"): _session_list,
        ("session", "rename"): _session_rename,
        ("chat", "open"): _chat_open,
        ("chat", "list"): _chat_list,
        ("chat", "switch"): _chat_switch,
        ("chat", "rename"): _chat_rename,
        ("chat", "set"): _chat_set,
        ("chat", "log"): _chat_log,
        ("chat", "undo"): _chat_undo,
        ("new",): _chat_open,
        ("switch",): _chat_switch,
        ("snapshot",): _snapshot,
        ("snapshot", "show"): _snapshot_show,
        ("snapshot", "verify"): _snapshot_verify,
        ("resume",): _resume,
        ("recover",): _recover,
        ("replay",): _replay,
    }

    # -- inside

    def _session(self) -> Session:
        """Return the session that a command means which names none; a first one is made where there is none."""
        manager = self.host.manager
        chat = manager.here(self.host.cell())
        return chat.session if chat else manager.active_session() or manager.create_session()

    def _chat(self) -> Chat:
        """Return the chat that a command means which names none; a first one is made where there is none."""
        return self.host.manager.here(self.host.cell()) or self._session().create_chat()

    def _existing_chat(self) -> Chat:
        """Return the chat that a command means which only looks; none is made for that."""
        chat = self.host.manager.here(self.host.cell())
        if chat is None:
            raise ChatNotFound("there is no chat yet: %robota new NAME creates one")
        return chat

    def _say(self, text: str) -> None:
        print(text)  # noqa: T201 - the command's output


def _what_was_kept(turn: Turn | None) -> str:
    if turn is None:
        return "nothing had arrived; run the cell again to ask again"
    if turn.finish_reason == "interrupted":
        return "what had arrived is kept and marked; run the cell again to ask again"
    return "the answer was complete, and is kept"


def _settings(args: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings among a command's arguments; another provider brings its own default model."""
    given = {key: args.get(key) for key in ("provider", "model", "system")} | dict(args.get("set") or {})
    settings = settings_from(given)
    if "provider" in settings and "model" not in settings:
        settings["model"] = ""
    return settings
