"""What two notebooks differ in, as conversations: sessions, chats, and turns with the place they have in their chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.lookalikes import told_apart
from robota_nb.core.record.text import count
from robota_nb.display.report import plain, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.core.ports import Entries, Entry
    from robota_nb.core.record.nodes import Node, Trail

Change = dict[str, Any]

_SIGNS = {"added": "+", "put back": "+", "restored": "+", "removed": "-", "taken back": "-", "deleted": "-"}
_OTHER = "~"


def changes(before: Entries, after: Entries) -> list[Change]:
    """Compare what two notebooks hold.

    Parameters
    ----------
    before, after
        Their (checked) entries, by session.

    Returns
    -------
    list of dict
        What differs, session by session and chat by chat. Each has a ``change`` (such as ``added`` or ``edited``), the
        name of its ``session``, and of its ``chat`` if it is of one. A turn has its ``turn`` number (none, if it is
        beside the path), its whole ``prompt`` and ``reply``, and if it took the place of another, what that ``was``.
    """
    found = []
    for sid in dict.fromkeys([*before, *after]):
        found += _of_session(_folded(sid, before.get(sid, {})), _folded(sid, after.get(sid, {})))
    return found


def _folded(sid: str, entries: Mapping[str, Entry]) -> SessionState:
    state = SessionState.of(sid, entries)
    state.drop_superseded()  # a writer may have dropped them, or not
    return state


def _of_session(old: SessionState, new: SessionState) -> list[Change]:
    found = _presence(old.name if old.entries else None, new.name if new.entries else None)
    turns = _Turns(old, new)
    for cid in dict.fromkeys(chat.id for state in (old, new) for chat in state.chats_by_age()):
        name = (new if cid in new.chats else old).chats[cid].name
        found += [{"chat": name, **change} for change in (*_of_chat(old, new, cid), *turns.of(cid))]
    if not found and old.entries != new.entries:  # such as which chat is active: no change goes unsaid
        ids = old.entries.keys() | new.entries.keys()
        found = [{"change": "changed", "entries": sum(old.entries.get(eid) != new.entries.get(eid) for eid in ids)}]
    return [{"session": (new if new.entries else old).name, **change} for change in found]


def _presence(old: str | None, new: str | None) -> list[Change]:
    """Compare the names of something that may be there or not."""
    if old == new:
        return []
    if old is None or new is None:
        return [{"change": "removed" if new is None else "added"}]
    return [{"change": "renamed", "was": told_apart(old, [new])}]


def _of_chat(old: SessionState, new: SessionState, cid: str) -> list[Change]:
    before, after = old.chats.get(cid), new.chats.get(cid)
    found = _presence(before.name if before else None, after.name if after else None)
    if before and after:
        if before.deleted != after.deleted:
            found.append({"change": "deleted" if after.deleted else "restored"})
        if (before.config.value, old.set_since(cid)) != (after.config.value, new.set_since(cid)):
            other = new.chat_config(cid)
            if settings := {key: other.get(key) for key in old.chat_config(cid).differing(other)}:
                found.append({"change": "set", "settings": settings})
    return found


class _Turns:
    """Compares turns chat by chat; what several chats have in common is compared once."""

    def __init__(self, old: SessionState, new: SessionState) -> None:
        self._old = old
        self._new = new
        self._passed: set[Trail] = set()
        self._told: set[str] = set()

    def of(self, cid: str) -> list[Change]:
        """Compare the turns on the path of a chat number by number, and those beside it one by one."""
        found = list(self._on_path(cid))[::-1]  # the last ones first: once all before is known, that is the end of it
        return [*found, *self._beside(cid)]

    def _on_path(self, cid: str) -> Iterator[Change]:
        old, new = self._old.chat_path(cid).trail, self._new.chat_path(cid).trail
        while size := max(old.size, new.size):
            left = old if old.size == size and old not in self._passed else None
            came = new if new.size == size and new not in self._passed else None
            if left is None and came is None:
                shorter = min(old.size, new.size)
                if shorter in (0, size):
                    return
                old, new = old.first(shorter), new.first(shorter)
                continue
            if old.size < size or new.size < size or old.node.id != new.node.id:
                yield from self._differing(size, left.node if left else None, came.node if came else None)
            elif self._is_purged_since(new.node):
                yield from self._tell("purged", new.node, self._new, turn=size)
            self._passed |= {trail for trail in (left, came) if trail}
            old, new = old.first(size - 1), new.first(size - 1)

    def _differing(self, number: int, left: Node | None, came: Node | None) -> Iterator[Change]:
        if left and came:
            yield from self._tell("edited", came, self._new, turn=number, was=_said(self._old, left))
        elif came:
            change = "put back" if came.id in self._old.nodes else "added"
            yield from self._tell(change, came, self._new, turn=number)
        elif left:
            change = "taken back" if left.id in self._new.nodes else "removed"
            yield from self._tell(change, left, self._old, turn=number)

    def _beside(self, cid: str) -> Iterator[Change]:
        old, new = self._old.chat_path(cid), self._new.chat_path(cid)
        nodes = {node.id: node for state in (self._old, self._new) for node in state.turns_of(cid)}
        for node in sorted(nodes.values(), key=lambda node: node.stamp):
            if node in old or node in new:
                continue
            if node.id not in self._old.nodes:
                yield from self._tell("added", node, self._new)
            elif node.id not in self._new.nodes:
                yield from self._tell("removed", node, self._old)
            elif self._is_purged_since(node):
                yield from self._tell("purged", node, self._new)

    def _tell(self, change: str, node: Node, state: SessionState, **more: object) -> Iterator[Change]:
        """Yield a change, unless something was told of the turn already, whose text may be long."""
        if node.id not in self._told:
            self._told.add(node.id)
            said = _said(state, node)
            yield {"change": change, **({"turn": more["turn"]} if "turn" in more else {}), **said, **more}

    def _is_purged_since(self, node: Node) -> bool:
        return _is_purged(self._new, node) and not _is_purged(self._old, node)


def _said(state: SessionState, node: Node) -> dict[str, str]:
    return {"prompt": state.text(node.user), "reply": state.text(node.id)}


def _is_purged(state: SessionState, node: Node) -> bool:
    return state.entries.kind(node.id).is_stub


def lines(found: Iterable[Change]) -> str:
    """Say what differs, a line for each change."""
    return "\n".join(plain(_line(change)) for change in found) or "the conversations are the same"


def _line(change: Change) -> str:
    sign = _SIGNS.get(change["change"], _OTHER)
    where = " ▸ ".join(short(change[key]) for key in ("session", "chat") if key in change)
    return f"{sign} {where}{_what(change)}"


def _what(change: Change) -> str:
    if "prompt" in change:
        return f" {change.get('turn', '⎇')}: {_turn(change)}"
    if "settings" in change:
        return ": " + ", ".join(f"{key} = {short(value) or '(none)'}" for key, value in change["settings"].items())
    if "entries" in change:
        return f": {count(change['entries'], 'entry')} changed"
    return f": {change['change']}" + (f", was {short(change['was'])}" if "was" in change else "")


def _turn(change: Change) -> str:
    if change["change"] == "purged":
        return "purged"
    said = f"{short(change['prompt'])} → {short(change['reply'])}"
    if "was" in change:
        return f"{said} (was: {short(change['was']['prompt'])} → {short(change['was']['reply'])})"
    return said if change["change"] in ("added", "removed") else f"{change['change']}: {said}"
