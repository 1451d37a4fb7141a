"""The notebook of one user, as this kernel knows it: its page, what is recorded of it, and what its cells ask."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import uuid4

from robota_nb.core.cell_source import names_of
from robota_nb.core.plan import tool_entries
from robota_nb.core.record import entries as make
from robota_nb.core.record.attachments import attached_entries
from robota_nb.core.record.nodes import Asked, Path, Trails
from robota_nb.core.record.parameters import SUMMARY
from robota_nb.core.rules import history, provenance
from robota_nb.core.rules.asking import Ask, Asking
from robota_nb.core.rules.effects import (
    Answered,
    Choose,
    Command,
    Drop,
    Enter,
    Put,
    Set,
    Step,
    by_hand,
    of_chat,
    to_op,
    with_hand,
)
from robota_nb.core.rules.marks import judge, mark
from robota_nb.core.rules.page import Page
from robota_nb.core.rules.recorded import Recorded, digest
from robota_nb.core.rules.states import Here
from robota_nb.core.rules.stats import Tally
from robota_nb.core.strand import Strand

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from robota_nb.core.cell_source import CellSource
    from robota_nb.core.ports import Attachment, Entry, Toolbox
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Node, Trail
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.answers import Answers
    from robota_nb.core.rules.asking import Decision, Execution, Request
    from robota_nb.core.rules.marks import Judged, Mark
    from robota_nb.core.rules.memory import ChatMemory, Context, Memory
    from robota_nb.core.rules.page import Cell, Shown
    from robota_nb.core.runtime import Runtime
    from robota_nb.errors import RobotaError


class Sessions(Protocol):
    """The sessions of all users, as far as the notebook of one reads and writes them."""

    runtime: Runtime

    def owned(self, user: str) -> list[SessionView]:
        """Return a user's sessions, deleted ones too, in the order of their creation."""
        ...

    def active(self, user: str) -> SessionView | None:
        """Return a user's active session."""
        ...

    def activate_silently(self, view: SessionView) -> None:
        """Make a session its user's active one without anybody having chosen it."""
        ...

    def to_ask(self, config: Config) -> Config:
        """Return what a config asks now."""
        ...

    def next_n(self, reserved: int = 0) -> int:
        """Return the n of the next entry."""
        ...

    def write(self, view: SessionView, build: make.Builder) -> None:
        """Make one entry and add it to a session."""
        ...

    def commit(self, view: SessionView, entries: Mapping[str, Entry]) -> None:
        """Add entries made here to a session."""
        ...

    def replace_effects(self, view: SessionView, former: list[str], build: make.Builder | None) -> None:
        """Record what a cell did, in the place of these former entries."""
        ...


class KernelRecord(Recorded):
    """What is recorded of a user's sessions, and what of them has been deleted or renamed here.

    Parameters
    ----------
    views
        The sessions, in the order of their creation.
    """

    def __init__(self, views: Sequence[SessionView]) -> None:
        super().__init__(*(view.record for view in views))
        self.views = {view.id: view for view in views}

    def view_of(self, chat: str) -> SessionView | None:
        """Return the session of a chat; None if it is not here."""
        return self.views.get(self.session_of(chat) or "")

    def has(self, chat: str) -> bool:
        """Say whether there is such a chat."""
        view = self.view_of(chat)
        return view is not None and not view.deleted and view.has(chat)

    def first_chat(self, session: str | None = None) -> str | None:
        """Return the first chat, of all or of a session; None if there is none."""
        views = (view for view in self.views.values() if session in (None, view.id) and not view.deleted)
        return next((chat.id for view in views for chat in view.live_chats()), None)

    def chat_name(self, chat: str) -> str:
        """Return what a chat is called."""
        view = self.view_of(chat)
        return view.chat_name(chat) if view else chat


class Told(NamedTuple):
    """Who has given an answer, and how many tokens went in and out for it, or more: not all may be known."""

    model: str
    tokens: int
    at_least: bool = False


class MadeCell(NamedTuple):
    """A cell that is to be put into the notebook: its id, and its source."""

    id: str
    source: str


class Made(NamedTuple):
    """Cells that are to be put into the notebook, below the cell of that key; at the top, if it is empty."""

    below: str
    cells: list[MadeCell]


