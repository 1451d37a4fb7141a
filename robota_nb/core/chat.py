"""A chat: a named conversation in a session."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from robota_nb.core import recording, reprs
from robota_nb.core.aio import in_threads
from robota_nb.core.events import Changed
from robota_nb.core.interrupts import Cancellation
from robota_nb.core.live import LiveTurn, Plan, build_request
from robota_nb.core.ports import Usage
from robota_nb.core.record import entries as make
from robota_nb.core.record.config import settings_from
from robota_nb.core.rules import changes, history, search, stats
from robota_nb.core.rules.states import check_asked
from robota_nb.core.turn import Branch, Message, Preview, Turn
from robota_nb.errors import ChatBusy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from robota_nb.core.ports import Image
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.rules.search import Hit
    from robota_nb.core.rules.stats import Stats
    from robota_nb.core.session import Session


class Chat:
    """A conversation; get one from `Session.create_chat` or `Session.chat`.

    Parameters
    ----------
    session
        The session it belongs to.
    id
        Its id, which never changes.
    """

    def __init__(self, session: Session, id: str) -> None:  # noqa: A002
        self.session = session
        self.id = id

    __repr__ = reprs.chat_line
    _repr_html_ = reprs.chat_html

    # -- reading

    @property
    def name(self) -> str:
        """The chat's name, unique in its session."""
        return self.session.chat_name(self.id)

    @property
    def config(self) -> Config:
        """What the next ask is made with."""
        return self.session.config(self.id)

    @property
    def head(self) -> str | None:
        """The id of the message where the path ends."""
        return self.session.head(self.id)

    @property
    def turns(self) -> list[Turn]:
        """The turns on the path, oldest first."""
        return [self.turn(node) for node in self.session.path(self.id).nodes]

    @property
    def messages(self) -> list[Message]:
        """The messages on the path, oldest first."""
        return [self._message(eid) for eid in self.session.record.messages(self.head)]

    def turn(self, node: Node, *, replayed: bool = False) -> Turn:
        """Return a recorded turn."""
        record = self.session.record
        answer = record.entries[node.id]
        config = record.node_config(node)
        usage = answer.get("usage")
        return Turn(
            prompt=self._message(node.user),
            reply=self._message(node.id),
            model=answer.get("model", "") or config.model,
            finish_reason=answer.get("finish_reason", "unknown"),
            usage=_usage(usage) if usage else None,
            config=config,
            replayed=replayed,
            cell=node.cell,
        )

    def history(self, place: str | None) -> list[dict[str, Any]]:
        """Return what the model sees before a prompt at *place*, as role and content; the caller may add to it.

        With the manager's ``max_messages``, older turns are left out here, never in the record.
        """
        entries = self.session.record.entries
        return [
            {"role": entries.role(eid), "content": content}
            for eid in self.sent(place)
            if (content := self._content(eid))
        ]

    def sent(self, place: str | None) -> list[str]:
        """Return the ids of the messages in `history`."""
        record, limit = self.session.record, self.session.manager.max_messages
        ids = record.messages(place)
        if limit and len(ids) > limit:
            ids = ids[-limit:]
            while ids and record.entries.role(ids[0]) != "user":
                ids = ids[1:]
        return ids

    def _content(self, eid: str) -> str | list[dict[str, Any]]:
        """Return a message's content as a request carries it: text, or parts if there are pictures."""
        text = self.session.record.text(eid)
        if not self.session.record.images(eid):  # as with most messages, and a request needs all
            return text
        return make.content_parts(text, self._images(eid))

    def _images(self, eid: str) -> tuple[Image, ...]:
        """Return the pictures that go with a message, but for those that were purged."""
        record = self.session.record
        return tuple(image for entry in record.images(eid) if (image := make.image_of(record.entries[entry])))

    @property
    def branches(self) -> list[Branch]:
        """What was asked beside the path, in the order in which it began; `checkout` goes there."""
        found = history.branches(self.session, self.id)
        return [
            Branch(number=number, after=fork.after, turns=tuple(map(self.turn, fork.nodes)))
            for number, fork in enumerate(found, 1)
        ]

    @property
    def changes(self) -> list[changes.Change]:
        """What was changed in the settings, oldest first."""
        return changes.changes(self.session.record, self.id)

    @property
    def stats(self) -> Stats:
        """What the chat holds, counted now."""
        return stats.count([self], sessions=1)

    def search(self, text: str) -> list[Hit]:
        """Return the turns, also of branches, whose question or answer holds a text, oldest first."""
        return search.search([self], text)

    def preview(self, text: str = "", images: Sequence[Image] = ()) -> Preview:
        """Return exactly what asking *text* with *images* now would send."""
        plan = Plan(text=make.clean(text), place=self.head, config=self.config, images=tuple(images))
        return Preview(provider=self.config.provider, request=build_request(self, plan))

    def to_records(self) -> list[dict[str, Any]]:
        """Return the turns on the path as plain dicts, one for each message, for a data frame or a table."""
        return [record for number, turn in enumerate(self.turns, 1) for record in turn.to_records(number)]

    # -- asking

    def stream(self, text: str, images: Sequence[Image] = (), *, at: int | None = None) -> LiveTurn:
        """Ask, and return the text as it arrives; at the end the turn is recorded.

        Parameters
        ----------
        text
            The prompt.
        images
            The pictures that go with it.
        at
            The number of the turn of the path whose place it takes (from 1), with its pictures and options; at the
            end if not given.

        Raises
        ------
        ChatBusy
            If a turn runs in this chat.
        SessionNotActive
            If the session is not active.
        TurnNotFound
            If there is no turn *at*.
        ProviderError
            If the model cannot be asked, or the answer breaks off (what arrived is kept and marked).
        """

        def plan() -> Plan:  # when it begins: another turn may have ended since
            if at is not None:
                return self._plan_at(history.numbered(self.session, self.id, at), text)
            return Plan(text=make.clean(text), place=self.head, config=self.config, images=tuple(images))

        return self._live(plan)

    def send(self, text: str, images: Sequence[Image] = ()) -> Turn:
        """Ask *text* with *images*, and return the turn; raises as `stream` does."""
        return self.stream(text, images).result()

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
            node = history.to_retry(self.session, self.id)
            return self._plan_at(node, self.session.record.text(node.user))

        return self._live(plan).result()

    def _live(self, plan: Callable[[], Plan]) -> LiveTurn:
        self.session.check_active()
        return LiveTurn(self, plan, self._sent_outside_cells)

    def _plan_at(self, node: Node, text: str) -> Plan:
        message = self._message(node.user)
        config = self.session.config_after(self.id, node, self.session.record.set_since(self.id))
        return Plan(
            text=make.clean(text), place=node.parent, config=config, options=node.options, images=message.images
        )

    def cancel(self) -> bool:
        """Stop the turn that runs in this chat, from any thread; what has arrived is kept, marked as interrupted.

        Returns
        -------
        bool
            Whether a turn was running.
        """
        running = self.session.manager.running.get(self.id)
        if running:
            running.cancel()
        return running is not None

    def check_idle(self) -> None:
        """Raise `ChatBusy` if a turn runs in this chat."""
        if self.id in self.session.manager.running:
            raise ChatBusy(f"a turn is running in {self.name!r}: wait for it, or stop it with chat.cancel()")

    def astream(self, text: str) -> AsyncIterator[str]:
        """Ask *text* without blocking the event loop, and yield the answer as it arrives; raises as `stream` does."""
        return in_threads(self.stream(text))  # itself: who closes it closes the answer, and not some time later

    async def asend(self, text: str) -> Turn:
        """Ask *text* without blocking the event loop, and return the turn; raises as `stream` does."""
        live = self.stream(text)
        async for _ in in_threads(live):
            pass
        return live.result()

    @contextmanager
    def busy(self) -> Iterator[Cancellation]:
        """Hold the chat for one turn, which `cancel` can end."""
        manager, cancellation = self.session.manager, Cancellation()
        with manager.lock:
            check_asked(self.session, self.id)
            if self.id in manager.running:
                raise ChatBusy(f"a turn is running in {self.name!r}: wait for it, or ask in another chat")
            manager.running[self.id] = cancellation
        try:
            yield cancellation
        finally:
            with manager.lock:
                del manager.running[self.id]
                manager.rested.notify_all()
                manager.emit(Changed(session=self.session.id, chat=self.id))

    record_turn = recording.record_turn

    def _sent_outside_cells(self, turn: Turn) -> None:
        self.session.manager.replay.shown[turn.id] = None

    # -- changing

    def rename(self, name: str) -> None:
        """Give the chat another name; the former one still finds it.

        Raises
        ------
        DuplicateName, InvalidName
            If a sibling has the name, or it is none.
        """
        self.session.rename_chat(self.id, name)

    def configure(self, **settings: object) -> None:
        """Set provider, model, system prompt or parameters for what is asked from now on.

        Parameters
        ----------
        **settings
            ``provider``, ``model``, ``system``, or a parameter of the requests, such as ``temperature=0.2``; ``""``
            unsets one.

        Raises
        ------
        InvalidName
            If that is no name of a parameter.
        SnapshotError
            If a value has no JSON form, or is too large.
        """
        self.session.configure(self.id, settings_from(settings), lasting=True)

    def undo(self) -> Turn | None:
        """Take the last turn off the path, and return it; it stays reachable as a branch."""
        node = history.undo(self.session, self.id)
        return self.turn(node) if node else None

    def redo(self) -> Turn | None:
        """Put the newest turn that follows the path back on it, and return it."""
        node = history.redo(self.session, self.id)
        return self.turn(node) if node else None

    def clear(self) -> int:
        """Begin anew: take all turns off the path, and return how many; they stay reachable as a branch."""
        return history.clear(self.session, self.id)

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
        """
        return self.turn(history.checkout(self.session, self.id, str(ref), to_end=to_end))

    def fork(self, name: str, at: int | None = None) -> Chat:
        """Start a chat *name* that goes on from here, or from turn *at* (0: from the start), and make it active.

        Raises
        ------
        TurnNotFound, DuplicateName, InvalidName, ChatLimitReached
            If it cannot be.
        """
        return history.fork(self.session, name, of=self.id, at=at)

    def delete(self) -> None:
        """Delete the chat (see `Session.delete_chat`)."""
        self.session.delete_chat(self.id)

    def purge(self, number: int) -> None:
        """Remove for good what turn *number* of the path (from 1) says: from the record, store and notebook's metadata.

        Only that: cells and outputs that show the text stay, and so do copies that were saved elsewhere.

        Raises
        ------
        TurnNotFound
            If there is no such turn.
        ChatBusy
            If a turn runs in this chat.
        """
        self.check_idle()
        history.purge(self.session, self.id, number)

    # -- inside

    def _message(self, eid: str) -> Message:
        record = self.session.record
        entry = record.entries[eid]
        return Message(
            id=eid,
            role=entry.get("role", ""),
            content=record.text(eid),
            parent=entry.get("parent"),
            images=self._images(eid),
        )


def _usage(counts: Mapping[str, int]) -> Usage:
    return Usage(input_tokens=counts.get("input_tokens", 0), output_tokens=counts.get("output_tokens", 0))
