"""What ``--cells`` names: cells of the notebook, which go along with a prompt as they stand.

They are attached, as files are: nothing in them is filled in.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.cell_source import MAX_OUTPUT, MAX_PICTURES, MAX_SOURCE, names_of
from robota_nb.core.record.attachments import MAX_IMAGE_BYTES, TEXT, picture_type
from robota_nb.core.record.controls import strip_controls
from robota_nb.core.record.entries import clean, source_hash
from robota_nb.core.record.kinds import is_source_hash
from robota_nb.core.record.text import count, seen, short
from robota_nb.core.record.types import File, Image
from robota_nb.errors import PromptError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from robota_nb.core.cell_source import CellSource
    from robota_nb.core.record.types import Attachment
    from robota_nb.errors import RobotaError

__all__ = ["ABOVE", "MAX_ALL", "Chosen", "Sent", "above", "attached", "choose"]

ABOVE = "above"
"""What stands for all cells above the one that asks."""

MAX_ALL = 400_000
"""Characters of all cells together that are sent, with what they show; of more, those farthest above are left out."""

MAX_ALL_PICTURES = 16
"""Pictures of all cells together that are sent."""

_NAME = 80
_CUT = "…\n"


class Chosen(NamedTuple):
    """A cell that goes along, and what it is called there."""

    name: str
    cell: CellSource


class Sent(NamedTuple):
    """What goes along of cells, in order, what the user should know of it, and why they cannot be sent, if so."""

    attached: tuple[Attachment, ...] = ()
    notices: tuple[str, ...] = ()
    lacks: RobotaError | None = None


def choose(wanted: str, cells: Sequence[CellSource], asking: str, is_prompt: Callable[[str], bool]) -> list[Chosen]:
    """Return the cells that go along with an ask, in the order of the notebook.

    Parameters
    ----------
    wanted
        `ABOVE`, or names and tags of cells with commas between.
    cells
        All cells of the notebook, from the top.
    asking
        The id of the one that asks: it never goes along.
    is_prompt
        Says whether a source is a prompt, which is context already.

    Raises
    ------
    PromptError
        If no cell, or none but prompts, has one of the names.
    """
    if wanted.strip() == ABOVE:
        end = next((at for at, cell in enumerate(cells) if cell["id"] == asking), len(cells))
        return above(cells[:end], is_prompt)
    names = list(dict.fromkeys(filter(None, map(str.strip, wanted.split(",")))))
    numbered = [(number, cell) for number, cell in enumerate(cells, 1) if cell["id"] != asking]
    if not names:
        raise PromptError(f"no cells are named: say {ABOVE}, or the names or tags of cells")
    for name in names:
        found = [cell for _, cell in numbered if name in names_of(cell)]
        if not found:
            known = {known: None for _, cell in numbered for known in names_of(cell)}
            raise PromptError(
                f"no cell is named or tagged {short(name)!r}{nearest(name, known)}: give it that tag, or say {ABOVE}"
            )
        if all(_is_prompt(cell, is_prompt) for cell in found):
            raise PromptError(f"{short(name)!r} is a prompt, and what its chat has said is sent anyway: leave it out")
    return [
        _chosen(number, cell, next(iter(called)))
        for number, cell in numbered
        if (called := [name for name in names if name in names_of(cell)]) and not _is_prompt(cell, is_prompt)
    ]


def above(cells: Sequence[CellSource], is_prompt: Callable[[str], bool]) -> list[Chosen]:
    """Return those of some cells, the first ones of the notebook, that go along: prompts and empty ones do not."""
    return [
        _chosen(number, cell)
        for number, cell in enumerate(cells, 1)
        if (cell["source"].strip() or cell.get("size")) and not _is_prompt(cell, is_prompt)
    ]


def _is_prompt(cell: CellSource, is_prompt: Callable[[str], bool]) -> bool:
    return cell["type"] == "code" and is_prompt(cell["source"])


def _chosen(number: int, cell: CellSource, called: str = "") -> Chosen:
    name = " ".join(seen(clean(called or cell.get("name", "")), _NAME - 1).split())
    return Chosen(f"cell {name or number}", cell)


def attached(chosen: Sequence[Chosen], *, outputs: bool = False) -> Sent:
    """Return what goes along of cells: their sources, and below each, if *outputs* do, what it shows.

    That is not known of a cell that is still to run: then they cannot be sent.
    """
    pending = next((name for name, cell in chosen if cell.get("pending")), None) if outputs else None
    notices: list[str] = []
    kept: list[tuple[Chosen, str, str]] = []
    room = MAX_ALL
    for one in reversed(chosen):
        source = one.cell["source"][:MAX_SOURCE]
        shown = _shown(one.cell) if outputs else ""
        room -= len(source) + len(shown)
        if room < 0 or (not source and one.cell.get("size")):
            break
        kept.append((one, source, shown))
    kept.reverse()
    if left := len(chosen) - len(kept):
        notices.append(
            f"{count(left, 'cell')}, those farthest above, are left out: there is room for {MAX_ALL:,} characters"
        )
    found: list[Attachment] = []
    pictures = 0
    for one, source, shown in kept:
        found.append(_source(one, source, outputs=outputs))
        notices += _cut(one, outputs=outputs)
        if shown:
            found.append(File(name=f"output of {one.name}", media_type=TEXT, data=shown.encode(), cell="output"))
        if outputs:
            own = list(_pictures(one.cell))
            sent = own[: max(MAX_ALL_PICTURES - pictures, 0)]
            found += sent
            pictures += len(sent)
            if lost := len(one.cell.get("pictures", ())) + one.cell.get("lost", 0) - len(sent):
                notices.append(f"{count(lost, 'picture')} of {one.name} not sent: too many, too large, or none at all")
    lacks = PromptError(f"{pending} was still to run when this was sent, and its output is to go along: ask again")
    return Sent(tuple(dict.fromkeys(found)), tuple(notices), lacks if pending else None)


def _source(one: Chosen, source: str, *, outputs: bool) -> File:
    told = one.cell["hash"]
    is_code = one.cell["type"] == "code"
    return File(
        name=one.name, media_type=TEXT, data=clean(source).encode(),
        cell=("shown" if outputs else "code") if is_code else "markdown",
        source=told if is_source_hash(told) else source_hash(source),
    )  # fmt: skip


def _cut(one: Chosen, *, outputs: bool) -> Iterator[str]:
    """Yield what is to be said of a cell of which not all is sent."""
    size = max(one.cell.get("size", 0), len(one.cell["source"]))
    if size > MAX_SOURCE:
        yield f"{one.name} has {size:,} characters: the first {MAX_SOURCE:,} are sent"
    if outputs and len(one.cell.get("output", "")) > MAX_OUTPUT:
        yield f"the output of {one.name} is cut: its last {MAX_OUTPUT:,} characters are sent"


def _shown(cell: CellSource) -> str:
    """Return the text that a cell shows, as it is sent."""
    whole = cell.get("output", "")
    text = strip_controls(clean(whole))
    if len(whole) > MAX_OUTPUT:
        text = _CUT + text[len(_CUT) - MAX_OUTPUT :]
    return text if text.strip() else ""


def _pictures(cell: CellSource) -> Iterator[Image]:
    for data in cell.get("pictures", ())[:MAX_PICTURES]:
        try:
            read = base64.b64decode(data)
        except (binascii.Error, ValueError):
            continue
        if (media_type := picture_type(read)) and len(read) <= MAX_IMAGE_BYTES:
            yield Image(media_type=media_type, data=read, cell="output")
