"""What answers have beside their text: sources and pictures, as the record holds them. All of it is from strangers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from robota_nb.core.record.attachments import MAX_IMAGE_BYTES, attachment_of, picture_item, picture_type
from robota_nb.core.record.entries import clean
from robota_nb.core.record.kinds import added, is_message
from robota_nb.core.record.text import seen
from robota_nb.core.record.types import TEXT_ALONE, Besides, Image, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.types import MessageEntry

__all__ = ["MAX_PICTURE_BYTES", "MAX_SOURCES", "besides_of", "checked", "put_besides", "web_address"]

MAX_SOURCES = 200
"""How many of an answer are kept."""
MAX_PICTURE_BYTES = 2 * MAX_IMAGE_BYTES
"""What the pictures of an answer may have in all."""
_MAX_TITLE = 200
_MAX_URL = 2000

_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)


def web_address(text: str) -> str:
    """Return an address as a link may carry it, in ASCII; empty if it is none of the web, or says who logs in.

    Examples
    --------
    >>> web_address("https://example.org/a (b)"), web_address("javascript:alert(1)"), web_address("https://a@b.example/")
    ('', '', '')
    >>> web_address("https://example.org/Größe_(a)?q=[1]")
    'https://example.org/Gr%C3%B6%C3%9Fe_%28a%29?q=%5B1%5D'
    """
    text = text.strip()
    if not 0 < len(text) <= _MAX_URL or not text.isprintable() or " " in text:
        return ""
    try:
        parts = urlsplit(text)
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    _, _, rest = text.partition("//")
    written = f"{parts.scheme}://{host}{quote(rest[len(parts.netloc) :], safe='/:?#@!&*+,;=%~')}"
    return written if len(written) <= _MAX_URL else ""


def checked(given: Besides) -> Besides:
    """Return what a snapshot can hold of it, and what may be shown; the rest is counted."""
    sources = [_source(source) for source in given.sources[:MAX_SOURCES]]
    pictures, room = list[Image](), MAX_PICTURE_BYTES
    for picture in map(_picture, given.pictures):
        if picture and len(picture.data) <= room:
            pictures.append(picture)
            room -= len(picture.data)
    lost = len(given.pictures) - len(pictures)
    return replace(
        given,
        sources=tuple(sources),
        pictures=tuple(pictures),
        more_sources=given.more_sources + len(given.sources) - len(sources),
        lost_pictures=given.lost_pictures + lost,
    )


def _source(source: Source) -> Source:
    url = web_address(source.url)
    title = _line(source.title) or ("" if url else _line(source.url))
    return Source(title=title, url=url)


def _line(text: str) -> str:
    """Return a text on one line, cut, without what only acts on other text."""
    line = " ".join(seen(clean(text[: 4 * _MAX_TITLE]), 4 * _MAX_TITLE).split())
    return line if len(line) <= _MAX_TITLE else f"{line[: _MAX_TITLE - 1]}…"


def _picture(picture: Image) -> Image | None:
    media_type = picture_type(picture.data) if len(picture.data) <= MAX_IMAGE_BYTES else ""
    return Image(media_type=media_type, data=picture.data) if media_type else None


# -- in entries


def put_besides(entry: MessageEntry, besides: Besides) -> None:
    """Give an answer's entry what it has besides."""
    if besides.sources:
        entry["sources"] = [
            {key: text for key, text in (("title", source.title), ("url", source.url)) if text}
            for source in besides.sources
        ]
    if besides.pictures:
        entry["pictures"] = [picture_item(picture) for picture in besides.pictures]
    if besides.refused:
        entry["refused"] = 1
    counts = {"sources": besides.more_sources, "pictures": besides.lost_pictures}
    if left_out := {key: count for key, count in counts.items() if count}:
        entry["left_out"] = left_out


def besides_of(record: SessionState, answer: str) -> Besides:
    """Return what a recorded answer has besides."""
    entry = record.entries[answer]
    if _FIELDS.isdisjoint(entry) or not is_message(entry):
        return TEXT_ALONE
    left_out = added(entry, "left_out") or {}
    return checked(
        Besides(
            sources=tuple(_sources(added(entry, "sources") or ())),
            pictures=tuple(
                image for item in added(entry, "pictures") or () if isinstance(image := attachment_of(item), Image)
            ),
            refused=added(entry, "refused") is not None,
            more_sources=left_out.get("sources", 0),
            lost_pictures=left_out.get("pictures", 0),
        )
    )


_FIELDS = frozenset({"sources", "pictures", "refused", "left_out"})


def _sources(said: Iterable[dict[str, Any]]) -> Iterator[Source]:
    for each in said:
        yield Source(title=each.get("title", ""), url=each.get("url", ""))
