"""Conversations of a notebook as a page to give away: what is chosen of them, and without what is not to be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robota_nb.carriers import file, output
from robota_nb.carriers.atomic import explained, replace_file
from robota_nb.cli import configured
from robota_nb.core.events import Notice
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.names import Names
from robota_nb.core.record.text import count
from robota_nb.display import report
from robota_nb.display.web_page import WebPage, is_page
from robota_nb.display.web_text import WebText
from robota_nb.errors import ChatNotFound, SnapshotError, nearest
from robota_nb.magics.key_guard import without_keys
from robota_nb.providers.redaction import without_key
from robota_nb.providers.registry import ProviderRegistry
from robota_nb.sync.unsaved import Unsaved

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from robota_nb.core.ports import Entries
    from robota_nb.display.web_page import Shows
    from robota_nb.providers.keys.secret import Secret
    from robota_nb.sync.notices import SyncNotice

__all__ = ["Redaction", "write_page"]

_MARK = "…"


@dataclass(slots=True)
class Redaction:
    """Takes out of texts what is not to be seen, and counts it.

    Parameters
    ----------
    patterns
        What the user does not want to be seen.
    secrets
        The keys of their endpoints; and what looks like a key of others is never seen.

    Attributes
    ----------
    count
        How many texts had something in them.
    """

    patterns: Sequence[re.Pattern[str]]
    secrets: Sequence[Secret]
    count: int = 0

    def __call__(self, text: str) -> str:
        """Return a text without it."""
        shown = text
        for secret in self.secrets:
            shown = without_key(shown, secret)
        shown = without_keys(shown)
        for pattern in self.patterns:
            shown = pattern.sub(lambda found: _MARK if found[0] else "", shown)
        self.count += shown != text
        return shown


def write_page(
    notebook: Path,
    target: Path,
    shows: Shows,
    *,
    chats: Sequence[str],
    patterns: Sequence[re.Pattern[str]],
    notify: Callable[[str], object],
) -> str:
    """Write the page of a notebook into a file, and say what is on it.

    Parameters
    ----------
    notebook
        The notebook.
    target
        The file; an earlier page is replaced, nothing else.
    shows
        What is shown.
    chats
        The names or ids of the chats; all of them if none is named.
    patterns
        What is not to be seen.
    notify
        Takes a line for the user.

    Raises
    ------
    ChatNotFound
        If there is no chat of a name.
    SnapshotError
        If there are no conversations, or a file cannot be read or written.
    """
    held = snapshot.merge(*output.read(file.load(notebook)))
    sessions = {sid: entries for sid, entries in held.items() if not SessionState.of(sid, entries).deleted}
    outline = report.outlined(sessions, _ids(sessions, chats) if chats else None)
    if not any(session["chats"] for session in outline):
        raise SnapshotError(f"there are no conversations in {notebook.name}: nothing was written")
    with explained(target, "written"):
        if target.exists() and not (target.is_file() and is_page(target.read_bytes())):
            raise SnapshotError(f"{target.name} is there, and is no exported page: name another file with -o")
    redaction = Redaction(patterns, ProviderRegistry(configured.endpoints()).secrets())
    page = WebPage(notebook.stem, WebText(redaction), shows, _foreign(sessions, notify))
    replace_file(target, page.html(sessions, outline).encode())
    if patterns and page.pictures:
        notify(f"{count(page.pictures, 'picture')} on it cannot be searched: look at them, or use --no-pictures")
    hidden = f", something was taken out of {count(redaction.count, 'text')}" if redaction.count else ""
    return f"{target.name}: {count(page.chats, 'chat')}, {count(page.turns, 'turn')}{hidden}"


def _ids(sessions: Entries, chats: Sequence[str]) -> set[str]:
    """Return the ids of the chats that are meant, of whatever session."""
    found, wanted = set[str](), set(chats)
    known: list[str] = []
    for sid, entries in sessions.items():
        state = SessionState.of(sid, entries)
        live = {chat.id: chat.names for chat in state.live_chats()}
        names = Names(live)
        known += names.shown.values()
        for ref in chats:
            if chat := ref if ref in live else names.find(ref):
                found.add(chat)
                wanted.discard(ref)
    if missing := next((ref for ref in chats if ref in wanted), None):
        raise ChatNotFound(f"no chat is called {missing!r}{nearest(missing, known)}: robota-nb show lists them")
    return found


def _foreign(sessions: Entries, notify: Callable[[str], object]) -> set[str]:
    """Return the ids of what this user's store does not know; a store that holds nothing at all cannot tell."""

    def tell(told: SyncNotice) -> None:
        if isinstance(told, Notice):  # of a damaged store; the others are about a kernel
            notify(told.text)

    unsaved = Unsaved(lambda: None, tell)
    unknown = unsaved.unknown(sessions)
    unsaved.store.close()
    if unsaved.failed:
        notify("the store of this machine cannot be read: nothing is marked as somebody else's")
    return unknown or set()
