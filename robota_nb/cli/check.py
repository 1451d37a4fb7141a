"""What can be said of a notebook's answers by its file alone: nothing runs, and nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from robota_nb.carriers import output
from robota_nb.core.inside import ledger_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import attached_entries
from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.text import short
from robota_nb.core.rules.effects import Answered, of_chat
from robota_nb.core.rules.marks import Mark
from robota_nb.core.turn import Turn
from robota_nb.core.users import default_user
from robota_nb.display.formats import FORMATS, VALUE
from robota_nb.display.marks import why
from robota_nb.display.render import NotebookRenderer
from robota_nb.errors import EndpointNotFound, PromptError
from robota_nb.frontends.cells import sources
from robota_nb.magics.cell_text import commands, is_talk
from robota_nb.magics.runner import settings_of
from robota_nb.magics.spelling import NAME
from robota_nb.prompt.cells import attached, choose
from robota_nb.prompt.fields import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from robota_nb.carriers.output import CodeCell
    from robota_nb.core.cell_source import CellSource
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.rules.effects import Effect, Step
    from robota_nb.magics.cell_text import Written
    from robota_nb.magics.parser import Command

UNKNOWN = "cannot tell"
"""What is said of a cell that has to run before anything else can be."""

_NOT_FRESH = ("stale", "edited", "cut", "purged", "failed")
"""The marks of cells that would ask the model."""

_ASKS = (("ask",), ("chat", "edit"), ("chat", "retry"))
_CHANGES = (
    ("session", "open"), ("chat", "open"), ("chat", "switch"), ("chat", "fork"), ("chat", "set"), ("new",), ("switch",),
)  # fmt: skip
"""Commands that change what is asked below, whenever they run."""

_TAKES_AWAY = (("chat", "undo"), ("chat", "clear"), ("chat", "checkout"))
"""Commands that do so if anything was said above."""

_READS = {("import",): "the file", ("recover",): "the store of this machine", ("resume",): "the other notebook"}
"""Commands that bring in what is not in the notebook, and from where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong with a cell, or keeps us from saying whether anything is.

    Parameters
    ----------
    cell
        Which code cell, from 1.
    state
        ``stale``, ``edited``, ``new``, ``cut``, ``purged``, ``failed``, ``differs`` (its output is not what is
        recorded), or `UNKNOWN`.
    why
        In one sentence.
    prompt
        How what it asks begins, or else its text.
    """

    cell: int
    state: str
    why: str
    prompt: str

    def __str__(self) -> str:
        return f"code cell {self.cell}: {self.state}: {self.why}" + (f" · {self.prompt}" if self.prompt else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is to be said of a notebook.

    Parameters
    ----------
    asking
        How many of its cells ask something.
    findings
        What there is to say of them, from the top.
    """

    asking: int
    findings: list[Finding]

    @property
    def exit_code(self) -> int:
        """0 if all answers are fresh, 1 if one is not, 2 if that takes a run to tell."""
        return 0 if not self.findings else 2 if all(one.state == UNKNOWN for one in self.findings) else 1


