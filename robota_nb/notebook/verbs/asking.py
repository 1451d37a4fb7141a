"""Status, help, and the commands that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb._version import __version__
from robota_nb.core import history
from robota_nb.core.modes import MODES
from robota_nb.notebook import command as parsing
from robota_nb.notebook import report
from robota_nb.notebook.commands import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.turn import Turn
    from robota_nb.notebook.commands import Args, Commands, Verb


def _status(on: Commands, _: Args) -> None:
    on.say(report.status(on.host))


def _help(on: Commands, args: Args) -> None:
    on.say(parsing.help_text(args["command"]))


def _version(on: Commands, _: Args) -> None:
    on.say(f"robota_nb {__version__}")


def _ask(on: Commands, args: Args) -> Turn:
    answer = on.host.manager.ask(
        on.expanded(args),
        on.host.cell(),
        session=args["session"],
        chat=args["chat"],
        options=settings_of(args),
        images=on.images(args),
        fresh=args["fresh"],
        once=args["once"],
        at_end=args["append"],
    )
    return on.answer(answer, args)


def _edit(on: Commands, args: Args) -> Turn:
    chat = on.existing_chat()
    node = history.numbered(chat.session, chat.id, args["number"])
    answer = on.host.manager.ask_at(
        on.expanded(args), on.host.cell(), chat, node, images=chat.turn(node).prompt.images, options=node.options
    )
    return on.answer(answer, args)


def _retry(on: Commands, args: Args) -> Turn:
    chat = on.existing_chat()
    node = history.last_shown_turn(chat.session, chat.id)
    turn = chat.turn(node)
    answer = on.host.manager.ask_at(
        turn.prompt.content, on.host.cell(), chat, node, images=turn.prompt.images, options=node.options
    )
    return on.answer(answer, args)


def _replay(on: Commands, args: Args) -> None:
    replay = on.host.manager.replay
    if args["mode"]:
        replay.mode = next(mode for mode in MODES if mode == args["mode"])
    on.say(f"replay: {replay.mode}")


def _ui(on: Commands, _: Args) -> object:
    view = on.host.switcher()
    if not isinstance(view, str):
        return view
    on.say(view)
    return None


VERBS: Mapping[tuple[str, ...], Verb] = {
    (): _status,
    ("ask",): _ask,
    ("help",): _help,
    ("version",): _version,
    ("chat", "edit"): _edit,
    ("chat", "retry"): _retry,
    ("replay",): _replay,
    ("ui",): _ui,
}
