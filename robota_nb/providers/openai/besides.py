"""What answers have beside their text, wherever servers put it: sources, and pictures. Pure: JSON values in."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from robota_nb.core.ports import Besides, Image, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["KEYS", "BesidesReader"]

_ANNOTATIONS = "annotations"
_LISTS = (
    *("citations", "search_results", _ANNOTATIONS, "references", "sources", "web_search", "search_info", "context"),
    *("grounding_metadata", "groundingMetadata", "grounding_chunks", "groundingChunks"),
)
"""Where sources stand (Perplexity, xAI, OpenAI, OpenRouter, Azure, Qwen, Zhipu, Gemini and their like)."""

KEYS = frozenset({*_LISTS, "images"})
"""The keys under which there is something beside the text, in chunks, choices, deltas and messages."""

_ADDRESSES = ("url", "uri", "link", "href", "source_url")
_TITLES = ("title", "name", "filename", "file_name", "site_name", "filepath", "file_id")
_NESTED = ("url_citation", "file_citation", "web", "document", "documents", "source", "sources", "metadata")
_DEEPEST = 4

_PICTURES = (
    *("image_url", "url", "b64_json", "base64", "image_base64", "data", "inline_data", "inlineData", "source", "image"),
)
"""Where a picture stands in a part of an answer."""
_INLINE = frozenset({"image_url", "inline_data", "inlineData"})  # Gemini's parts have no type
PICTURE = "Picture"
"""How a link to a picture begins: where our labextension draws it, a click shows that."""


class BesidesReader:
    """Gathers what comes beside the text of one answer."""

    def __init__(self) -> None:
        self._refused = False
        self._changed = False  # since it was told
        self._sources: list[Source] = []
        self._titles: dict[str, str] = {}
        self._remote: dict[str, Source] = {}  # pictures that are addresses
        self._pictures: dict[Image, None] = {}
        self._last: dict[str, Any] = {}  # what was read: some servers send all of it with every chunk

    @property
    def shows(self) -> bool:
        """Whether there is something that can stand for an answer."""
        return bool(self._pictures or self._remote)

    def take(self, holder: Mapping[str, Any]) -> None:
        """Take what stands in a chunk, a choice, a delta or a message."""
        if KEYS.isdisjoint(holder):
            return
        for key, found in _lists(holder, self._last):
            self._add(found, is_numbered=key != _ANNOTATIONS)
        images = holder.get("images")
        for image in images if isinstance(images, list) else ():
            self._add_picture(_picture(image))

    def take_parts(self, parts: list[Any]) -> None:
        """Take the pictures among the parts of an answer, and Mistral's references."""
        for part in parts:
            kind = part.get("type") if isinstance(part, dict) else None
            if (isinstance(kind, str) and "image" in kind) or (kind is None and not _INLINE.isdisjoint(part)):
                self._add_picture(_picture(part))
            elif isinstance(kind, str) and "reference" in kind:
                self._add(list(_sources(part)), is_numbered=False)

    def refuse(self) -> None:
        """Note that the model refuses."""
        self._changed = self._changed or not self._refused
        self._refused = True

    def news(self) -> Besides | None:
        """Return all that has come, if something has come since the last call."""
        if not self._changed:
            return None
        self._changed = False
        sources = (Source(title=s.title or self._titles.get(s.url, ""), url=s.url) for s in self._sources)
        return Besides(
            sources=(*sources, *self._remote.values()), pictures=tuple(self._pictures), refused=self._refused
        )

    def _add_picture(self, picture: Image | str) -> None:
        self._changed = self._changed or bool(picture)
        if isinstance(picture, Image):
            self._pictures.setdefault(picture)
        elif picture:
            self._remote.setdefault(picture, Source(title=PICTURE, url=picture))

    def _add(self, found: list[Source], *, is_numbered: bool) -> None:
        """Add sources: a list that goes on from what is known takes its place, of others what is new is added."""
        self._changed = self._changed or bool(found)
        self._titles |= {source.url: source.title for source in found if source.title and source.url}
        known, new = _names(self._sources), _names(found)
        if is_numbered and new[: len(known)] == known:
            self._sources = found
        elif known[: len(new)] != new:
            seen = set(known)
            for source, name in zip(found, new, strict=True):
                if name not in seen:
                    seen.add(name)
                    self._sources.append(source)


def _names(sources: Iterable[Source]) -> list[str]:
    return [source.url or source.title for source in sources]


def _lists(holder: Mapping[str, Any], last: dict[str, Any], depth: int = 0) -> Iterator[tuple[str, list[Source]]]:
    """Yield the lists of sources that are not as they were before, and the keys under which they stand."""
    for key in _LISTS:
        value = holder.get(key)
        if isinstance(value, list) and value != last.get(key):
            last[key] = value
            yield key, [source for item in value for source in _sources(item)]
        elif isinstance(value, dict) and depth < _DEEPEST:
            yield from _lists(value, last, depth + 1)


def _sources(item: Any, depth: int = 0) -> Iterator[Source]:
    """Yield the sources that an item of a list names: mostly one."""
    if isinstance(item, str):
        yield Source(url=item)
    elif isinstance(item, list) and depth < _DEEPEST:
        for each in item:
            yield from _sources(each, depth + 1)
    elif isinstance(item, dict) and item.get("type") != "file":  # the text of a file of the user's own
        url, title = _first(item, _ADDRESSES), _first(item, _TITLES)
        nested = [inner for key in _NESTED if isinstance(inner := item.get(key), (dict, list))]
        found = [] if url or depth >= _DEEPEST else [one for inner in nested for one in _sources(inner, depth + 1)]
        if found:
            yield from found
        elif url or title:
            yield Source(title=title, url=url)


def _first(item: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((item[name] for name in names if isinstance(item.get(name), str) and item[name].strip()), "")


def _picture(part: Any) -> Image | str:
    """Return the picture in a part of an answer, or its address; empty if there is none."""
    said = _reference(part)
    if said.startswith(("http://", "https://")):
        return said
    head, comma, data = said.partition(",")
    if not head.startswith("data:"):
        return Image(media_type="", data=_bytes(said)) if said else ""
    return Image(media_type="", data=_bytes(data) if comma and ";base64" in head.lower() else b"")


def _reference(part: Any, depth: int = 0) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or depth > _DEEPEST:
        return ""
    return next((found for key in _PICTURES if (found := _reference(part.get(key), depth + 1))), "")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "==")  # more padding than is due is ignored
    except (binascii.Error, ValueError):
        return b""
