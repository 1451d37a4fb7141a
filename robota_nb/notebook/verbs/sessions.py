"""The commands of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core import states
from robota_nb.notebook import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.session import Session
    from robota_nb.core.states import Change
    from robota_nb.notebook.commands import Args, Commands, Verb


def _open(on: Commands, args: Args) -> None:
    manager, name = on.host.manager, args["name"]
    session = manager.find_session(name) or manager.bring_back(name) or on.host.keeper.fetch(name)
    on.choose_session(session or manager.create_session(name=name), name)
    on.say(name)  # and no more: the rest depends on what ran before


def _list(on: Commands, args: Args) -> None:
    on.say(report.sessions(on.host.manager))
    if args["all"] and (others := report.other_sessions(on.host.keeper.elsewhere())):
        on.say(others)


def _rename(on: Commands, args: Args) -> None:
    on.session().rename(args["name"])
    on.say(args["name"])


def _describe(on: Commands, args: Args) -> None:
    on.session().describe(args["text"])
    on.say(args["text"])


def _change(by: Change) -> Verb:
    def verb(on: Commands, args: Args) -> None:
        session = _named(on, args)
        states.change(session, by, again=True)
        on.say(f"{session.name}: {session.state}")

    return verb


def _delete(on: Commands, args: Args) -> None:
    manager, name = on.host.manager, args["name"]
    if name and manager.is_deleted(name):
        on.say(f"{name} is deleted")  # as it stands
        return
    session = _named(on, args)
    said = name or session.name
    manager.delete_session(session.id)
    if active := manager.active_session():
        manager.replay.cell_chose(on.host.cell(), "session", active.name)
    on.say(f"{said} is deleted; %robota session open brings it back")


def _stats(on: Commands, _: Args) -> None:
    on.say(report.stats(on.session().stats))


def _named(on: Commands, args: Args) -> Session:
    return on.host.manager.session(args["name"]) if args["name"] else on.session()


VERBS: Mapping[tuple[str, ...], Verb] = {
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
