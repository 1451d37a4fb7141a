"""What two notebooks differ in, as conversations: sessions, chats, and turns with the place they have in their chat."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.text import count
from robota_nb.display.report import plain, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.core.ports import Entries, Entry
    from robota_nb.core.record.nodes import Node

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
    state = SessionState(sid)
    state.apply(entries)
    state.drop_superseded()  # a writer may have dropped them, or not
    return state


def _of_session(old: SessionState, new: SessionState) -> list[Change]:
    found = _presence(old.name if old.entries else None, new.name if new.entries else None)
    for cid in dict.fromkeys(chat.id for state in (old, new) for chat in state.chats_by_age()):
        name = (new if cid in new.chats else old).chats[cid].name
        found += [{"chat": name, **change} for change in (*_of_chat(old, new, cid), *_of_turns(old, new, cid))]
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
    return [{"change": "renamed", "was": old}]


def _of_chat(old: SessionState, new: SessionState, cid: str) -> list[Change]:
    before, after = old.chats.get(cid), new.chats.get(cid)
    found = _presence(before.name if before else None, after.name if after else None)
    if before and after:
        if before.deleted != after.deleted:
            found.append({"change": "deleted" if after.deleted else "restored"})
        one, other = old.chat_config(cid).settings(), new.chat_config(cid).settings()
        if differing := {key: other.get(key, "") for key in {**one, **other} if one.get(key) != other.get(key)}:
            found.append({"change": "set", "settings": differing})
    return found


def _of_turns(old: SessionState, new: SessionState, cid: str) -> Iterator[Change]:
    """Compare the turns on the path of a chat number by number, and those beside it one by one."""
    paths = [state.path(state.chats[cid].head.value).nodes if cid in state.chats else [] for state in (old, new)]
    for number, (left, came) in enumerate(zip_longest(*paths), 1):
        if came is None:
            change = "taken back" if left.id in new.nodes else "removed"
            yield {"change": change, "turn": number, **_said(old, left)}
        elif left is None:
            yield {"change": "put back" if came.id in old.nodes else "added", "turn": number, **_said(new, came)}
        elif left.id != came.id:
            yield {"change": "edited", "turn": number, **_said(new, came), "was": _said(old, left)}
        elif _is_purged(new, came) and not _is_purged(old, left):
            yield {"change": "purged", "turn": number, **_said(new, came)}
    on_path = {node.id for nodes in paths for node in nodes}
    for node in {**old.nodes, **new.nodes}.values():
        if node.chat == cid and node.id not in on_path:
            if node.id not in old.nodes:
                yield {"change": "added", **_said(new, node)}
            elif node.id not in new.nodes:
                yield {"change": "removed", **_said(old, node)}
            elif _is_purged(new, node) and not _is_purged(old, node):
                yield {"change": "purged", **_said(new, node)}


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
