"""The commands of endpoints: the servers that this user has named."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.notebook.commands import Args, Commands, Verb


def _list(on: Commands, _: Args) -> None:
    on.say("\n".join(on.host.endpoint_lines()))


def _add(on: Commands, args: Args) -> None:
    settings = {"base_url": args["url"], "key_env": args["key_env"] or "", "model": args["model"] or ""}
    on.host.add_endpoint(args["name"], {key: value for key, value in settings.items() if value})
    on.say(
        f"{args['name']} can be asked in this kernel: %robota chat open NAME --provider {args['name']}; "
        "for good, add it to c.RobotaMagics.endpoints in ipython_config.py"
    )


def _test(on: Commands, args: Args) -> None:
    if on.host.manager.replay.mode == "strict":
        on.say(f"{args['name']} is not asked: replay is strict")
        return
    on.say(on.host.test_endpoint(args["name"]))


VERBS: Mapping[tuple[str, ...], Verb] = {
    ("endpoint", "list"): _list,
    ("endpoint", "add"): _add,
    ("endpoint", "test"): _test,
}
