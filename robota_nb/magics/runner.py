"""Runs the commands of ``%robota``, and streams answers; `robota_nb.magics.handlers` says what each command does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from robota_nb.core.ask_flow import current_chat
from robota_nb.core.events import Delayed, Notice, ServerHeard, StepsChanged, TextTakenBack
from robota_nb.core.files import Read
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.interrupts import deferred
from robota_nb.core.live import LiveTurn
from robota_nb.core.plan import ONE_ROUND, Rounds
from robota_nb.core.record.config import settings_from
from robota_nb.core.record.entries import clean
from robota_nb.core.record.kinds import CONFIG, kind_of
from robota_nb.core.record.types import File
from robota_nb.core.users import default_user
from robota_nb.display.code_page import printable
from robota_nb.display.formats import VALUE
from robota_nb.display.place import place
from robota_nb.display.render import choose_renderer
from robota_nb.display.report import plain
from robota_nb.display.wait_line import WaitLine, ticking
from robota_nb.errors import CellsUnseen, ChatNotFound, CommandError, PromptError
from robota_nb.magics import parser as parsing
from robota_nb.magics.code_cell import put_code
from robota_nb.prompt.fields import Expanded, expand
from robota_nb.prompt.last_error import with_error

if TYPE_CHECKING:
    from robota_nb.core.chat import Chat
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.ports import Image
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn
    from robota_nb.display.place import Place
    from robota_nb.display.render import NotebookRenderer, TerminalRenderer
    from robota_nb.magics.host import Host
    from robota_nb.prompt.cells import Sent
    from robota_nb.prompt.files import Absent

    Renderer: TypeAlias = NotebookRenderer | TerminalRenderer

Args: TypeAlias = Mapping[str, Any]
"""A command's arguments by name, as `robota_nb.magics.parser` parses them."""

Handler: TypeAlias = "Callable[[Runner, Args], object]"
"""What one command does; what it returns is the value of the line."""


class Interrupted(KeyboardInterrupt):
    """The user stopped an answer; what had arrived is kept."""

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]


