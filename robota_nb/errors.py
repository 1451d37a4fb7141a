"""What can go wrong, as typed exceptions: one line that says what happened and what to do next."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "HINTS",
    "AnswerInvalid",
    "CellsUnseen",
    "ChatBusy",
    "ChatLimitReached",
    "ChatNotFound",
    "CommandError",
    "ConsentMissing",
    "DuplicateName",
    "EndpointNotFound",
    "FileAbsent",
    "ForeignChange",
    "GitError",
    "InvalidName",
    "InvalidStateTransition",
    "KeyMissing",
    "NoModelList",
    "NotebookUnknown",
    "PromptError",
    "ProviderError",
    "ReplayMiss",
    "RobotaError",
    "SessionLimitReached",
    "SessionNotActive",
    "SessionNotFound",
    "SnapshotError",
    "StoreError",
    "ToolError",
    "TurnNotFound",
    "nearest",
    "with_hint",
]


HINTS: Mapping[str, str] = MappingProxyType({
    "account.quota": "add credit there, or chat.configure(provider=NAME) chooses another endpoint",
    "answer.invalid": "chat.send(text, into=…, repair=2) asks again more often, turn.text has what it says",
    "answer.silent": "chat.cancel() stops it; Timeouts(silence=…) of the ProviderRegistry says when it is given up",
    "ask.shorten": (
        "chat.compact() sends a summary of its beginning, chat.fork(name, at) or chat.clear() makes it shorter, "
        "max_messages of the manager limits it, "
        "chat.preview() shows it"
    ),
    "attached.clear": (
        "chat.clear() goes on without them, chat.configure(model=NAME) chooses a model that takes them"
    ),
    "attached.fork": (
        "chat.fork(NAME, {at}) goes on before them, chat.configure(model=NAME) chooses a model that takes them"
    ),
    "attached.now": "ask without it, or chat.configure(model=NAME) chooses a model that takes it",
    "cells.unseen": "send their texts, as in chat.send(text, files=[from_text(source, name)])",
    "chat.ask": "chat.send(text) asks",
    "chat.branches": "chat.branches lists them",
    "chat.compact": "chat.compact() makes a summary, and has it sent",
    "chat.create": "session.create_chat(name) creates one",
    "chat.deleted": "session.bring_back(name) brings it back",
    "chat.edit": "ask something else, chat.edit(number, text) takes its place",
    "chat.list": "session.chats lists them, session.create_chat(name) creates one",
    "chat.preview": "chat.preview() shows all that is sent",
    "chat.set": "set it anew with chat.configure()",
    "chat.shorten": (
        "chat.compact() sends a summary of its beginning, chat.clear() or chat.fork(name, at) makes it shorter, "
        "max_messages of the manager limits it"
    ),
    "chat.turns": "chat.turns has them",
    "config.endpoint": "it belongs to a server in the configuration of endpoints",
    "config.key": "a key stands in the environment variable that its endpoint names",
    "endpoint.add": "add it with ProviderRegistry({{{name!r}: {{'base_url': …, 'key_env': …}}}})",
    "endpoint.choose": "chat.configure(provider=NAME) chooses one",
    "endpoint.list": "ProviderRegistry().endpoints has them by name",
    "file.absent": "chat.send(text, files=[PATH]) with it brings it back, or chat.fork(NAME, {at}) goes on before it",
    "file.absent_first": "chat.send(text, files=[PATH]) with it brings it back",
    "file.exported": "give a file that an export of a chat has written",
    "key.again": "type it again",
    "key.check": "check {source}{more}",
    "key.env": "if it does, name a variable for it, which is key_env in its settings",
    "key.missing": "set the environment variable {variable}{note}",
    "key.replace": "{step}",
    "limit.chats": "go on in one of them, or raise max_chats of the manager (0 for any number)",
    "limit.sessions": (
        "pause or archive one of them, or raise max_active_sessions of the manager (0 for any number)"
    ),
    "model.choose": "check its name, or chat.configure(model=NAME) chooses another",
    "model.name": "name one, as in session.create_chat(name, model=…)",
    "model.unlisted": "ask again to send it anyway, or chat.configure(model=NAME) chooses another",
    "param.max_tokens": "chat.configure(max_tokens=NUMBER) with a smaller number",
    "pictures.fork": (
        "chat.configure(pictures='none') goes on without them, chat.fork(NAME, {at}) before them, "
        "chat.configure(model=NAME) chooses a model that takes them"
    ),
    "prompt.raw": "chat.send(text) sends the braces as they stand",
    "replay.miss": "run it once with replay mode auto, and save it",
    "replay.new": "run it once with replay mode auto, and save it",
    "replay.stale": "run their cells to ask again, or accept them",
    "run.trust": "look at what has changed, then ask again",
    "session.active": "it can be asked as it is",
    "session.archived": "session.restore() brings it back",
    "session.deleted": "manager.bring_back(name) brings it back",
    "session.list": "manager.sessions() lists them, manager.create_session(name=name) creates one",
    "session.paused": "session.resume() lets it go on",
    "session.terminated": "that is for good; create another with manager.create_session()",
    "session.unknown": "a later version of robota_nb knows that state",
    "snapshot.open_here": "save it where it is open",
    "snapshot.replace": "FileCarrier(path).write(entries, {{}}, replace=True) writes over it",
    "snapshot.replace_file": "name the file, FileCarrier(path).write(entries, {{}}, replace=True)",
    "snapshot.resume": "give the path of its file",
    "store.list": "store.documents() lists what there is",
    "timeout.answer": "ask for less, or raise Timeouts(answer=…) of the ProviderRegistry",
    "timeout.silence": "ask again, or raise Timeouts(silence=…) of the ProviderRegistry",
    "tool.allow": "tool(function, safe=True) marks one that only reads; in a terminal, a call is asked for",
    "turn.retry": "chat.retry() asks again",
    "turn.rounds": "say what is still to be done",
})  # fmt: skip
"""What to do next, by the key that an error carries, in the words of a Python program.

