"""What the program ``llm`` has logged: its ``logs.db``, or what ``llm logs --json`` prints of it."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

from robota_nb.cli.imports.talks import Said, Talk, items, talk_of, text, time_of
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NAME = "llm"

MAX_ROWS = 200_000
_STEPS = 2_000_000_000
"""How many steps SQLite may take for all that is read."""

_COLUMNS = ("id", "model", "resolved_model", "prompt", "system", "response", "conversation_id", "datetime_utc")


def is_one(value: dict[str, Any]) -> bool:
    """Say whether this is a response of such a log."""
    return isinstance(value.get("response"), str) and "prompt" in value and "datetime_utc" in value


def read_rows(rows: Iterable[dict[str, Any]]) -> list[Talk]:
    """Read the conversations that these responses are of."""
    talks = defaultdict[str, list[dict[str, Any]]](list)
    for number, row in enumerate(rows):
        talks[text(row.get("conversation_id")) or text(row.get("id")) or f"#{number}"].append(row)
    return [_read(name, sorted(found, key=lambda row: text(row.get("datetime_utc")))) for name, found in talks.items()]


def _read(name: str, rows: list[dict[str, Any]]) -> Talk:
    dropped = Counter[str]()
    messages = list(_messages(rows, dropped))
    first = rows[0]
    return talk_of(
        id=name, title=text(first.get("conversation_name")) or text(first.get("prompt")).strip().split("\n")[0],
        at=time_of(first.get("datetime_utc")), messages=messages, last=messages[-1].id, dropped=dropped,
    )  # fmt: skip


def _messages(rows: list[dict[str, Any]], dropped: Counter[str]) -> Iterator[Said]:
    before = ""
    for number, row in enumerate(rows):
        at, model = time_of(row.get("datetime_utc")), text(row.get("resolved_model")) or text(row.get("model"))
        if row.get("system"):
            dropped["system messages"] += 1
        for key, what in _BESIDES.items():
            dropped[what] += len(items(row.get(key)))
        yield Said(f"#{number}?", before, "user", text(row.get("prompt")), at)
        yield Said(f"#{number}", f"#{number}?", "assistant", text(row.get("response")), at, model)
        before = f"#{number}"


_BESIDES = {
    "attachments": "pictures, sounds and files", "prompt_fragments": "fragments", "system_fragments": "fragments",
    "tool_calls": "tool calls and what they returned", "tool_results": "tool calls and what they returned",
}  # fmt: skip
_TABLES = {
    "prompt_attachments": "attachments", "prompt_fragments": "prompt_fragments",
    "system_fragments": "system_fragments", "tool_calls": "tool_calls", "tool_results": "tool_results",
}  # fmt: skip
"""The tables with what goes along with a response, and what ``llm logs --json`` calls it."""


def read_database(path: Path) -> list[Talk]:
    """Read the conversations of a ``logs.db``, which may be anybody's: only from its plain tables.

    Raises
    ------
    SnapshotError
        If it is none, or damaged.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return read_rows(_rows(connection, path.name))
    except sqlite3.Error as error:
        raise SnapshotError(
            f"{path.name} cannot be read ({error}): export it with 'llm logs --json -n 0', and import that"
        ) from None


def _rows(connection: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    steps = iter(range(_STEPS // 1_000_000))
    connection.set_progress_handler(lambda: next(steps, None) is None, 1_000_000)
    tables = {table for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "responses" not in tables:
        raise SnapshotError(f"{name} holds no log of llm: export it with 'llm logs --json -n 0', and import that")
    has = {column for _, column, *_ in connection.execute("PRAGMA table_info(responses)")}
    wanted = [column for column in _COLUMNS if column in has]
    found = connection.execute(f"SELECT {', '.join(wanted)} FROM responses LIMIT {MAX_ROWS}")  # noqa: S608 - from the list above
    rows = [dict(zip(wanted, row, strict=True)) for row in found]
    names = dict(_pairs(connection, "conversations", "id, name")) if "conversations" in tables else {}
    along = {
        key: Counter(of for (of,) in _pairs(connection, table, "response_id")) if table in tables else Counter()
        for table, key in _TABLES.items()
    }
    for row in rows:
        row["conversation_name"] = names.get(row.get("conversation_id"))
        row |= {key: [None] * counted[row.get("id")] for key, counted in along.items()}
    return rows


def _pairs(connection: sqlite3.Connection, table: str, columns: str) -> list[Any]:
    return connection.execute(f"SELECT {columns} FROM {table} LIMIT {MAX_ROWS}").fetchall()  # noqa: S608 - both are ours
