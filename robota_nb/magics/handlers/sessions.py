"""The commands of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.rules.states import Here
from robota_nb.display import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.rules.states import Change
    from robota_nb.core.session import Session
    from robota_nb.magics.runner import Args, Handler, Runner


def _open(runner: Runner, args: Args) -> None:
    manager, name = runner.host.manager, args["name"]
    session = manager.find_session(name) or manager.bring_back(name) or runner.host.recovery.session(name)
    runner.choose_session(session or manager.create_session(name=name), name)
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
        ledger_of(session).change_state(view_of(session), by, Here(runner.host.cell(), runner.replay.document))
        runner.say(f"{session.name}: {session.state}")

    return handle


def _delete(runner: Runner, args: Args) -> None:
    manager, name = runner.host.manager, args["name"]
    if name and manager.is_deleted(name):
        runner.say(f"{name} is deleted")  # as it stands
        return
    session = _named(runner, args)
    said = name or session.name
    manager.delete_session(session.id)
    if active := manager.active_session():
        runner.replay.cell_chose(runner.host.cell(), "session", active.name)
    runner.say(f"{said} is deleted; %robota session open brings it back")


def _stats(runner: Runner, _: Args) -> None:
    runner.say(report.stats(runner.session().stats))


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
    ("session", "stats"): _stats,
}
