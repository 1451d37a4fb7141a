"""What somebody else wrote: it came with a notebook, and this user's store does not know it (DESIGN §5).

`SessionManager.foreign` holds the ids; where the store is empty, as in CI, it holds none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core import reprs
from robota_nb.core.events import Notice

if TYPE_CHECKING:
    from robota_nb.core.chat import Chat
    from robota_nb.core.live import Plan
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Node

MEANING = "neither made in this kernel nor known to your store"
"""What a mark says; the views say it in the same words."""

_LISTED = 8
"""How many settings a notice names."""


def is_foreign(manager: SessionManager, node: Node) -> bool:
    """Say whether somebody else wrote a turn, or one half of it."""
    return node.id in manager.foreign or node.user in manager.foreign


def tell(chat: Chat, plan: Plan) -> None:
    """Before an ask carries what somebody else wrote to a provider, tell the user, once a chat and provider."""
    manager, config = chat.session.manager, plan.asked_of
    told = f"{chat.id} {config.provider}"
    if not manager.foreign or told in manager.warned:
        return
    with manager.lock:
        sent = set(chat.sent(plan.place))
        nodes = chat.session.record.path(plan.place).nodes
        turns = sum(is_foreign(manager, node) and not sent.isdisjoint((node.user, node.id)) for node in nodes)
        settings = _settings(chat, config)
    what = [reprs.count(turns, "foreign turn")] if turns else []
    what += [f"foreign settings ({', '.join(settings)})"] if settings else []
    if what:
        manager.warned.add(told)
        manager.emit(
            Notice(
                text=f"{chat.name!r} sends {' and '.join(what)} to {reprs.asked(config)}: somebody else wrote that; "
                "%robota chat preview shows all that is sent"
            )
        )


def _settings(chat: Chat, config: Config) -> list[str]:
    """Return the names of those settings that are as somebody else has set them."""
    entries = chat.session.record.entries
    theirs: set[tuple[str, str]] = set()
    for eid in entries.keys() & chat.session.manager.foreign:
        theirs.update(entries.kind(eid).settings(entries[eid]).items())
    found = [reprs.short(key) for key, value in config.settings().items() if (key, value) in theirs]
    return [*found[:_LISTED], "…"] if len(found) > _LISTED else found
