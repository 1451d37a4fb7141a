"""``{{ Err }}`` in a prompt: the last error of the notebook, as a model can read it.

It is Python's own traceback, and says what a stranger needs: no directories (the prompt goes into the notebook,
and they hold the user's name), no values of variables, nothing of how IPython runs a cell.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from traceback import TracebackException
from typing import Any

from robota_nb.core.record.controls import strip_controls
from robota_nb.core.users import without_home
from robota_nb.errors import PromptError, RobotaError
from robota_nb.prompt.source import is_cell

__all__ = ["MAX_ERROR", "NAME", "is_own", "last_error", "newest", "with_error"]

NAME = "Err"
"""What stands for the last error in a prompt, where the user has no variable of that name."""

MAX_ERROR = 20_000
"""Characters of an error that go into a prompt; of a longer one the end, which says most."""

_MACHINERY = ("IPython", "ipykernel")
_NO_FRAMES = re.compile(r"^Traceback \(most recent call last\):\n(?! )", re.MULTILINE)
_CUT = "…\n"


def last_error() -> str:
    """Return the last error that a cell has ended with, as plain text with its traceback.

    Returns
    -------
    str
        At most `MAX_ERROR` characters. The name of a file stands without its directories, ``<cell>`` for a cell.

    Raises
    ------
    PromptError
        If there was none. Or if the last one is robota_nb's own, such as that of a prompt with a mistake:
        Python keeps only one, and that one is seldom what the user means.
    """
    error = newest()
    if error is None:
        raise PromptError(
            f"there was no error yet for {{{{ {NAME} }}}}: run the cell that fails first", hint="prompt.raw"
        )
    if is_own(error):
        raise PromptError(
            f"the last error, for {{{{ {NAME} }}}}, is robota_nb's own ({type(error).__name__}): "
            "run the cell that fails once more",
            hint="prompt.raw",
        )
    report = TracebackException.from_exception(error, compact=True)  # which has read the lines of code
    _tidy(report)
    text = strip_controls(_NO_FRAMES.sub("", "".join(report.format()))).strip("\n")
    text = without_home(text)
    return text if len(text) <= MAX_ERROR else _CUT + text[len(_CUT) - MAX_ERROR :]


def newest() -> BaseException | None:
    """Return the last error that a cell has ended with; None if there was none."""
    error: BaseException | None = getattr(sys, "last_value", None)
    return error if error is not None else getattr(sys, "last_exc", None)


def is_own(error: BaseException) -> bool:
    """Say whether an error is robota_nb's own."""
    return isinstance(error, RobotaError) or type(error).__module__.partition(".")[0] == "robota_nb"


def with_error(namespace: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the user's variables and, unless there is one of that name, ``Err``.

    Parameters
    ----------
    namespace
        The user's variables; it is looked at, not copied.
    """
    return _WithError(namespace)


class _WithError(Mapping[str, Any]):
    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace

    def __getitem__(self, name: str) -> Any:
        if name == NAME and name not in self._namespace:
            return last_error()
        return self._namespace[name]

    def __contains__(self, name: object) -> bool:
        return name == NAME or name in self._namespace

    def __iter__(self) -> Iterator[str]:
        yield from self._namespace
        if NAME not in self._namespace:
            yield NAME

    def __len__(self) -> int:
        return len(self._namespace) + (NAME not in self._namespace)


def _tidy(report: TracebackException) -> None:
    """Take the machinery and the directories out of an error, its causes, and the errors of its group."""
    machinery = _directories()
    reports: list[TracebackException | None] = [report]
    while reports:
        each = reports.pop()
        if each is None:
            continue
        reports += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]
        each.stack[:] = [frame for frame in each.stack if not _is_machinery(frame.filename, machinery)]
        for frame in each.stack:
            frame.filename = _shown(frame.filename)
        if filename := getattr(each, "filename", None):  # of a SyntaxError
            each.filename = _shown(filename)


def _directories() -> tuple[str, ...]:
    files = (getattr(sys.modules.get(name), "__file__", None) for name in _MACHINERY)
    return tuple(f"{Path(file).parent}{os.sep}" for file in files if file)


def _is_machinery(filename: str, directories: tuple[str, ...]) -> bool:
    return filename.startswith((*directories, "<decorator-gen"))


def _shown(filename: str) -> str:
    return "<cell>" if is_cell(filename) else re.split(r"[\\/]", filename)[-1]
