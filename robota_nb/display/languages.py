"""What the kernel says, in the language of the front end: notices, errors in the panel, reasons of marks, and help.

Everything is made in English. It is put into another language where it goes out to the front end, by a catalogue that
knows the English texts: with ``{0}`` for what is filled in, ``{1!r}`` for what stands in quotes, ``{n}`` for a number.
What no catalogue knows stays English, as do all outputs of cells, records and files: these are to be the same whoever
runs the notebook.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CATALOGUES = Path(__file__).parents[1] / "locale"
"""Of each language one directory, such as ``ko_KR``: ``kernel.json`` is ours, ``LC_MESSAGES`` is JupyterLab's."""

MOST = 1000
"""Characters of a text that is translated; a longer one holds much of others, and stays as it is."""

_FIELD = re.compile(r"\{(\w*)(!r|:[^{}]+)?\}")
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_NUMBER = re.compile(r"[\d,.]+")
_JOINT = re.compile("; |: |, | and ")
_NEAR = re.compile(r"(.+)( \(did you mean .+\?\))")
_SAID = re.compile(r"(.+?) \(it said: (.+)\)", re.DOTALL)
_IT_SAID = "{0} (it said: {1})"


def translated(text: str, locale: str) -> str:
    """Return a text of this package in another language; as it is, if that is English or not known.

    Parameters
    ----------
    text
        The whole text, as its user would read it in English.
    locale
        What a front end calls its language, such as ``ko-KR``.
    """
    words = _catalogue(locale.replace("-", "_"))
    return text if words is None or len(text) > MOST else words.whole(text)


@cache
def _catalogue(name: str) -> _Catalogue | None:
    path = CATALOGUES / name / "kernel.json"
    if not re.fullmatch(r"[A-Za-z_]{2,20}", name) or not path.is_file():
        return None
    return _Catalogue(json.loads(path.read_text(encoding="utf-8")))


class _Catalogue:
    """The words of one language: ``messages``, ``hints`` (the next steps), ``help``, and ``pieces`` to be filled in."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._same = {english: said for part in texts.values() for english, said in part.items()}
        self._hints = _forms(texts["hints"])
        self._messages = _forms({**texts["messages"], **texts["pieces"]})

    def whole(self, text: str) -> str:
        """Return a text; what a server said at its end stays in the server's words."""
        if parts := _SAID.fullmatch(text):
            return _filled(self._same[_IT_SAID], {"0": self.whole(parts[1]), "1": parts[2]})
        for joint in re.finditer("[;:] ", text):
            if (hint := self._of(text[joint.end() :], self._hints)) is not None:
                said = self._joined(text[: joint.start()])
                return f"{text[: joint.start()] if said is None else said}{joint[0]}{hint}"
        said = self._joined(text)
        return text if said is None else said

    def _joined(self, text: str) -> str | None:
        """Return a text, or what it is joined of; None if it is not known."""
        if (said := self._of(text, self._messages)) is not None:
            return said
        for joint in _JOINT.finditer(text):
            if (left := self._of(text[: joint.start()], self._messages)) is not None:
                right = self._joined(text[joint.end() :])
                return None if right is None else f"{left}{', ' if joint[0] == ' and ' else joint[0]}{right}"
        return None

    def _of(self, text: str, forms: Sequence[_Form]) -> str | None:
        if (said := self._same.get(text)) is not None:
            return said
        for form in forms:
            if (values := form.values(text)) is not None:
                return _filled(form.said, {name: self._value(value) for name, value in values.items()})
        return None

    def _value(self, value: str) -> str:
        if parts := _NEAR.fullmatch(value):
            return self._value(parts[1]) + self._value(parts[2])
        said = self._joined(value) if " " in value or value in self._same else None
        return value if said is None else said


class _Field(NamedTuple):
    """What stands before something that is filled in, and its name, with whether it is in quotes."""

    before: str
    name: str
    is_quoted: bool


class _Form(NamedTuple):
    """A text with something filled in: its fields, what stands behind them, and the text in the other language."""

    fields: list[_Field]
    after: str
    said: str

    def values(self, text: str) -> dict[str, str] | None:
        """Return what is filled in here; None if this is another text. Nothing is tried twice, whatever it holds."""
        if not text.endswith(self.after):
            return None
        values, at = {}, 0
        for number, field in enumerate(self.fields):
            if not text.startswith(field.before, at):
                return None
            at += len(field.before)
            end = self._end(text, at, number)
            is_other = field.name == "n" and not _NUMBER.fullmatch(text[at:end])
            if end < at or is_other or (end == at and number == 0):
                return None
            values[field.name], at = text[at:end], end
        return values if text[at:] == self.after else None

    def _end(self, text: str, at: int, number: int) -> int:
        if self.fields[number].is_quoted and (quoted := _QUOTED.match(text, at)):
            return quoted.end()
        stop = next((field.before for field in self.fields[number + 1 :] if field.before), "")
        return text.find(stop, at) if stop else len(text) - len(self.after)


def _forms(texts: Mapping[str, str]) -> list[_Form]:
    """Return the texts with something filled in, those first that say most themselves."""
    found = [(english, said) for english, said in texts.items() if _FIELD.search(english) and english != _IT_SAID]
    found.sort(key=lambda pair: -len(_FIELD.sub("", pair[0])))
    return [_form(english, said) for english, said in found]


def _form(english: str, said: str) -> _Form:
    fields, at = [], 0
    for field in _FIELD.finditer(english):
        fields.append(_Field(english[at : field.start()], field[1], field[2] == "!r"))
        at = field.end()
    return _Form(fields, english[at:], said)


def _filled(said: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: values[field[1]], said)
