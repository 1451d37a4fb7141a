"""The tools that models may call: what is offered, and what is allowed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.magics.runner import Args, Handler, Runner
    from robota_nb.tools.consent import Said

_SAID = {"allow": "run unasked", "ask": "asks each time", "deny": "never run"}


def _add(runner: Runner, args: Args) -> None:
    tools = runner.host.tools
    tools.toolbox(args["names"])  # what cannot be offered is told here, and not by the first ask
    for name in args["names"]:
        tools.add(name)
    runner.say(f"offered below: {', '.join(tools.offered())}")


def _remove(runner: Runner, args: Args) -> None:
    tools = runner.host.tools
    for name in args["names"]:
        tools.remove(name)
    runner.say(f"offered below: {', '.join(tools.offered()) or 'no tool'}")


def _list(runner: Runner, _: Args) -> None:
    consent = runner.host.tools.consent
    box = runner.host.tools.toolbox(())
    if box is None:
        runner.say("no tool is offered here: %robota tool add NAME offers a function of this notebook")
        return
    lines = []
    for spec in box.specs:
        said = consent.said(spec.name)
        how = _SAID[said] if said else "reads only" if box.is_safe(spec.name) else _SAID["ask"]
        lines.append(" · ".join(filter(None, (spec.name, how, spec.description.partition("\n")[0]))))
    runner.say("\n".join(lines))


def _say(runner: Runner, args: Args, what: Said) -> None:
    names = args["names"]
    for name in names:
        runner.host.tools.consent.say(name, what)
    runner.say(f"in this kernel: {', '.join(f'{name} ({_SAID[what]})' for name in names)}")


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    ("tool", "add"): _add,
    ("tool", "remove"): _remove,
    ("tool", "list"): _list,
    ("tool", "allow"): partial(_say, what="allow"),
    ("tool", "ask"): partial(_say, what="ask"),
    ("tool", "deny"): partial(_say, what="deny"),
}
