"""What stands under our key in a notebook, put aside: nbformat copies all that it reads or writes several times over.

So a conversation of 5 MB does not take 100 MB to be run and saved, and not 500 MB if it is in a million pieces.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from io import BytesIO
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from robota_nb.core.record.entries import but_plain
from robota_nb.core.record.snapshot import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PIECES = 10_000
"""How many pieces of a text are put together at a time: all of them take many times the text's room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A notebook without what stands under our key.

    Parameters
    ----------
    notebook
        The notebook, with a mark in the place of each value; what has none is shared with the whole one.
    values
        The values, in the order of their marks.
    mark
        What the marks begin with.
    """

    notebook: dict[str, Any]
    values: list[Any]
    mark: str

    def put_back(self, notebook: Mapping[str, Any]) -> None:
        """Put the values into a notebook that was made of this one, in the place of their marks."""
        for metadata in _places(notebook):
            mark = metadata.get(KEY)
            if isinstance(mark, str) and mark.startswith(self.mark):
                # Not by the item: a NotebookNode would make nodes of everything in it.
                dict.__setitem__(metadata, KEY, self.values[int(mark.removeprefix(self.mark))])

    def whole(self, text: str) -> bytes:
        """Return the JSON text of this notebook, indented by one, with the values in the place of their marks.

        Raises
        ------
        UnicodeEncodeError, TypeError, ValueError, RecursionError
            If that can be no JSON.
        """
        found = BytesIO()  # which gives its bytes away without a copy
        at = 0
        for mark in re.finditer(rf'"{self.mark}(\d+)"', text):
            found.write(text[at : mark.start()].encode())
            line = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]
            indent = line[: len(line) - len(line.lstrip(" "))]
            pieces: list[str] = []
            for piece in _pieces(self.values[int(mark[1])], f"\n{indent}"):
                pieces.append(piece)
                if len(pieces) > _PIECES or len(piece) > _PIECES:
                    found.write("".join(pieces).encode())
                    pieces.clear()
            found.write("".join(pieces).encode())
            at = mark.end()
        found.write(text[at:].encode())
        return found.getvalue()


def set_aside(value: Mapping[str, Any], *notebooks: dict[str, Any]) -> Aside:
    """Put the same mark under our key into several notebooks: it stands for a value that they are to share."""
    mark = _new_mark()
    for notebook in notebooks:
        notebook["metadata"][KEY] = f"{mark}0"
    return Aside(notebook={}, values=[value], mark=mark)


def _new_mark() -> str:
    return f"{KEY}:{uuid4().hex}:"


def put_aside(notebook: Mapping[str, Any]) -> Aside:
    """Return a notebook without what stands under our key; the *notebook* itself stays as it is."""
    values: list[Any] = []
    mark = _new_mark()

    def without(holder: Mapping[str, Any]) -> dict[str, Any]:
        values.append(holder["metadata"][KEY])
        return {**holder, "metadata": {**holder["metadata"], KEY: f"{mark}{len(values) - 1}"}}

    slim = without(notebook) if _holds(notebook) else dict(notebook)
    slim["cells"] = [
        {**cell, "outputs": [without(output) if _holds(output) else output for output in cell["outputs"]]}
        if any(map(_holds, _outputs(cell)))
        else cell
        for cell in notebook["cells"]
    ]
    return Aside(notebook=slim, values=values, mark=mark)


def _places(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the metadata in which something stands under our key."""
    if KEY in notebook["metadata"]:
        yield notebook["metadata"]
    for cell in notebook["cells"]:
        yield from (one["metadata"] for one in _outputs(cell) if KEY in (one.get("metadata") or ()))


def _outputs(cell: Any) -> list[Any]:
    outputs = cell.get("outputs") if isinstance(cell, dict) else None
    return outputs if isinstance(outputs, list) else []


def _holds(holder: Any) -> bool:
    metadata = holder.get("metadata") if isinstance(holder, dict) else None
    return isinstance(metadata, dict) and isinstance(metadata.get(KEY), dict)


def _pieces(value: Any, line: str) -> Iterator[str]:
    """Yield the JSON text of a value as nbformat writes it; *line* begins a line at the depth where it stands."""
    deeper = f"{line} "
    if isinstance(value, str):
        yield encode_basestring(value)
    elif isinstance(value, dict) and value:
        separator = "{"
        for key in sorted(value):
            yield f"{separator}{deeper}{encode_basestring(key)}: "
            yield from _pieces(value[key], deeper)
            separator = ","
        yield f"{line}}}"
    elif isinstance(value, (list, tuple)) and value:
        if but_plain(value):
            separator = "["
            for item in value:
                if item == {}:  # as there may be a million of them
                    yield f"{separator}{deeper}{{}}"
                else:
                    yield f"{separator}{deeper}"
                    yield from _pieces(item, deeper)
                separator = ","
            yield f"{line}]"
        else:
            separator = "["
            for at in range(0, len(value), _PIECES):
                some = map(encode_basestring, value[at : at + _PIECES])
                yield f"{separator}{deeper}{f',{deeper}'.join(some)}"
                separator = ","
            yield f"{line}]"
    else:
        yield json.dumps(value, allow_nan=False)
