"""The commands of chats, but for those that ask and those of their history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.inside import view_of
from robota_nb.core.rules.deletion import is_deleted
from robota_nb.display import report
from robota_nb.magics.runner import settings_of
from robota_nb.prompt.fields import Expanded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.magics.runner import Args, Handler, Runner


def _open(runner: Runner, args: Args) -> None:
    session, settings, name = runner.session(), settings_of(args), args["name"]
    if view_of(session).find(name) is None and session.bring_back(name) is None:
        session.create_chat(name)
    runner.choose(session, name, settings)
    runner.say(report.chosen(name))


def _switch(runner: Runner, args: Args) -> None:
    runner.choose(runner.session(), args["name"], {})
    runner.say(report.chosen(args["name"]))


def _set(runner: Runner, args: Args) -> None:
    settings = settings_of(args)
    runner.configure(runner.chat(), settings)
    runner.say(report.settings(settings))


def _list(runner: Runner, _: Args) -> None:
    runner.say(report.chats(runner.session()))


def _rename(runner: Runner, args: Args) -> None:
    runner.chat().rename(args["name"])
    runner.say(report.chosen(args["name"]))


def _delete(runner: Runner, args: Args) -> None:
    session, name = runner.session(), args["name"]
    if name and is_deleted(view_of(session), name):
        runner.say(f"{name} is deleted")  # as it stands
        return
    chat = session.chat(name) if name else runner.existing_chat()
    said = name or chat.name
    chat.session.delete_chat(chat.id)
    if active := chat.session.active_chat:
        runner.replay.cell_chose(runner.host.cell(), "chat", active.name)
    runner.say(f"{said} is deleted; %robota chat open brings it back")


def _log(runner: Runner, _: Args) -> None:
    runner.say(report.log(runner.existing_chat()))


def _preview(runner: Runner, args: Args) -> None:
    chat = runner.existing_chat()
    prompt = runner.expanded({**args, "raw": False}) if args["text"] else Expanded(text="")
    runner.tell(prompt)
    runner.say(report.preview(chat.preview(prompt.text)))


def _search(runner: Runner, args: Args) -> None:
    runner.say(report.hits(runner.session().search(args["text"]), args["text"]))


def _stats(runner: Runner, _: Args) -> None:
    runner.say(report.stats(runner.existing_chat().stats))


HANDLERS: Mapping[tuple[str, ...], Handler] = {
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
