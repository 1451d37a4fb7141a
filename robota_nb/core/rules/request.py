"""What a request says before its prompt: the messages of a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.core.record import entries as make

if TYPE_CHECKING:
    from robota_nb.core.record.fold import SessionState


def sent_before(record: SessionState, place: str | None, limit: int = 0) -> list[str]:
    """Return the ids of the messages that the model sees before a prompt at *place*: questions and answers.

    Of an answer that called tools, the last message stands for all: servers refuse what tools returned without the
    calls, and calls without a description of the tools. With a *limit*, older turns are left out. In the record
    everything stays.
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


def messages(record: SessionState, ids: list[str]) -> list[dict[str, Any]]:
    """Return messages as a request carries them, with role and content; the caller may add to the list."""
    return [{"role": record.entries.role(eid), "content": content} for eid in ids if (content := _content(record, eid))]


def _content(record: SessionState, eid: str) -> str | list[dict[str, Any]]:
    """Return a message's content: text, or parts if there are pictures."""
    text = record.text(eid)
    pictures = record.images(eid)
    if not pictures:  # as with most messages, and a request needs all
        return text
    return make.content_parts(text, [image for key in pictures if (image := make.image_of(record.entries[key]))])
