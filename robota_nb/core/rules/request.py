"""What the model sees of a chat: the messages that a request carries before its prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robota_nb.core.record.fold import SessionState


def messages_before(record: SessionState, place: str | None, limit: int = 0) -> list[str]:
    """Return the ids of the questions and answers up to a message, oldest first: what a server takes in any case.

    Of an answer that called tools, the last message stands for all: servers refuse what tools returned without the
    calls, and calls without a description of the tools.

    Parameters
    ----------
    record
        The session's record.
    place
        The message that the prompt is to follow; None for the start of the chat.
    limit
        How many messages at most, beginning with a question; 0 for all.
    """
    sent, answered, called = list[str](), False, False
    for eid in reversed(record.messages(place)):
        role = record.entries.role(eid)
        if role == "user":
            answered = called = False
            sent.append(eid)
        elif role == "tool":
            called = answered
        elif role == "assistant":
            answered = True
            if not called:
                sent.append(eid)
    sent.reverse()
    if limit and len(sent) > limit:
        sent = sent[-limit:]
        while sent and record.entries.role(sent[0]) != "user":
            sent = sent[1:]
    return sent