def check(notebook: Mapping[str, Any], *, alias: str = "") -> Report:
    """Return what is to be said of the answers in a notebook (as `robota_nb.carriers.file.load` returns it).

    Parameters
    ----------
    notebook
        The notebook.
    alias
        What the magic is called, too, where it runs.

    Raises
    ------
    SnapshotError
        If the conversations in it cannot be read.
    """
    cells = list(output.code_cells(notebook))
    manager = SessionManager(providers=_Nobody(), max_active_sessions=0, max_chats=0)
    manager.adopt(snapshot.merge(*output.read(notebook)))
    page = ledger_of(manager).page(default_user())
    page.list_cells(cell.listed for cell in cells)
    names = {NAME: "", **({alias: ""} if alias else {})}
    written = {cell.key: commands(cell.source, names) for cell in cells}
    page.list_cells([(cell.key, _hash(page, cell, written[cell.key]), cell.shows) for cell in cells])
    all_cells = sources(notebook)
    page.tell_prose(one["hash"] for one in all_cells if one["type"] == "markdown")
    along = _Along(page, all_cells, lambda source: is_talk(source, names))
    marks = {cell.key: mark for cell, mark in page.marks()}
    judges = [
        _Judge(page, number, cell, marks.get(cell.key), written[cell.key], along=along)
        for number, cell in enumerate(cells, 1)
    ]
    asking = [judge for judge in judges if judge.asks]
    found, is_known = list[Finding](), True
    for judge in judges[: judges.index(asking[-1]) + 1 if asking else 0]:  # what is below changes no answer
        is_known = is_known and judge.unrecorded is None
        found += judge.findings(is_known=is_known)
    return Report(asking=len(asking), findings=found)


class _Nobody:
    """No providers: whoever checks asks nobody."""

    def default(self) -> tuple[str, str]:
        return "", ""

    def get(self, name: str) -> NoReturn:
        raise EndpointNotFound(f"no provider {name!r} is asked here")


def _text(value: object) -> str:
    """Return a text that a file may hold as a list of its lines."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else ""


def _hash(page: NotebookPage, cell: CodeCell, written: list[Written]) -> str:
    """Return the hash of a cell's source: of the one that ran, if only what is not sent has changed, as ``#@title``."""
    step, new = page.page.steps.get(cell.key), source_hash(cell.source)
    if step is None or step.source == new or len(step.effects) != len(written):
        return new
    same = all(_asks_the_same(page, *pair) for pair in zip(written, step.effects, strict=True))
    return step.source if same else new


def _asks_the_same(page: NotebookPage, written: Written, effect: Effect) -> bool:
    """Say whether a command is an ask that says what an answered one has said."""
    command = written.command
    if not (written.always and command and command.words == ("ask",) and isinstance(effect, Answered)):
        return False
    node, args = page.record.node(effect.turn or ""), command.args
    view = node and page.record.view_of(node.chat)
    if not (node and view) or args["session"] or args["append"] or args["cells"] or any(_unknown_of(command)):
        return False
    chat = args["chat"] or ""
    return (
        not view.record.attached(node.user)
        and view.record.text(node.user) == args["text"]
        and tuple(sorted(settings_of(args).items())) == effect.options
        and bool(chat) == effect.named
        and (not chat or chat in (effect.chat, view.chat_name(effect.chat)))
    )


# -- what is said of one cell


