"""What is shown of an answer beside its text: its sources, its pictures, and what of them is not kept.

Titles and addresses are from strangers: what is made of them is text, and links that nothing follows by itself.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from robota_nb.core.record.attachments import MAX_IMAGE_BYTES
from robota_nb.core.record.besides import MAX_PICTURE_BYTES
from robota_nb.core.record.text import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robota_nb.core.record.types import Besides, Image, Source

__all__ = ["notes", "picture_data", "pictures_plain", "sources_markdown", "sources_plain"]

REFUSED = "the model refused to answer"

_MARKS = re.compile(r"[`*_\[\]<>&|~@]|^[#+=-]|(?<=\d)[.)](?=\s|$)|:(?=//)|(?<=www)\.")
_BACKSLASH = "\u29f5"  # looks like one; front ends look for formulas and their commands after all escapes
_UNNAMED = "not named"


def notes(besides: Besides, *, is_whole: bool) -> Iterator[str]:
    """Yield what is to be said of it, a line each; *is_whole*: the answer ended by itself."""
    if besides.refused and is_whole:
        yield REFUSED
    if besides.lost_pictures:
        what = count(besides.lost_pictures, "picture")
        yield (
            f"{what} of the answer not kept: only PNG, JPEG, GIF and WebP are, of up to {MAX_IMAGE_BYTES:,} bytes each "
            f"and {MAX_PICTURE_BYTES:,} in all"
        )


def sources_markdown(besides: Besides) -> str:
    """Return the sources as a numbered list in Markdown, as answers refer to them by their numbers."""
    if not besides.sources:
        return ""
    lines = [f"{number}. {_link(source)}" for number, source in enumerate(besides.sources, 1)]
    return "\n".join(["**Sources**", "", *lines, *(["", f"*— {more}*"] if (more := _more(besides)) else [])])


def sources_plain(besides: Besides) -> str:
    """Return the sources as lines of plain text."""
    if not besides.sources:
        return ""
    lines = [f"[{number}] {_named(source)}" for number, source in enumerate(besides.sources, 1)]
    return "\n".join(["Sources", *lines, *([f"— {more}"] if (more := _more(besides)) else [])])


def _more(besides: Besides) -> str:
    return f"and {count(besides.more_sources, 'more source')}, not kept" if besides.more_sources else ""


def _named(source: Source) -> str:
    return " ".join(part for part in (source.title, source.url) if part) or _UNNAMED


def _link(source: Source) -> str:
    if not source.url:
        return _as_text(source.title or _UNNAMED)
    host = source.url.split("/")[2]
    if source.title:
        return f"[{_as_text(source.title)}]({source.url}) ({_as_text(host)})"
    return f"[{_as_text(source.url.partition('//')[2])}]({source.url})"


def _as_text(text: str) -> str:
    """Return a text as Markdown that shows it, and in which front ends find no formula and no link."""
    text = _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", text)
    return text.replace("\\", _BACKSLASH).replace("$", r"\$")


def picture_data(picture: Image, number: int) -> dict[str, str]:
    """Return the data of the output that shows a picture."""
    said = f"picture {number} of the answer, {len(picture.data):,} bytes"
    return {picture.media_type: base64.b64encode(picture.data).decode(), "text/plain": f"<{said}>"}


def pictures_plain(besides: Besides) -> Iterator[str]:
    """Yield a line for each picture, where none can be shown."""
    for number, picture in enumerate(besides.pictures, 1):
        yield f"picture {number}: {picture.media_type}, {len(picture.data):,} bytes"
