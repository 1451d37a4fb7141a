"""Runs the commands of ``%robota``, and streams answers; `robota_nb.magics.handlers` says what each command does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from robota_nb.core.ask_flow import current_chat
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.interrupts import deferred
from robota_nb.core.live import LiveTurn
from robota_nb.core.record.config import settings_from
from robota_nb.display.formats import code_of
from robota_nb.display.render import choose_renderer
from robota_nb.display.report import plain
from robota_nb.errors import ChatNotFound, PromptError
from robota_nb.magics import parser as parsing
from robota_nb.prompt.fields import Expanded, expand
from robota_nb.prompt.last_error import with_error

if TYPE_CHECKING:
    from robota_nb.core.chat import Chat
    from robota_nb.core.events import Delayed
    from robota_nb.core.ports import Image
    from robota_nb.core.rules.replay import Replay
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn
    from robota_nb.display.render import NotebookRenderer, TerminalRenderer
    from robota_nb.magics.host import Host

    Renderer: TypeAlias = NotebookRenderer | TerminalRenderer

Args: TypeAlias = Mapping[str, Any]
"""A command's arguments by name, as `robota_nb.magics.parser` parses them."""

Handler: TypeAlias = "Callable[[Runner, Args], object]"
"""What one command does; what it returns is the value of the line."""


class Interrupted(KeyboardInterrupt):
    """The user stopped an answer; what had arrived is kept."""

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]


class Runner:
    """Runs the commands of one shell.

    Parameters
    ----------
    shell
        The IPython shell: its user's variables, and where answers are shown.
    host
        The app around it.
    handlers
        What each command does, by its words.
    """

    def __init__(self, shell: Any, host: Host, handlers: Mapping[tuple[str, ...], Handler]) -> None:
        self.shell = shell
        self.host = host
        self._handlers = handlers
        self.asked_here: set[str] = set()  # turns of the running execution: they show themselves as they stream
        self._shows: dict[str, Renderer] = {}  # what shows the answer that a chat waits for

    def line(self, line: str) -> object:
        """Run what follows ``%robota``."""
        command = parsing.parse(line)
        self.host.ready()
        result = self._handlers[command.words](self, command.args)
        for notice in self.host.notices():
            self.say(notice)
        return result

    def cell(self, line: str, body: str) -> None:
        """Run a ``%%robota`` cell."""
        command = parsing.parse_cell(line)
        self.host.ready()
        self._handlers[command.words](self, {**command.args, "text": body.removesuffix("\n")})

    # -- for the handlers

    @property
    def replay(self) -> Replay:
        """What this kernel knows of its cells and of the turns it has shown."""
        return runtime_of(self.host.manager).replay

    def say(self, text: str) -> None:
        """Print a command's output, which may hold a stranger's names."""
        print(plain(text))  # noqa: T201 - that is what it is for

    def session(self) -> Session:
        """Return the session that a command means which names none; a first one is made where there is none."""
        manager = self.host.manager
        chat = self._current_chat()
        return chat.session if chat else manager.active_session() or manager.create_session()

    def chat(self) -> Chat:
        """Return the chat that a command means which names none; a first one is made where there is none."""
        return self._current_chat() or self.session().create_chat()

    def existing_chat(self) -> Chat:
        """Return the chat that a command means which only looks; none is made for that."""
        chat = self._current_chat()
        if chat is None:
            raise ChatNotFound("there is no chat yet", hint="chat.create")
        return chat

    def _current_chat(self) -> Chat | None:
        return current_chat(self.host.manager, self.host.cell())

    def choose(self, session: Session, name: str, settings: Mapping[str, str]) -> None:
        """Make a chat the active one, because a cell says so."""
        chat = session.switch_to(name)
        self.replay.cell_chose(self.host.cell(), "chat", name)
        self.configure(chat, settings)

    def choose_session(self, session: Session, name: str) -> None:
        """Make a session the active one, because a cell says so."""
        self.host.manager.activate(session)
        self.replay.cell_chose(self.host.cell(), "session", name)

    def configure(self, chat: Chat, settings: Mapping[str, str]) -> None:
        """Change a chat's settings, because a cell says so."""
        view_of(chat).set_for_next(chat.id, settings)
        self.replay.cell_set(self.host.cell(), chat.id, settings)

    def expanded(self, args: Args) -> Expanded:
        """Return the prompt with its variables filled in, and what is to be told of it if it is sent."""
        text = args["text"]
        prompt = Expanded(text=text) if args["raw"] else expand(text, with_error(self.shell.user_ns))
        if not prompt.text.strip():
            raise PromptError("the prompt is empty: write what to send below the %%robota line")
        return prompt

    def tell(self, prompt: Expanded) -> None:
        """Tell the user what there is to know of a prompt."""
        for notice in prompt.notices:
            runtime_of(self.host.manager).emit(notice)

    def images(self, args: Args) -> list[Image]:
        """Return the pictures that go with the prompt."""
        if not args["image"]:
            return []
        from robota_nb.prompt.images import image, look_up

        return [image(look_up(expression, self.shell.user_ns)) for expression in args["image"]]

    def answer(self, answer: Turn | LiveTurn, args: Args, prompt: Expanded) -> Turn:
        """Show an answer, as it arrives or from the record, and keep it in the variable that ``-o`` names.

        What there is to know of its prompt is told when it is sent: a replay shows the same wherever it runs.
        """
        format_ = args.get("format") or "markdown"
        renderer = choose_renderer(self.shell, format_)
        if isinstance(answer, LiveTurn):
            self.tell(prompt)
            turn = self._stream(answer, renderer)
            if format_ == "code":  # and not in a replay: the cell is there
                self.shell.set_next_input(code_of(turn.text))
        else:
            turn = self._show(answer, renderer)
        if args["out"]:
            self.shell.user_ns[args["out"]] = turn
        return turn

    def delayed(self, event: Delayed) -> bool:
        """Show why an answer is late in its place in the cell; return False if no cell waits for it."""
        renderer = self._shows.get(event.chat)
        if renderer:
            renderer.wait(event.text)
        return renderer is not None

    # -- inside

    def _stream(self, live: LiveTurn, renderer: Renderer) -> Turn:
        try:
            with (
                self._shown_by(renderer, live.chat_id),
                closing(live),
            ):  # also when it is the display that is interrupted
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

    @contextmanager
    def _shown_by(self, renderer: Renderer, chat: str) -> Iterator[None]:
        self._shows[chat] = renderer
        try:
            yield
        finally:
            self._shows.pop(chat, None)

    def _show(self, turn: Turn, renderer: Renderer) -> Turn:
        with deferred():  # what was recorded is shown as it will be replayed
            renderer.replay(turn.text, turn.finish_reason, self.host.persistence.notebook.output_metadata(turn))
            self.asked_here.add(turn.id)
        return turn


def settings_of(args: Args) -> dict[str, str]:
    """Return the settings among a command's arguments."""
    return settings_from({key: args.get(key) for key in ("provider", "model", "system")} | dict(args.get("set") or {}))


def _what_was_kept(turn: Turn | None) -> str:
    if turn is None:
        return "nothing had arrived; run the cell again to ask again"
    if turn.finish_reason == "interrupted":
        return "what had arrived is kept and marked; run the cell again, or %robota chat retry, to ask again"
    return "the answer was complete, and is kept"
