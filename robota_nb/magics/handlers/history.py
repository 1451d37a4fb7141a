"""The commands that go back and forth in the history of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.compaction import KEEP, check_whole, compact
from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.record.relations import purge_of_chats
from robota_nb.core.rules import history
from robota_nb.display import report
from robota_nb.errors import CommandError
from robota_nb.prompt.fields import Expanded
from robota_nb.sync.remains import Remains, numbered, remains, sharing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

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


def _compact(runner: Runner, args: Args) -> None:
    chat, keep = runner.existing_chat(), args["keep"]
    if args["undo"]:
        if args["text"] or args["writer"] or keep is not None:
            raise CommandError("--undo stands alone: it sends all turns again")
        chat.compact_undo()
        runner.say(report.not_compacted(chat))
        return
    keep = KEEP if keep is None else keep
    answer = compact(
        ledger_of(chat), view_of(chat), chat.id, keep=keep, model=args["writer"] or "", text=args["text"] or ""
    )  # fmt: skip
    if answer is None:
        runner.say(report.nothing_to_compact(chat, keep))
        return
    check_whole(runner.answer(answer, {**args, "out": None}, Expanded(text="")))


def _fork(runner: Runner, args: Args) -> None:
    chat, name = runner.existing_chat(), args["name"]
    chat.fork(name, args["at"])
    runner.say(report.chosen(name))


def _branches(runner: Runner, _: Args) -> None:
    runner.say(report.branches(runner.existing_chat()))


def _checkout(runner: Runner, args: Args) -> None:
    chat = runner.existing_chat()
    runner.say(report.checked_out(chat, chat.checkout(args["branch"])))


def _purge(runner: Runner, args: Args) -> None:
    number, branch = args["number"], args["branch"]
    if [number is not None, branch is not None, args["all"]].count(True) != 1 or (args["chat"] and not args["all"]):
        raise CommandError(
            "purge takes the number of a turn, --branch with that of a branch, or --all, which may name a --chat"
        )
    if args["all"]:
        _purge_chat(runner, args["chat"])
        return
    chat = runner.existing_chat()
    view = view_of(chat)
    runtime_of(chat).check_idle(view, chat.id)
    nodes = [history.numbered(view, chat.id, number)] if branch is None else history.branch(view, chat.id, branch)
    where = [_where_it_stands(runner, node) for node in nodes]
    if any(not history.is_purged(view, node) for node in nodes):
        chat.purge(number, branch=branch)
    what = f"branch {branch}" if number is None else f"turn {number}"
    runner.say(report.purged(f"{chat.name}: {what} is", left_of_purge(runner, {view.id}, where)))


def _purge_chat(runner: Runner, name: str | None) -> None:
    session = runner.session() if name else runner.existing_chat().session
    view = view_of(session)
    chat = view.find(name) if name else view.active_id
    gone = view.names().deleted(name) if name and chat is None else []
    if chat is None and not gone:
        chat = session.chat(name or "").id  # says that there is none, and what is like it
    chat = chat or gone[-1]
    called, where = view.chat_name(chat), cells_of(runner, {chat})
    entries = view.record.entries.copy()
    shared = sharing(entries, purge_of_chats(entries, {chat}).keys() & entries.keys())
    session.purge_chat(chat)
    others = [other for other in shared if other != called]
    left = left_of_purge(runner, {view.id}, where, others, whole=True)
    runner.say(report.purged(f"{called}: all of it is", left))


def cells_of(runner: Runner, chats: Collection[str]) -> list[int]:
    """Return the numbers of the code cells that did something in chats, from 1; 0 for those that nobody knows."""
    page = runner.page.page
    found = {key for key, step in page.steps.items() for effect in step.effects if getattr(effect, "chat", "") in chats}
    return [page.position(key) + 1 if page.listed else 0 for key in found]


def left_of_purge(
    runner: Runner,
    sessions: Collection[str],
    cells: Iterable[int],
    chats: Iterable[str] = (),
    *,
    whole: bool = False,
) -> Remains:
    """Return what a purge has not reached (see `robota_nb.sync.remains`), *whole*: of a whole chat or session.

    Where replay is strict, outputs are to be the same for everybody: then nothing of this machine is told.
    """
    persistence = runner.host.persistence
    in_outputs = whole and persistence.notebook.document is None
    if runtime_of(persistence.manager).mode == "strict":
        return Remains(numbered(cells), tuple(chats), in_outputs=in_outputs)
    unsaved = persistence.unsaved
    return remains(unsaved, unsaved.place, sessions, cells=cells, chats=chats)._replace(in_outputs=in_outputs)


def _where_it_stands(runner: Runner, node: Node) -> int:
    """Return the number of the code cell that asked a turn, from 1; 0 if nobody knows it."""
    page = runner.page.page
    cell = page.place_of(node.id)
    return page.position(cell) + 1 if cell and page.listed else 0


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    ("chat", "undo"): _undo,
    ("chat", "redo"): _redo,
    ("chat", "clear"): _clear,
    ("chat", "compact"): _compact,
    ("chat", "fork"): _fork,
    ("chat", "branches"): _branches,
    ("chat", "checkout"): _checkout,
    ("chat", "purge"): _purge,
}
