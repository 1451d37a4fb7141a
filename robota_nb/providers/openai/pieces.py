"""Text that comes in pieces, made well-formed Unicode whatever the server has escaped."""

from __future__ import annotations

__all__ = ["Pieces", "well_formed"]


class Pieces:
    """Gathers pieces of one text until they are taken."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._half = ""  # the first half of a surrogate pair, while the second is on its way

    def add(self, text: str) -> None:
        """Add a piece."""
        self._pieces.append(text)

    def take(self, *, last: bool = False) -> str:
        """Return what came since the last call; half a character waits for its other half, unless this is the *last*.

        Examples
        --------
        >>> pieces = Pieces()
        >>> pieces.add("a")
        >>> pieces.take(), pieces.take()
        ('a', '')
        """
        if not self._pieces and not self._half:
            return ""
        text = self._half + "".join(self._pieces)
        self._pieces.clear()
        self._half = ""
        if text.isascii():
            return text
        if not last and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return well_formed(text)


def well_formed(text: str) -> str:
    """Return a text in which halves of a character have joined; a lone one becomes U+FFFD."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
