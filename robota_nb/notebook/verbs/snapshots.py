"""The commands of the snapshot: into the notebook, out of it, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.notebook import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.notebook.commands import Args, Commands, Verb


def _snapshot(on: Commands, args: Args) -> None:
    on.say(on.host.keeper.snapshot(save=args["save"], to=args["to"], replace=args["replace"]))


def _show(on: Commands, _: Args) -> None:
    on.say(report.tree(on.host.keeper.recorded()))


def _verify(on: Commands, _: Args) -> None:
    on.host.keeper.check()
    on.say(report.verified(on.host.keeper.recorded()))


def _strip(on: Commands, _: Args) -> None:
    on.say(on.host.keeper.strip())


def _resume(on: Commands, args: Args) -> None:
    on.say(on.host.keeper.resume(args["path"]))


def _recover(on: Commands, args: Args) -> None:
    on.say(on.host.keeper.recover(args["path"], saved=args["saved"]))


def _export(on: Commands, args: Args) -> None:
    on.say(f"exported to {on.host.export(on.existing_chat(), args['path'])}")


def _import(on: Commands, args: Args) -> None:
    on.say(on.host.bring(on.session(), args["path"]))


VERBS: Mapping[tuple[str, ...], Verb] = {
    ("snapshot",): _snapshot,
    ("snapshot", "show"): _show,
    ("snapshot", "verify"): _verify,
    ("snapshot", "strip"): _strip,
    ("resume",): _resume,
    ("recover",): _recover,
    ("export",): _export,
    ("import",): _import,
}
