"""A notebook as text for ``git diff``: its cells as they stand in the file, its conversations as people read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from robota_nb.carriers import file, output
from robota_nb.cli.git.strip import strip
from robota_nb.core.record import snapshot
from robota_nb.core.record.text import count
from robota_nb.display import report
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def readable(data: bytes) -> bytes:
    """Return the text of a notebook with its conversations written out, instead of entries under their hashes.

    What cannot be read comes back as it is: git shows nothing at all where this fails.
    """
    try:
        notebook = file.loads(data, "the notebook")
        conversations = report.outlined(snapshot.merge(*output.read(notebook)))
        found = strip(notebook)
        text = json.dumps(notebook, indent=1, ensure_ascii=False)
    except (SnapshotError, RecursionError):
        return data
    written = [line for session in conversations for line in _session(session)]
    return "\n".join([text, *map(report.plain, written), ""]).encode(errors="replace") if found else data


def _session(session: Mapping[str, Any]) -> Iterator[str]:
    yield f"= {session['name']}"
    for chat in session["chats"]:
        yield f"== {chat['name']} · {chat['model']}"
        if begun := chat.get("begun"):
            yield f"… {count(begun['turns'], 'turn')} as in {begun['chat']}"
        for turn in chat["turns"]:
            yield from _turn(turn, "")
        for branch in chat["branches"]:
            yield report.branch_head(branch)
            for turn in branch["turns"]:
                yield from _turn(turn, "⎇ ")


def _turn(turn: Mapping[str, Any], margin: str) -> Iterator[str]:
    yield from (f"{margin}> {line}" for line in turn["prompt"].splitlines() or [""])
    yield from (f"{margin}+ {file['name']}, {file['bytes']:,} bytes" for file in turn.get("files", ()))
    yield from (f"{margin}  {line}" for line in turn["reply"].splitlines())
