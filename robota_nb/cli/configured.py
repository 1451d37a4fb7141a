"""What this user's kernels are configured with, for commands that start none."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

__all__ = ["alias", "endpoints"]

_NAMES = ("ipython_config", "ipython_kernel_config")


def alias() -> str:
    """Return the short name of the magic that kernels of this user have; nothing if they have none."""
    found = _setting("alias", "")
    return found if isinstance(found, str) else ""


def endpoints() -> dict[str, Any]:
    """Return the endpoints that kernels of this user have, as they are written down."""
    found = _setting("endpoints", {})
    return dict(found) if isinstance(found, dict) else {}


def _setting(name: str, default: Any) -> Any:
    """Return what the magics are configured with."""
    from IPython.core.application import ENV_CONFIG_DIRS, SYSTEM_CONFIG_DIRS
    from IPython.paths import get_ipython_dir
    from traitlets.config import Config
    from traitlets.config.loader import LazyConfigValue, PyFileConfigLoader

    config = Config()
    profile = str(Path(get_ipython_dir(), "profile_default"))
    for directory, file in product((*reversed([*ENV_CONFIG_DIRS, *SYSTEM_CONFIG_DIRS]), profile), _NAMES):
        with suppress(Exception):  # a kernel does without a file that is not there or fails, too
            config.merge(PyFileConfigLoader(f"{file}.py", path=directory).load_config())
    found = config.get("RobotaMagics", {}).get(name, default)
    return found.get_value(default) if isinstance(found, LazyConfigValue) else found
