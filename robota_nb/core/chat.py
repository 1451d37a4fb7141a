"""A chat: a named conversation in a session."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from robota_nb.core import aio, compaction, plans, rewind
from robota_nb.core import files as reading
from robota_nb.core.cell_asks import by_code
from robota_nb.core.events import Notice
from robota_nb.core.live import LiveTurn, build_request
from robota_nb.core.plan import ONE_ROUND, Rounds
from robota_nb.core.record import entries as make
from robota_nb.core.record import html
from robota_nb.core.record.config import settings_from
from robota_nb.core.record.text import count, short
from robota_nb.core.rules import changes, history, states, stats, summaries, tokens
from robota_nb.core.rules.search import search
from robota_nb.core.turn import Branch, Message, Preview, Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from robota_nb.core.files import AnyFile
    from robota_nb.core.ledger import Ledger
    from robota_nb.core.plan import Plan
    from robota_nb.core.ports import Image
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.rules.stats import Stats
    from robota_nb.core.rules.summaries import Summary
    from robota_nb.core.session import Session


class Chat:
    """A conversation; get one from `Session.create_chat` or `Session.chat`.

    Attributes
    ----------
    session
        The session it belongs to.
    id
        Its id, which never changes.
    """

    def __init__(self, ledger: Ledger, session: Session, id: str) -> None:  # noqa: A002 - the attribute's name
        self.session = session
        self.id = id
        self._ledger = ledger
        self._view = ledger.views[session.id]

    def __repr__(self) -> str:
        turns = count(len(self._view.path(self.id)), "turn")
        return f"<Chat {self.name!r} in {self.session.name!r}: {turns}, {self.config.target}>"

    def _repr_html_(self) -> str:
        """Show the last turns, a row each."""
        nodes = self._view.path(self.id).nodes
        first = max(0, len(nodes) - html.ROWS)
        turns = map(self._turn, nodes[first:])
        rows = [[str(number), turn.prompt.content, turn.text] for number, turn in enumerate(turns, first + 1)]
        head = f"{self.name} · {self.session.name} · {self.config.target} · {count(len(nodes), 'turn')}"
        columns = ["", "asked", "answered"]
        return html.div("chat", html.note(head), html.table(columns, rows, left_out=first, what="earlier turn"))

    # -- reading

    @property
    def name(self) -> str:
        """The chat's name, unique in its session."""
        return self._view.chat_name(self.id)

    @property
    def config(self) -> Config:
        """What the next ask is made with."""
        return self._ledger.to_ask(self._view.config(self.id))

    @property
    def head(self) -> str | None:
        """The id of the message where the path ends."""
        return self._view.head(self.id)

    @property
    def turns(self) -> list[Turn]:
        """The turns on the path, oldest first."""
        return [self._turn(node) for node in self._view.path(self.id).nodes]

    @property
    def messages(self) -> list[Message]:
        """The messages on the path, oldest first."""
        record = self._view.record
        turns = self._view.path(self.id).nodes
        return [Message.from_record(record, eid) for node in turns for eid in record.said(node)]

    @property
    def branches(self) -> list[Branch]:
        """What was asked beside the path, in the order in which it began; `checkout` goes there."""
        found = history.branches(self._view, self.id)
        return [Branch(self._view.record, fork, number) for number, fork in enumerate(found, 1)]

    @property
    def changes(self) -> list[changes.Change]:
        """What was changed in the settings, oldest first."""
        return changes.changes(self._view.record, self.id)

    @property
    def stats(self) -> Stats:
        """What the chat holds, counted now."""
        runtime = self._ledger.runtime
        return stats.count_chats([(self._view, self.id)], sessions=1, made=runtime.made, replayed=runtime.shown)

    @property
    def summary(self) -> Summary | None:
        """The summary that the next ask sends in the place of the first turns; None if it sends them all."""
        plan = plans.at_end(self._ledger, self._view, self.id, "", ())
        return summaries.counting(self._view.record, plan.asked_of, plan.before)

    @property
    def tokens(self) -> int:
        """About how many tokens the next request has before its prompt, by what its server has counted so far."""
        plan = plans.at_end(self._ledger, self._view, self.id, "", ())
        return tokens.estimate(self._view.record, plan.before, plan.asked_of)

    @property
    def window(self) -> int:
        """How many tokens a request and its answer may have together; 0 if that is not known."""
        return self._ledger.runtime.window(self.config)

    def search(self, text: str) -> list[Hit]:
        """Return the turns, also of branches, whose question or answer holds a text, oldest first."""
        found = search(self._view.record, [self.id], text, self._view.path)
        return [Hit(chat=self, turn=self._turn(one.node), number=one.number) for one in found]

    def preview(self, text: str = "", images: Sequence[Image] = (), *, files: Sequence[AnyFile] = ()) -> Preview:
        """Return exactly what asking *text* with *images* and *files* now would send; raises as `stream` does."""
        plan = plans.at_end(self._ledger, self._view, self.id, text, reading.along(images, reading.given(files)))
        request = build_request(self._ledger.runtime, self._view, plan)
        summary = summaries.counting(self._view.record, plan.asked_of, plan.before)
        choices = plan.asked_of.choices()
        return Preview(
            provider=self.config.provider, request=request, choices=choices, summary=summary,
            tokens=tokens.estimate(self._view.record, plan.before, plan.asked_of, plan.text),
        )  # fmt: skip

    def to_records(self) -> list[dict[str, Any]]:
        """Return the turns on the path as plain dicts, one for each message, for a data frame or a table."""
        return [record for number, turn in enumerate(self.turns, 1) for record in turn.to_records(number)]

    def _turn(self, node: Node) -> Turn:
        return Turn.from_record(self._view.record, node)

    # -- asking

    def stream(
        self,
        text: str,
        images: Sequence[Image] = (),
        *,
        files: Sequence[AnyFile] = (),
        at: int | None = None,
        tools: Sequence[object] = (),
        into: object = None,
        repair: int = 1,
    ) -> LiveTurn:
        """Ask, and return the text as it arrives; at the end the turn is recorded.

        Parameters
        ----------
        text
            The prompt.
        images
            The pictures that go with it.
        files
            The files that go with it: their paths, or what `robota_nb.core.files` makes of texts and bytes.
        at
            The number of the turn of the path whose place it takes (from 1), with its pictures, files and options; at
            the end if not given.
        tools
            What the model may call: functions, or what `robota_nb.tool` makes of them. Each call is asked for first
            (by ``input()``), but for functions that are marked as ``safe``.
        into
            The type that the answer is to be a value of: a model of pydantic, a dataclass, a ``TypedDict``, an
            ``Enum``, a ``Literal``, a list of those; `Turn.value` is the value.
        repair
            How often the model is asked again for an answer that is none.

        Raises
        ------
        ToolError
            If something among the tools cannot be offered.
        ConsentMissing
            If a call could not be asked for, as there is nobody.
        PromptError
            If a file cannot be read, is too large, or is none that models take.
        ChatBusy
            If a turn runs in this chat.
        SessionNotActive
            If the session is not active.
        TurnNotFound
            If there is no turn *at*.
        ProviderError
            If the model cannot be asked, or the answer breaks off (what arrived is kept and marked).
        """
        read = reading.given(files)
        for one in read:
            if one.notice:
                self._ledger.runtime.emit(Notice(text=one.notice))

        runtime = self._ledger.runtime
        shape = runtime.make_shape(into) if into is not None else None
        options = shape.settings() if shape else {}
        rounds = Rounds(tools=runtime.make_toolbox(tools) if tools else None, shape=shape, repairs=repair)
        rounds = rounds if tools or shape else ONE_ROUND

        def plan() -> Plan:  # when it begins: another turn may have ended since
            if at is not None:
                made = self._plan_at(history.numbered(self._view, self.id, at), text)
            else:
                made = plans.at_end(self._ledger, self._view, self.id, text, reading.along(images, read))
            return replace(made, rounds=rounds, options={**made.options, **options})

        return self._live(plan)

    def send(
        self,
        text: str,
        images: Sequence[Image] = (),
        *,
        files: Sequence[AnyFile] = (),
        tools: Sequence[object] = (),
        into: object = None,
        repair: int = 1,
    ) -> Turn:
        """Ask *text* with *images*, *files* and *tools* for a value *into* a type, with *repair*; and return the turn.

        All of it is as of `stream`, and what that raises.

        Raises
        ------
        AnswerInvalid
            If the answer is no value of the type *into*; it is recorded.
        """
        turn = self.stream(text, images, files=files, tools=tools, into=into, repair=repair).result()
        if into is not None:
            turn.value  # noqa: B018 - raises if there is none
        return turn

    def edit(self, number: int, text: str) -> Turn:
        """Ask *text* in the place of turn *number* of the path (from 1); what stood there becomes a branch.

        Raises
        ------
        TurnNotFound
            If there is no such turn; and as `stream` does.
        """
        return self.stream(text, at=number).result()

    def retry(self) -> Turn:
        """Ask the last turn again, in its place; its answer so far becomes a branch.

        Raises
        ------
        TurnNotFound
            If nothing was asked yet; and as `stream` does.
        """

        def plan() -> Plan:
            node = history.to_retry(self._view, self.id)
            return self._plan_at(node, self._view.record.text(node.user))

        return self._live(plan).result()

    def _plan_at(self, node: Node, text: str) -> Plan:
        return plans.instead(self._ledger, self._view, self.id, text, node)

    def _live(self, plan: Callable[[], Plan]) -> LiveTurn:
        page = self._ledger.running(self._view.user_id)
        if page is None:
            states.check_active(self._view)
            return LiveTurn(self._ledger, self._view, self.id, plan)
        states.check_active(self._view, page.here)
        return by_code(self._ledger, page, self._view, self.id, plan)

    def cancel(self) -> bool:
        """Stop the turn that runs in this chat, from any thread; what has arrived is kept, marked as interrupted.

        Returns
        -------
        bool
            Whether a turn was running.
        """
        return self._ledger.runtime.cancel(self.id)

    def astream(self, text: str, images: Sequence[Image] = (), *, files: Sequence[AnyFile] = ()) -> AsyncIterator[str]:
        """Ask *text* with *images* and *files* without blocking the event loop, and yield the answer as it arrives.

        Raises as `stream` does.
        """
        live = self.stream(text, images, files=files)
        return aio.in_threads(live)  # itself: who closes it closes the answer, and not some time later

    async def asend(self, text: str, images: Sequence[Image] = (), *, files: Sequence[AnyFile] = ()) -> Turn:
        """Ask *text* with *images* and *files* without blocking the event loop, and return the turn.

        Raises as `stream` does.
        """
        live = self.stream(text, images, files=files)
        async for _ in aio.in_threads(live):
            pass
        return live.result()

    # -- changing

    def rename(self, name: str) -> None:
        """Give the chat another name; the former one still finds it.

        Raises
        ------
        DuplicateName, InvalidName
            If a sibling has the name, or it is none.
        """
        name = make.check_name(name, "chat")
        with self._ledger.runtime.lock:
            if self._view.record.chats[self.id].name == name:
                return
            self._view.check_free(name, but=self.id)
            self._ledger.write(self._view, partial(make.set_entry, chat=self.id, key="name", value=name))

    def configure(self, **settings: object) -> None:
        """Set provider, model, system prompt or parameters for what is asked from now on.

        Parameters
        ----------
        **settings
            ``provider``, ``model``, ``system``, a parameter of the requests, such as ``temperature=0.2``, or
            ``pictures="none"`` (``"latest"``, ``"all"``) for which pictures of earlier turns are sent again; ``""``
            unsets one.

        Raises
        ------
        InvalidName
            If that is no name of a parameter.
        SnapshotError
            If a value has no JSON form, or is too large.
        """
        self._ledger.configure(self._view, self.id, settings_from(settings))

    def undo(self) -> Turn | None:
        """Take the last turn out of memory, and return it; it stays reachable as a branch.

        Raises
        ------
        ChatBusy
            If a turn runs in this chat; and so do `redo`, `clear` and `checkout`.
        """
        with self._at_rest():
            node = rewind.undo(self._ledger, self._view, self.id)
        return self._turn(node) if node else None

    def redo(self) -> Turn | None:
        """Put the newest turn that follows the path back on it, and return it; raises as `undo`."""
        with self._at_rest():
            node = rewind.redo(self._ledger, self._view, self.id)
        return self._turn(node) if node else None

    def clear(self) -> int:
        """Begin anew: take all turns off the path, and return how many; they stay a branch; raises as `undo`."""
        with self._at_rest():
            return rewind.clear(self._ledger, self._view, self.id)

    def checkout(self, ref: int | str, *, to_end: bool = False) -> Turn:
        """Go to the end of a branch, by its number in `branches`, or to a turn, by its id; return the last turn.

        Parameters
        ----------
        ref
            The number, or the id.
        to_end
            Whether to go on from there to the end of the newest turns that followed.

        Raises
        ------
        TurnNotFound
            If there is no such branch or turn.
        ChatBusy
            If a turn runs in this chat.
        """
        with self._at_rest():
            if not rewind.again(self._ledger, self._view, self.id):  # the numbers of branches may be others now
                nodes = history.path_to(self._view, self.id, str(ref), to_end=to_end)
                rewind.go_to(self._ledger, self._view, self.id, nodes)
            return self._turn(history.last_turn(self._view, self.id))

    def compact(self, keep: int = compaction.KEEP, *, model: str = "", text: str = "") -> Summary | None:
        """Have the chat send a summary of its turns but the last ones; the user's prompts are sent as they are.

        The turns stay where they are. A summary of the same turns that is recorded is taken in the place of a request.

        Parameters
        ----------
        keep
            How many of the last turns are sent as they are.
        model
            Who writes it, at the chat's provider; the chat's model if not given.
        text
            What it is to heed besides.

        Returns
        -------
        Summary or None
            The summary; None if the chat has no more turns than are kept.

        Raises
        ------
        ProviderError
            If the model cannot be asked, or the summary is not whole; then nothing is changed.
        ChatBusy, SessionNotActive
            As `stream` does.
        """
        answer = self._compact(keep, model, text)
        if answer is None:
            return None
        compaction.check_whole(answer.result() if isinstance(answer, LiveTurn) else answer)
        return self.summary

    async def acompact(self, keep: int = compaction.KEEP, *, model: str = "", text: str = "") -> Summary | None:
        """Do what `compact` does with *keep*, *model* and *text*, without blocking the event loop."""
        answer = self._compact(keep, model, text)
        if answer is None:
            return None
        if isinstance(answer, LiveTurn):
            async for _ in aio.in_threads(answer):
                pass
            answer = answer.result()
        compaction.check_whole(answer)
        return self.summary

    def _compact(self, keep: int, model: str, text: str) -> Turn | LiveTurn | None:
        return compaction.compact(self._ledger, self._view, self.id, keep=keep, model=model, text=text)

    def compact_undo(self) -> bool:
        """Have the chat send all of its turns again; return whether it had a summary."""
        return compaction.undo(self._ledger, self._view, self.id)

    @contextmanager
    def _at_rest(self) -> Iterator[None]:
        """Hold the lock while the path is moved; raise `ChatBusy` if a turn runs, which goes on from where it ends."""
        with self._ledger.runtime.lock:
            self._ledger.runtime.check_idle(self._view, self.id)
            yield

    def fork(self, name: str, at: int | None = None) -> Chat:
        """Start a chat *name* that goes on from here, or from turn *at* (0: from the start), and make it active.

        A fork to a name that stands moves that chat to the fork point; if it is this very chat, it is only made active.

        Raises
        ------
        TurnNotFound, DuplicateName, InvalidName, ChatLimitReached
            If it cannot be.
        """
        view, ledger = self._view, self._ledger
        with ledger.runtime.lock:
            if at:
                history.numbered(view, self.id, at)
            found = view.find(name) or self.session.bring_back(name)
            if found is None:
                nodes = view.path(self.id).nodes[:at]
                base = nodes[-1].id if nodes and not ledger.running(view.user_id) else None
                found = ledger.begin_chat(view, name, self.config, base)
            if found != self.id:
                rewind.fork(ledger, view, found, self.id, at)
            return self.session.switch_to(found)

    def delete(self) -> None:
        """Delete the chat (see `Session.delete_chat`)."""
        self.session.delete_chat(self.id)

    def purge(self, number: int | None = None, *, branch: int | None = None) -> None:
        """Remove for good what a turn, or all turns of a branch, say: from the record, store and notebook's metadata.

        Only that: cells and outputs that show the text stay, and so do copies that were saved elsewhere.

        Parameters
        ----------
        number
            The turn's number on the path, from 1.
        branch
            In place of it, the number of a branch in `branches`.

        Raises
        ------
        TurnNotFound
            If there is no such turn or branch.
        ChatBusy
            If a turn runs in this chat.
        """
        view, ledger = self._view, self._ledger
        ledger.runtime.check_idle(view, self.id)
        with ledger.runtime.lock:
            nodes = (
                history.branch(view, self.id, branch or 0)
                if number is None
                else [history.numbered(view, self.id, number)]
            )
            for node in nodes:
                ledger.purge(view, node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A turn that holds the words that were searched for.

    Parameters
    ----------
    chat
        Where it was said.
    turn
        The turn.
    number
        Its place on the chat's path, from 1; None if it is on a branch.
    """

    chat: Chat
    turn: Turn
    number: int | None

    def __repr__(self) -> str:
        return f"<Hit in {self.chat.name!r}, {self._place}: {short(self.turn.prompt.content)!r}>"

    def _repr_html_(self) -> str:
        """Show where it is, and the turn."""
        return html.div("hit", html.note(f"{self.chat.name} · {self._place}"), self.turn._repr_html_())

    @property
    def _place(self) -> str:
        return f"turn {self.number}" if self.number else "on a branch"
