"""What a model is told that a tool has returned, or that it has raised: text."""

from __future__ import annotations

import json
import sys
from io import StringIO
from typing import Any

from robota_nb.core.record.attachments import picture_type
from robota_nb.core.users import without_home
from robota_nb.errors import ToolError

__all__ = ["MAX_ERROR", "MAX_RESULT", "error_text", "result_text"]

MAX_RESULT = 50_000
"""Characters of a result; of a longer one the beginning and the end."""

MAX_ERROR = 500
"""Characters of what is said of an error."""

_PICTURES = (("PIL.Image", "Image"), ("IPython.core.display", "Image"), ("matplotlib.artist", "Artist"))
"""Classes of pictures, and of what draws one."""


def result_text(value: object, limit: int = MAX_RESULT) -> str:
    """Return what a tool has returned as text for a model.

    Parameters
    ----------
    value
        A string is taken as it is; what JSON has, and models of pydantic, as JSON, so nothing is ``null``. Anything
        else as a cell shows it without pictures: a data frame as its ``repr``, as large as pandas is told to show it.
    limit
        The most characters; of a longer text, the middle is left out.

    Raises
    ------
    ToolError
        If it is a picture, which no result can be.
    Exception
        What the ``repr`` of the value raises.

    Examples
    --------
    >>> result_text({"city": "Tromsø", "degrees": 7})
    '{"city": "Tromsø", "degrees": 7}'
    >>> result_text(None)
    'null'
    """
    items = value if isinstance(value, (list, tuple)) else ()
    if any(map(_is_picture, (value, *items[:100]))):
        raise ToolError("a tool cannot return a picture, as results are text: return what it shows in words or numbers")
    return _cut(str.__str__(value) if isinstance(value, str) else _as_json(value) or _shown(value), limit)


def error_text(error: BaseException) -> str:
    """Return what a model is told of an error: its type and what it says, without where it was raised.

    Examples
    --------
    >>> error_text(KeyError("Oslo"))
    "KeyError: 'Oslo'"
    """
    try:
        said = str(error).strip()
    except Exception:  # noqa: BLE001 - it is the user's class
        said = ""
    text = without_home(f"{type(error).__name__}: {said}" if said else type(error).__name__)
    return text if len(text) <= MAX_ERROR else f"{text[: MAX_ERROR - 1]}…"


def _is_picture(value: object) -> bool:
    if isinstance(value, (bytes, bytearray)):
        return bool(picture_type(bytes(value[:100])))
    kinds = {(base.__module__, base.__name__) for base in type(value).__mro__}
    return not kinds.isdisjoint(_PICTURES) or callable(getattr(type(value), "savefig", None))


def _as_json(value: object) -> str:
    """Return a value as JSON; empty if JSON has no such value."""
    if isinstance(value, tuple) and type(value) is not tuple:  # its items have names, which JSON would not have
        return ""
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        return ""


def _plain(value: Any) -> object:
    """Return a model of pydantic as what JSON has; raise `TypeError` for anything else that JSON has not."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not isinstance(value, pydantic.BaseModel):
        raise TypeError
    return value.model_dump(mode="json")


def _shown(value: object) -> str:
    """Return what a cell that ends with this value shows as plain text."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return repr(value)
    formatter = shell.display_formatter.formatters["text/plain"]
    if not formatter.pprint:
        return repr(value)
    from IPython.lib import pretty

    # As the formatter does it. That one would show an error of the value's repr in the cell, and return None.
    printer_of: Any = pretty.RepresentationPrinter
    stream = StringIO()
    printer = printer_of(
        stream, formatter.verbose, formatter.max_width, formatter.newline, max_seq_length=formatter.max_seq_length,
        singleton_pprinters=formatter.singleton_printers, type_pprinters=formatter.type_printers,
        deferred_pprinters=formatter.deferred_printers,
    )  # fmt: skip
    printer.pretty(value)
    printer.flush()
    return stream.getvalue()


def _cut(text: str, limit: int) -> str:
    """Return a text with its middle left out, if it is longer than *limit*."""
    if len(text) <= limit:
        return text
    room = max(limit - len(_gap(len(text))), 0)
    tail = room // 3
    head = room - tail
    return f"{text[:head]}{_gap(len(text) - room)}{text[len(text) - tail :]}"


def _gap(size: int) -> str:
    return f"\n… {size:,} characters left out …\n"