class _Judge:
    """Says what there is to say of a cell.

    Parameters
    ----------
    page
        The notebook.
    number, cell
        The cell, and which code cell it is, from 1.
    mark
        What the page says of it.
    written
        The commands in it.
    along
        What goes along with asks.
    """

    def __init__(
        self,
        page: NotebookPage,
        number: int,
        cell: CodeCell,
        mark: Mark | None,
        written: list[Written],
        *,
        along: _Along,
    ) -> None:
        self._page = page
        self._number = number
        self._cell = cell
        self._mark = mark
        self._step: Step | None = page.page.steps.get(cell.key)
        self._written = written
        self._along = along
        self._asks = [one for one in self._written if one.command and one.command.words in _ASKS]
        self.unrecorded = self._unrecorded()

    def _unrecorded(self) -> Command | None:
        """Return the first command whose effect is not recorded, as in format 1.0, or before the cell has run."""
        if self._step is not None:
            return None
        does = [*self._sure(_CHANGES), *(self._sure(_TAKES_AWAY) if self._is_anything_above() else ())]
        return next(iter(does), None)

    @property
    def asks(self) -> bool:
        """Whether it asks something, or has done so."""
        return bool(self._asks or self._mark)

    def findings(self, *, is_known: bool) -> Iterator[Finding]:
        """Yield what there is to say; *is_known*: whether it is recorded what all commands above have done."""
        state, reason = self._not_fresh()
        if state == "stale" and not is_known:  # it may be fresh once they have run, and they are found themselves
            state = ""
        if not state:
            reason = next(self._unknown(), "")
            state = UNKNOWN if reason else ""
        if state:
            yield self._finding(state, reason)
        if state != "new" and (differs := self._differs(is_current=state in ("", UNKNOWN))):
            yield self._finding("differs", differs)

    def _finding(self, state: str, reason: str) -> Finding:
        texts = [str(one.command.args.get("text") or "") for one in self._asks if one.command]
        prompt = next(filter(None, texts), self._cell.source).strip()
        return Finding(cell=self._number, state=state, why=reason, prompt=short(prompt))

    def _not_fresh(self) -> tuple[str, str]:
        """Return why the cell would ask the model, or would do something else than it did: a state, and its reason."""
        if self._mark:
            failed = self._step is not None and any(ask.turn is None for ask in self._step.asks)
            mark = Mark("failed", None) if failed and self._mark.state != "edited" else self._mark
            if mark.state in _NOT_FRESH:
                return mark.state, why(self._page, self._cell.key, mark)
        elif self._step and self._step.source != source_hash(self._cell.source):
            return "edited", "it has not run since it was edited; what it did before counts"
        sure = [command for command in self._sure(_ASKS) if not command.args.get("once")]
        if not self._mark and any(command.words != ("chat", "retry") or self._is_anything_above() for command in sure):
            return "new", "it has no answer yet"
        if self._step and sum(command.words != ("chat", "retry") for command in sure) > len(self._step.asks):
            return "new", "not all that it asks has an answer yet"
        changed = self._changed_along()
        return ("stale", changed) if changed else ("", "")

    def _changed_along(self) -> str:
        """Return which cell that goes along with an ask was not sent with it; empty if none, or that is not known."""
        asks = [one.command for one in self._asks if one.command and one.always]
        effects = self._step.asks if self._step else ()
        if len(asks) != len(effects):
            return ""
        pairs = ((ask, effect.turn) for ask, effect in zip(asks, effects, strict=True) if effect.turn)
        changed = (self._along.changed(self._cell.key, ask, turn) for ask, turn in pairs if ask.args.get("cells"))
        return next(filter(None, changed), "")

    def _sure(self, kinds: tuple[tuple[str, ...], ...]) -> Iterator[Command]:
        """Yield the commands of these kinds that run whenever the cell does."""
        yield from (one.command for one in self._written if one.always and one.command and one.command.words in kinds)

    def _is_anything_above(self) -> bool:
        """Say whether the chat in which the page is here remembers anything."""
        memory, record = self._page.page.above(self._cell.key), self._page.record
        return bool(memory.current and of_chat(memory, memory.current, record).context.size)

    def _unknown(self) -> Iterator[str]:
        """Yield why only a run can tell what the cell asks."""
        for one in self._written:
            if one.command is None:
                yield f"a command in it cannot be read: {one.problem}"
            else:
                yield from _unknown_of(one.command)
        if not self._mark and self._asks and not all(one.always for one in self._asks):
            yield "whether it asks anything is known only when it runs"
        record = self._page.record
        turns = self._step.turns if self._step else ()
        if turns and (not self._asks or any((node := record.node(turn)) and node.by == "code" for turn in turns)):
            yield "it asks from Python, and what is known only when it runs"
        if self.unrecorded:
            yield f"what %robota {' '.join(self.unrecorded.words)} does is not recorded here: the cell has to run once"

    # -- what it shows

    def _differs(self, *, is_current: bool) -> str:
        """Return in what the cell's outputs differ from what is recorded, or nothing."""
        answers, standing = self._page.asking.answers, self._step.turns if self._step else ()
        shown = [one for one in self._cell.outputs if isinstance(one.get("data"), dict)]
        for end, one in enumerate(shown, 1):
            turn = output.turn_shown(one)
            if not turn:
                continue
            if turn not in answers:
                return "the answer that it shows is not recorded in this notebook"
            if not answers[turn].is_purged and not self._is_shown(turn, [_data(each) for each in shown[:end]]):
                return "the text that it shows is not the recorded answer"
            if is_current and turn not in standing:
                return "the answer that it shows is recorded, but not as that of this cell"
        return ""

    def _is_shown(self, turn: str, shown: list[dict[str, Any]]) -> bool:
        """Say whether outputs end in an answer as it is left behind, in whatever format."""
        node = self._page.record.node(turn)
        view = node and self._page.record.view_of(node.chat)
        assert node
        assert view
        answer = Turn.from_record(view.record, node)
        ways = ((format_, pictures) for format_ in (*FORMATS, VALUE) for pictures in (False, True))
        return any(shown[-len(left) :] == left for left in (_left(answer, *way) for way in ways))


