"""Shift+Tab on a line of the magics: the help of the command there, not of a Python word that looks alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.magics.cursor import place_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from robota_nb.magics.cursor import Place
    from robota_nb.magics.spelling import Names

_FUNCTION = "do_inspect"


class Inspection:
    """Answers a kernel's requests to inspect what is said to the magics, and leaves the others to the kernel.

    Parameters
    ----------
    kernel
        The kernel. There is no hook for this, so its function is hidden by this object.
    names
        Returns what the magics are called, as for `robota_nb.magics.spelling.Spelling`.
    say
        Returns a text in the language of the front end.
    """

    def __init__(self, kernel: Any, names: Callable[[], Names], say: Callable[[str], str]) -> None:
        self._kernel = kernel
        self._names = names
        self._say = say
        self._theirs = getattr(kernel, _FUNCTION)
        setattr(kernel, _FUNCTION, self)

    def __call__(self, code: str, cursor_pos: int, *args: Any, **kwargs: Any) -> Any:
        """Return the content of the reply, as `ipykernel` wants it."""
        place = place_in(code, cursor_pos, self._names())
        if place is None or (place.kind == "text" and "{{" in place.before):
            return self._theirs(code, cursor_pos, *args, **kwargs)
        text = _help(place, self._say)
        return {"status": "ok", "found": bool(text), "data": {"text/plain": text} if text else {}, "metadata": {}}

    def unhook(self) -> None:
        """Let the kernel answer alone again, unless somebody else has hooked it meanwhile."""
        if vars(self._kernel).get(_FUNCTION) is self:
            delattr(self._kernel, _FUNCTION)


def _help(place: Place, say: Callable[[str], str]) -> str:
    from robota_nb.magics.commands import CELL
    from robota_nb.magics.parser import help_text, words_of

    if place.kind == "text":
        return ""
    return help_text(CELL.words if place.kind == "cell" else words_of(place.before + place.word), say)
