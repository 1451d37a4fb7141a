"""Files of single chats: written whole or not at all, and read with care."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.carriers.atomic import explained, replace_file
from robota_nb.carriers.paths import resolved
from robota_nb.core import chat_format as exchange
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from pathlib import Path

    from robota_nb.core.chat import Chat
    from robota_nb.core.ports import Entry

_FORMS = (".md", ".json")


def write(chat: Chat, path: str) -> Path:
    """Write a chat into a file, in place of an earlier export.

    Raises
    ------
    SnapshotError
        If the file is another one, or cannot be written.
    """
    target = _path(path)
    text = exchange.to_markdown(chat) if target.suffix == ".md" else exchange.to_json(chat)
    data = text.encode()
    with explained(target, "written"):
        there = target.exists()
        if there and not (target.is_file() and exchange.is_export(_bytes(target), target.suffix)):
            raise SnapshotError(f"{target.name} is there, and is no exported chat: choose another name")
    replace_file(target, data)
    return target


def read(path: str) -> exchange.Talk | dict[str, dict[str, Entry]]:
    """Read an exported chat: of Markdown its turns, of JSON its entries.

    Raises
    ------
    SnapshotError
        If it is no exported chat, or damaged.
    """
    source = _path(path)
    with explained(source, "read"):
        if not source.is_file():
            raise SnapshotError(f"there is no file {source.name!r}; check its path")
        data = _bytes(source)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SnapshotError(f"{source.name} is not UTF-8 text", hint="file.exported") from None
    is_markdown = source.suffix == ".md"
    return exchange.from_markdown(text, source.name) if is_markdown else exchange.from_json(text, source.name)


def _bytes(source: Path) -> bytes:
    with source.open("rb") as file:
        data = file.read(exchange.MAX_BYTES + 1)
    if len(data) > exchange.MAX_BYTES:
        raise SnapshotError(f"{source.name} is over the cap of {exchange.MAX_BYTES // 1_000_000} MB")
    return data


def _path(path: str) -> Path:
    found = resolved(path, "give a file name")
    if found.suffix not in _FORMS:
        raise SnapshotError(f"{found.name!r} is neither .md nor .json: give a name that says which")
    return found
