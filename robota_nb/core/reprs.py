"""How sessions, chats and turns show themselves as the result of a cell: small, and escaped text only.

What they hold are texts from strangers. So there are no links, pictures or scripts in it, long texts are cut, and
characters that only act on others (controls, changes of direction) are left out.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from robota_nb.core.chat import Chat
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.record.config import Config
    from robota_nb.core.rules.search import Hit
    from robota_nb.core.rules.stats import Stats, Tally
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Branch, Message, Preview, Turn

_SHORT = 60
_CELL = 400
_TEXT = 4000
_ROWS = 20
_JOINERS = "\n\t\u200c\u200d"  # line breaks, and what holds letters and emoji together
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNKNOWN = frozenset({"Co", "Cn"})

_LINE = "border-bottom: 1px solid var(--jp-border-color2, #ccc)"
_TABLE = "border-collapse: collapse; color: var(--jp-content-font-color1, inherit)"
_HEAD = f"text-align: left; padding: 2px 8px; {_LINE}"
_DATA = (
    f"text-align: left; vertical-align: top; padding: 2px 8px; white-space: pre-wrap; unicode-bidi: isolate; {_LINE}"
)
_BOX = "white-space: pre-wrap; unicode-bidi: isolate; color: var(--jp-content-font-color1, inherit)"
_NOTE = "unicode-bidi: isolate; color: var(--jp-content-font-color2, #666)"


# -- as plain text


def message_line(message: Message) -> str:
    """Describe a message in one line."""
    return f"<Message {short(message.content)!r} role={short(message.role)!r}>"


def turn_line(turn: Turn) -> str:
    """Describe a turn in one line."""
    return f"<Turn {short(turn.text)!r} model={short(turn.model)!r} finish_reason={short(turn.finish_reason)!r}>"


def chat_line(chat: Chat) -> str:
    """Describe a chat in one line."""
    turns = len(chat.session.path(chat.id).nodes)
    return f"<Chat {chat.name!r} in {chat.session.name!r}: {count(turns, 'turn')}, {asked(chat.config)}>"


def session_line(session: Session) -> str:
    """Describe a session in one line."""
    return f"<Session {session.name!r}: {count(len(session.chats), 'chat')}, {seen(session.state, _SHORT)}>"


def manager_line(manager: SessionManager) -> str:
    """Describe what a manager holds in one line: its default user's sessions."""
    active = manager.active_session()
    at = f", {active.name!r} is active" if active else ""
    return f"<SessionManager: {count(len(manager.sessions()), 'session')}{at}>"


def stats_line(stats: Stats) -> str:
    """Say in one line what was counted."""
    total = stats.total
    return (
        f"<Stats: {count(stats.sessions, 'session')}, {count(stats.chats, 'chat')}, {count(total.turns, 'turn')} "
        f"({stats.on_path} on paths, {count(stats.branches, 'branch')}), "
        f"tokens {total.input_tokens} in, {total.output_tokens} out>"
    )


def hit_line(hit: Hit) -> str:
    """Say in one line where something was found."""
    return f"<Hit in {hit.chat.name!r}, {_place(hit)}: {short(hit.turn.prompt.content)!r}>"


def branch_line(branch: Branch) -> str:
    """Describe a branch in one line."""
    first = short(branch.turns[0].prompt.content) if branch.turns else ""
    return f"<Branch {branch.number} after turn {branch.after}: {count(len(branch.turns), 'turn')}, {first!r}>"


def preview_line(preview: Preview) -> str:
    """Say in one line what would be sent."""
    to = f"{preview.provider}/{preview.request.model}".strip("/")
    return f"<Preview: {count(len(preview.request.messages), 'message')}, {preview.size} bytes, to {short(to)!r}>"


# -- as HTML


def turn_html(turn: Turn) -> str:
    """Show a turn: the question folded, and the answer."""
    ending = "" if turn.finish_reason == "stop" else f" · {turn.finish_reason}"
    used = f" · {turn.usage.input_tokens} + {turn.usage.output_tokens} tokens" if turn.usage else ""
    return _div(
        "turn",
        f'<details style="{_NOTE}"><summary>{_text(turn.prompt.content, 80)}</summary>'
        f'<div style="{_BOX}">{_text(turn.prompt.content, _TEXT)}</div></details>'
        f'<div style="{_BOX}">{_text(turn.text, _TEXT)}</div>'
        f"{_note(f'{turn.model}{used}{ending}')}",
    )


def chat_html(chat: Chat) -> str:
    """Show a chat: its last turns, a row each."""
    nodes = chat.session.path(chat.id).nodes
    first = max(0, len(nodes) - _ROWS)
    turns = map(chat.turn, nodes[first:])
    rows = [[str(number), turn.prompt.content, turn.text] for number, turn in enumerate(turns, first + 1)]
    head = f"{chat.name} · {chat.session.name} · {asked(chat.config)} · {count(len(nodes), 'turn')}"
    return _div("chat", _note(head) + _table(["", "asked", "answered"], rows, left_out=first, what="earlier turn"))


