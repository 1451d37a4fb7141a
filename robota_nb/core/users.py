"""Who this process runs for."""

from __future__ import annotations

import getpass
import os


def default_user() -> str:
    """Return the id of the user this process runs for: the hub's name for them, else their login name."""
    if name := os.environ.get("JUPYTERHUB_USER"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "user"
