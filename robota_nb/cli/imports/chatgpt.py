"""ChatGPT's export: ``conversations.json``, in which a conversation is a tree of messages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from robota_nb.cli.imports.talks import Said, Talk, fields, items, talk_of, text, time_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "ChatGPT"

_DROPPED = {
    "thoughts": "thoughts", "reasoning_recap": "thoughts", "user_editable_context": "custom instructions",
    "model_editable_context": "custom instructions",
}  # fmt: skip
_TEXTS = ("text", "multimodal_text")


def is_one(value: dict[str, Any]) -> bool:
    """Say whether this is a conversation of such an export."""
    return isinstance(value.get("mapping"), dict)


def read(value: dict[str, Any]) -> Talk:
    """Read a conversation."""
    dropped = Counter[str]()
    return talk_of(
        id=text(value.get("conversation_id")) or text(value.get("id")), title=text(value.get("title")),
        at=time_of(value.get("create_time")), messages=_messages(value["mapping"], dropped),
        last=text(value.get("current_node")), dropped=dropped,
    )  # fmt: skip


def _messages(mapping: dict[str, Any], dropped: Counter[str]) -> Iterator[Said]:
    for name, node in mapping.items():
        parent, message = text(fields(node).get("parent")), fields(fields(node).get("message"))
        role, said = _said(message, dropped) if message else ("", "")
        model = text(fields(message.get("metadata")).get("model_slug"))
        yield Said(
            text(name), parent, "user" if role == "user" else "assistant" if role == "assistant" else "", said,
            time_of(message.get("create_time")), model,
        )  # fmt: skip


def _said(message: dict[str, Any], dropped: Counter[str]) -> tuple[str, str]:
    """Return who says a message, and what; of one that is not taken, nothing."""
    role = text(fields(message.get("author")).get("role"))
    content, recipient = fields(message.get("content")), text(message.get("recipient"))
    kind = text(content.get("content_type"))
    parts = items(content.get("parts"))
    said = "\n".join(part for part in map(_text_of, parts) if part)
    what = ""
    if kind in _DROPPED:
        what = _DROPPED[kind]
    elif role == "tool" or (role == "assistant" and recipient not in ("", "all")):
        what = "tool calls and what they returned"
    elif role not in ("user", "assistant"):
        what = "system messages" if said else ""
    elif kind not in _TEXTS:
        what = f"messages of the kind {kind[:40]!r}"
    elif not fields(message.get("metadata")).get("is_visually_hidden_from_conversation"):
        if pictures := sum(not isinstance(part, str) and not _text_of(part) for part in parts):
            dropped["pictures, sounds and files"] += pictures
        return role, said
    else:
        what = "hidden messages" if said else ""
    if what:
        dropped[what] += 1
    return "", ""


def _text_of(part: object) -> str:
    """Return what a part of a message says: that of a spoken one is what was heard."""
    spoken = fields(part)
    return text(part) or (text(spoken.get("text")) if spoken.get("content_type") == "audio_transcription" else "")
