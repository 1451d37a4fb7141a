"""The commands of endpoints: the servers and the provider objects that this user has named."""

from __future__ import annotations

import getpass
import warnings
from typing import TYPE_CHECKING, cast

from robota_nb.display import report
from robota_nb.errors import CommandError, KeyMissing
from robota_nb.prompt.fields import value_of
from robota_nb.prompt.made import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robota_nb.core.ports import Provider
    from robota_nb.magics.runner import Args, Handler, Runner


def _list(runner: Runner, _: Args) -> None:
    endpoints = runner.host.endpoints
    runner.say(report.endpoints(endpoints.states(), endpoints.objects(), endpoints.problems()))


def _find(runner: Runner, _: Args) -> None:
    if runner.is_strict:
        runner.say("nothing is looked for: replay is strict")
        return
    from robota_nb.providers.finder import find

    runner.say(report.found(find(), runner.host.endpoints.names(), quoted))


def _add(runner: Runner, args: Args) -> None:
    name = args["name"]
    settings = {
        "base_url": args["url"], "key_env": args["key_env"], "model": args["model"], "insecure": args["insecure"],
    }  # fmt: skip
    if bool(args["object"]) == any(settings.values()):
        raise CommandError("endpoint add takes a URL with its options, or --object EXPR: give one of them")
    if args["object"]:
        provider = value_of(args["object"], runner.shell.user_ns)
        runner.host.endpoints.add_object(name, cast("Provider", provider))  # which checks that it is one
        runner.say(report.added(name))
    else:
        runner.host.endpoints.add(name, {key: value for key, value in settings.items() if value})
        runner.say(f"{report.added(name)}; for good, add it to c.RobotaMagics.endpoints in ipython_config.py")


def _key(runner: Runner, args: Args) -> None:
    name, endpoints = args["name"], runner.host.endpoints
    if args["save"] and args["forget"]:
        raise CommandError("--save and --forget exclude each other: give one of them")
    if args["forget"]:
        said = "is forgotten" if endpoints.forget_key(name) else "is not kept here"
        more = f"; there is one in {report.key_source(name, source)}" if (source := endpoints.key_source(name)) else ""
        runner.say(f"the key of {name} {said}{more}")
        return
    if runner.is_strict:
        runner.say(f"{name} needs no key now: replay is strict")
        return
    if not endpoints.key_source(name):
        endpoints.take_key(name, lambda variable: _typed(name, variable))
    if args["save"]:
        endpoints.save_key(name)
    runner.say(f"{name} takes its key from {report.key_source(name, endpoints.key_source(name))}")


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
    if runner.is_strict:
        runner.say(f"{args['name']} is not asked: replay is strict")
        return
    runner.say(report.checked(runner.host.endpoints.check(args["name"])))


HANDLERS: Mapping[tuple[str, ...], Handler] = {
    ("endpoint", "list"): _list,
    ("endpoint", "find"): _find,
    ("endpoint", "add"): _add,
    ("endpoint", "key"): _key,
    ("endpoint", "test"): _test,
}
