"""What the views know, and the messages that bring them up to date."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.record.types import Image
from robota_nb.switcher import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.plan import Arriving
    from robota_nb.core.session import Session
    from robota_nb.switcher import messages
    from robota_nb.switcher.messages import Answer, ChatRow, ListsHead, ToView, Want, WantPicture
    from robota_nb.switcher.rows import ShownTurn

PIECE = 200
"""Rows of chats in one message: the first ones are shown before the last ones have come."""
SUMMING = "Sum up the first turns, to send that in their place"
"""What stands for the long instruction to a model that sums up a chat."""
STALE = 200
"""How many changed turns are named one by one; if there are more, all from the first of them on are sent again."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""The types that a view is sent: files of these hold a picture, and no script."""


class Lists:
    """The sessions, and the chats of the active one, as the views know them."""

    def __init__(self) -> None:
        self._head: ListsHead = {"sessions": [], "session": None, "chat": None, "whole": True, "gone": []}
        self._chats: dict[str, ChatRow] = {}
        self._version: object = None  # of what decides which chats there are, and what they are called

    def update(self, manager: SessionManager, chats: Iterable[str] | None) -> Iterator[ToView]:
        """Yield what has changed; *chats* may have, or with None, all may."""
        session = manager.active_session()
        head: ListsHead = {
            "sessions": rows.sessions(manager),
            "session": session.id if session else None,
            "chat": session.active_id if session else None,
            "whole": True,
            "gone": [],
        }
        view = session and view_of(session)
        version = view and (view.id, view.record.names_version, view.overlay.version)
        if chats is None or version != self._version:
            fresh = _rows(session)
        else:
            fresh = {**self._chats, **{cid: rows.chat(session, cid) for cid in chats if session and cid in self._chats}}
        whole = head["session"] != self._head["session"]
        gone = [] if whole else [cid for cid in self._chats if cid not in fresh]
        changed = [row for cid, row in fresh.items() if whole or row != self._chats.get(cid)]
        is_new = bool(changed or gone or head != self._head)
        self._head, self._chats, self._version = head, fresh, version
        if is_new:
            yield from _pieces({**head, "whole": whole, "gone": gone}, changed)

    def everything(self) -> Iterator[ToView]:
        """Yield all of it, for a new view."""
        return _pieces(self._head, self._chats.values())


def _rows(session: Session | None) -> dict[str, ChatRow]:
    return {state.id: rows.chat(session, state.id) for state in view_of(session).live_chats()} if session else {}


def _pieces(head: ListsHead, chats: Iterable[ChatRow]) -> Iterator[ToView]:
    """Yield rows of chats in pieces, the ones used last first; *head* goes along with the first piece."""
    ordered = sorted(chats, key=lambda row: -row["used"])
    yield {"op": "lists", "chats": ordered[:PIECE], **head}
    for at in range(PIECE, len(ordered), PIECE):
        yield {"op": "lists", "chats": ordered[at : at + PIECE]}


