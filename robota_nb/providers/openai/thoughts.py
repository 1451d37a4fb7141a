"""Where servers put what a model thinks before it answers: in fields of its own, or between tags in the content.

Templates of models begin the answer with ``<think>``, or put that into the prompt, so that only ``</think>`` is to be
seen. So a first ``</think>`` without an opening tag tells that all before it was no text; unless somebody only speaks
of such tags: in quotes, in code, or after an opening tag somewhere in the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ThoughtTags", "is_thought", "thoughts_in"]

_FIELDS = ("reasoning_content", "reasoning", "reasoning_details")
_WORDS = ("text", "summary", "content", "thinking", "reasoning")
_DEEPEST = 4

_CLOSING = "</think>"
_TAGS = {"<think>": _CLOSING, "<thinking>": "</thinking>", "<thought>": "</thought>"}
_LONGEST_SPACE = 1000
"""Characters of space after which an answer begins, whatever follows."""

_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)


def thoughts_in(message: Mapping[str, Any]) -> str:
    """Return the thoughts in a message or in a piece of one; some servers say the same in several fields.

    Examples
    --------
    >>> thoughts_in({"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]})
    'Hm.'
    >>> thoughts_in({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]})
    'Hm.'
    """
    for field in _FIELDS:
        if field in message and (found := _words(message[field])):
            return found
    content = message.get("content")
    return _words([part for part in content if is_thought(part)]) if isinstance(content, list) else ""


def is_thought(part: object) -> bool:
    """Say whether a part of a content is none of the answer, but a thought."""
    return isinstance(part, dict) and part.get("type") in ("thinking", "reasoning")


def _words(value: Any, depth: int = 0) -> str:
    if isinstance(value, str) or depth > _DEEPEST:
        return value if isinstance(value, str) else ""
    if isinstance(value, list):
        return "".join(_words(each, depth + 1) for each in value)
    if isinstance(value, dict):
        return next((found for key in _WORDS if (found := _words(value.get(key), depth + 1))), "")
    return ""


class ThoughtTags:
    """Tells the thoughts in a content from its text, however it is cut into pieces.

    Attributes
    ----------
    is_inside
        Whether a tag is open: what comes is thoughts if it closes, and text if it never does.
    took_back
        Whether a closing tag has told that all text so far was thoughts; who has seen it, sets it back.
    """

    def __init__(self) -> None:
        self.is_inside = False
        self.took_back = False
        self._thoughts: list[str] = []
        self._step: Callable[[str], str] | None = self._begin
        self._held = ""  # what may be, or become, a part of a tag
        self._inside: list[str] = []  # what stands after an opening tag,
        self._opened = ""  # that tag, and what stood before it,
        self._closing = _CLOSING  # and what closes it
        self._text: list[str] = []  # what was text so far, while it may turn out to be none

    def feed(self, content: str, *, last: bool = False) -> str:
        """Take more content, or the *last*; return what is text of it."""
        text = content if self._step is None else self._step(content) if content else ""
        if last and self._step is not None:
            text += self._end()
        return text

    def thoughts(self) -> str:
        """Return the thoughts that were found since the last call."""
        found = "".join(self._thoughts)
        self._thoughts.clear()
        return found

    # -- one after the other

    def _begin(self, content: str) -> str:
        """An answer begins: with an opening tag, or with text."""
        content, self._held = self._held + content, ""
        bare = content.lstrip()
        for opening, closing in _TAGS.items():
            if bare.startswith(opening):
                space = content[: len(content) - len(bare)]
                self._opened, self._closing = space + opening, closing
                self.is_inside, self._step = True, self._think
                return self._think(bare.removeprefix(opening))
        if any(opening.startswith(bare) for opening in _TAGS) and len(content) < _LONGEST_SPACE:
            self._held = content
            return ""
        self._step = self._speak
        return self._speak(content)

    def _think(self, content: str) -> str:
        """A tag is open."""
        seam = self._held + content
        at = seam.find(self._closing)
        self._inside.append(content)
        if at < 0:
            self._held = seam[-len(self._closing) + 1 :]
            return ""
        inside = "".join(self._inside)
        rest = len(seam) - at  # from the closing tag on
        return self._closed(inside[: len(inside) - rest].strip(), seam[at + len(self._closing) :])

    def _speak(self, content: str) -> str:
        """Text comes, unless a closing tag tells otherwise."""
        if "<" not in content and not self._held:  # as nearly always
            self._text.append(content)
            return content
        content, self._held = self._held + content, ""
        at = content.find(_CLOSING)
        if at < 0:
            self._held = _beginning_of(_CLOSING, content)
            text = content.removesuffix(self._held)
            self._text.append(text)
            return text
        before = "".join([*self._text, content[:at]])
        if _speaks_of_tags(before):
            self._step = None
            return content
        self.took_back = any(self._text)
        return self._closed(content[:at], content[at + len(_CLOSING) :])

    def _closed(self, thoughts: str, rest: str) -> str:
        """A tag has closed: what follows is the answer, but for the space before it."""
        self._thoughts.append(thoughts)
        self._inside.clear()
        self._text.clear()
        self._held, self.is_inside, self._step = "", False, self._answer
        return self._answer(rest)

    def _answer(self, content: str) -> str:
        text = content.lstrip()
        if text:
            self._step = None
        return text

    def _end(self) -> str:
        """Nothing comes any more: a tag that has not closed was text, and so was what may have been one."""
        text = "".join([self._opened, *self._inside]) if self.is_inside else self._held
        self.is_inside, self._step = False, None
        return text


def _speaks_of_tags(before: str) -> bool:
    """Say whether a closing tag that follows this is spoken of, and closes nothing."""
    opened = any(opening in before for opening in _TAGS)
    return opened or before.endswith(("`", '"', "'", "\\")) or len(_FENCE.findall(before)) % 2 == 1


def _beginning_of(tag: str, text: str) -> str:
    """Return the end of a text that the tag may begin with."""
    at = text.rfind("<", max(len(text) - len(tag) + 1, 0))
    return text[at:] if at >= 0 and tag.startswith(text[at:]) else ""
