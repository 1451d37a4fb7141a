"""Status, help, and the commands that ask."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from robota_nb._version import __version__
from robota_nb.core import ask_flow
from robota_nb.core.files import along
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.record.kinds import added
from robota_nb.core.record.steps import spec_of
from robota_nb.core.rules import history
from robota_nb.core.rules.modes import MODES
from robota_nb.display import report
from robota_nb.magics import parser as parsing
from robota_nb.prompt.fields import Expanded
from robota_nb.prompt.last_error import is_own, newest
from robota_nb.prompt.library import listed
from robota_nb.prompt.question import failed_source, question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.record.fold import SessionState
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
    runner.page  # noqa: B018 - the cell that runs is noted, if it was not
    files = runner.files(args, prompt)
    cells = runner.cells(args)
    rounds = runner.rounds(args["tool"], args["into"], args["repair"])
    ask = partial(
        ask_flow.ask,
        text=prompt.text,
        session=args["session"],
        chat=args["chat"],
        options={**runner.settings(args), **(rounds.shape.settings() if rounds.shape else {})},
        attached=(*along(runner.images(args), files), *cells.attached),
        fresh=args["fresh"],
        once=args["once"],
        append=args["append"],
        lacks=cells.lacks,
        rounds=rounds,
    )
    told = [*(one.notice for one in files if one.notice), *cells.notices]
    return runner.answer(runner.host.ask(ask), args, prompt.with_notices(told))


def _prompts(runner: Runner, _: Args) -> None:
    lines = [f"{one.name} · {'yours' if one.own else 'of this repository'} · {one.about}" for one in listed()]
    runner.say("\n".join(lines) or "there are none here: .robota/prompts/NAME.md beside the notebook would be one")


def _fix(runner: Runner, _: Args) -> None:
    error = newest()
    if error is None or is_own(error):
        runner.say("there is no error to ask about: run the cell that fails, then %robota fix")
        return
    shell = runner.shell
    source = failed_source(shell)
    shell.set_next_input(question(source, shell.user_ns, hidden=shell.user_ns_hidden))
    runner.say("a cell below asks why: look at it, and run it")


def _edit(runner: Runner, args: Args) -> Turn:
    chat = runner.existing_chat()
    node = history.numbered(view_of(chat), chat.id, args["number"])
    return _ask_instead(runner, args, chat, node, runner.expanded(args))


def _retry(runner: Runner, args: Args) -> Turn | None:
    chat = runner.existing_chat()
    view = view_of(chat)
    if not len(view.path(chat.id)):  # as where the cell has been moved above what it was for
        runner.say(report.nothing_to_ask_again(chat))
        return None
    node = history.to_retry(view, chat.id)
    return _ask_instead(runner, args, chat, node, Expanded(text=view.record.text(node.user)))  # what was sent, as it is


def _ask_instead(runner: Runner, args: Args, chat: Chat, node: Node, prompt: Expanded) -> Turn:
    """Ask a prompt in the place of a turn, with its pictures, files and options."""
    attached = view_of(chat).record.attachments(node.user)
    answer = ask_flow.ask_instead(
        runner.host.manager, chat, node, prompt.text, attached=attached, options=node.options,
        rounds=runner.rounds(_offered(view_of(chat).record, node)),
    )  # fmt: skip
    return runner.answer(answer, args, prompt)


def _offered(record: SessionState, node: Node) -> list[str]:
    """Return the names of the tools that were offered with a turn."""
    question = record.entries[node.user]
    found = (record.entries.get(eid) for eid in added(question, "tools") or ()) if "tools" in question else ()
    return [spec.name for entry in found if entry and (spec := spec_of(entry))]


def _replay(runner: Runner, args: Args) -> None:
    runtime = runtime_of(runner.host.manager)
    if args["mode"]:
        runtime.mode = next(mode for mode in MODES if mode == args["mode"])
        runner.say(f"replay: {runtime.mode}")
    else:
        runner.say(report.replay(runner.page, runtime.mode))


def _accept(runner: Runner, args: Args) -> None:
    page, which = runner.page, args["which"]
    numbers = {int(word) for word in which if word.isdecimal()}
    chats = {runner.session().chat(word).id for word in which if not word.isdecimal()}
    position = page.page.position
    count = page.accept(
        lambda cell, judged: not which or position(cell.key) + 1 in numbers or page.record.chat_of(judged.turn) in chats
    )
    runner.say(report.accepted(count))


def _ui(runner: Runner, _: Args) -> object:
    view = runner.host.switcher()
    if not isinstance(view, str):
        return view
    runner.say(view)
    return None


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    (): _status,
    ("ask",): _ask,
    ("fix",): _fix,
    ("help",): _help,
    ("version",): _version,
    ("chat", "edit"): _edit,
    ("chat", "retry"): _retry,
    ("prompts",): _prompts,
    ("replay",): _replay,
    ("replay", "accept"): _accept,
    ("ui",): _ui,
}
