"""Claude's export: ``conversations.json``, in which a conversation is a list of messages, each with its parent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from robota_nb.cli.imports.talks import Said, Talk, fields, items, talk_of, text, time_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Claude"

_DROPPED = {
    "tool_use": "tool calls and what they returned", "tool_result": "tool calls and what they returned",
    "thinking": "thoughts",
}  # fmt: skip


def is_one(value: dict[str, Any]) -> bool:
    """Say whether this is a conversation of such an export."""
    return isinstance(value.get("chat_messages"), list)


def read(value: dict[str, Any]) -> Talk:
    """Read a conversation."""
    dropped = Counter[str]()
    messages = list(_messages(value["chat_messages"], dropped))
    last = text(value.get("current_leaf_message_uuid")) or (messages[-1].id if messages else "")
    return talk_of(
        id=text(value.get("uuid")), title=text(value.get("name")), at=time_of(value.get("created_at")),
        messages=messages, last=last, dropped=dropped,
    )  # fmt: skip


def _messages(values: list[Any], dropped: Counter[str]) -> Iterator[Said]:
    before = ""
    for number, value in enumerate(map(fields, values)):
        name = text(value.get("uuid")) or f"#{number}"
        sender = text(value.get("sender"))
        for one in ("attachments", "files"):
            dropped["pictures, sounds and files"] += len(items(value.get(one)))
        parent = text(value["parent_message_uuid"]) if "parent_message_uuid" in value else before
        yield Said(
            name, parent, "user" if sender in ("human", "user") else "assistant" if sender == "assistant" else "",
            _text(value, dropped), time_of(value.get("created_at")), text(value.get("model")),
        )  # fmt: skip
        before = name


def _text(message: dict[str, Any], dropped: Counter[str]) -> str:
    blocks = [fields(block) for block in items(message.get("content"))]
    for block in blocks:
        if (kind := text(block.get("type"))) != "text":
            dropped[_DROPPED.get(kind, f"messages of the kind {kind[:40]!r}")] += 1
    said = [text(block.get("text")) for block in blocks if block.get("type") == "text"]
    return "\n\n".join(filter(None, said)) or ("" if blocks else text(message.get("text")))
