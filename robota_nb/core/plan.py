"""What is to be asked, and what has arrived of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from robota_nb.core.record.attachments import attached_entries
from robota_nb.core.record.entries import entry_id
from robota_nb.core.record.steps import tool_entry
from robota_nb.core.record.types import TEXT_ALONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.ports import AnswerForm, Attachment, Besides, Entry, Step, Toolbox, ToolCall
    from robota_nb.core.record.attachments import Attached
    from robota_nb.core.record.config import Config
    from robota_nb.core.record.nodes import Asked
    from robota_nb.core.record.view import SessionView
    from robota_nb.core.rules.effects import ByHand
    from robota_nb.core.rules.summaries import Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """What may have a model asked more than once in a turn.

    Parameters
    ----------
    tools
        What it may call.
    shape, repairs
        The form that its answer is to have, and how often it is asked again for an answer that has not.
    """

    tools: Toolbox | None = None
    shape: AnswerForm | None = None
    repairs: int = 1


ONE_ROUND = Rounds()
"""Nothing, as with most asks."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be asked, where it hangs, and what will be remembered of who asked.

    Parameters
    ----------
    text
        The prompt.
    before
        The turns that are sent before it.
    place
        The last of them; None for the start of the chat.
    context
        All of them, where they are not simply what the last one followed.
    config
        The chat's config; *options* are over it for this turn alone.
    cell, settings
        The asking cell, and the chat or the session that cells had chosen.
    hand
        What was clicked of the settings; None outside cells.
    after
        The id of the cell after which it stands, if it is asked outside cells; of the cell whose Python asks.
    by_code
        Whether the Python of a cell asks.
    instead_of
        The turns whose place it takes outside cells.
    record
        Whether the turn becomes part of the chat.
    attached
        The pictures and files that go with the prompt.
    sums_up
        Whether it asks for a summary of what is before it: then all of that is sent, whatever the user's limit.
    rounds
        What may have it asked more than once.
    """

    text: str
    before: Turns
    place: str | None
    config: Config
    context: tuple[str, ...] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    cell: Asked | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    hand: tuple[ByHand, ...] | None = None
    after: str | None = None
    by_code: bool = False
    instead_of: tuple[str, ...] = ()
    record: bool = True
    attached: tuple[Attachment, ...] = ()
    sums_up: bool = False
    rounds: Rounds = ONE_ROUND

    @property
    def asked_of(self) -> Config:
        """The config that the request is made with."""
        return self.config.with_settings(self.options)

    @cached_property
    def attached_entries(self) -> Mapping[Attached, Entry]:
        """The entries of the pictures and files; made once, as what arrives is filed again and again.

        Raises
        ------
        SnapshotError
            If one is larger than a snapshot may carry.
        """
        return attached_entries(self.attached)

    @cached_property
    def tool_entries(self) -> Mapping[str, Entry]:
        """The entries of the tools that are offered, by their ids."""
        return tool_entries(self.rounds.tools)


def tool_entries(tools: Toolbox | None) -> dict[str, Entry]:
    """Return the entries of tools, by their ids; sorted, as it makes no difference in which order they are offered."""
    if tools is None:
        return {}
    entries = map(tool_entry, sorted(tools.specs, key=lambda spec: spec.name))
    return {entry_id(entry): entry for entry in entries}


@dataclass(slots=True, kw_only=True)
class Arriving:
    """A turn that is being asked.

    Parameters
    ----------
    view, chat
        The session, and the id of the chat.
    plan
        What is asked.
    parts, thoughts
        The text that has arrived so far, and what the model thought before it, in the pieces that came.
    besides
        What has arrived beside it.
    steps
        What it said and called before this text.
    calls
        What it calls with this text.
    echo
        What the server wants back with this text.
    """

    view: SessionView
    chat: str
    plan: Plan
    parts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    besides: Besides = TEXT_ALONE
    steps: list[Step] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    echo: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that has arrived since the last step."""
        return "".join(self.parts)

    @property
    def reasoning(self) -> str:
        """What the model thought, as one text; some models mark that they thought nothing."""
        thoughts = "".join(self.thoughts)
        return thoughts if thoughts.strip() else ""

    def taken_back(self) -> Arriving:
        """Return the same turn with what was taken for its text so far among the thoughts."""
        return replace(self, parts=[], thoughts=[*self.thoughts, *self.parts])
