"""The commands of endpoints: the servers that this user has named."""

from __future__ import annotations

import getpass
import warnings
from typing import TYPE_CHECKING

from robota_nb.errors import CommandError, KeyMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.magics.runner import Args, Handler, Runner


def _list(runner: Runner, _: Args) -> None:
    runner.say("\n".join(runner.host.servers.lines()))


def _add(runner: Runner, args: Args) -> None:
    settings = {"base_url": args["url"], "key_env": args["key_env"] or "", "model": args["model"] or ""}
    runner.host.servers.add(args["name"], {key: value for key, value in settings.items() if value})
    runner.say(
        f"{args['name']} can be asked in this kernel: %robota chat open NAME --provider {args['name']}; "
        "for good, add it to c.RobotaMagics.endpoints in ipython_config.py"
    )


def _key(runner: Runner, args: Args) -> None:
    name, servers = args["name"], runner.host.servers
    if args["save"] and args["forget"]:
        raise CommandError("--save and --forget exclude each other: give one of them")
    if args["forget"]:
        said = "is forgotten" if servers.forget_key(name) else "is not kept here"
        more = f"; there is one in {source}" if (source := servers.key_source(name)) else ""
        runner.say(f"the key of {name} {said}{more}")
        return
    if runner.replay.mode == "strict":
        runner.say(f"{name} needs no key now: replay is strict")
        return
    if not servers.key_source(name):
        servers.take_key(name, lambda variable: _typed(name, variable))
    if args["save"]:
        servers.save_key(name)
    runner.say(f"{name} takes its key from {servers.key_source(name)}")


def _typed(name: str, variable: str) -> str:
    """Ask for a key where nobody looks over the shoulder, nor any record."""
    from IPython.core.error import StdinNotImplementedError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # a terminal that would show what is typed
            return getpass.getpass(f"API key of {name}: ")
    except (StdinNotImplementedError, getpass.GetPassWarning, EOFError):
        pass
    raise KeyMissing(f"nobody can be asked for a key here: set the environment variable {variable}")


def _test(runner: Runner, args: Args) -> None:
    if runner.replay.mode == "strict":
        runner.say(f"{args['name']} is not asked: replay is strict")
        return
    runner.say(runner.host.servers.test(args["name"]))


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    ("endpoint", "list"): _list,
    ("endpoint", "add"): _add,
    ("endpoint", "key"): _key,
    ("endpoint", "test"): _test,
}