class _Arrives(NamedTuple):
    """What shows the answer that a chat waits for, and what it waits for."""

    renderer: Renderer
    wait_line: WaitLine


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
        self.remote_pictures = False  # whether answers show pictures of public servers
        self.asked_here: dict[str, Place] = {}  # turns of the running execution, and where they show themselves
        self._arrives: dict[str, _Arrives] = {}  # the answers that chats wait for

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
        command = parsing.parse_cell(line, body)
        self.host.ready()
        self._handlers[command.words](self, command.args)

    # -- for the handlers

    def settings(self, args: Args) -> dict[str, str]:
        """Return the settings among a command's arguments; raise an error for what cannot be asked or sent."""
        found = {**self._preset(args), **settings_of(args)}
        provider, endpoints = found.get("provider", ""), self.host.endpoints
        if provider and provider not in endpoints.names() and not self._is_recorded(provider):
            endpoints.get(provider)  # which says what is near, and how one is added
        return found

    def _preset(self, args: Args) -> dict[str, str]:
        if not args.get("preset"):
            return {}
        from robota_nb.magics.presets import settings_of_preset

        return settings_of_preset(args["preset"], self.host.presets)

    def _is_recorded(self, provider: str) -> bool:
        """Say whether the record names a provider: it may be a colleague's, whose answers replay here."""
        return any(
            kind_of(entry) is CONFIG and entry.get("provider") == provider
            for view in ledger_of(self.host.manager).owned(default_user())
            for entry in view.record.entries.values()
        )

    @property
    def page(self) -> NotebookPage:
        """The notebook, whose running cell this command stands in."""
        return self.host.page()

    @property
    def is_strict(self) -> bool:
        """Whether nobody may be asked."""
        return runtime_of(self.host.manager).mode == "strict"

    def say(self, text: str) -> None:
        """Print a command's output, which may hold a stranger's names."""
        print(printable(plain(text)))  # noqa: T201 - that is what it is for

    def session(self) -> Session:
        """Return the session that a command means which names none; a first one is made where there is none."""
        manager = self.host.manager
        chat = self._current_chat()
        if chat:
            return chat.session
        entered = self.page.asking.where_to_begin()
        return manager.session(entered) if entered else manager.active_session() or manager.create_session()

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
        self.page  # noqa: B018 - the cell that runs is noted, if it was not
        return current_chat(self.host.manager)

    def expanded(self, args: Args) -> Expanded:
        """Return the prompt with its variables filled in, and what is to be told of it if it is sent."""
        namespace, raw = with_error(self.shell.user_ns), args["raw"]
        prompt = Expanded(text=args["text"]) if raw else expand(args["text"], namespace)
        if wanted := args.get("prompt"):
            from robota_nb.prompt import library

            found = library.find(wanted.name)
            if found is None:
                return self._sent_before(wanted.name)
            stored = Expanded(text=found.text) if raw else found.filled(wanted.given, namespace)
            prompt = stored.above(prompt)
        if not prompt.text.strip():
            raise PromptError("the prompt is empty: write what to send below the %%robota line")
        return prompt

    def _sent_before(self, name: str) -> Expanded:
        """Return what this cell has sent with a prompt of the library that is not here, as at a colleague's."""
        from robota_nb.prompt import library

        text = self.page.former_text()
        if text is None:
            raise library.absent(name)
        runtime_of(self.host.manager).emit(
            Notice(text=f"the prompt {name!r} is not here: what was recorded of it stands in its place")
        )
        return Expanded(text=text)

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

    def files(self, args: Args, prompt: Expanded) -> list[Read]:
        """Return the files that go with the prompt; in the place of one that is not here, what is recorded of it."""
        if not args["file"]:
            return []
        from robota_nb.prompt import files as reading

        found: list[Read] = []
        for expression in args["file"]:
            one = reading.look_up(expression, self.shell.user_ns)
            found.append(self._recorded(one, prompt, found) if isinstance(one, reading.Absent) else one)
        return found

    def _recorded(self, absent: Absent, prompt: Expanded, before: list[Read]) -> Read:
        """Return a file as it was sent with this prompt, as to a colleague who has only the notebook."""
        number = sum(one.file.name == absent.name for one in before)
        page = self.page
        file = page.record.file_sent(clean(prompt.text), absent.name, number, page.here_id)
        if not isinstance(file, File):
            raise absent.error
        runtime_of(self.host.manager).emit(
            Notice(text=f"the file {absent.name!r} is not here: what was recorded of it stands in its place")
        )
        return Read(file)

    def cells(self, args: Args) -> Sent:
        """Return the cells that go with the prompt, or what keeps them from that."""
        from robota_nb.prompt import cells

        wanted = args["cells"]
        if not wanted:
            if args["outputs"]:
                raise CommandError("--outputs are those of cells that go along: say which, as in --cells above")
            return cells.Sent()
        page = self.page
        if page.sources is None:
            return cells.Sent(lacks=CellsUnseen())
        run = page.asking.running
        assert run is not None  # else nobody would have told
        chosen = cells.choose(wanted, page.sources, run.cell.key, self.host.is_prompt)
        return cells.attached(chosen, outputs=args["outputs"])

    def rounds(self, tools: Iterable[str], into: str | None = None, repair: int | None = None) -> Rounds:
        """Return what may have the model asked more than once: tools, and the form that its answer is to have."""
        box, shape = self.host.tools.toolbox(tools), None
        if into:
            from robota_nb.prompt.kinds import look_up

            shape = runtime_of(self.host.manager).make_shape(look_up(into, self.shell.user_ns))
        if box is None and shape is None:
            return ONE_ROUND
        return Rounds(tools=box, shape=shape, repairs=1 if repair is None else repair)

    def answer(self, answer: Turn | LiveTurn, args: Args, prompt: Expanded) -> Turn:
        """Show an answer, as it arrives or from the record, and keep it in the variable that ``-o`` names.

        What there is to know of its prompt is told when it is sent: a replay shows the same wherever it runs.
        """
        format_ = args.get("format") or (VALUE if args.get("into") else "markdown")
        at_end = args.get("at_end", False) or self._is_at_end()
        renderer = choose_renderer(
            self.shell, format_, at_end=at_end, alone=self.host.is_one_ask, remote_pictures=self.remote_pictures
        )
        if isinstance(answer, LiveTurn):
            self.tell(prompt)
            turn = self._stream(answer, renderer)
            if format_ == "code":  # and not in a replay: the cell is there
                put_code(turn, self.shell, self.host)
        else:
            turn = self._show(answer, renderer)
        if args["out"]:
            self.shell.user_ns[args["out"]] = turn
        if turn.shape is not None:
            turn.value  # noqa: B018 - what does not fit is an error, of a replay, too
        return turn

    def hear(self, event: Delayed | ServerHeard | TextTakenBack | StepsChanged) -> bool:
        """Show in the place of an answer what becomes of it, or why it is late; False if that cannot be shown there."""
        arrives = self._arrives.get(event.chat)
        if arrives is None:
            return False
        renderer, wait_line = arrives
        match event:
            case Delayed():
                wait_line.delayed(event.text, event.seconds)
                return renderer.wait(event.text)
            case ServerHeard():
                wait_line.heard(thinking=event.thinking)
            case TextTakenBack():
                wait_line.taken_back()
                renderer.restart()
            case StepsChanged():
                runs = any(call.status == "interrupted" for call in event.steps[-1].calls)
                wait_line.held() if runs else wait_line.goes_on()
                renderer.go_on(event.steps, runs=runs)
        return True

    # -- inside

    def _is_at_end(self) -> bool:
        return self.host.shows_at_end or not place(self.shell).follows_updates(self.host.request)

    def _stream(self, live: LiveTurn, renderer: Renderer) -> Turn:
        try:
            with (
                self._shown_by(renderer, live.chat_id) as wait_line,
                closing(live),
            ):  # also when it is the display that is interrupted
                for delta in live:
                    wait_line.spoke()
                    renderer.feed(delta)
        except BaseException as error:
            if live.turn is not None:
                self._show(live.turn, renderer)
            else:
                renderer.clear()
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(_what_was_kept(live.turn)) from None
            raise
        assert live.turn is not None
        return self._show(live.turn, renderer)

    @contextmanager
    def _shown_by(self, renderer: Renderer, chat: str) -> Iterator[WaitLine]:
        wait_line = WaitLine(renderer.wait, partial(self._asked, chat))
        self._arrives[chat] = _Arrives(renderer, wait_line)
        self.host.tools.answered = renderer.show_again
        try:
            with ticking(wait_line.tick) if renderer.is_live else nullcontext():
                yield wait_line
        finally:
            self._arrives.pop(chat, None)

    def _asked(self, chat: str) -> str:
        """Return the model that a chat waits for; else the name of its provider."""
        runtime = runtime_of(self.host.manager)
        arriving = runtime.arriving.get(chat)
        if arriving is None:
            return ""
        config = arriving.plan.asked_of
        endpoint = getattr(runtime.providers.get(config.provider), "endpoint", None)
        return config.model or getattr(endpoint, "model", "") or config.provider

    def _show(self, turn: Turn, renderer: Renderer) -> Turn:
        with deferred():  # what was recorded is shown as it will be replayed
            here, page = place(self.shell), self.page
            metadata = self.host.persistence.notebook.output_metadata(
                turn, page.record.said_before(turn.id), former=page.kept_turns(), stays=here.stays
            )
            renderer.replay(turn.text, turn.finish_reason, metadata, turn.besides, turn.steps)
            self.asked_here[turn.id] = here
        return turn


def settings_of(args: Args) -> dict[str, str]:
    """Return the settings among a command's arguments."""
    return settings_from({key: args.get(key) for key in ("provider", "model", "system")} | dict(args.get("set") or {}))


def _what_was_kept(turn: Turn | None) -> str:
    if turn is not None and not turn.id:
        return "nothing of it is recorded; run the cell again to ask again"
    if turn is None:
        return "nothing had arrived; run the cell again to ask again"
    if turn.finish_reason == "interrupted":
        return "what had arrived is kept and marked; run the cell again, or %robota chat retry, to ask again"
    return "the answer was complete, and is kept"
