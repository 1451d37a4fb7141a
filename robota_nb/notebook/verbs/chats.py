"""The commands of chats, but for those that ask and those of their history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.notebook import report
from robota_nb.notebook.commands import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.notebook.commands import Args, Commands, Verb


def _open(on: Commands, args: Args) -> None:
    session, settings, name = on.session(), settings_of(args), args["name"]
    if session.find(name) is None and session.bring_back(name) is None:
        session.create_chat(name)
    on.choose(session, name, settings)
    on.say(report.chosen(name))


def _switch(on: Commands, args: Args) -> None:
    on.choose(on.session(), args["name"], {})
    on.say(report.chosen(args["name"]))


def _set(on: Commands, args: Args) -> None:
    settings = settings_of(args)
    on.configure(on.chat(), settings)
    on.say(report.settings(settings))


def _list(on: Commands, _: Args) -> None:
    on.say(report.chats(on.session()))


def _rename(on: Commands, args: Args) -> None:
    on.chat().rename(args["name"])
    on.say(report.chosen(args["name"]))


def _delete(on: Commands, args: Args) -> None:
    session, name = on.session(), args["name"]
    if name and session.is_deleted(name):
        on.say(f"{name} is deleted")  # as it stands
        return
    chat = session.chat(name) if name else on.existing_chat()
    said = name or chat.name
    chat.session.delete_chat(chat.id)
    if active := chat.session.active_chat:
        on.host.manager.replay.cell_chose(on.host.cell(), "chat", active.name)
    on.say(f"{said} is deleted; %robota chat open brings it back")


def _log(on: Commands, _: Args) -> None:
    on.say(report.log(on.existing_chat()))


def _preview(on: Commands, args: Args) -> None:
    on.say(report.preview(on.existing_chat().preview(on.expanded({**args, "raw": False}) if args["text"] else "")))


def _search(on: Commands, args: Args) -> None:
    on.say(report.hits(on.session().search(args["text"]), args["text"]))


def _stats(on: Commands, _: Args) -> None:
    on.say(report.stats(on.existing_chat().stats))


VERBS: Mapping[tuple[str, ...], Verb] = {
    ("chat", "open"): _open,
    ("chat", "switch"): _switch,
    ("chat", "set"): _set,
    ("chat", "list"): _list,
    ("chat", "rename"): _rename,
    ("chat", "delete"): _delete,
    ("chat", "log"): _log,
    ("chat", "preview"): _preview,
    ("chat", "search"): _search,
    ("chat", "stats"): _stats,
    ("new",): _open,
    ("switch",): _switch,
}
