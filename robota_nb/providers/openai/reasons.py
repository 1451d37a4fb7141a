"""The words in which servers say why an answer has ended, and what they mean here. One table for all of them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from robota_nb.core.ports import FinishReason

__all__ = ["Said", "reason_said"]

Said: TypeAlias = "FinishReason | Literal['other', '']"
"""A finish reason; ``other`` for a word that is not known, and nothing for one that is no reason."""

_NONE = frozenset({
    *("", "null", "none", "nil", "nan", "undefined", "unspecified", "finish_reason_unspecified", "false"),
    *("in_progress", "not_finished", "unfinished", "running", "generating", "streaming", "pending", "continue"),
})  # fmt: skip
"""What servers write while an answer has not ended."""

_MEANINGS: tuple[tuple[FinishReason, re.Pattern[str]], ...] = (
    ("error", re.compile("error|fail|abort|cancel|exception|malformed|insufficient|timeout|unexpected|interrupt")),
    (
        "content_filter",
        re.compile("filter|safe|block|recit|prohibit|spii|polic|moderat|sensitive|guardrail|refus|harm|language"),
    ),
    ("tool_calls", re.compile("tool|function")),
    ("length", re.compile("length|limit|max|truncat|exceed|incomplete")),
    ("stop", re.compile("stop|end|eos|complete|done|finish|success|normal")),
)
"""Parts of words, the first that is found counts: eos_token (TGI), STOP, MAX_TOKENS and SAFETY (Gemini), abort (vLLM),
end_turn and tool_use (Anthropic), insufficient_system_resource (DeepSeek), model_length (Mistral) and their like."""

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PREFIX = re.compile(r"^finish_?reason[._](?!unspecified)")


@lru_cache(maxsize=256)  # some servers give a reason with every chunk
def reason_said(word: str) -> Said:
    """Return what a server's *word* for the end of an answer means.

    Examples
    --------
    >>> [reason_said(word) for word in ("eos_token", "MAX_TOKENS", "content_filter: OTHER", "because", "null")]
    ['stop', 'length', 'content_filter', 'other', '']
    """
    plain = re.sub(r"[\s-]+", "_", _CAMEL.sub("_", word[:200].strip()).casefold())
    plain = _PREFIX.sub("", plain)
    if plain in _NONE:
        return ""
    return next((reason for reason, pattern in _MEANINGS if pattern.search(plain)), "other")
