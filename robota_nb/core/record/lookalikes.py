"""Names that look like others: told apart by the characters that make the difference."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from robota_nb.core.record.entries import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["looks", "named", "told_apart"]

_NAMED = 3
"""How many characters are named that make a difference."""

# Letters of other alphabets, and those of Latin that they look like in most fonts.
_LETTERS = str.maketrans(
    "АВЕЗКМНОРСТУХІЈЅԌԚԜҺӀавгезікмнпорстухјѕһԁԛԝӏьҮүΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγεικνοπρτυχωՍՕՏօսհոցᎪᎬᎢᏟᏢᏚᎻᎷᏔᏞᎠᎡıɡɑ",
    "ABE3KMHOPCTYXIJSGQWHIabre3ikmhnopctyxjshdqwlbYyABEZHIKMNOPTYXabyeikvonptuxwUOSouhngAETCPSHMWLDRiga",
)
# Marks that are put on letters of any alphabet, and ask for another form of them; some are hardly seen.
_MARKS = frozenset(
    chr(code)
    for first, end in (
        (0x300, 0x370), (0x1AB0, 0x1B00), (0x1DC0, 0x1E00), (0x20D0, 0x2100), (0xFE00, 0xFE10), (0xFE20, 0xFE30),
        (0xE0100, 0xE01F0),
    )
    for code in range(first, end)
)  # fmt: skip
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_BLANKS = "\u115f\u1160\u3164\uffa0\u2800\u034f"


def looks(name: str) -> str:
    """Return what a reader sees of a name: names that look alike have the same."""
    if name.isascii():
        return " ".join(name.casefold().split())
    made = unicodedata.normalize("NFKC", "".join(char for char in unicodedata.normalize("NFC", name) if _is_seen(char)))
    return " ".join(made.translate(_LETTERS).casefold().split())


def told_apart(name: str, others: Iterable[str]) -> str:
    """Return a name as it is shown beside others: if it looks like one of them, with what makes it another."""
    folded, seen = fold_name(name), looks(name)
    if all(fold_name(other) == folded or looks(other) != seen for other in others):
        return name
    return named(name)


def named(name: str) -> str:
    """Return a name with those of its characters that may be taken for others; as it is, if there are none."""
    characters = dict.fromkeys(unicodedata.normalize("NFC", name))
    odd = [char for char in characters if char != " " and looks(char) != fold_name(char)]
    if not odd:
        return name
    codes = [f"U+{ord(char):04X}" for char in odd[:_NAMED]]
    return f"{name} ({' '.join(codes)}{'…' if len(odd) > _NAMED else ''})"


def _is_seen(char: str) -> bool:
    return char not in _MARKS and char not in _BLANKS and unicodedata.category(char) not in _UNSEEN
