"""Who this process runs for, and where they are at home."""

from __future__ import annotations

import getpass
import os
import re


def default_user() -> str:
    """Return the id of the user this process runs for: the hub's name for them, else their login name."""
    if name := os.environ.get("JUPYTERHUB_USER"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "user"


def expanded(path: str) -> str:
    """Return a path with ``~`` or ``~user`` at its beginning expanded, as a shell does it: where there is such a home.

    Else it is a name that begins with a tilde, as editors give it to their copies.
    """
    home = re.match(r"~[^/\\\0]*(?=[/\\]|$)", path)
    if home is None or not os.path.isdir(os.path.expanduser(home[0])):  # noqa: PTH111, PTH112 - pathlib raises instead
        return path
    return os.path.expanduser(path)  # noqa: PTH111 - as above


def without_home(text: str) -> str:
    """Return *text* with ``~`` for the user's home directory: messages name files, too."""
    home = os.path.expanduser("~").rstrip("/\\")  # noqa: PTH111 - Path.home() raises where there is none
    if len(home) <= 1:
        return text
    ways = "|".join(map(re.escape, {home, home.replace("\\", "\\\\")}))  # errors say files as Python writes strings
    return re.sub(rf"(?<![\w.~-])(?:{ways})(?![\w.-])", "~", text)
