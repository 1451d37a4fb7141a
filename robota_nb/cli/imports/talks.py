"""What other programs' exports are read into: conversations, with their branches, as questions and their answers."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from robota_nb.core.record.entries import clean, fold_name, timestamp
from robota_nb.core.record.snapshot import MAX_BYTES
from robota_nb.errors import ChatNotFound, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Role: TypeAlias = Literal["user", "assistant", ""]
"""Who says a message; "": it says nothing that is taken, and others follow it."""

_Parts: TypeAlias = "tuple[_Parts, str] | None"


class Said(NamedTuple):
    """A message of a conversation: its *id*, the *parent* that it follows, and what it says."""

    id: str
    parent: str
    role: Role
    text: str = ""
    at: str = ""
    model: str = ""


class Exchange(NamedTuple):
    """A question and an answer to it, which follow another exchange: the one at the place *before* in its list."""

    question: str
    answer: str
    at: str
    answered: str
    model: str
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation of another program.

    Parameters
    ----------
    id
        What tells it from others there.
    title
        What it is called there; may be empty.
    at
        When it began; empty if that is not known.
    exchanges
        Its questions with their answers, on all branches: each stands behind the one that it follows.
    last
        The place of that with which the conversation ends as it was seen last; None if there is none.
    dropped
        What is not taken: in words, and how often.
    is_too_large
        Whether it has more text than a notebook may hold; then it has no exchanges here.
    """

    id: str
    title: str
    at: str = ""
    exchanges: tuple[Exchange, ...] = ()
    last: int | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    is_too_large: bool = False


class _At(NamedTuple):
    """A message, and what has led there: the exchange before it, the question that is open, and the answer so far."""

    said: Said
    before: int | None
    asked: Said | None
    parts: _Parts
    answered: Said | None


def talk_of(
    *,
    id: str,  # noqa: A002 - the field's name
    title: str,
    at: str,
    messages: Iterable[Said],
    last: str = "",
    dropped: Counter[str],
) -> Talk:
    """Put a conversation together from its messages, whose *last* one is that with which it ends.

    Messages of one side that follow each other are one. A message whose parent is not there begins the conversation.
    """
    known: dict[str, Said] = {}
    for one in messages:
        known.setdefault(one.id, one)
    following = defaultdict[str, list[Said]](list)
    for one in known.values():
        following[one.parent if one.parent in known else ""].append(one)
    found: list[Exchange] = []
    place_of: dict[tuple[str, str], int] = {}  # by the question and the end of its answer
    ends: dict[str, int] = {}
    size = 0
    left = [_At(one, None, None, None, None) for one in reversed(following[""])]
    while left:
        here = _with(left.pop())
        said, asked, place = here.said, here.asked, here.before
        after = following.get(said.id, ()) if said.id else ()
        if asked and here.answered and (not after or any(one.role == "user" for one in after)):
            key = asked.id, here.answered.id
            if key not in place_of:
                exchange = Exchange(
                    asked.text, _joined(here.parts), asked.at, here.answered.at, here.answered.model, here.before
                )
                size += len(exchange.question) + len(exchange.answer)
                if size > MAX_BYTES:
                    return Talk(id=id, title=title, at=at, is_too_large=True)
                place_of[key] = len(found)
                found.append(exchange)
            place = place_of[key]
        elif asked and not here.answered and not after:
            dropped["questions without an answer"] += 1
        ends[said.id] = place if place is not None else -1
        for one in reversed(after):
            is_next = one.role == "user" and here.answered is not None
            left.append(_At(one, place, None, None, None) if is_next else here._replace(said=one))
    end = ends.get(last, -1)
    return Talk(
        id=id, title=title, at=at, exchanges=tuple(found), last=end if end >= 0 else len(found) - 1 if found else None,
        dropped=dropped,
    )  # fmt: skip


def _with(here: _At) -> _At:
    """Return what there is once the message has been said, too."""
    said = here.said
    if not said.text:
        return here
    if said.role == "user":
        asked = (
            said if here.asked is None else here.asked._replace(text=f"{here.asked.text}\n\n{said.text}", id=said.id)
        )
        return here._replace(asked=asked)
    if said.role == "assistant" and here.asked:
        model = said.model or (here.answered.model if here.answered else "")
        return here._replace(parts=(here.parts, said.text), answered=said._replace(model=model))
    return here


def _joined(parts: _Parts) -> str:
    texts: list[str] = []
    while parts is not None:
        parts, text = parts
        texts.append(text)
    return "\n\n".join(reversed(texts))


def named(talks: Sequence[Talk], names: Iterable[str]) -> list[Talk]:
    """Return the conversations that are meant, each once: by the title, the id, or how that begins.

    Raises
    ------
    ChatNotFound
        If there is none of a name, or more than one.
    """
    found: dict[int, Talk] = {}
    for name in names:
        folded = fold_name(name.strip())
        mine = [at for at, talk in enumerate(talks) if folded in (fold_name(talk.title.strip()), fold_name(talk.id))]
        mine = mine or [at for at, talk in enumerate(talks) if len(name) >= _ID and talk.id.startswith(name)]
        if len(mine) != 1:
            near = nearest(name, [talk.title for talk in talks]) if not mine else ""
            ids = ", ".join(talks[at].id for at in mine[:_MOST])
            what = f"there are {len(mine)} conversations called" if mine else "there is no conversation"
            step = f"say which, by its id: {ids}" if mine else "without --chat they are listed"
            raise ChatNotFound(f"{what} {name[:_SHOWN]!r}{near}: {step}")
        found[mine[0]] = talks[mine[0]]
    return list(found.values())


_ID, _MOST, _SHOWN = 8, 10, 100


# -- strangers' JSON: whatever is not as it should be is as if it were not there


def text(value: object) -> str:
    """Return a text as a notebook can hold it; empty for anything else."""
    return clean(value) if isinstance(value, str) else ""


def items(value: object) -> list[Any]:
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def fields(value: object) -> dict[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def time_of(value: object) -> str:
    """Return a time, in seconds or in ISO's form, as snapshots have it; empty for anything else."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return timestamp(moment.astimezone(UTC) if moment.tzinfo else moment)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return timestamp(datetime.fromtimestamp(value, UTC))
    except (ValueError, OverflowError, OSError):
        pass
    return ""
