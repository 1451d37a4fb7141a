"""What a server's words mean, whatever status they come under, and what to do next. One table for all servers."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from robota_nb.providers.said import said_in

__all__ = ["KEY_REFUSED", "NO_FILES", "NO_PICTURES", "Fault", "fault_of"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happened, and what to do about it.

    Parameters
    ----------
    what
        What happened, in words that follow "endpoint 'lab'"; ``{model!r}`` is the model that was asked, and ``{near}``
        names the one most like it.
    hint
        The key of the next step (see `robota_nb.errors.HINTS`).
    step
        The next step, where it is the same for every user.
    passes
        Whether asking again may help; None if the status tells.
    """

    what: str
    hint: str = ""
    step: str = ""
    passes: bool | None = False


_MOST = 20_000
"""Characters of a body that are looked at."""

KEY_REFUSED = Fault("refused the key")
"""Where to look for the key is said by who knows where it came from."""

_NO_QUOTA = Fault("says that the account has no quota left", hint="account.quota")
_BUSY = Fault("limits the rate", step="wait a moment and ask again", passes=None)
_LOADING = Fault("is still loading the model {model!r}", step="ask again in a minute", passes=True)
_TOO_LONG = Fault("finds the conversation too long for the model {model!r}", hint="ask.shorten")
_LONG_ANSWER = Fault("allows no answer of so many tokens", hint="param.max_tokens")
NO_PICTURES = Fault("takes no pictures with the model {model!r}")
NO_FILES = Fault("takes no PDF or sound with the model {model!r}")
"""What to do about these depends on which turns sent some."""
_OTHER_API = Fault("speaks of another API for the model {model!r} than the one that was asked", hint="model.choose")
_NO_MODEL = Fault("does not know the model {model!r}{near}", hint="model.choose")
_TO_PULL = Fault("does not have the model {model!r}{near} yet", step="run `ollama pull {model}`, and ask again")

_Row: TypeAlias = tuple[Fault, Collection[int], re.Pattern[str]]


def _row(fault: Fault, statuses: Collection[int], *patterns: str) -> _Row:
    return fault, statuses, re.compile("|".join(patterns), re.IGNORECASE)


_REFUSED = (200, 400, 403, 404, 413, 422, 500)
"""Statuses under which servers refuse a request; 200 is an error that came in the place of an answer, or inside it."""

_TABLE: tuple[_Row, ...] = (
    _row(
        _NO_QUOTA,
        (),
        r"insufficient[ _-]?quota|exceeded your current quota|quota[^.]{0,30}(exhausted|used up|exceeded)",
        r"insufficient[ _]?(account )?(balance|credits?|funds)|credit balance|余额不足|欠费",
        r"(out of|not enough|requires more|no) credits?\b|payment required",
        r"billing[ _](hard[ _])?limit|account[^.]{0,40}(in arrears|overdue|suspended)",
    ),
    _row(
        _BUSY,
        (429,),
        r"rate.?limit|too many requests|per (minute|second|hour|day)|\b[rt]p[mdh]\b|resource.?(has been )?exhausted",
    ),
    _row(
        _LOADING,
        (425, 500, 502, 503, 504),
        r"loading (the )?model|model[^.]{0,80}(is |being |currently |still )+(loading|loaded|starting|warming)",
        r"estimated_time|warming up|cold start",
    ),
    _row(
        KEY_REFUSED,
        (200, 400, 404, 422, 500),
        r"api[ _-]?key[^.]{0,30}(not valid|invalid|incorrect|expired|missing|revoked|required)",
        r"(invalid|incorrect|missing|expired|no|wrong)[ _-](authentication|api[ _-]?key|token\b|credentials)",
        r"invalid_?api_?key|authentication[ _](failed|error|fails)|\bunauthori[sz]ed\b|\bunauthenticated\b",
    ),
    _row(
        _LONG_ANSWER,
        (400, 422),
        r"max_(completion_|output_|new_)?tokens\W[^.]{0,40}(too (large|high|big)|exceeds?\b|at most|less than)",
    ),
    _row(
        _TOO_LONG,
        _REFUSED,
        r"context[ _-]?(length|window|size|limit)|maximum context|context of \d|n_ctx\b|ctx-size",
        r"(prompt|input|request|messages?|conversation)\b[^.]{0,40}too (long|large|many tokens)",
        r"reduce the length|too many (input |prompt )?tokens|exceed\w*[^.]{0,60}(context|tokens)",
        r"tokens?[^.]{0,40}exceed|max_total_tokens|input (length|validation error)[^.]{0,60}tokens",
    ),
    _row(
        NO_FILES,
        (*_REFUSED, 415),
        r"\b((input_)?audio|files?|pdfs?|documents?)\b.{0,80}(not|n't|un|only|no |requires|invalid|missing)",
        r"(not|n't|unsupported|no |unknown|invalid|only).{0,80}\b((input_)?audio|files?|pdfs?|documents?)\b",
        r"content (block|part|type)s?\b|content\[\]\.type|(unsupported|unknown|invalid) (content|part)",
        r"content\W.{0,40}(must be|should be|valid|expected)\W.{0,20}str|expected (a )?string",
    ),
    _row(
        NO_PICTURES,
        (*_REFUSED, 415),
        r"(image|vision|multi-?modal|picture)\w*\b.{0,80}(not|n't|un|only|no |requires|invalid|missing)",
        r"(not|n't|unsupported|no |unknown|invalid|text.only).{0,80}(image|vision|multi-?modal)",
        r"at most 0 image",
        r"content\W.{0,40}(must be|should be|valid|expected)\W.{0,20}str|expected (a )?string|mmproj",
    ),
    _row(
        _OTHER_API,
        (*_REFUSED, 405),
        r"v1/responses|responses api|not a chat model|v1/completions|(not|n't) support (the )?chat",
    ),
    _row(_TO_PULL, (400, 404, 500), r"try pulling it"),
    _row(
        _NO_MODEL,
        _REFUSED,
        r"model_not_found|model[^.]{0,80}(not found|(does )?not exist|is unknown|not available|no such)",
        r"(unknown|invalid|no such|not a valid) model\b|no endpoints found",
    ),
)
"""A fault, the statuses under which words or codes tell it (none: under any), and these. The first that fits counts."""


def fault_of(
    status: int, body: str, *, pictures: bool = False, files: bool = False, waits: bool = False
) -> Fault | None:
    """Return the fault that a server's *body* tells; None if it tells none that is known.

    Parameters
    ----------
    status
        The HTTP status.
    body
        All that the server said, codes and types included; `said_in` is what it tells a reader.
    pictures, files
        Whether it was sent any; files that are no text.
    waits
        Whether it asks to wait: then a quota that is used up comes back (Gemini's, of each minute).
    """
    everything = f"{said_in(body)[:_MOST]}\n{body[:_MOST]}"
    for fault, statuses, words in _TABLE:
        if (fault is NO_PICTURES and not pictures) or (fault is NO_FILES and not files):
            continue
        if fault is _NO_QUOTA and waits and "insufficient_quota" not in body:
            continue
        if (not statuses or status in statuses) and words.search(everything):
            return fault
    return None
