"""The commands of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.users import default_user
from robota_nb.display import report
from robota_nb.magics.handlers.history import cells_of, left_of_purge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.rules.states import Change
    from robota_nb.core.session import Session
    from robota_nb.magics.runner import Args, Handler, Runner


def _open(runner: Runner, args: Args) -> None:
    manager, name = runner.host.manager, args["name"]
    runner.page  # noqa: B018 - the cell that runs is noted, if it was not
    session = manager.find_session(name) or manager.bring_back(name) or runner.host.recovery.session(name)
    manager.activate(session or manager.create_session(name=name))
    runner.say(name)  # and no more: the rest depends on what ran before


def _list(runner: Runner, args: Args) -> None:
    runner.say(report.sessions(runner.host.manager))
    if args["all"] and (others := report.other_sessions(runner.host.recovery.elsewhere())):
        runner.say(others)


def _rename(runner: Runner, args: Args) -> None:
    runner.session().rename(args["name"])
    runner.say(args["name"])


def _describe(runner: Runner, args: Args) -> None:
    runner.session().describe(args["text"])
    runner.say(args["text"])


def _change(by: Change) -> Handler:
    def handle(runner: Runner, args: Args) -> None:
        session = _named(runner, args)
        ledger_of(session).change_state(view_of(session), by, runner.page.here)
        runner.say(f"{session.name}: {session.state}")

    return handle


def _delete(runner: Runner, args: Args) -> None:
    manager, name = runner.host.manager, args["name"]
    if name and manager.is_deleted(name):
        runner.say(f"{name} is deleted")  # as it stands
        if (chosen := runner.page.former_choice()) and (session := manager.find_session(chosen)):
            manager.activate(session)
        return
    session = _named(runner, args)
    said = name or session.name
    manager.delete_session(session.id)
    if active := manager.active_session():
        manager.activate(active)
    runner.say(f"{said} is deleted; %robota session open brings it back")


def _purge(runner: Runner, args: Args) -> None:
    manager, name = runner.host.manager, args["name"]
    found = manager.find_session(name)
    gone = [] if found else ledger_of(manager).deleted(default_user(), name)
    view = view_of(found or manager.session(name)) if not gone else gone[-1]
    called, where = view.name, cells_of(runner, view.record.chats)
    manager.purge_session(view.id if found else name)
    runner.say(report.purged(f"{called}: all of it is", left_of_purge(runner, {view.id}, where, whole=True)))


def _stats(runner: Runner, _: Args) -> None:
    runner.say(report.stats(runner.session().stats, runner.host.endpoints.prices()))


def _named(runner: Runner, args: Args) -> Session:
    return runner.host.manager.session(args["name"]) if args["name"] else runner.session()


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    ("session", "open"): _open,
    ("session", "list"): _list,
    ("session", "rename"): _rename,
    ("session", "describe"): _describe,
    ("session", "pause"): _change("pause"),
    ("session", "resume"): _change("resume"),
    ("session", "archive"): _change("archive"),
    ("session", "restore"): _change("restore"),
    ("session", "terminate"): _change("terminate"),
    ("session", "delete"): _delete,
    ("session", "purge"): _purge,
    ("session", "stats"): _stats,
}
