"""What may be typed next on a magic's line: made from the same table as the parser."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from robota_nb.core.record.parameters import CHOICES, KNOWN
from robota_nb.core.rules.modes import MODES
from robota_nb.display.formats import FORMATS
from robota_nb.errors import CommandError
from robota_nb.magics.commands import CELL, SPECS, Arg, Spec, verbs
from robota_nb.magics.parser import next_word
from robota_nb.prompt.made import PLAIN, quoted
from robota_nb.prompt.offers import Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Names: TypeAlias = Mapping[str, Callable[[], Iterable[str]]]

__all__ = ["complete", "fragment"]

_FIXED = {"mode": MODES, "format": FORMATS}
_SEVERAL = {"expression": ("variable", "path"), "cells": ("above", "cell")}
"""What a value of a kind may be a name of, where that is more than one kind of thing."""

_FIELDS = ("provider", "model", "system")
_FLAGS = ("true", "false")
_PLAIN_WORDS = re.compile(rf"{PLAIN.pattern}(?: {PLAIN.pattern})*")


def complete(line: str, cursor: int | None, names: Names, *, cell: bool = False) -> list[Offer]:
    """Return what may stand in the place of the word at the cursor (see `fragment`).

    Parameters
    ----------
    line
        What follows ``%robota``, or ``%%robota`` if *cell*.
    cursor
        Where in *line*; None for its end.
    names
        For each kind of value (``"session"``, ``"chat"``, ``"provider"``, ``"model"``, ``"path"``, ``"variable"``), a
        function that returns the names there are. One that raises has none.
    cell
        Whether this is the line of a ``%%robota`` cell.

    Returns
    -------
    list of Offer
        Commands first, then values, then options; names with spaces in quotes.
    """
    words, typed = _scan(_before(line, cursor))
    if cell:
        return _arguments(CELL, words, typed, names)
    node: tuple[str, ...] = ()
    while words and words[0] in verbs(node):
        node, words = (*node, words[0]), words[1:]
    found = [] if words else _verbs(node, typed)
    if node in SPECS and not (words and verbs(node) and not words[0].startswith("-")):
        found += _arguments(SPECS[node], words, typed, names)
    return found


def fragment(line: str, cursor: int | None = None) -> str:
    """Return the word at the cursor up to there, as typed, with the quote it begins with."""
    return _scan(_before(line, cursor))[1]


def _before(line: str, cursor: int | None) -> str:
    return line if cursor is None else line[: max(cursor, 0)]


def _scan(text: str) -> tuple[list[str], str]:
    """Return the words that are finished, and the last one as typed if it is not."""
    words: list[str] = []
    at = 0
    while True:
        start = len(text) - len(text[at:].lstrip(" \t\r\n"))
        try:
            word, at = next_word(text, start)
        except CommandError:  # a quote that is still open
            return words, text[start:]
        if word is None or (at == len(text) and not text[-1].isspace()):
            return words, text[start:]
        words.append(word)


def _verbs(node: tuple[str, ...], typed: str) -> list[Offer]:
    return [Offer(verb, "command") for verb in verbs(node) if verb.startswith(typed)]


def _arguments(spec: Spec, words: list[str], typed: str, names: Names) -> list[Offer]:
    pending, used, placed = _taken(spec, words)
    if pending:
        return _values(pending, typed, names)
    flag, equals, value = typed.partition("=")
    named = _by_flag(spec, flag)
    if equals and named and named.metavar:
        return [Offer(f"{flag}={found.text}", found.type) for found in _values(named, value, names)]
    place = next((argument for argument in spec.arguments if not argument.flags), None)
    if place and place.takes == "text" and placed:
        return []  # in the middle of a text
    values = _placed(place, placed, typed, names) if place else []
    options = [
        argument.flags[0]
        for argument in spec.arguments
        if argument.flags and (argument.takes in ("pairs", "values") or argument not in used)
    ]
    return values + [Offer(option, "option") for option in options if option.startswith(typed)]


def _taken(spec: Spec, words: list[str]) -> tuple[Arg | None, list[Arg], list[str]]:
    """Return the option that waits for its value, the options that stand there, and the words that are none."""
    pending: Arg | None = None
    used: list[Arg] = []
    placed: list[str] = []
    for word in words:
        named = _by_flag(spec, word.partition("=")[0])
        if pending:
            pending = None
        elif named:
            used.append(named)
            pending = named if named.metavar and "=" not in word else None
        else:
            placed.append(word)
    return pending, used, placed


def _by_flag(spec: Spec, flag: str) -> Arg | None:
    return next((argument for argument in spec.arguments if flag in argument.flags), None)


def _placed(argument: Arg, before: list[str], typed: str, names: Names) -> list[Offer]:
    """Return values for the argument that stands by its place, after those of its words that are there."""
    if argument.kind == "command":
        return _verbs(tuple(before), typed)
    if not before or argument.takes == "pairs":
        return _values(argument, typed, names)
    if argument.takes != "words" or typed[:1] in ('"', "'"):
        return []
    start = " ".join((*before, ""))  # a name with spaces is being typed without quotes: offer its rest
    found = _known(argument.kind, names)
    return [Offer(_rest(offer.text[len(start) :]), offer.type) for offer in found if _begins(offer.text, start + typed)]


def _values(argument: Arg, typed: str, names: Names) -> list[Offer]:
    if argument.takes == "pairs":
        return _pairs(typed, names, fields=not argument.flags)
    return _named(argument.kind, typed, names)


def _pairs(typed: str, names: Names, *, fields: bool) -> list[Offer]:
    """Return the settings that are known, or values of the one that stands there; *fields*: who is asked, too."""
    key, equals, value = typed.partition("=")
    if not equals:
        keys = (*(_FIELDS if fields else ()), *CHOICES, *KNOWN)
        return [Offer(f"{name}=", "setting") for name in keys if name.startswith(typed)]
    if fields and key in _FIELDS:
        found = _named(key, value, names)
    else:
        known = CHOICES.get(key) or (_FLAGS if KNOWN.get(key) == (bool,) else ())
        found = [Offer(name, "value") for name in known if name.startswith(value)]
    return [Offer(f"{key}={offer.text}", offer.type) for offer in found]


def _named(kind: str, typed: str, names: Names) -> list[Offer]:
    plain = typed[1:] if typed[:1] in ('"', "'") else typed
    return [Offer(quoted(offer.text), offer.type) for offer in _known(kind, names) if _begins(offer.text, plain)]


def _known(kind: str, names: Names) -> list[Offer]:
    if kind in _FIXED:
        return [Offer(name, kind) for name in _FIXED[kind]]
    found: list[Offer] = []
    for one in _SEVERAL.get(kind, (kind,)):
        with suppress(Exception):  # completion never disturbs who types
            found += [Offer(name, one) for name in names[one]()]
    return found


def _begins(name: str, typed: str) -> bool:
    return name.casefold().startswith(typed.casefold())


def _rest(words: str) -> str:
    """Return the rest of a name whose first words stand there, as it has to be typed."""
    return words if _PLAIN_WORDS.fullmatch(words) else quoted(words)
