"""What the provider knows of an API that it speaks to models: where it asks, what it sends, how it reads the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from robota_nb.core.ports import Request
    from robota_nb.providers.openai.answer import Answer
    from robota_nb.providers.openai.request import Refusal

__all__ = ["Wire"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One API.

    Parameters
    ----------
    name
        What the configuration calls it.
    path
        Where it is asked, below the endpoint's base URL.
    lacks
        Returns the first thing in a request that this API cannot say, such as ``seed``; empty if it can say all of it.
    body_of
        Returns what is sent, for a request, the model's name, and what the server has refused before.
    refusal_in
        Returns what a server refuses, if the question can be asked without it: of the body of its error, what was sent,
        what the user has set of it, and what it has refused before.
    answer
        Returns what puts an answer together.
    """

    name: str
    path: str
    lacks: Callable[[Request], str]
    body_of: Callable[[Request, str, Sequence[Refusal]], dict[str, Any]]
    refusal_in: Callable[[str, Mapping[str, Any], Mapping[str, Any], Sequence[Refusal]], Refusal | None]
    answer: Callable[[], Answer]
