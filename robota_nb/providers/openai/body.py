"""What the body of a response is: told by its first bytes, as servers and gateways often label it wrongly."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Kind", "sniffed"]

Kind: TypeAlias = Literal["events", "json", "page", "words"]
"""A stream of events, JSON in one piece, a web page, or anything else: plain words, or nothing."""

_BOM = b"\xef\xbb\xbf"
_EVENTS = re.compile(rb":|(data|event|id|retry|error)\s*(:|$)", re.IGNORECASE)
_FIELDS = (b"data", b"event", b"error", b"retry", b"id")
_LABELS: dict[str, Kind] = {"text/event-stream": "events", "application/json": "json"}


def sniffed(pieces: Iterator[bytes], label: str) -> tuple[Kind, Iterator[bytes]]:
    """Return what a body is, and all of it but the space before it; what tells nothing is what its *label* says.

    Parameters
    ----------
    pieces
        The body as it arrives; no more of it is awaited than is needed to tell.
    label
        Its media type, in lower case.
    """
    head = b""
    for piece in pieces:
        head = (head + piece).lstrip().removeprefix(_BOM).lstrip()
        if kind := _kind(head, label):
            return kind, chain([head], pieces)
    return _LABELS.get(label, "words"), iter([head])


def _kind(head: bytes, label: str) -> Kind | None:
    """Return what a body is that begins so; None if more is needed to tell."""
    if not head or _BOM.startswith(head):
        return None
    if head.startswith((b"{", b"[")):
        return "json"
    if head.startswith(b"<"):
        return "page"
    if label in _LABELS and (label != "application/json" or not _may_be_events(head)):
        return _LABELS[label]
    if _EVENTS.match(head):
        return "events"
    return None if _may_be_events(head) else "words"


def _may_be_events(head: bytes) -> bool:
    return _EVENTS.match(head) is not None or any(field.startswith(head.lower()) for field in _FIELDS)
