"""The commands that go back and forth in the history of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core import history
from robota_nb.notebook import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.fold import Node
    from robota_nb.notebook.commands import Args, Commands, Verb


def _undo(on: Commands, _: Args) -> None:
    chat = on.existing_chat()
    on.say(report.undone(chat, chat.undo()))


def _redo(on: Commands, _: Args) -> None:
    chat = on.existing_chat()
    on.say(report.redone(chat, chat.redo()))


def _clear(on: Commands, _: Args) -> None:
    chat = on.existing_chat()
    chat.clear()
    on.say(report.cleared(chat))


def _fork(on: Commands, args: Args) -> None:
    chat, name = on.existing_chat(), args["name"]
    history.fork(chat.session, name, of=chat.id, at=args["at"])
    on.choose(chat.session, name, {})
    on.say(report.chosen(name))


def _branches(on: Commands, _: Args) -> None:
    on.say(report.branches(on.existing_chat()))


def _checkout(on: Commands, args: Args) -> None:
    chat = on.existing_chat()
    on.say(report.checked_out(chat, chat.checkout(args["branch"])))


def _purge(on: Commands, args: Args) -> None:
    chat = on.existing_chat()
    chat.check_idle()
    number = args["number"]
    node = history.numbered(chat.session, chat.id, number)
    where = _where_it_stands(on, chat, node)
    if not history.is_purged(chat.session, node):
        history.purge(chat.session, chat.id, number)
    on.say(report.purged(chat, number, where))


def _where_it_stands(on: Commands, chat: Chat, node: Node) -> int:
    """Return the number of the code cell that asked a turn, from 1; 0 if nobody knows it."""
    replay = on.host.manager.replay
    owner = replay.owner(chat.session, node)
    position = replay.document.position(owner) if owner else None
    return 0 if position is None else position + 1


VERBS: Mapping[tuple[str, ...], Verb] = {
    ("chat", "undo"): _undo,
    ("chat", "redo"): _redo,
    ("chat", "clear"): _clear,
    ("chat", "fork"): _fork,
    ("chat", "branches"): _branches,
    ("chat", "checkout"): _checkout,
    ("chat", "purge"): _purge,
}
