"""The commands of chats, but for those that ask and those of their history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.core.events import Notice
from robota_nb.core.inside import runtime_of, view_of
from robota_nb.core.rules.deletion import is_deleted
from robota_nb.display import report
from robota_nb.prompt.fields import Expanded
from robota_nb.sync.search import found_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.magics.runner import Args, Handler, Runner


def _open(runner: Runner, args: Args) -> None:
    session, name = runner.session(), args["name"]
    settings = _recorded_settings(runner, args) or runner.settings(args)
    is_here = view_of(session).find(name) or session.bring_back(name)
    chat = session.switch_to(name) if is_here else session.create_chat(name)
    chat.configure(**settings)
    runner.say(report.chosen(name))


def _recorded_settings(runner: Runner, args: Args) -> dict[str, str]:
    """Return what the running cell has set when it ran before, if its preset is not here, as at a colleague's."""
    preset = args["preset"]
    found = runner.page.former_settings() if preset and preset not in runner.host.presets else {}
    if found:
        text = f"the preset {preset!r} is not here: what was recorded of it stands in its place"
        runtime_of(runner.host.manager).emit(Notice(text=text))
    return found


def _switch(runner: Runner, args: Args) -> None:
    runner.session().switch_to(args["name"])
    runner.say(report.chosen(args["name"]))


def _set(runner: Runner, args: Args) -> None:
    settings = runner.settings(args)
    runner.chat().configure(**settings)
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
        if chosen := runner.page.former_choice():
            session.switch_to(chosen)
        return
    chat = session.chat(name) if name else runner.existing_chat()
    said = name or chat.name
    chat.session.delete_chat(chat.id)
    if active := chat.session.active_chat:
        chat.session.switch_to(active.id)
    runner.say(f"{said} is deleted; %robota chat open brings it back")


def _log(runner: Runner, _: Args) -> None:
    runner.say(report.log(runner.existing_chat()))


def _preview(runner: Runner, args: Args) -> None:
    chat = runner.existing_chat()
    prompt = runner.expanded({**args, "raw": False}) if args["text"] else Expanded(text="")
    runner.tell(prompt)
    shown = chat.preview(prompt.text)
    runner.say(report.preview(shown, chat.window))


def _search(runner: Runner, args: Args) -> None:
    runner.say(report.hits(runner.session().search(args["text"]), args["text"]))


def _search_all(runner: Runner, args: Args) -> None:
    found = found_here(runner.host.persistence, args["text"], everywhere=args["all"])
    where = "this notebook, nor in others of the store" if args["all"] else "this notebook"
    runner.say(report.matches(found) or f"nothing in {where} holds {report.short(args['text'])!r}")


def _stats(runner: Runner, _: Args) -> None:
    chat = runner.existing_chat()
    runner.say(report.stats(chat.stats, runner.host.endpoints.prices(), report.used_of(chat.tokens, chat.window)))


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
    ("search",): _search_all,
}