class NotebookPage:
    """The cells of a notebook, and by what is recorded and what was done here, what is remembered at each of them.

    It is put together when it is needed first: what is recorded is adopted before.

    Parameters
    ----------
    ledger
        The sessions.
    user
        Whose notebook it is.
    """

    def __init__(self, ledger: Sessions, user: str) -> None:
        self._ledger = ledger
        self._user = user
        self._runtime = ledger.runtime
        self._asking: Asking | None = None
        self._record: KernelRecord | None = None
        self._listed: list[tuple[str, str, Shown]] | None = None  # the cells, before it is put together
        self._trails = Trails()
        self._trail_of: dict[Context, Trail] = {}
        self._in_file: list[tuple[str, str, Shown]] = []
        self._prose: frozenset[str] | None = None
        self._sources: tuple[str, Sequence[CellSource]] = ("", ())  # the cell that they were told for, and all cells
        self._ahead: list[str] = []  # the ids of cells that were made here, and the front end has not listed yet
        self._last: str | None = None  # the key of the cell that ran last
        self._clicks: dict[str, dict[str, str]] = {}  # what the record has of clicked settings that wait
        self._strand: Strand | None = None  # the code of the cell that runs

    # -- putting it together

    @property
    def asking(self) -> Asking:
        """What is known of the kernel's life; the first call puts it together."""
        with self._runtime.lock:
            if self._asking is None:
                self._asking = self._put_together()
            return self._asking

    @property
    def page(self) -> Page:
        """The cells."""
        return self.asking.page

    @property
    def record(self) -> KernelRecord:
        """What is recorded."""
        self.asking  # noqa: B018 - puts it together
        assert self._record is not None
        return self._record

    def _put_together(self) -> Asking:
        record = self._record = KernelRecord(self._ledger.owned(self._user))
        steps, heads = record.steps(), record.heads()

        def rank(step: Step) -> int:
            return min((heads[turn] for turn in step.turns if turn in heads), default=len(heads))

        listed = self._listed is not None
        page = Page(
            record, steps if listed else record.in_order(steps), partial(self._ledger.next_n, 1), rank,
            listed=listed, in_file=() if listed else self._in_file,
        )  # fmt: skip
        asking = Asking(page=page, answers=self._answers(record), record=record, clicked=record.clicked())
        self._clicks = record.pending()
        asking.old_pending.update(self._clicks)
        page.prose = self._prose
        if self._listed is not None:
            page.list_cells(self._listed)
        page.add_outside(*record.outside(turn for step in steps for turn in step.turns))
        return asking

    def _answers(self, record: KernelRecord) -> Answers:
        answers = record.answers()
        answers.made = self._runtime.made
        return answers

    def renew(self) -> None:
        """Take over what others have recorded, or what is said no more."""
        if self._asking is None:
            return
        asking, self._trails, self._trail_of = self._asking, Trails(), {}
        if not asking.page.ran and not asking.running:  # nothing is known that is not recorded, but for clicks
            if asking.page.listed:
                self._listed = [(cell.key, cell.source, cell.shows) for cell in asking.page.cells]
            self._asking = self._put_together()
            self._asking.pending = asking.pending
            self._keep_unused(asking.pending)
            if asking.clicked and self._record and self._record.has(asking.clicked):
                self._asking.clicked, self._asking.used = asking.clicked, asking.used
            return
        record = self._record = KernelRecord(self._ledger.owned(self._user))
        steps = record.steps()
        asking.record = asking.page.record = record
        waited, self._clicks = self._clicks, record.pending()
        for chat, clicked in self._clicks.items():
            before = waited.get(chat, {}) | asking.pending.get(chat, {})
            new = {key: value for key, value in clicked.items() if before.get(key) != value}
            asking.old_pending[chat] = asking.old_pending.get(chat, {}) | new
        self._keep_unused(asking.pending)
        self._keep_unused(asking.old_pending)
        asking.answers = self._answers(record)
        asking.page.renew(*record.outside(turn for step in steps for turn in step.turns))
        asking.page.take(steps)
        if asking.clicked and not record.has(asking.clicked):
            asking.clicked = None
        if run := asking.running:
            known = (e for e in run.step.effects if isinstance(e, Enter) or record.session_of(e.chat))
            run.step = replace(run.step, effects=tuple(known))  # a chat that was begun for an ask may be gone
            run.memory = asking.page.while_running(run.cell.key, run.step.effects)

    def _keep_unused(self, pending: dict[str, dict[str, str]]) -> None:
        """Forget what was clicked here of settings, and in another kernel was used, or clicked anew, since."""
        for chat, clicked in pending.items():
            recorded = self._clicks.get(chat, {})
            pending[chat] = {key: value for key, value in clicked.items() if recorded.get(key) == value}

    def added(self, view: SessionView, entries: Mapping[str, Entry]) -> None:
        """Take over entries that were made here."""
        if self._asking is None:
            return
        if view.id not in self.record.views or any(view.record.entries.kind(eid).is_stub for eid in entries):
            self.renew()
            return
        record, asking = self.record, self._asking
        for eid in entries:
            if node := view.record.nodes.get(eid):
                asking.answers.add(record.answer(node))
                if view.record.is_outside(node):
                    asking.page.add_outside(record.sent(node))
            elif eid in view.record.accepted:
                entry = view.record.accepted[eid]
                context, config = record.contexts.of(entry["context"]), view.record.config(entry["config"])
                asking.answers.accept(entry["turn"], context, config)
                if (sent := record.node(entry["turn"])) and sent.is_outside:
                    asking.page.take_in(sent.id)
            elif eid in view.record.outside and (done := record.done(eid, view.record.outside[eid])):
                asking.page.add_outside(done)

    # -- the cells

    def list_cells(self, cells: Iterable[tuple[str, str, Shown]]) -> None:
        """Take over the front end's list: id, hash of the source, and shown turns of each code cell."""
        with self._runtime.lock:
            self._forget_ahead()
            if self._asking is None:
                self._listed = list(cells)
            else:
                self.page.list_cells(cells)

    def tell_prose(self, hashes: Iterable[str]) -> None:
        """Take over the hashes of the Markdown cells: one that went along with an ask may be another now."""
        with self._runtime.lock:
            self._prose = frozenset(hashes)
            if self._asking is not None:
                self.page.prose = self._prose

    def tell_sources(self, cell: str, sources: Sequence[CellSource]) -> None:
        """Take over all cells with their texts, which a front end sends before a cell runs that asks with others."""
        self._sources = cell, sources
        self.tell_prose(one["hash"] for one in sources if one["type"] == "markdown")

    @property
    def sources(self) -> Sequence[CellSource] | None:
        """All cells, from the top, as they were told for the cell that runs; None if nobody has told them."""
        told, sources = self._sources
        run = self.asking.running
        return sources if run and told and run.cell.key == told else None

    @property
    def cell_names(self) -> list[str]:
        """The names and tags of cells, as they were told last."""
        return list(dict.fromkeys(name for one in self._sources[1] for name in names_of(one)))

    def expect(self, cells: Iterable[tuple[str, str, Shown]]) -> None:
        """Note how the cells stand in the notebook's file: where no front end lists them (see there), that says it."""
        self._in_file = list(cells)

    def splice(self, at: int, gone: int, cells: Iterable[tuple[str, str, Shown]]) -> None:
        """Take over a change of the front end's list: from a place on so many cells are gone, and these are there."""
        with self._runtime.lock:
            self._forget_ahead()
            if self._asking is None:
                self._listed = self._listed or []
                self._listed[at : at + gone] = cells
            else:
                self.page.splice(at, gone, cells)

    def _forget_ahead(self) -> None:
        """Take out the cells that were made here: the front end lists them itself if they are there."""
        while self._ahead:
            if self.page.has(key := self._ahead.pop()):
                self.page.splice(self.page.position(key), 1, [])

    def begin(self, raw_id: str | None, source: str, strand: Strand | None = None) -> Execution:
        """Note that a cell begins to run.

        Parameters
        ----------
        raw_id
            The front end's id of the cell, if it sends one.
        source
            The hash of the executed source.
        strand
            What code is the cell's; this code and what follows, if not given.
        """
        with self._runtime.lock:
            asking = self.asking
            asking.mode, asking.rerun = self._runtime.mode, self._runtime.rerun
            cell = self._listed_cell(raw_id, source) if asking.page.listed else asking.page.place(raw_id, source)
            run = asking.begin(cell)
            self._last, self._strand = cell.key, strand or Strand()
            return run

    def _listed_cell(self, raw_id: str | None, source: str) -> Cell:
        """Return the cell that is executed; it may be newer than the list, and so may its source."""
        page = self.page
        if raw_id is None:
            alike = [cell for cell in page.cells if cell.source == source]
            below = page.position(self._last) if self._last and page.has(self._last) else -1
            found = next((cell for cell in alike if page.position(cell.key) > below), alike[0] if alike else None)
        else:
            found = page.cell(raw_id) if page.has(raw_id) else None
        if found is None:
            key = raw_id or f"run {len(page.cells)}"
            page.splice(len(page.cells), 0, [(key, source, None)])
            return page.cell(key)
        if found.source != source:
            page.splice(page.position(found.key), 1, [(found.key, source, found.shows)])
        return found

    def start_over(self) -> None:
        """Forget all that has run here: what is recorded was not known then."""
        self._asking = self._record = self._strand = self._last = None
        self._trails, self._trail_of = Trails(), {}
        self._in_file, self._ahead, self._clicks = [], [], {}

    def redo(self, sources: Sequence[str], done: int, strand: Strand) -> bool:
        """Have cells that ran before the record was known do again what is recorded of them, and nothing else.

        Parameters
        ----------
        sources
            The hashes of their sources, the running one's last.
        done
            How much the running cell has done so far.
        strand
            What code is the running cell's.

        Returns
        -------
        bool
            Whether so much is recorded of the running cell.
        """
        for source in sources[:-1]:
            self.begin(None, source, strand)
            self.asking.redo()
            self.end(failed=False)
        self.begin(None, sources[-1], strand)
        return self.asking.redo(done)

    def done(self) -> int:
        """Return how much the running cell has done so far."""
        run = self.running
        return len(run.step.effects) - run.kept if run else 0

    def end(self, *, failed: bool) -> str | None:
        """Note that the cell has ended, and return its key; *failed*: with an error."""
        with self._runtime.lock:
            asking = self.asking
            run = asking.running
            if run is None:
                return None
            page, key = asking.page, run.cell.key
            if asking.end(failed=failed):
                self._write(page.steps[key], told=run.kept > 0)  # its output shows no more than the last ask
                if any(asking.old_pending.values()):
                    self._clicks = self.record.pending()
                    self._keep_unused(asking.old_pending)
            elif not page.listed and run.was is None and not page.steps[key].effects:
                page.leave_out(run.cell)
            return key

    @property
    def running(self) -> Execution | None:
        """The cell whose code calls this."""
        run = self._asking.running if self._asking else None
        return run if run and self._strand and self._strand.is_here() else None

    @property
    def here(self) -> Here | None:
        """The cell whose code calls this, and the page that it stands on."""
        run = self.running
        return Here(run, self.page) if run else None

    def former_moves(self, chat: str) -> list[Drop | Put]:
        """Return where the running cell has taken a chat at this point when it ran before, with the same source."""
        run = self.running
        if run is None or run.was is None or run.was.source != run.cell.source:
            return []
        after = run.before[len(run.step.effects) - run.kept :]
        moves = takewhile(lambda effect: isinstance(effect, Drop | Put) and effect.chat == chat, after)
        found = [effect for effect in moves if isinstance(effect, Drop | Put)]
        return found if all(self.record.node(turn) for effect in found for turn in effect.turns) else []

    def former_choice(self) -> str | None:
        """Return the chat or the session that the running cell has chosen at this point when it ran before."""
        run = self.running
        done = len(run.step.effects) - run.kept if run else 0
        was = run.before[done] if run and done < len(run.before) else None
        return was.chat if isinstance(was, Choose) else was.session if isinstance(was, Enter) else None

    def former_settings(self) -> dict[str, str]:
        """Return what the running cell has set of the chat that it chose here when it ran before, with this source."""
        run = self.running
        if run is None or run.was is None or run.was.source != run.cell.source:
            return {}
        first, *after = run.before[len(run.step.effects) - run.kept :] or (None,)
        if not isinstance(first, Choose):
            return {}
        sets = takewhile(lambda effect: isinstance(effect, Set) and effect.chat == first.chat, after)
        return {effect.key: effect.value for effect in sets if isinstance(effect, Set)}

    def former_summary(self) -> str:
        """Return the summary that the running cell has had the chat send here when it ran before; empty for none."""
        run = self.running
        done = len(run.step.effects) - run.kept if run else 0
        was = run.before[done] if run and done < len(run.before) else None
        return was.value if isinstance(was, Set) and was.key == SUMMARY else ""

    def former_text(self) -> str | None:
        """Return what the ask that comes next in the running cell has sent when it ran before, with the same source."""
        run = self.running
        if run is None or run.was is None or run.was.source != run.cell.source or run.former is None:
            return None
        node = self.record.node(run.former.turn or "")
        view = node and self.record.view_of(node.chat)
        return view.record.text(node.user) if node and view else None

    # -- what is remembered

    def memory(self) -> Memory:
        """Return what is remembered: in the code of a running cell as it stands there, else at the page's end."""
        with self._runtime.lock:
            if run := self.running:
                return run.memory
            if (run := self.asking.running) and self.page.steps.get(run.cell.key) is not run.step:
                self.page.put(run.cell.key, run.step)
            return self.page.end()

    def said(self, chat: str) -> ChatMemory:
        """Return what is remembered of a chat (see `memory`)."""
        with self._runtime.lock:
            return of_chat(self.memory(), chat, self.record)

    def path(self, chat: str) -> Path:
        """Return the turns that a chat remembers (see `memory`)."""
        with self._runtime.lock:
            return Path(self._trail(self.said(chat).context))

    def _trail(self, context: Context) -> Trail:
        """Return those turns of a context that are here; of contexts with the same beginning that is made once."""
        passed: list[Context] = []
        here, trail = context, self._trails.start
        while here.before is not None:
            if here in self._trail_of:
                trail = self._trail_of[here]
                break
            passed.append(here)
            here = here.before
        for here in reversed(passed):
            node = self.record.node(here.turn)
            trail = self._trail_of[here] = trail.and_then(node) if node else trail
        return trail

    def config(self, chat: str) -> Config:
        """Return what a chat's next ask is made with that is asked anyway: with all that was clicked."""
        return self.said(chat).config.with_settings(self.clicked_settings(chat))

    def clicked_settings(self, chat: str) -> dict[str, str]:
        """Return what was clicked of a chat's settings, and not used yet."""
        return {**self.asking.old_pending.get(chat, {}), **self.asking.pending.get(chat, {})}

    def click(self, chat: str | None, session: str | None = None) -> None:
        """Note that a chat was chosen outside cells, or a session that has none; it gets the next new ask."""
        asking = self.asking
        asking.clicked, asking.clicked_session, asking.used = chat, session, False

    def set_by_hand(self, chat: str, settings: Mapping[str, str]) -> list[make.Builder]:
        """Note what was clicked of a chat's settings; return what makes the entries that keep it for later."""
        known = self.clicked_settings(chat)
        # A summary stands below the cells that have an answer: it forces none of them to ask.
        forcing = {key: value for key, value in settings.items() if key != SUMMARY}
        if forcing:
            self.asking.pending[chat].update(forcing)
        if SUMMARY in settings:
            self.asking.old_pending.setdefault(chat, {})[SUMMARY] = settings[SUMMARY]
        new = {key: value for key, value in settings.items() if known.get(key) != value}
        return [partial(make.set_entry, chat=chat, key=key, value=value or None) for key, value in new.items()]

    def is_click_recorded(self) -> bool:
        """Say whether the record knows which chat was clicked here, and not used yet: then nothing of that waits."""
        return self._asking is not None and self.by_hand == self.record.clicked()

    def follow(self, new: Iterable[Entry]) -> None:
        """Take over which chat was clicked, or used after that, in another kernel of this notebook.

        Parameters
        ----------
        new
            What others have recorded.
        """
        asking, clicked, entries = self.asking, self.record.clicked(), list(new)
        is_said = any(op.get("do") == "choose" for entry in entries for op in entry.get("ops", ()))
        if is_said or clicked != self.by_hand:
            asked = any(entry.get("role") and entry["chat"] == asking.clicked for entry in entries)
            asking.used = asked and clicked is None and not is_said
            if not asking.used:
                asking.clicked, asking.clicked_session = clicked, None
        self.point_active(at_end=not asking.running)

    def point_active(self, *, at_end: bool = False) -> None:
        """Make the chat the active one to which the next new ask goes, if that is known.

        While cells run it is the one that they have led to; *at_end*: that of the page's end, which costs a look at all
        cells below the one that ran.
        """
        run, asking = self.asking.running, self.asking
        memory = run.memory if run and not at_end else self.page.end() if at_end else None
        clicked = asking.clicked or asking.clicked_session
        chat = asking.clicked or (memory.current if memory and not clicked else None)
        view = self.record.view_of(chat) if chat else None
        if chat and view and self.record.has(chat):
            view.point_to(chat)
        else:
            view = self.record.views.get(asking.clicked_session or (memory.session if memory else None) or "")
        if view and not view.deleted:
            self._ledger.activate_silently(view)

    def bring_in(self, view: SessionView, chat: str, nodes: Iterable[Node]) -> None:
        """Have a chat remember turns of another notebook from here on, but for those that this page knows itself.

        Nor those that it remembers here anyway: the cell that brings them in may have run before.
        """
        page, run = self.page, self.running
        memory = page.below(run.cell.key) if run else page.end()
        known = set(of_chat(memory, chat, self.record).context.turns)
        ids = page.ids() if page.listed or self._in_file else set()
        turns = [
            node.id
            for node in nodes
            if self.record.node(node.id)
            and page.place_of(node.id) is None
            and node.id not in known
            and not (node.cell and node.cell.id in ids)
        ]
        if turns:
            after = self.here_id if run else self.after(chat)
            build = partial(make.outside_entry, chat=chat, op="put", after=after or None, turns=turns)
            self._ledger.write(view, build)

    # -- what the running cell does

    def did(self, effect: Command | Enter) -> None:
        """Note what the running cell has done."""
        run = self.asking.running
        assert run is not None
        if isinstance(effect, Command) and not isinstance(effect, Choose):
            effect = replace(effect, alone=not run.memory.current)
        self.asking.did(effect)
        self.point_active()

    def ask(
        self,
        text: str,
        attached: Sequence[Attachment],
        *,
        to: str | None = None,
        named: bool = True,
        within: str | None = None,
        options: Mapping[str, str],
        fresh: bool = False,
        lacks: RobotaError | None = None,
        tools: Toolbox | None = None,
    ) -> Ask:
        """Return an ask of the running cell (see `robota_nb.core.rules.asking.Ask`)."""
        places = tuple(attached_entries(attached))
        offered = {eid: entry["name"] for eid, entry in tool_entries(tools).items()}
        return Ask(
            prompt=digest(text, places, offered), to=to, named=named, within=within,
            options=tuple(sorted(options.items())), fresh=fresh, attached=places, lacks=lacks,
            tools=offered, sources=tools.sources if tools else {},
        )  # fmt: skip

    def decide(self, ask: Ask) -> Decision:
        """Decide what becomes of an ask; raises as `Asking.decide`."""
        decision = self.asking.decide(ask)
        if decision.found is None:  # who is asked where nobody has chosen any is known only now
            base = self._asked_before(decision.request) or self._ledger.to_ask(decision.request.base)
            decision = self.asking.resolved(decision, base)
        return decision

    def _asked_before(self, request: Request) -> Config | None:
        """Return what is asked where the page above says nothing of a chat: whom this user has asked in it last.

        The cell that chose it may be gone; what was said in the chat must not go to another server then.
        """
        run, record = self.asking.running, self.record
        assert run is not None
        view = record.view_of(request.chat)
        if view is None or request.chat in run.memory.chats():
            return None
        last = provenance.last_own(view.record, self._runtime.foreign, request.chat)
        asked = view.record.config(last.config) if last and last.config else None
        if asked is None or asked.is_fallback or asked.provider == request.base.provider:
            return None
        return request.base.with_settings({"provider": asked.provider, "model": asked.model})

    def chosen(self) -> dict[str, str]:
        """Return the name of the chat, or of the session, that commands above have chosen, as turns remember it."""
        run = self.asking.running
        chosen = run.memory.chosen if run else None
        if chosen in self.record.views:
            return {"session": self.record.views[chosen].record.name}
        view = self.record.view_of(chosen) if chosen else None
        return {"chat": view.record.chats[chosen].name} if view and chosen else {}

    def asker(self) -> Asked:
        """Return what a turn remembers of the running cell, for its next ask."""
        run = self.asking.running
        assert run is not None
        return Asked(run.cell.id, len(run.step.asks), run.cell.source)

    def last_of(self, context: Context) -> tuple[str | None, tuple[str, ...] | None]:
        """Return the last turn of a context, and all of its turns, if they are not what the last one followed."""
        last = next((node for turn in reversed(context) if (node := self.record.node(turn))), None)
        own = (
            self.record.contexts.start
            if last is None
            else self.record.contexts.after(self.record.before(last), last.id)
        )
        return (last.id if last else None), (None if own is context else context.turns)

    @property
    def here_id(self) -> str:
        """The id of the running cell that lasts; empty if it has none."""
        run = self.asking.running
        return (run.cell.id if run else None) or ""

    def after(self, chat: str) -> str:
        """Return the id of the last cell that did something to a chat, as what is done outside cells remembers it."""
        return make.cell_id_or_none(self.said(chat).cell) or ""

    def kept_turns(self) -> tuple[str, ...]:
        """Return the turns that the running cell asked before, where it is an input line: they still stand above."""
        run = self.running
        kept = run.step.effects[: run.kept] if run else ()
        return tuple(effect.turn for effect in kept if isinstance(effect, Answered) and effect.turn)

    # -- what is to be said of cells

    def marks(self) -> Iterator[tuple[Cell, Mark]]:
        """Yield what is to be said of the cells that have asked something, from the top."""
        with self._runtime.lock:
            yield from ((cell, found) for cell in self.page.cells if (found := mark(self.asking, cell)))

    def mark_of(self, cell: Cell) -> Mark | None:
        """Return what is to be said of a cell without a look at those below it; None if it asks nothing."""
        with self._runtime.lock:
            return mark(self.asking, cell, to_end=False)

    def told_of(self, turn: str) -> Told:
        """Return what is told of a turn beside its text."""
        node = self.record.node(turn)
        view = self.record.view_of(node.chat) if node else None
        if node is None or view is None:
            return Told("", 0)
        answer = view.record.entries[turn]
        usage = answer.get("usage", {})
        tally = Tally()
        tally.add(usage)
        model = answer.get("model") or view.record.node_config(node).model
        return Told(model, tally.input_tokens + tally.output_tokens, tally.at_least)

    def prompt_of(self, turn: str) -> str:
        """Return what was asked in a turn; empty if it is not here."""
        node = self.record.node(turn)
        view = self.record.view_of(node.chat) if node else None
        return view.record.text(node.user) if node and view else ""

    def contradictions(self) -> int:
        """Return how many answers of a notebook of format 1.0 were given after other ones than stand above them."""
        views = self.record.views.values()
        first_format = not any(view.record.effects for view in views) and any(
            node.cell and node.hand is None for view in views for node in view.record.nodes.values()
        )
        if not first_format:
            return 0
        found = (found.judged for _, found in self.marks() if found.state == "stale")
        return sum(judged is not None and judged.kind in ("cell", "gone") for judged in found)

    def ask_again(self, key: str) -> None:
        """Have a cell ask anew when it runs next, whatever is recorded."""
        self.asking.anew.add(key)

    # -- stale answers

    def accept(self, wanted: Callable[[Cell, Judged], bool] = lambda *_: True) -> int:
        """Let stale answers stand for what the page would ask now, and return how many.

        An answer to what goes along with its question no more is none of them: that is another question.
        """
        with self._runtime.lock:
            stale = [
                judged
                for cell in self.page.cells
                for judged in judge(self.asking, cell)
                if judged.state == "stale" and judged.kind != "along" and wanted(cell, judged)
            ]
            for judged in stale:
                view = self.record.view_of(judged.request.chat)
                if view:
                    config, new = view.config_entry(judged.request.config)
                    entry = make.accept_entry(
                        n=self._ledger.next_n(), at=self._runtime.now(), turn=judged.turn,
                        context=judged.request.context.turns, config=config,
                    )  # fmt: skip
                    self._ledger.commit(view, {**new, make.entry_id(entry): entry})
            return len(stale)

    # -- cells of what was sent outside cells

    def make_cells(self, turn: str, below: str, source_of: Callable[[Node], str]) -> Made | None:
        """Make cells of a turn that was sent outside cells, and of those that follow it there; None if it was not.

        What follows it would else stand above the cell, and the cell's answer would not be the one to its request.

        Parameters
        ----------
        turn
            Which one.
        below
            The id of the cell below which they are to stand, if they can: nearby, if something of the chat is between.
        source_of
            Returns the source of a cell that asks what a turn does; it may refuse.
        """
        with self._runtime.lock:
            page, record, node = self.page, self.record, self.record.node(turn)
            first = page.below_of(turn)
            view = record.view_of(node.chat) if node else None
            if node is None or view is None or first is None:
                return None
            context = of_chat(page.below_cells(first), node.chat, record).context
            turns = context.turns[context.turns.index(turn) :] if turn in context.turns else ()
            nodes = [one for after in turns if (one := record.node(after))]
            if not page.listed or not nodes or any(page.below_of(one.id) != first for one in nodes):
                return None
            wanted = page.position(below) + 1 if page.has(below) else len(page.cells) if below else 0
            at = min(max(first, wanted), page.next_of(node.chat, first))
            memory = page.below_cells(at)
            config = of_chat(memory, node.chat, record).config
            made = [MadeCell(str(uuid4()), source_of(one)) for one in nodes]  # before anything is written
            for place, (one, cell) in enumerate(zip(nodes, made, strict=True), at):
                hand = by_hand(config, record.answer(one).config)
                config = with_hand(config, hand)
                effect = Answered(chat=one.chat, turn=one.id, named=True, said=memory.chosen, hand=hand)
                step = Step(id=cell.id, source=make.source_hash(cell.source), effects=(effect,))
                self._hand_over(view, one, config, step)
                page.splice(place, 0, [(cell.id, step.source, None)])
                self._ahead.append(cell.id)
            return Made(page.cells[at - 1].key if at else "", made)

    def _hand_over(self, view: SessionView, node: Node, config: Config, step: Step) -> None:
        """Record that a cell has a turn as its answer that was sent outside cells."""
        named, new = view.config_entry(config)
        n, at = self._ledger.next_n(), self._runtime.now()
        before = self.record.before(node).turns
        accept = make.accept_entry(n=n, at=at, turn=node.id, context=before, config=named)
        did = make.effects_entry(n=n + 1, at=at, cell=step.id, source=step.source, ops=map(to_op, step.effects))
        self._ledger.commit(view, {**new, make.entry_id(accept): accept, make.entry_id(did): did})
        self.page.take([self.record.told(make.entry_id(did), did)])

    # -- what is recorded

    def _write(self, step: Step, *, told: bool = False) -> None:
        """Record what a cell did, in the place of what it did before; nothing, if its turns say the same.

        With *told*, do so even then.
        """
        views = self.record.views.values()
        former = {view.id: [eid for cell in step.ids() for eid in view.record.effects_of(cell)] for view in views}
        turns = self._turns_of(step)
        by_turns = self.record.step_of(step.id, turns) if turns else None
        if by_turns is None:
            is_said = not step.effects and not any(former.values())
        else:
            is_said = (by_turns.source, by_turns.effects) == (step.source, step.effects)
        ops = list(map(to_op, step.effects))
        build = partial(make.effects_entry, cell=step.id, source=step.source, ops=ops, also=step.also)
        at = None if is_said and not step.also and not told else self._where(step)
        for view in views:
            self._ledger.replace_effects(view, former[view.id], build if view is at else None)

    def _turns_of(self, step: Step) -> list[Node]:
        """Return the turns that tell what a cell did, if nothing else does."""
        if step.id:
            return list(self.record.of_cell(step.id))
        nodes = [node for turn in step.turns if (node := self.record.node(turn))]
        return nodes if all(node.id in self._runtime.made and node.cell for node in nodes) else []

    def _where(self, step: Step) -> SessionView | None:
        """Return the session that records what a cell did: that of its first effect."""
        views = self.record.views
        for effect in step.effects:
            view = views.get(effect.session) if isinstance(effect, Enter) else self.record.view_of(effect.chat)
            if view:
                return view
        turns = self._turns_of(step)
        return self.record.view_of(turns[0].chat) if turns else self._ledger.active(self._user)

    def tell(self, view: SessionView, node: Node) -> None:
        """Record where a turn stands, because it will not tell it any more."""
        for step in [step for step in self.page.steps.values() if node.id in step.turns]:
            self._write(step, told=True)
        if view.record.is_outside(node) and not history.is_purged(view, node):
            sent = self.record.sent(node)
            entry = make.outside_entry(
                n=sent.n, at=self._runtime.now(), chat=node.chat, op="put", after=sent.after,
                context=sent.context.turns, turns=[node.id],
            )  # fmt: skip
            self._ledger.commit(view, {make.entry_id(entry): entry})

    def forget(self, chats: Collection[str]) -> None:
        """Forget what cells did in chats, and what was clicked of them: it is not to be recorded again."""
        if self._asking is None:
            return
        asking, page = self._asking, self._asking.page

        def rest(step: Step) -> Step:
            return replace(step, effects=tuple(e for e in step.effects if isinstance(e, Enter) or e.chat not in chats))

        for key, step in list(page.steps.items()):
            if (left := rest(step)).effects != step.effects:
                page.put(key, left)
        if run := asking.running:
            kept = replace(run.step, effects=run.step.effects[: run.kept])
            run.kept, run.step = len(rest(kept).effects), rest(run.step)
            run.memory = page.while_running(run.cell.key, run.step.effects)
        for pending in (asking.pending, asking.old_pending, self._clicks):
            for chat in chats:
                pending.pop(chat, None)
        if asking.clicked in chats:
            asking.clicked = None

    def write_moved(self) -> None:
        """Record what cells did that have got another id by cut and paste."""
        if self._asking is not None:
            while self.page.moved:
                if step := self.page.steps.get(self.page.moved.pop()):
                    self._write(step)

    def heads(self, view: SessionView) -> Iterator[make.Builder]:
        """Yield what makes the entries that say where the chats of a session end, where that is not written."""
        if self._asking is None:
            return
        memory = self.page.end()
        for chat in view.live_chats():
            context = of_chat(memory, chat.id, self.record).context
            if self.record.end_of(chat.id) is not context:
                last, whole = self.last_of(context)
                yield partial(
                    make.head_entry, chat=chat.id, message=last, context=None if whole is None else whole[:-1]
                )

    @property
    def by_hand(self) -> str | None:
        """The chat that was clicked, and not used yet."""
        asking = self._asking
        return asking.clicked if asking and asking.clicked and not asking.used else None

    def left_in(self) -> str | None:
        """Return the chat of the page's end, where a new ask goes in the next kernel, if that is not the active one."""
        if self._asking is None or not self._asking.used:
            return None
        chat = self.page.end().current
        return chat if chat and self.record.has(chat) else None
