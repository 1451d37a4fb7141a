"""The commands of the snapshot: into the notebook, out of it, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robota_nb.display import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.magics.runner import Args, Handler, Runner


def _snapshot(runner: Runner, args: Args) -> None:
    runner.say(runner.host.persistence.snapshot(save=args["save"], to=args["to"], replace=args["replace"]))


def _show(runner: Runner, _: Args) -> None:
    runner.say(report.tree(runner.host.persistence.recorded()))


def _verify(runner: Runner, _: Args) -> None:
    runner.host.persistence.check()
    runner.say(report.verified(runner.host.persistence.recorded()))


def _strip(runner: Runner, _: Args) -> None:
    runner.say(runner.host.persistence.strip())


def _resume(runner: Runner, args: Args) -> None:
    runner.say(runner.host.persistence.resume(args["path"]))


def _recover(runner: Runner, args: Args) -> None:
    runner.say(runner.host.persistence.recover(args["path"], saved=args["saved"]))


def _export(runner: Runner, args: Args) -> None:
    runner.say(f"exported to {runner.host.export(runner.existing_chat(), args['path'])}")


def _import(runner: Runner, args: Args) -> None:
    runner.say(runner.host.bring(runner.session(), args["path"]))


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