class Transcript:
    """The turns of the active chat, and the one that arrives, as the views know them."""

    def __init__(self) -> None:
        self._chat: str | None = None
        self._path: list[ShownTurn] = []
        self._arriving: Arriving | None = None
        self._parts = 0  # how many pieces of its text have been sent

    def update(self, chat: Chat | None, *, changed: bool) -> Iterator[ToView]:
        """Yield what has changed; *changed*: whether the turns may have, and not only the text that arrives."""
        if changed or self._chat != (chat and chat.id):
            yield from self._turns(chat)
        yield from self._text(chat)

    def everything(self, chat: Chat | None) -> Iterator[ToView]:
        """Yield what a new view has to know: the last turns, how many there are, and whether one arrives."""
        yield self._from(chat, 0, [])
        yield self._begun("".join(self._arriving.parts[: self._parts])) if self._arriving else self._arrived()

    def page(self, chat: Chat | None, first: int, last: int) -> messages.Turns:
        """Return turns that a view wants, from *first* up to, and not with, *last*, as many as fit."""
        turns = rows.page(chat.session, self._path, first, min(last, len(self._path))) if chat else []
        return {"op": "turns", "chat": self._chat, "first": first, "turns": turns}

    def _turns(self, chat: Chat | None) -> Iterator[ToView]:
        former, path = self._path, rows.path(chat) if chat else []
        same = self._chat == (chat and chat.id)
        pairs = list(zip(former, path, strict=False)) if same else []
        kept = next((at for at, (old, new) in enumerate(pairs) if old.node.id != new.node.id), len(pairs))
        stale = [at for at, (old, new) in enumerate(pairs[:kept]) if old != new]
        if len(stale) > STALE:
            kept, stale = stale[0], []
        self._chat, self._path = (chat.id if chat else None), path
        if not same or stale or kept < len(former) or kept < len(path):
            yield self._from(chat, kept, stale)

    def _from(self, chat: Chat | None, kept: int, stale: list[int]) -> messages.Transcript:
        first, turns = rows.last_page(chat.session, self._path, kept) if chat else (0, [])
        return {
            "op": "transcript", "chat": self._chat, "count": len(self._path), "from": kept, "stale": stale,
            "first": first, "turns": turns,
        }  # fmt: skip

    def _text(self, chat: Chat | None) -> Iterator[ToView]:
        arriving = runtime_of(chat).arriving.get(chat.id) if chat else None
        count = len(arriving.parts) if arriving else 0
        if arriving is not self._arriving:
            self._arriving, self._parts = arriving, count
            yield self._begun("".join(arriving.parts[:count])) if arriving else self._arrived()
        elif arriving and count > self._parts:
            yield {"op": "text", "chat": self._chat, "text": "".join(arriving.parts[self._parts : count])}
            self._parts = count

    def _arrived(self) -> messages.Arrived:
        return {"op": "arrived", "chat": self._chat}

    def _begun(self, text: str) -> messages.Arriving:
        assert self._arriving
        plan = self._arriving.plan
        at = next((at for at, shown in enumerate(self._path, 1) if shown.node.id == plan.place), 0)
        if plan.place is not None and not at:
            at = len(self._path)
        return {
            "op": "arriving", "chat": self._chat, "after": at, "text": text,
            "prompt": SUMMING if plan.sums_up else plan.text,
            "cell": plan.cell is not None, "pictures": sum(isinstance(one, Image) for one in plan.attached),
        }  # fmt: skip


class ViewState:
    """What all views know.

    Parameters
    ----------
    manager
        The sessions that views show. Callers hold its lock.
    prices
        Returns what a million tokens cost, by the names of endpoints.
    """

    def __init__(self, manager: SessionManager, prices: Callable[[], Mapping[str, Mapping[str, float]]] = dict) -> None:
        self._manager = manager
        self._prices = prices
        self._gauge = rows.gauge(None, {})
        self.status: messages.Status = {"op": "status", "session": None, "chat": None, "level": "", "running": 0}
        self._lists = Lists()
        self._transcript = Transcript()

    def update(self, level: str, *, everything: bool, chats: set[str], full: bool) -> list[ToView]:
        """Return the messages that bring the views up to date; from now on they count as sent.

        Parameters
        ----------
        level
            How far the conversations have got.
        everything, chats
            What may have changed: all, or the chats of these ids.
        full
            Whether any view shows more than the status.
        """
        chat = self._active()
        found: list[ToView] = list(self._status(level))
        if full:
            if everything or chats:
                found += self._lists.update(self._manager, None if everything else chats)
            changed = everything or (chat is not None and chat.id in chats)
            found += self._transcript.update(chat, changed=changed)
            if changed or (chat and chat.id) != self._gauge["chat"]:
                found += self._gauged(chat)
        return found

    def everything(self) -> list[ToView]:
        """Return the messages that tell a new view all that the others know."""
        first, *later = self._lists.everything()
        return [first, *self._transcript.everything(self._active()), self._gauge, *later]

    def reply(self, message: Want | WantPicture | Answer) -> ToView:
        """Return what a view gets that wants turns or a picture; the answer to an action is that already."""
        match message["op"]:
            case "want":
                return self._transcript.page(self._active(), max(0, message["first"]), message["last"])
            case "picture":
                return self._picture(message["id"])
            case "answer":
                return message

    def _gauged(self, chat: Chat | None) -> Iterator[messages.Gauge]:
        before, self._gauge = self._gauge, rows.gauge(chat, self._prices())
        if self._gauge != before:
            yield self._gauge

    def _active(self) -> Chat | None:
        session = self._manager.active_session()
        return session.active_chat if session else None

    def _status(self, level: str) -> Iterator[messages.Status]:
        chat, session = self._active(), self._manager.active_session()
        status: messages.Status = {
            "op": "status",
            "session": session.name if session else None,
            "chat": chat.name if chat else None,
            "level": level,
            "running": len(runtime_of(self._manager).running),
        }
        if status != self.status:
            self.status = status
            yield status

    def _picture(self, eid: str) -> messages.Picture:
        chat = self._active()
        image = rows.picture(view_of(chat), eid) if chat else None
        if image is None or image.media_type not in PICTURES:
            return {"op": "picture", "id": eid, "media_type": "", "data": ""}
        return {"op": "picture", "id": eid, "media_type": image.media_type, "data": b64encode(image.data).decode()}
