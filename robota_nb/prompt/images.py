"""Pictures for a prompt: from a figure, a picture object, bytes or a file to what a model can be sent.

Nothing is imported for it: the user's objects bring what draws them.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robota_nb.core import files
from robota_nb.core.ports import Image
from robota_nb.core.record.attachments import MAX_IMAGE_BYTES, picture_type
from robota_nb.core.users import expanded
from robota_nb.errors import PromptError, nearest
from robota_nb.prompt.fields import EXPRESSION, find

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_IMAGE_BYTES", "image", "look_up"]

_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_AS_PNG = "save it as PNG, and name that file"
_UP = 3  # from axes by way of a subfigure to the figure
_HEAD = 1000  # bytes in which an SVG says that it is one


def image(value: object) -> Image:
    """Return the picture that *value* is, or draws.

    Parameters
    ----------
    value
        A matplotlib figure or axes (anything with ``savefig``, or with a ``figure`` that has it), which is drawn
        as PNG, as notebooks show it; an object that IPython shows as a picture; a PIL image (anything with
        ``save(file, format)``); the bytes of a PNG, JPEG, GIF or WebP file; or the path of one.

    Returns
    -------
    Image
        The same bytes for the same figure, by the same version of what draws it: so a replay finds them again.

    Raises
    ------
    PromptError
        If it is no such picture, cannot be drawn or read, or is larger than `MAX_IMAGE_BYTES`.
    """
    if isinstance(value, Image):
        return _checked(value.data, "the picture")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _checked(bytes(value), "the picture")
    if isinstance(value, (str, os.PathLike)):
        data, name = files.read(os.fsdecode(value), picture=True)
        return _checked(data, repr(name))
    kind = type(value).__name__
    if isinstance(value, type):
        raise PromptError(f"{value.__name__!r} is a class, not a picture: name a figure, a picture, or a file")
    if (draw := _drawn(value)) is None:
        raise PromptError(f"an object of type {kind} is no picture: name a figure, a picture of PIL, bytes, or a file")
    try:
        data = draw()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise PromptError(f"the picture ({kind}) cannot be drawn ({reason}): mend it, or {_AS_PNG}") from error
    return _checked(data, f"the picture ({kind})")


def look_up(expression: str, namespace: Mapping[str, Any]) -> object:
    """Return what an expression of ``--image`` stands for.

    Parameters
    ----------
    expression
        A variable, with attributes and indices as in ``{{ }}``; it is looked up, never evaluated. If it is not
        that, or there is no such thing, the path of a file.
    namespace
        The user's variables.

    Raises
    ------
    PromptError
        If there is neither; the text says which name is near.
    """
    found = EXPRESSION.fullmatch(expression)
    known = found is not None and found["root"] in namespace
    if found is not None and known:
        try:
            return find(found, namespace, remedy="mend it, or name another picture")
        except PromptError:
            if not files.is_file(expression):
                raise
    if files.is_file(expression):
        return Path(expanded(expression))
    near = nearest(found["root"], (name for name in namespace if not name.startswith("_"))) if found else ""
    what = f"no variable and no file {expression!r}" if found else f"no file {expression!r}"
    raise PromptError(f"{what}{near}: name a variable, such as fig or axes[0], or the path of a picture")


def _drawn(value: Any) -> Callable[[], bytes] | None:
    """Return what draws this object, or None if nothing does."""
    figure = value
    for _ in range(_UP):
        if callable(getattr(figure, "savefig", None)):
            return partial(_savefig, figure)
        figure = getattr(figure, "figure", None)
    if data := _displayed(value):
        return lambda: data
    return partial(_save, value) if callable(getattr(value, "save", None)) else None


def _savefig(figure: Any) -> bytes:
    file = BytesIO()
    # Without the name of the software, which changes with its version; and tight, as notebooks show figures.
    figure.savefig(file, format="png", bbox_inches="tight", metadata={"Software": None})
    return file.getvalue()


def _save(picture: Any) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _displayed(value: Any) -> bytes:
    """Return the picture that IPython would show for this object, if any."""
    for method, media_type in (("_repr_png_", "image/png"), ("_repr_jpeg_", "image/jpeg"), ("_repr_mimebundle_", "")):
        shown = getattr(value, method, None)
        if not callable(shown):
            continue
        try:
            result = shown() if media_type else shown(include=None, exclude=None)
        except Exception:  # noqa: BLE001, S112 - as IPython does: then it is not shown so
            continue
        result = result[0] if isinstance(result, tuple) and result else result  # with its metadata
        if not media_type and isinstance(result, Mapping):
            result = next((result[each] for each in _TYPES if each in result), None)
        if data := _bytes(result):
            return data
    return b""


def _bytes(data: object) -> bytes:
    if isinstance(data, str):  # as messages of Jupyter carry it
        try:
            return base64.b64decode(data)
        except (binascii.Error, ValueError):
            return b""
    return bytes(data) if isinstance(data, (bytes, bytearray, memoryview)) else b""


def _checked(data: bytes, what: str) -> Image:
    files.check_size(len(data), what, picture=True)
    if media_type := picture_type(data):
        return Image(media_type=media_type, data=data)
    if not data:
        raise PromptError(f"{what} is empty: name another picture")
    if re.search(rb"<svg[\s>]", data[:_HEAD], re.IGNORECASE):
        raise PromptError(f"{what} is SVG, which models do not take: {_AS_PNG}")
    raise PromptError(f"{what} is not PNG, JPEG, GIF or WebP, and models take no other: {_AS_PNG}")
