"""The commands that go back and forth in the history of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.rules import history
from robota_nb.display import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.record.nodes import Node
    from robota_nb.magics.runner import Args, Handler, Runner


def _undo(runner: Runner, _: Args) -> None:
    chat = runner.existing_chat()
    runner.say(report.undone(chat, chat.undo()))


def _redo(runner: Runner, _: Args) -> None:
    chat = runner.existing_chat()
    runner.say(report.redone(chat, chat.redo()))


def _clear(runner: Runner, _: Args) -> None:
    chat = runner.existing_chat()
    chat.clear()
    runner.say(report.cleared(chat))


def _fork(runner: Runner, args: Args) -> None:
    chat, name = runner.existing_chat(), args["name"]
    chat.fork(name, args["at"])
    runner.choose(chat.session, name, {})
    runner.say(report.chosen(name))


def _branches(runner: Runner, _: Args) -> None:
    runner.say(report.branches(runner.existing_chat()))


def _checkout(runner: Runner, args: Args) -> None:
    chat = runner.existing_chat()
    runner.say(report.checked_out(chat, chat.checkout(args["branch"])))


def _purge(runner: Runner, args: Args) -> None:
    chat = runner.existing_chat()
    runtime_of(chat).check_idle(view_of(chat), chat.id)
    number = args["number"]
    node = history.numbered(view_of(chat), chat.id, number)
    where = _where_it_stands(runner, chat, node)
    if not history.is_purged(view_of(chat), node):
        chat.purge(number)
    runner.say(report.purged(chat, number, where))


def _where_it_stands(runner: Runner, chat: Chat, node: Node) -> int:
    """Return the number of the code cell that asked a turn, from 1; 0 if nobody knows it."""
    replay = runner.replay
    owner = replay.owner(view_of(chat), node)
    position = replay.document.position(owner) if owner else None
    return 0 if position is None else position + 1


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    ("chat", "undo"): _undo,
    ("chat", "redo"): _redo,
    ("chat", "clear"): _clear,
    ("chat", "fork"): _fork,
    ("chat", "branches"): _branches,
    ("chat", "checkout"): _checkout,
    ("chat", "purge"): _purge,
}
