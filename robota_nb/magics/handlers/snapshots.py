"""The commands of the snapshot: into the notebook, out of it, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from robota_nb.carriers import chat_file
from robota_nb.core.record.snapshot import dump
from robota_nb.core.users import expanded
from robota_nb.display import report
from robota_nb.sync.chat_files import import_chat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.magics.runner import Args, Handler, Runner


def _snapshot(runner: Runner, args: Args) -> None:
    persistence = runner.host.persistence
    if args["to"]:
        runner.say(report.written_to_file(persistence.write_file(Path(expanded(args["to"])), replace=args["replace"])))
    else:
        runner.say(report.written(persistence.snapshot(save=args["save"], replace=args["replace"])))


def _show(runner: Runner, _: Args) -> None:
    runner.say(report.tree(dump(runner.host.persistence.entries())))


def _verify(runner: Runner, _: Args) -> None:
    runner.host.persistence.notebook.check()
    runner.say(report.verified(dump(runner.host.persistence.entries())))


def _strip(runner: Runner, _: Args) -> None:
    runner.host.persistence.strip()
    runner.say("the conversations are out of this notebook; %robota snapshot puts them in again")


def _resume(runner: Runner, args: Args) -> None:
    path = args["path"]
    runner.say(report.adopted(runner.host.reader.adopt_file(Path(expanded(path)) if path else None)))


def _recover(runner: Runner, args: Args) -> None:
    path = args["path"]
    runner.say(report.recovered(runner.host.recovery.recover(path and expanded(path), saved=args["saved"])))


def _export(runner: Runner, args: Args) -> None:
    runner.say(f"exported to {chat_file.write(runner.existing_chat(), expanded(args['path'])).name}")


def _import(runner: Runner, args: Args) -> None:
    runner.say(report.imported(import_chat(runner.host.persistence, runner.session(), expanded(args["path"]))))


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    ("snapshot",): _snapshot,
    ("snapshot", "show"): _show,
    ("snapshot", "verify"): _verify,
    ("snapshot", "strip"): _strip,
    ("resume",): _resume,
    ("recover",): _recover,
    ("export",): _export,
    ("import",): _import,
}
