"""Texts from strangers on one line: cut, without what acts on other text; and numbers with their nouns."""

from __future__ import annotations

import re
import unicodedata

SHORT = 60
"""Characters of a text that is only to be recognised."""

_JOINERS = "\n\t\u200c\u200d"  # line breaks, and what holds letters and emoji together
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNKNOWN = frozenset({"Co", "Cn"})


def seen(text: str, limit: int) -> str:
    """Return the first *limit* characters of a text, without those that are not seen but act."""
    cut = text[:limit]
    kept = "".join(char for char in cut if not acts(char) and unicodedata.category(char) not in _UNKNOWN)
    return kept if len(text) <= limit else f"{kept}…"


def acts(char: str) -> bool:
    """Say whether a character is not seen itself, but changes how others are shown, or where they stand."""
    return char not in _JOINERS and unicodedata.category(char) in _UNSEEN


def short(text: str) -> str:
    """Return the first words of a text, on one line."""
    line = re.sub(r"\s+", " ", text[: 4 * SHORT])
    return line if len(line) <= SHORT and len(text) <= 4 * SHORT else f"{line[: SHORT - 1]}…"


def fenced(text: str, info: str = "") -> str:
    """Return a text in a Markdown fence that nothing in it ends; *info* is the language, as ``csv``."""
    marks = "`" * max(3, 1 + max((len(ticks) for ticks in re.findall("`+", text)), default=0))
    return f"{marks}{info}\n{text.removesuffix(chr(10))}\n{marks}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural."""
    if number == 1:
        return f"1 {noun}"
    stem = noun.removesuffix("y") + "ie" if noun.endswith("y") else noun + "e" if noun.endswith("ch") else noun
    return f"{number} {stem}s"