Other users have other words: ``robota_nb.display.hints`` has those of a notebook, with the same keys. A name in braces
is one that the error gives.
"""


_LINE = 499
"""The most characters of an error that says what a server said."""

_IT_SAID = " (it said: {})"


def with_hint(text: str, hint: str, names: Mapping[str, str], hints: Mapping[str, str] = HINTS) -> str:
    """Return *text* and the next step that *hint* is the key of, in the words of *hints*, which hold *names*."""
    if not hint:
        return text
    return f"{text}{'; ' if ': ' in text else ': '}{hints[hint].format_map(names)}"


class RobotaError(Exception):
    """The root of every error that robota_nb raises on purpose; its text is one line with a next step.

    Parameters
    ----------
    text
        What happened, in one line; with the next step, where that is the same for every user.
    hint
        The key in `HINTS` of what to do next, where a program does it by another call than a notebook.
    **names
        What the hint names, such as ``name="lab"``.
    """

    def __init__(self, text: str, *, hint: str = "", **names: str) -> None:
        super().__init__(text)
        self.hint = hint
        self.names = names

    def __str__(self) -> str:
        return self.in_words(HINTS)

    def in_words(self, hints: Mapping[str, str]) -> str:
        """Return the text, with the next step in the words of *hints*."""
        return with_hint(super().__str__(), self.hint, self.names, hints)

    def reword(self, hints: Mapping[str, str]) -> None:
        """Say the next step in the words of *hints* from now on, whoever asks for the text."""
        self.args, self.hint = (with_hint(super().__str__(), self.hint, self.names, hints),), ""


class FileAbsent(RobotaError, LookupError):
    """A file that was sent is needed again, is too large for a notebook, and is not on this machine.

    Parameters
    ----------
    name, size
        What it is called, and its size in bytes.
    turn
        The number in its chat, from 1, of the turn that it was sent with; 0 for what is asked now.
    """

    def __init__(self, name: str, size: int, turn: int = 0) -> None:
        where = f" of turn {turn}" if turn else ""
        super().__init__(
            f"the file {name!r}{where} ({size:,} bytes) was too large for the notebook and is not on this machine",
            hint="file.absent" if turn > 1 else "file.absent_first",
            at=str(max(turn - 1, 0)),
        )
        self.name, self.size = name, size


class SessionNotFound(RobotaError, LookupError):
    """No such session for this user (another user's session is unknown in the same words)."""


class ChatNotFound(RobotaError, LookupError):
    """No such chat in this session (another session's chat is unknown in the same words)."""


class TurnNotFound(RobotaError, LookupError):
    """No such turn or branch in this chat."""


class DuplicateName(RobotaError, ValueError):
    """The name is taken by a sibling."""


class InvalidName(RobotaError, ValueError):
    """A name that is empty, too long, or has control characters."""


class SessionNotActive(RobotaError):
    """The session is paused, archived or terminated: it can be read, not asked."""


class InvalidStateTransition(RobotaError):
    """A session cannot go from its state to the one asked for."""


class ChatBusy(RobotaError):
    """A turn is running in this chat."""


class SessionLimitReached(RobotaError):
    """The user has as many active sessions as allowed."""


class ChatLimitReached(RobotaError):
    """The session has as many chats as allowed."""


class ProviderError(RobotaError):
    """The model could not be asked, or its answer did not arrive whole.

    Parameters
    ----------
    text
        One line and a next step; never holds a key or a URL.
    status
        The HTTP status, where there is one.
    said
        The server's own words, whole. The error's text ends with as many of them as it has room for: it is one line
        of less than 500 characters.
    """

    def __init__(self, text: str, *, status: int | None = None, hint: str = "", said: str = "", **names: str) -> None:
        super().__init__(text, hint=hint, **names)
        self.status = status
        self.said = said

    def in_words(self, hints: Mapping[str, str]) -> str:
        """Return the text, with the next step in the words of *hints*, and what the server said."""
        text = super().in_words(hints)
        room = _LINE - len(text) - len(_IT_SAID.format(""))
        if not self.said or room <= 0:
            return text
        return text + _IT_SAID.format(self.said if len(self.said) <= room else f"{self.said[: room - 1]}…")


class NoModelList(ProviderError):
    """A server that can be reached, and does not say which models it has."""


class EndpointNotFound(ProviderError, LookupError):
    """A provider or endpoint name that the user has not configured."""


class KeyMissing(ProviderError):
    """The endpoint has no API key."""


class NotebookUnknown(RobotaError):
    """Nothing says which notebook a tool runs, so its recorded answers cannot be found, and nobody is to be asked."""


class ToolError(RobotaError):
    """Something cannot be offered to a model as a tool."""


class AnswerInvalid(RobotaError):
    """An answer does not have the form that was asked for; it is recorded as it is."""


class ConsentMissing(RobotaError):
    """A tool was offered that asks before it runs, and nobody is there to be asked; nothing was sent."""


class CellsUnseen(RobotaError):
    """An ask goes with other cells of the notebook, nobody tells what they hold, and its answer is not recorded."""

    def __init__(self) -> None:
        super().__init__("nothing here tells what the other cells hold, and no answer is recorded", hint="cells.unseen")


class ForeignChange(RobotaError):
    """Somebody else has changed where, or with what, a chat of this user asks, and nobody would see that it is told."""


class ReplayMiss(RobotaError):
    """In strict mode, an ask has no recorded answer that fits."""


class SnapshotError(RobotaError, ValueError):
    """A snapshot that cannot be read, or a value that cannot be stored in one.

    Parameters
    ----------
    text
        One line that says what is wrong and what to do.
    at
        Where in the snapshot, as a path such as ``sessions.s_1.e_2.content``.
    """

    def __init__(self, text: str, *, at: str = "", hint: str = "", **names: str) -> None:
        super().__init__(f"{at}: {text}" if at else text, hint=hint, **names)
        self.at = at


class StoreError(RobotaError):
    """The local store cannot be read or written."""


class GitError(RobotaError):
    """Git cannot do what is asked of it here."""


class CommandError(RobotaError, ValueError):
    """A ``%robota`` line that does not parse."""


class PromptError(RobotaError, ValueError):
    """What is to go into a prompt, or along with it, and cannot: a ``{{ name }}``, a picture, a file."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known word nearest to *word*, or an empty string."""
    from difflib import get_close_matches

    match = get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f" (did you mean {match[0]!r}?)" if match else ""