def session_html(session: Session) -> str:
    """Show a session: its chats, a row each."""
    chats, active = session.chats, session.active_id
    rows = [
        ["▸" if chat.id == active else "", chat.name, asked(chat.config), str(len(session.path(chat.id).nodes))]
        for chat in chats[:_ROWS]
    ]
    head = f"{session.name} · {session.state}" + (f" · {session.description}" if session.description else "")
    left = len(chats) - len(rows)
    return _div("session", _note(head) + _table(["", "chat", "model", "turns"], rows, left_out=left, what="chat"))


def manager_html(manager: SessionManager) -> str:
    """Show the sessions of a manager's default user, a row each."""
    sessions, active = manager.sessions(), manager.active_session()
    rows = [
        ["▸" if session is active else "", session.name, session.state, str(len(session.chats))]
        for session in sessions[:_ROWS]
    ]
    left = len(sessions) - len(rows)
    return _div("sessions", _table(["", "session", "state", "chats"], rows, left_out=left, what="session"))


def stats_html(stats: Stats) -> str:
    """Show what was counted: all, by model, and what this kernel did."""
    rows = [_tally("all", stats.total)]
    rows += [_tally(model, tally) for model, tally in list(stats.models.items())[:_ROWS]]
    rows += [_tally("asked here", stats.asked), _tally("replayed here", stats.replayed)]
    head = (
        f"{count(stats.sessions, 'session')} · {count(stats.chats, 'chat')} · "
        f"{count(stats.on_path, 'turn')} on paths · {count(stats.branches, 'branch')}"
    )
    left = max(0, len(stats.models) - _ROWS)
    columns = ["", "turns", "input tokens", "output tokens"]
    return _div("stats", _note(head) + _table(columns, rows, left_out=left, what="model"))


def hit_html(hit: Hit) -> str:
    """Show where something was found."""
    return _div("hit", _note(f"{hit.chat.name} · {_place(hit)}") + turn_html(hit.turn))


def branch_html(branch: Branch) -> str:
    """Show a branch: its first turns, a row each."""
    shown = branch.turns[:_ROWS]
    rows = [[str(number), t.prompt.content, t.text] for number, t in enumerate(shown, branch.after + 1)]
    left = len(branch.turns) - len(shown)
    head = f"branch {branch.number} · after turn {branch.after}"
    return _div("branch", _note(head) + _table(["", "asked", "answered"], rows, left_out=left, what="later turn"))


def preview_html(preview: Preview) -> str:
    """Show what would be sent: the last messages, a row each."""
    messages = preview.request.messages
    shown = messages[-_ROWS:]
    rows = [[str(message.get("role")), _plain(message.get("content"))] for message in shown]
    settings = "".join(f" · {key} = {value}" for key, value in preview.request.params.items())
    head = f"to {f'{preview.provider}/{preview.request.model}'.strip('/')} · {preview.size} bytes{settings}"
    left = len(messages) - len(shown)
    return _div("preview", _note(head) + _table(["role", "content"], rows, left_out=left, what="earlier message"))


# -- pieces


def _div(name: str, inner: str) -> str:
    return f'<div class="robota-{name}">{inner}</div>'


def _note(text: str) -> str:
    return f'<div style="{_NOTE}">{_text(text, _CELL)}</div>'


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]], *, left_out: int, what: str) -> str:
    head = "".join(f'<th style="{_HEAD}">{_text(name, _CELL)}</th>' for name in columns)
    cells = ("".join(f'<td style="{_DATA}">{_text(cell, _CELL)}</td>' for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    more = _note(f"and {count(left_out, what)} more") if left_out else ""
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'


def _text(text: str, limit: int) -> str:
    """Return a stranger's text as HTML that is nothing but text."""
    return escape(seen(text, limit))


def seen(text: str, limit: int) -> str:
    """Return the beginning of a text, without characters that are not seen but act."""
    cut = text[:limit]
    kept = "".join(char for char in cut if not acts(char) and unicodedata.category(char) not in _UNKNOWN)
    return kept if len(text) <= limit else f"{kept}…"


def acts(char: str) -> bool:
    """Say whether a character is not seen itself, but changes how others are shown, or where they stand."""
    return char not in _JOINERS and unicodedata.category(char) in _UNSEEN


def short(text: str) -> str:
    """Return the first words of a text, on one line."""
    line = re.sub(r"\s+", " ", text[: 4 * _SHORT])
    return line if len(line) <= _SHORT and len(text) <= 4 * _SHORT else f"{line[: _SHORT - 1]}…"


def asked(config: Config) -> str:
    """Name who is asked, in one line that can stand anywhere."""
    name = config.provider if config.model in ("", config.provider) else f"{config.provider}/{config.model}"
    return re.sub(r"\s+", " ", seen(name, _SHORT)) or "no model"


def _place(hit: Hit) -> str:
    return f"turn {hit.number}" if hit.number else "on a branch"


def _plain(content: object) -> str:
    """Return what a message of a request says; its pictures are named, not shown."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part.get("text") or "(a picture)" for part in parts if isinstance(part, dict))


def _tally(name: str, tally: Tally) -> list[str]:
    return [name, str(tally.turns), str(tally.input_tokens), str(tally.output_tokens)]


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    if number == 1:
        return f"1 {noun}"
    stem = noun.removesuffix("y") + "ie" if noun.endswith("y") else noun + "e" if noun.endswith("ch") else noun
    return f"{number} {stem}s"
