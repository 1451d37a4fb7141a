"""How many tokens the next request of a chat has, before its prompt: by what its server has counted so far.

No tokenizer: each model has its own, and those that can be had load their vocabulary from the network.
"""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from robota_nb.core.rules.summaries import counting, named_in, says_something

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robota_nb.core.record.config import Config
    from robota_nb.core.record.fold import SessionState
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.rules.summaries import Summary, Turns

_ONE_EACH = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # kana, Chinese characters and Hangul
_PIECE = re.compile(rf"[{_ONE_EACH}]|[^\W\d_{_ONE_EACH}]{{1,8}}|\d{{1,3}}|[^\w\s]|_|\n+")
_AROUND = 4
"""About how many tokens servers put around a message."""
_LOOKED_AT = 8
"""How many turns say how many tokens the chat's text has: the latest ones, as what is talked about changes."""
_FAR_OFF = 3
"""By this factor guesses may be off: beyond, something else was counted, such as pictures."""


class _Counted(NamedTuple):
    """A turn of which the server has counted the tokens, and how many came in and went out, thoughts not counted."""

    node: Node
    came: int
    went: int


def guess(text: str) -> int:
    """Return about how many tokens a text has, where nothing was counted.

    Examples
    --------
    >>> guess("Hello, world"), guess("3.14159"), guess("你好")
    (3, 4, 2)
    """
    return sum(1 for _ in _PIECE.finditer(text))


def estimate(record: SessionState, before: Turns, config: Config, text: str = "") -> int:
    """Return about how many tokens a request has.

    That is what was counted of the last turn, and of what has come since a guess, by how far off guesses have been in
    this chat so far.

    Parameters
    ----------
    record
        The session's.
    before
        The turns that the chat remembers.
    config
        What it asks with.
    text
        The prompt.
    """
    summary = counting(record, config, before)
    last, new = _last_counted(record, before, config, summary)
    measure = _measure(record, before)
    said = [*_said(record, new), *([text] if text else [])]
    if last is None:
        said += [part for part in (config.system, summary.text if summary else "") if part]
        return _tokens(said, measure)
    was = record.config(last.node.config).system
    system = _tokens([config.system], measure) - _tokens([was], measure) if was != config.system else 0
    return last.came + last.went + _tokens(said, measure) + (_AROUND if text else 0) + system


def _tokens(said: Sequence[str], measure: float) -> int:
    return round(sum(map(guess, said)) * measure) + _AROUND * len(said)


def _last_counted(
    record: SessionState, before: Turns, config: Config, summary: Summary | None
) -> tuple[_Counted | None, list[tuple[Node, bool]]]:
    """Return the last turn that counts all that is sent now but for what follows it, and what else is sent.

    Of each turn that is, beside it, whether its answer is, too. The turn has none if another summary was sent with it.
    """
    new: list[tuple[Node, bool]] = []
    summed = summary.turns if summary else 0
    for at, turn in enumerate(reversed(before)):
        if not says_something(record, turn):
            continue
        node, place = record.nodes[turn], before.size - at
        if place > summed and (found := _counted(record, node)) and _same_summary(record, node, config, summary):
            return found, new
        new.append((node, place > summed))
    return None, new


def _same_summary(record: SessionState, node: Node, config: Config, summary: Summary | None) -> bool:
    """Say whether a turn was asked with the summary that counts now."""
    then = named_in(record.node_config(node))
    return then == (summary.id if summary else "") or (summary is None and then == named_in(config))


def _said(record: SessionState, new: Sequence[tuple[Node, bool]]) -> list[str]:
    return [text for node, whole in new for text in (record.text(node.user), record.text(node.id) if whole else "")]


def _counted(record: SessionState, node: Node) -> _Counted | None:
    usage = record.entries[node.id].get("usage", {})
    if "steps" in record.entries[node.id]:
        return None  # of several requests, all of them are counted
    came, went = usage.get("input_tokens"), usage.get("output_tokens")
    if not came or went is None:
        return None
    thoughts = usage.get("reasoning_tokens", 0)
    return _Counted(node, came, went - thoughts if thoughts <= went else went)


def _measure(record: SessionState, before: Turns) -> float:
    """Return how many tokens there were for each that was guessed, by the latest turns; 1 if nothing was counted."""
    latest = (record.nodes[turn] for turn in reversed(before) if says_something(record, turn))
    counted = [one for node in islice(latest, _LOOKED_AT) if (one := _counted(record, node))][::-1]
    measure = _by_growth(record, counted) or _by_answers(record, counted) or 1
    return min(max(measure, 1 / _FAR_OFF), _FAR_OFF)


def _by_growth(record: SessionState, counted: Sequence[_Counted]) -> float:
    """Return it by what the requests had more each time: an answer and a question."""
    tokens = guessed = 0
    for earlier, later in pairwise(counted):
        grown = later.came - earlier.came - 2 * _AROUND
        if later.node.parent == earlier.node.id and grown > 0:
            tokens += grown
            guessed += guess(record.text(earlier.node.id)) + guess(record.text(later.node.user))
    return tokens / guessed if guessed else 0


def _by_answers(record: SessionState, counted: Sequence[_Counted]) -> float:
    guessed = sum(guess(record.text(one.node.id)) for one in counted)
    return sum(one.went for one in counted) / guessed if guessed else 0
