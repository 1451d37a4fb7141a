"""The library of prompts: Markdown files of a repository or of the user, which ``--prompt`` names.

A repository's stand in ``.robota/prompts`` of the working directory, where the notebook is, or of a folder above it up
to the repository's root. Others may have written them, so their fields get nothing but what the cell gives. The user's
own stand in ``robota_nb/prompts`` of Jupyter's directory for configuration, and are filled as what stands in a cell.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robota_nb.core.record.text import short
from robota_nb.errors import PromptError, nearest
from robota_nb.prompt.fields import MAX_BYTES, Expanded, expand, names, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["NAME", "Listed", "Prompt", "absent", "find", "listed"]

NAME = re.compile(r"[\w-]{1,64}")
"""What a prompt may be called: no path, and nothing that leads out of its folder."""

_ENDING = ".md"
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt of the library.

    Parameters
    ----------
    name
        What it is called.
    text
        Its text, with its fields.
    own
        Whether it is the user's own; else a repository's.
    """

    name: str
    text: str
    own: bool

    def filled(self, given: Mapping[str, str], namespace: Mapping[str, Any]) -> Expanded:
        """Return it with its fields filled in.

        Parameters
        ----------
        given
            What the cell gives: by the name of a field an expression, as `robota_nb.prompt.fields.value_of` takes it.
        namespace
            The user's variables, which are looked up for what is given; in a prompt of the user's own, for all fields.

        Raises
        ------
        PromptError
            If a field gets nothing, or something is given that it has no field for; and as `expand`.
        """
        fields = names(self.text)
        if unknown := next((name for name in given if name not in fields), None):
            there = f"there are {', '.join(fields)}" if fields else "there is none"
            raise PromptError(f"the prompt {self.name!r} has no field {unknown!r}{nearest(unknown, fields)}: {there}")
        values = {name: value_of(expression, namespace) for name, expression in given.items()}
        try:
            return expand(self.text, {**namespace, **values} if self.own else values)
        except PromptError as error:
            missing = next((name for name in fields if name not in values), None)
            if self.own or missing is None:
                raise
            raise PromptError(
                f"the prompt {self.name!r} of this repository gets only what the cell gives: "
                f"say what {missing!r} is, as in --prompt {self.name} {missing}=VARIABLE"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A prompt in the list of them: its name, whether it is the user's own, and its first line or what is wrong."""

    name: str
    own: bool
    about: str


def find(name: str) -> Prompt | None:
    """Return the prompt of a name, the nearest folder's first and the user's last; None if there is none.

    Raises
    ------
    PromptError
        If it cannot be read, or is a link or in one.
    """
    for folder, own in _folders():
        if NAME.fullmatch(name) and (text := _read(folder, name, own=own)) is not None:
            return Prompt(name=name, text=text, own=own)
    return None


def absent(name: str) -> PromptError:
    """Return the error of a prompt that is not there."""
    near = nearest(name, (one.name for one in listed()))
    return PromptError(f"no prompt {name!r}{near}: put it into .robota/prompts/{name}{_ENDING} beside the notebook")


def listed() -> list[Listed]:
    """Return all prompts that `find` finds, by name."""
    found: dict[str, Listed] = {}
    for folder, own in _folders():
        for name in _names_in(folder):
            if name not in found:
                found[name] = Listed(name=name, own=own, about=_about(folder, name, own=own))
    return sorted(found.values(), key=lambda one: one.name)


def _folders() -> Iterator[tuple[Path, bool]]:
    """Yield the folders of prompts, and whether they are the user's own."""
    from jupyter_core.paths import jupyter_config_dir

    here = Path.cwd()
    above = [here, *here.parents]
    roots = (number for number, folder in enumerate(above) if folder.joinpath(".git").exists())
    for folder in above[: next(roots, 0) + 1]:
        yield folder / ".robota" / "prompts", False
    yield Path(jupyter_config_dir(), "robota_nb", "prompts"), True


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.stem for path in folder.iterdir() if path.suffix == _ENDING and NAME.fullmatch(path.stem)]
    except OSError:  # there is no such folder
        return []


def _about(folder: Path, name: str, *, own: bool) -> str:
    try:
        text = _read(folder, name, own=own) or ""
    except PromptError as error:
        return str(error)
    return short(next((line for line in text.splitlines() if line.strip()), "").lstrip("# "))


def _read(folder: Path, name: str, *, own: bool) -> str | None:
    """Return the text of a prompt; None if the folder has none of that name."""
    path = folder / f"{name}{_ENDING}"
    if not os.path.lexists(path):
        return None
    ours = (path,) if own else (path, folder, folder.parent)  # where the user's own folder is, is the user's business
    if any(one.is_symlink() for one in ours) or path.resolve().parent != folder.resolve():
        raise PromptError(f"the prompt {name!r} is a link, or is in one: put the file itself there")
    try:
        with open(os.open(path, _FLAGS), "rb") as opened:  # noqa: PTH123 - a link that has come meanwhile is not followed
            regular = stat.S_ISREG(os.fstat(opened.fileno()).st_mode)
            data = opened.read(MAX_BYTES + 1) if regular else b""
        text = data.decode("utf-8-sig").replace("\r\n", "\n").strip("\n")
    except (OSError, ValueError) as error:
        raise PromptError(f"the prompt {name!r} cannot be read ({type(error).__name__}): check the file") from None
    if not regular or len(data) > MAX_BYTES:
        raise PromptError(f"the prompt {name!r} is no text file of at most {MAX_BYTES:,} bytes: check it")
    return text
