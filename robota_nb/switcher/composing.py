"""What is sent of a draft: its text with variables filled in, and below it what the user has attached."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.core import files as reading
from robota_nb.core.cell_source import MAX_OUTPUT
from robota_nb.core.record.attachments import content_parts
from robota_nb.core.record.text import fenced
from robota_nb.core.record.types import File, Image
from robota_nb.errors import PromptError, nearest
from robota_nb.prompt import cells
from robota_nb.prompt.fields import Expanded, expand
from robota_nb.prompt.images import image
from robota_nb.prompt.last_error import last_error, with_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from robota_nb.core.events import Notice
    from robota_nb.switcher.messages import Arguments, Attachment

MAX_LISTED = 20
"""Items that are sent of a list, a dict or the like, and lines of a text."""
_CUT = "…\n"


class Composed(NamedTuple):
    """A prompt, with what goes along with it, and what its user should know of it."""

    text: str
    images: Sequence[Image]
    files: Sequence[File]
    notices: Sequence[Notice]

    @property
    def said(self) -> str:
        """All of it that is sent as text."""
        content = content_parts(self.text, [*self.images, *self.files])
        return content if isinstance(content, str) else str(content[0]["text"])


def compose(
    args: Arguments, variables: Mapping[str, Any], is_prompt: Callable[[str], bool] = lambda _: False
) -> Composed:
    """Return what a view's draft stands for.

    Only what the user has typed is looked through for ``{{ name }}``: what is attached is a text as it is.

    Parameters
    ----------
    args
        Of an action, with ``text``, ``fields`` and ``attached``.
    variables
        The user's.
    is_prompt
        Says whether the source of a cell is a prompt, which is no cell to send.

    Raises
    ------
    PromptError
        If a field or an attachment cannot be filled in, or nothing would be sent.
    """
    text = args.get("text", "")
    prompt = expand(text, with_error(variables)) if args.get("fields", False) else Expanded(text=text)
    texts, images, files = [prompt.text], list[Image](), list[File]()
    for one in args.get("attached", []):
        if one["kind"] in ("picture", "file"):
            data, name = _bytes(one), one.get("name", "")
            if one["kind"] == "picture":
                images.append(image(data))
            else:
                read = reading.from_bytes(data, reading.name_of(name))
                files.append(read.file)
                prompt = prompt.with_notices([read.notice] if read.notice else [])
        elif one["kind"] == "cells":
            sent = cells.attached(cells.above(one.get("cells", []), is_prompt), outputs=one.get("outputs", False))
            if sent.lacks:
                raise sent.lacks
            images += [along for along in sent.attached if isinstance(along, Image)]
            files += [along for along in sent.attached if isinstance(along, File)]
            prompt = prompt.with_notices(sent.notices)
        else:
            texts.append(_TEXTS[one["kind"]](one, variables))
    whole = "\n\n".join(part for part in texts if part.strip())
    if not whole:
        raise PromptError("the prompt is empty: write what to send")
    return Composed(whole, images, files, prompt.notices)


def about(name: str, variables: Mapping[str, Any]) -> str:
    """Return what a model should know of a variable: its type and size, of a frame its columns, and its first rows.

    Raises
    ------
    PromptError
        If there is no such variable, or it cannot be shown.
    """
    if name not in variables:
        public = (other for other in variables if not other.startswith("_"))
        raise PromptError(f"no variable {name!r}{nearest(name, public)}: define it, or take it off the message")
    value, parts = variables[name], [f"`{name}`:"]
    is_frame = hasattr(value, "dtypes") and not isinstance(value, type)
    if is_frame:
        parts.append(f"{{{{ {name}.dtypes }}}}")
    parts.append(f"{{{{ {name} | describe }}}}")
    if is_frame:
        parts.append(f"{{{{ {name} | head }}}}")
    elif isinstance(value, (str, list, tuple, dict)):
        parts.append(f"{{{{ {name} | head({MAX_LISTED}) }}}}")
    elif isinstance(value, (int, float, complex, bytes)):
        parts.append(f"{{{{ {name} | repr }}}}")
    return expand("\n\n".join(parts), variables).text


def _variable(one: Attachment, variables: Mapping[str, Any]) -> str:
    return about(one.get("name", ""), variables)


def _cell(one: Attachment, _: Mapping[str, Any]) -> str:
    output = one.get("output", "")
    shown = output if len(output) <= MAX_OUTPUT else _CUT + output[len(_CUT) - MAX_OUTPUT :]
    parts = ["A cell of the notebook:", fenced(one.get("text", ""))]
    return "\n\n".join(parts + (["Its output:", fenced(shown)] if shown.strip() else []))


def _error(_: Attachment, __: Mapping[str, Any]) -> str:
    return f"The last error:\n\n{fenced(last_error())}"


_TEXTS: Mapping[str, Callable[[Attachment, Mapping[str, Any]], str]] = {
    "cell": _cell, "error": _error, "variable": _variable,
}  # fmt: skip


def _bytes(one: Attachment) -> bytes:
    try:
        return base64.b64decode(one.get("data", ""), validate=True)
    except (binascii.Error, ValueError):
        raise PromptError(f"{one.get('name', '')[:60]!r} has not arrived whole: attach it again") from None