class _Along(NamedTuple):
    """What goes along with asks: the cells of the page, and what says which of them are prompts."""

    page: NotebookPage
    cells: list[CellSource]
    is_prompt: Callable[[str], bool]

    def changed(self, cell: str, ask: Command, turn: str) -> str:
        """Return what differs between what an ask of a cell sends along now and what went along with a turn."""
        node = self.page.record.node(turn)
        view = node and self.page.record.view_of(node.chat)
        if not (node and view):
            return ""
        try:
            chosen = choose(ask.args["cells"], self.cells, cell, self.is_prompt)
        except PromptError as error:
            return str(error)
        now = attached_entries(attached(chosen, outputs=ask.args["outputs"]).attached)
        was = [one.said for one in view.record.attached(node.user) if one.cell]
        new = next((one.name for one in now if one.said not in was), "")
        if new:
            return f"{new}, which goes along with it, was edited, or is new"
        same = [one.said for one in now if one.said] == list(filter(None, was))
        return "" if same else "other cells go along with it now, or in another order"


def _unknown_of(command: Command) -> Iterator[str]:
    """Yield why only a run can tell what a command does."""
    args = command.args
    if option := next((option for option in ("fresh", "once") if args.get(option)), None):
        yield f"it asks each time that it runs (--{option})"
    if command.words in _ASKS and not args.get("raw") and (fields := names(args.get("text") or "")):
        yield f"what {{{{ {fields[0]} }}}} stands for is known only when it runs"
    if args.get("image"):
        yield "which picture goes with it is known only when it runs"
    if args.get("file"):
        yield "what the file holds that goes with it is known only when it runs"
    if args.get("prompt"):
        yield "what the prompt of the library says is known only when it runs"
    if args.get("preset"):
        yield "what the preset says here is known only when it runs"
    if args.get("tool") or args.get("into"):
        yield "what the functions and types are that it names is known only when it runs"
    if command.words == ("tool", "add"):
        yield "what the functions are that the asks below it offer is known only when it runs"
    if command.words in _READS and (command.words != ("resume",) or args["path"]):
        yield f"what {_READS[command.words]} holds is known only when it runs"
    if command.words == ("replay",) and args["mode"] == "off":
        yield "all below is asked each time that it runs (%robota replay off)"


def _left(answer: Turn, format_: str, pictures: bool) -> list[dict[str, Any]]:
    """Return the data of the outputs that an answer leaves behind in a format, with or without remote pictures."""
    left: list[dict[str, Any]] = []
    renderer = NotebookRenderer(lambda data, *_: left.append(data), format=format_, remote_pictures=pictures)
    renderer.replay(answer.text, answer.finish_reason, {}, answer.besides, answer.steps)
    return left


def _data(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an output, with texts in one piece."""
    return {
        kind: value if kind.endswith("json") or not isinstance(value, list) else _text(value)
        for kind, value in shown["data"].items()
    }
