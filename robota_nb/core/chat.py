"""A chat: a named conversation in a session."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from robota_nb.core import entries as make
from robota_nb.core.config import settings_from
from robota_nb.core.live import LiveTurn, Plan
from robota_nb.core.ports import Usage
from robota_nb.core.turn import Message, Turn
from robota_nb.errors import ChatBusy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from robota_nb.core.config import Config
    from robota_nb.core.fold import Node
    from robota_nb.core.ports import Entry, FinishReason
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

    def __repr__(self) -> str:
        turns, model = len(self.session.path(self.id).nodes), self.config.model or self.config.provider
        return f"<Chat {self.name!r} in {self.session.name!r}: {turns} turns, {model}>"

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
        record = self.session.record
        limit = self.session.manager.max_messages
        ids = record.messages(place)
        if limit and len(ids) > limit:
            ids = ids[-limit:]
            while ids and record.entries[ids[0]].get("role") != "user":
                ids = ids[1:]
        pairs = [(record.entries[eid].get("role"), record.text(eid)) for eid in ids]
        return [{"role": role, "content": text} for role, text in pairs if text]

    # -- asking

    def stream(self, text: str) -> LiveTurn:
        """Ask, and return the text as it arrives; at the end the turn is recorded.

        Raises
        ------
        ChatBusy
            If a turn runs in this chat.
        SessionNotActive
            If the session is not active.
        ProviderError
            If the model cannot be asked, or the answer breaks off (what arrived is kept and marked).
        """
        self.session.check_active()

        def plan() -> Plan:  # when it begins: another turn may have ended since
            return Plan(text=make.clean(text), place=self.head, config=self.config)

        return LiveTurn(self, plan, self._sent_outside_cells)

    def send(self, text: str) -> Turn:
        """Ask, and return the turn; raises as `stream` does."""
        return self.stream(text).result()

    async def astream(self, text: str) -> AsyncIterator[str]:
        """Ask without blocking the event loop; raises as `stream` does."""
        live = self.stream(text)
        async for delta in _in_thread(live):
            yield delta

    async def asend(self, text: str) -> Turn:
        """Ask without blocking the event loop, and return the turn."""
        live = self.stream(text)
        async for _ in _in_thread(live):
            pass
        return live.result()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Hold the chat for one turn."""
        running, lock = self.session.manager.running, self.session.manager.lock
        with lock:
            if self.id in running:
                raise ChatBusy(f"a turn is running in {self.name!r}: wait for it, or ask in another chat")
            running.add(self.id)
        try:
            yield
        finally:
            with lock:
                running.discard(self.id)

    def record_turn(self, plan: Plan, text: str, reason: FinishReason, model: str, usage: Usage | None) -> Turn:
        """Make a turn part of the chat (unless the plan says not to), and return it."""
        manager = self.session.manager
        if not plan.record:
            return Turn(
                prompt=Message(id="", role="user", content=plan.text, parent=plan.place),
                reply=Message(id="", role="assistant", content=make.clean(text)),
                model=model, finish_reason=reason, usage=usage,
                config=plan.config.with_settings(plan.options), cell=plan.cell,
            )  # fmt: skip
        with manager.lock:
            n, at = manager.next_n(), manager.now()
            config_id, new = self.session.config_entry(plan.config)
            cell = plan.cell and [plan.cell.id or "", plan.cell.k, plan.cell.source]
            user = make.user_message(
                n=n, at=at, chat=self.id, parent=plan.place, text=plan.text,
                cell=cell, set_=plan.settings, options=plan.options,
            )  # fmt: skip
            user_id = make.entry_id(user)
            answer = make.assistant_message(
                n=n + 1, at=at, chat=self.id, parent=user_id, text=text,
                config=config_id, model=model, finish_reason=reason, usage=usage,
            )  # fmt: skip
            answer_id = make.entry_id(answer)
            self.session.turn_recorded(self.id)
            manager.commit(self.session, {**new, user_id: user, answer_id: answer})
            return self.turn(self.session.record.nodes[answer_id])

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
        """Set provider, model, system prompt or parameters for what is asked from now on; "" unsets one."""
        self.session.configure(self.id, settings_from(settings), lasting=True)

    def undo(self) -> Turn | None:
        """Take the last turn off the path, and return it; it stays reachable as a branch."""
        return self.session.undo(self.id)

    # -- inside

    def _message(self, eid: str) -> Message:
        entry: Entry = self.session.record.entries[eid]
        return Message(
            id=eid,
            role=entry.get("role", ""),
            content=self.session.record.text(eid),
            parent=entry.get("parent"),
        )


def _usage(counts: Mapping[str, int]) -> Usage:
    return Usage(input_tokens=counts.get("input_tokens", 0), output_tokens=counts.get("output_tokens", 0))


async def _in_thread(live: LiveTurn) -> AsyncIterator[str]:
    """Iterate over a live turn in worker threads; a cancelled task stops the turn at its next text."""
    while True:
        step = asyncio.get_running_loop().run_in_executor(None, next, live, None)
        try:
            delta = await asyncio.shield(step)
        except asyncio.CancelledError:
            step.add_done_callback(partial(_stop, live))
            raise
        if delta is None:
            return
        try:
            yield delta
        except GeneratorExit:
            live.close()
            raise


def _stop(live: LiveTurn, step: asyncio.Future[str | None]) -> None:
    step.exception()  # it has nobody left to tell
    live.close()
