"""Puts conversations of other programs into a notebook: as chats of their own, marked as foreign for good."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from robota_nb.carriers import file, output
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.config import Config
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.kinds import CHAT, kind_of
from robota_nb.core.record.text import seen, short
from robota_nb.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from robota_nb.cli.imports.talks import Talk
    from robota_nb.core.record.types import Entry

SESSION = "Imported"
"""What the session is called that they come into."""

_MAX_MODEL = 200


class Imported(NamedTuple):
    """What came of an import: the chats and their turns, the titles that were there, and what was not taken."""

    chats: int
    turns: int
    known: tuple[str, ...]
    dropped: dict[str, int]


def put(notebook: Path, program: str, talks: Iterable[Talk]) -> Imported:
    """Add conversations of a program to a notebook file that no front end holds open; one that is there stays.

    Raises
    ------
    SnapshotError
        If the notebook cannot be read or written, or may not hold so much. It is as it was then.
    """
    with file.changing(notebook, may_be_new=True) as content:
        held = snapshot.merge(*output.read(content))
        writing = _Writing(held)
        dropped, known, turns, chats = Counter[str](), [], 0, 0
        for talk in talks:
            if talk.is_too_large:
                raise SnapshotError(f"{short(talk.title)!r} has more text than a notebook may hold: leave it out")
            if not writing.add(program, talk):
                known.append(talk.title)
                continue
            chats, turns = chats + 1, turns + len(talk.exchanges)
            dropped.update(talk.dropped)
        if chats:
            writing.keep_active()
            _write(content, writing.new)
    return Imported(chats, turns, tuple(known), {what: n for what, n in dropped.items() if n})


def _write(content: dict[str, Any], new: dict[str, dict[str, Entry]]) -> None:
    value = content["metadata"].get(snapshot.KEY) or snapshot.dump({})
    whole = {**value, "sessions": snapshot.merge(value["sessions"], new)}
    snapshot.parse(whole)  # never write what could not be read again
    content["metadata"][snapshot.KEY] = whole


class _Writing:
    """The entries that an import makes, after those that a notebook holds."""

    def __init__(self, held: dict[str, dict[str, Entry]]) -> None:
        self._held = held
        self._states = {sid: SessionState.of(sid, entries) for sid, entries in held.items()}
        self._n = max((state.n for state in self._states.values()), default=0)
        live = [state for state in self._states.values() if not state.deleted]
        self._active = max(live, key=lambda state: state.active.stamp, default=None)
        self._session = next((state.id for state in live if make.fold_name(state.name) == make.fold_name(SESSION)), "")
        self._now = make.timestamp()
        self.new: dict[str, dict[str, Entry]] = {}

    def add(self, program: str, talk: Talk) -> bool:
        """Make the entries of a conversation; say whether it was not there."""
        chat = "c_" + blake2b(f"{program}\n{talk.id}".encode(), digest_size=16).hexdigest()
        there = [
            e for held in (*self._held.values(), *self.new.values()) for e in held.values() if e.get("chat") == chat
        ]
        if any(kind_of(entry) is CHAT for entry in there):
            return False
        if there:  # it was purged, and stays so: this is another one
            chat = make.new_id("c")
        if not self._session:
            self._session = make.new_id("s")
            self._put(make.session_entry(n=self._next(), at=self._now, name=SESSION))
        config = self._put(Config(provider="").to_entry())
        at = talk.at or self._now
        self._put(make.chat_entry(n=self._next(), at=at, chat=chat, name=name_of(talk.title), config=config))
        answers: list[str] = []
        for one in talk.exchanges:
            make.check_message_size(one.question)
            make.check_message_size(one.answer)
            parent = answers[one.before] if one.before is not None else None
            question = make.user_message(n=self._next(), at=one.at or at, chat=chat, parent=parent, text=one.question)
            question["imported"] = program
            asked = self._put(question)
            answer = make.assistant_message(
                n=self._next(), at=one.answered or at, chat=chat, parent=asked, text=one.answer, config=config,
                model=one.model[:_MAX_MODEL], finish_reason="stop", usage=None,
            )  # fmt: skip
            answers.append(self._put(answer))
        if talk.last is not None and talk.last != len(answers) - 1:
            self._put(make.head_entry(n=self._next(), at=self._now, chat=chat, message=answers[talk.last]))
        return True

    def keep_active(self) -> None:
        """Let the chat stay the active one that was."""
        if self._active is not None:
            entry = make.active_entry(n=self._next(), at=self._now, chat=self._active.active_chat())
            self.new.setdefault(self._active.id, {})[make.entry_id(entry)] = entry

    def _next(self) -> int:
        self._n += 1
        return self._n

    def _put(self, entry: Entry) -> str:
        eid = make.entry_id(entry)
        self.new.setdefault(self._session, {})[eid] = entry
        return eid


def name_of(title: str) -> str:
    """Return a title as the name of a chat."""
    name = " ".join(seen(make.clean(title), make.MAX_NAME).split())[: make.MAX_NAME].strip()
    return make.check_name(name or "Untitled", "chat")
