"""What ``--file`` names: a file, or a variable that holds one, its path, or a text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.core import files
from robota_nb.core.record.types import File, Image
from robota_nb.errors import PromptError, nearest
from robota_nb.prompt.fields import EXPRESSION, find, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.files import Read

__all__ = ["Absent", "look_up"]


class Absent(NamedTuple):
    """A file that is not here: what it is called, and the error if that is one."""

    name: str
    error: PromptError


def look_up(expression: str, namespace: Mapping[str, Any]) -> Read | Absent:
    """Return the file that an expression of ``--file`` stands for.

    Parameters
    ----------
    expression
        The path of a file; if there is none, a variable, with attributes and indices as in ``{{ }}``, which is looked
        up, never evaluated.
    namespace
        The user's variables.

    Returns
    -------
    Read or Absent
        A variable's path is read; bytes are a file's; of anything else its text is sent, as ``{{ }}`` would fill it in.

    Raises
    ------
    PromptError
        If it cannot be read, is too large, or is none that models take.
    """
    found = EXPRESSION.fullmatch(expression)
    if files.is_file(expression):
        return files.from_path(expression)
    if found is not None and found["root"] in namespace:
        try:
            value = find(found, namespace, remedy="mend it, or name a file")
        except PromptError as error:  # "data.csv" may be meant as a file, beside a variable "data"
            return Absent(files.name_of(expression), error)
        return _of_value(value, expression)
    if not files.is_absent(expression):
        return files.from_path(expression)  # which says why it cannot be read
    near = nearest(found["root"], (name for name in namespace if not name.startswith("_"))) if found else ""
    what = f"no file and no variable {expression!r}" if found else f"no file {expression!r}"
    return Absent(files.name_of(expression), PromptError(f"{what}{near}: check its path, or name a variable"))


def _of_value(value: object, expression: str) -> Read | Absent:
    if isinstance(value, os.PathLike):
        path = os.fsdecode(value)
        if files.is_absent(path):
            name = files.name_of(path)
            return Absent(name, PromptError(f"no file {name!r}, which {expression!r} is the path of: check it"))
        return files.from_path(path)
    name = files.name_of(expression)
    if isinstance(value, File):
        return files.Read(value)
    if isinstance(value, Image):
        return files.from_bytes(value.data, name)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return files.from_bytes(bytes(value), name)
    return files.Read(files.from_text(text_of(value, expression), name))
