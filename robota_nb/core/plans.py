"""What is to be asked outside cells: at the end of a chat, or in the place of one of its turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.plan import Plan
from robota_nb.core.record import entries as make

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robota_nb.core.ledger import Ledger
    from robota_nb.core.ports import Attachment
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.record.view import SessionView


def at_end(ledger: Ledger, view: SessionView, chat: str, text: str, attached: Sequence[Attachment]) -> Plan:
    """Return the plan to ask a text after all that a chat remembers."""
    config, along = ledger.to_ask(view.config(chat)), tuple(attached)
    if page := ledger.pages.get(view.user_id):
        before = page.said(chat).context
        place, context = page.last_of(before)
        return Plan(
            text=make.clean(text), before=before, place=place, context=context, config=config, attached=along,
            after=page.after(chat),
        )  # fmt: skip
    path = view.path(chat)
    whole = tuple(node.id for node in path.nodes) if view.record.chats[chat].head_context is not None else None
    return Plan(text=make.clean(text), before=path, place=view.head(chat), context=whole, config=config, attached=along)


def instead(ledger: Ledger, view: SessionView, chat: str, text: str, node: Node) -> Plan:
    """Return the plan to ask a text in the place of a turn, with its settings, pictures, files and options."""
    record, path = view.record, view.path(chat)
    at = path.place(node) - 1
    before, gone = path.nodes[:at], tuple(one.id for one in path.nodes[at:])
    along = record.attachments(node.user)
    config = record.config(node.config) if node.config else view.config(chat)
    if page := ledger.pages.get(view.user_id):
        context = page.said(chat).context.first(at)
        place, whole = page.last_of(context)
        return Plan(
            text=make.clean(text), before=context, place=place, context=whole, options=node.options, attached=along,
            config=config.with_settings(page.clicked_settings(chat)), after=page.after(chat), instead_of=gone,
        )  # fmt: skip
    own = record.path(before[-1].id).nodes if before else []
    return Plan(
        text=make.clean(text), before=path.first(at), place=before[-1].id if before else None,
        context=None if own == before else tuple(one.id for one in before), options=node.options, attached=along,
        config=config.with_settings(record.set_since(chat)), instead_of=gone,
    )  # fmt: skip
