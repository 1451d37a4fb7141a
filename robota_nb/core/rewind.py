"""What takes a chat back or forth: in a cell as an effect of it, else as something that was done outside cells.

Nothing is destroyed by it: turns that a chat does not remember stay in the record.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from robota_nb.core.record import entries as make
from robota_nb.core.rules import history
from robota_nb.core.rules.effects import Back, Clear, Drop, Fork, Put, Undo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robota_nb.core.ledger import Ledger
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.view import SessionView


def undo(ledger: Ledger, view: SessionView, chat: str) -> Node | None:
    """Take a chat's last turn out of its memory, and return it; None if it has none."""
    nodes = view.path(chat).nodes
    if not nodes:
        return None
    if page := ledger.running(view.user_id):
        page.did(Undo(chat=chat))
    else:
        _outside(ledger, view, chat, nodes[:-1], Drop(chat=chat, turns=(nodes[-1].id,)))
    before = nodes[-2].id if len(nodes) > 1 else None
    view.undone.setdefault(chat, []).append((nodes[-1].id, before))
    return nodes[-1]


def redo(ledger: Ledger, view: SessionView, chat: str) -> Node | None:
    """Put the turn that follows what a chat remembers at its end: what was undone here, else the newest; return it."""
    node = history.following(view, chat)
    if node:
        go_to(ledger, view, chat, [*view.path(chat).nodes, node])
    return node


def clear(ledger: Ledger, view: SessionView, chat: str) -> int:
    """Have a chat begin anew; return how many turns it has remembered."""
    count = len(view.path(chat))
    if page := ledger.running(view.user_id):
        page.did(Clear(chat=chat))
    elif count:
        _outside(ledger, view, chat, [], Clear(chat=chat))
    return count


def fork(ledger: Ledger, view: SessionView, chat: str, source: str, at: int | None) -> None:
    """Have a chat go on from where another one is, or was after so many turns."""
    nodes = view.path(source).nodes
    if page := ledger.running(view.user_id):
        page.did(Fork(chat=chat, source=source))
        if at is not None:
            page.did(Back(chat=chat, to=at))
    else:
        go_to(ledger, view, chat, nodes if at is None else nodes[:at])


def go_to(ledger: Ledger, view: SessionView, chat: str, to: Sequence[Node]) -> None:
    """Have a chat remember these turns."""
    now = view.path(chat).nodes
    same = next((at for at, (a, b) in enumerate(zip(now, to, strict=False)) if a is not b), min(len(now), len(to)))
    gone, new = tuple(node.id for node in now[same:]), tuple(node.id for node in to[same:])
    effects: list[Drop | Put | Clear] = [Drop(chat=chat, turns=gone)] if gone else []
    effects += [Put(chat=chat, turns=new)] if new else []
    page = ledger.running(view.user_id)
    if page and gone and not new:
        page.did(Back(chat=chat, to=same))
    elif page:
        for effect in effects:
            page.did(effect)
    elif effects:
        _outside(ledger, view, chat, to, *effects)


def again(ledger: Ledger, view: SessionView, chat: str) -> bool:
    """Have a cell go where it went in a chat when it ran before, if it has not been edited; return whether it did."""
    page = ledger.running(view.user_id)
    former = page.former_moves(chat) if page else []
    if page is None or not any(isinstance(effect, Put) for effect in former):
        return False
    for effect in former:
        page.did(effect)
    return True


def take_out(ledger: Ledger, view: SessionView, chat: str, turns: tuple[str, ...]) -> None:
    """Take turns out of a chat's memory, outside cells, because another one is about to take their place."""
    _record(ledger, view, chat, Drop(chat=chat, turns=turns))


def _outside(ledger: Ledger, view: SessionView, chat: str, to: Sequence[Node], *effects: Drop | Put | Clear) -> None:
    """Record what was done outside cells; without a page the chat's head says what it remembers from now on."""
    with ledger.runtime.lock:
        _record(ledger, view, chat, *effects)
        if view.user_id not in ledger.pages:
            ids = [node.id for node in to]
            own = [node.id for node in view.record.path(ids[-1]).nodes] if ids else []
            context = None if own == ids else ids[:-1]
            ledger.write(view, partial(make.head_entry, chat=chat, message=ids[-1] if ids else None, context=context))
        ledger.runtime.tell_changed(view, chat)


def _record(ledger: Ledger, view: SessionView, chat: str, *effects: Drop | Put | Clear) -> None:
    page, nodes = ledger.pages.get(view.user_id), view.path(chat).nodes
    asked_by = [node.cell.id for node in nodes if node.cell]
    changed = (turn for effect in effects if not isinstance(effect, Clear) for turn in effect.turns)
    if page is None and not asked_by and not any(view.record.nodes[turn].cell for turn in changed):
        return  # of what no cell has asked, the head says whether it is remembered
    after = page.after(chat) if page else next((cell for cell in reversed(asked_by) if cell), "")
    context = [node.id for node in nodes] if asked_by else []
    for effect in effects:
        turns = () if isinstance(effect, Clear) else effect.turns
        build = partial(make.outside_entry, chat=chat, after=after or None, context=context, turns=turns)
        ledger.write(view, partial(build, op=_OPS[type(effect)]))


_OPS: dict[type, Literal["drop", "put", "clear"]] = {Drop: "drop", Put: "put", Clear: "clear"}
