"""The cells of a notebook as they go along with an ask: their sources, and what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.cell_source import MAX_OUTPUT, MAX_PICTURES, MAX_SOURCE
from robota_nb.core.record.attachments import MAX_IMAGE_BYTES
from robota_nb.core.record.entries import source_hash, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.carriers.messages import Sources
    from robota_nb.core.cell_source import CellSource

CELLS, OUTPUTS = "--cells", "--outputs"
"""What the source of a cell holds that asks with other cells, and with what they show."""

MAX_TOLD = 1_000_000
"""Characters of sources that a kernel is told; of more, the cells nearest above the asking one are told."""

_TEXTS = ("text/plain", "text/markdown")
_PICTURES = ("image/png", "image/jpeg")
_LARGEST = MAX_IMAGE_BYTES * 4 // 3 + 4
"""Characters of a picture in base64."""


def sources(notebook: Mapping[str, Any], asking: str = "", *, outputs: bool = False) -> list[CellSource]:
    """Return the cells of a notebook, code and Markdown, from the top.

    Parameters
    ----------
    notebook
        As JSON, or as nbformat reads it.
    asking
        The id of the cell that asks with them; empty if it is none, and all are told as they are.
    outputs
        Whether what they show is told, too.
    """
    found: list[CellSource] = []
    used = set[str]()
    number = 0
    for cell in (one for one in notebook["cells"] if isinstance(one, dict)):
        kind = cell.get("cell_type")
        if kind not in ("code", "markdown"):
            continue
        key = str(cell.get("id") or f"#{number}")
        if kind == "code":  # as `robota_nb.carriers.output.code_cells` calls them
            key = f"#{number}" if key in used else key
            used.add(key)
            number += 1
        text = _whole(cell.get("source"))
        source: CellSource = {"id": key, "type": kind, "hash": source_hash(text), "source": text}
        metadata = cell.get("metadata") or {}
        if isinstance(name := metadata.get("name"), str):
            source["name"] = name
        if isinstance(tags := metadata.get("tags"), list):
            source["tags"] = [tag for tag in tags if isinstance(tag, str)]
        if outputs and kind == "code":
            _add_shown(source, cell.get("outputs") or ())
        found.append(source)
    if asking:
        _fit(found, next((at for at, one in enumerate(found) if one["id"] == asking), len(found)))
    return found


def _fit(cells: list[CellSource], asking: int) -> None:
    """Cut what is longer than is sent, and leave out what has no room: the nearest cells above take theirs first."""
    room = MAX_TOLD
    for cell in (*reversed(cells[:asking]), *cells[asking:]):
        size = len(cell["source"])
        cell["source"] = cell["source"][:MAX_SOURCE] if room > 0 else ""
        if len(cell["source"]) < size:
            cell["size"] = size
        room -= len(cell["source"])


def told_of(notebook: Mapping[str, Any], cell: Mapping[str, Any]) -> Sources | None:
    """Return what a kernel is told before a cell of a notebook runs that asks with others; None if it does not."""
    source = _whole(cell.get("source"))
    if CELLS not in source:
        return None
    code = [one for one in notebook["cells"] if one.get("cell_type") == "code"]
    key = cell.get("id") or next((f"#{number}" for number, one in enumerate(code) if one is cell), "")
    return {"op": "sources", "cell": str(key), "cells": sources(notebook, str(key), outputs=OUTPUTS in source)}


def _add_shown(source: CellSource, outputs: Iterable[Mapping[str, Any]]) -> None:
    shown = list(outputs)
    text = "\n".join(part.removesuffix("\n") for one in shown if (part := _text(one)))
    if text:
        source["output"] = text[-MAX_OUTPUT - 1 :]  # one more says that there is more
    pictures = [data for one in shown if (data := _picture(one))]
    kept = [data for data in pictures if len(data) <= _LARGEST][:MAX_PICTURES]
    if kept:
        source["pictures"] = kept
    if lost := len(pictures) - len(kept):
        source["lost"] = lost


def _text(output: Mapping[str, Any]) -> str:
    """Return an output as text, as our labextension does; empty if it is none."""
    match output.get("output_type"):
        case "stream":
            return _whole(output.get("text"))
        case "error":
            lines = [line for line in output.get("traceback") or () if isinstance(line, str)]
            return "\n".join(lines) or f"{output.get('ename')}: {output.get('evalue')}"
    return next(_of_types(output, _TEXTS), "")


def _picture(output: Mapping[str, Any]) -> str:
    return "".join(next(_of_types(output, _PICTURES), "").split())


def _of_types(output: Mapping[str, Any], types: Iterable[str]) -> Iterator[str]:
    data = output.get("data") or {}
    return (_whole(data[one]) for one in types if one in data)


def _whole(text: object) -> str:
    """Return a text that may stand there in lines."""
    return text if isinstance(text, str) else to_text(text) if isinstance(text, list) else ""
