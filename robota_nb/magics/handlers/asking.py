"""Status, help, and the commands that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb._version import __version__
from robota_nb.core import ask_flow
from robota_nb.core.inside import view_of
from robota_nb.core.rules import history
from robota_nb.core.rules.modes import MODES
from robota_nb.core.turn import Message
from robota_nb.display import report
from robota_nb.magics import parser as parsing
from robota_nb.magics.runner import settings_of
from robota_nb.prompt.fields import Expanded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.record.nodes import Node
    from robota_nb.core.turn import Turn
    from robota_nb.magics.runner import Args, Handler, Runner


def _status(runner: Runner, _: Args) -> None:
    runner.say(report.status(runner.host.manager, runner.host.persistence.level))


def _help(runner: Runner, args: Args) -> None:
    runner.say(parsing.help_text(args["command"]))


def _version(runner: Runner, _: Args) -> None:
    runner.say(f"robota_nb {__version__}")


def _ask(runner: Runner, args: Args) -> Turn:
    prompt = runner.expanded(args)
    answer = ask_flow.ask(
        runner.host.manager,
        prompt.text,
        runner.host.cell(),
        session=args["session"],
        chat=args["chat"],
        options=settings_of(args),
        images=runner.images(args),
        fresh=args["fresh"],
        once=args["once"],
        at_end=args["append"],
    )
    return runner.answer(answer, args, prompt)


def _edit(runner: Runner, args: Args) -> Turn:
    chat = runner.existing_chat()
    node = history.numbered(view_of(chat), chat.id, args["number"])
    return _ask_at(runner, args, chat, node, runner.expanded(args))


def _retry(runner: Runner, args: Args) -> Turn:
    chat = runner.existing_chat()
    view = view_of(chat)
    node = history.last_shown_turn(view, chat.id, runner.replay.shown)
    return _ask_at(runner, args, chat, node, Expanded(text=view.record.text(node.user)))  # what was sent, as it is


def _ask_at(runner: Runner, args: Args, chat: Chat, node: Node, prompt: Expanded) -> Turn:
    """Ask a prompt in the place of a turn, with its pictures and options."""
    images = Message.from_record(view_of(chat).record, node.user).images
    answer = ask_flow.ask_at(
        runner.host.manager, prompt.text, runner.host.cell(), chat, node, images=images, options=node.options
    )
    return runner.answer(answer, args, prompt)


def _replay(runner: Runner, args: Args) -> None:
    replay = runner.replay
    if args["mode"]:
        replay.mode = next(mode for mode in MODES if mode == args["mode"])
    runner.say(f"replay: {replay.mode}")


def _ui(runner: Runner, _: Args) -> object:
    view = runner.host.switcher()
    if not isinstance(view, str):
        return view
    runner.say(view)
    return None


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    (): _status,
    ("ask",): _ask,
    ("help",): _help,
    ("version",): _version,
    ("chat", "edit"): _edit,
    ("chat", "retry"): _retry,
    ("replay",): _replay,
    ("ui",): _ui,
}
