"""Look for model servers where people usually have them: on this machine, and in what the place gives.

Nothing is looked for unasked, and nothing is chosen: what is found is listed. No key is sent but Colab's own to the
server that Colab names.
"""

from __future__ import annotations

import http.client
import os
import re
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from robota_nb.providers.endpoint import url_problem
from robota_nb.providers.keys.secret import Environment
from robota_nb.providers.openai.models import models_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PORTS", "Found", "find"]

PORTS: Mapping[int, str] = {
    11434: "ollama", 1234: "lmstudio", 8000: "vllm", 8080: "llamacpp", 1337: "jan", 4000: "litellm", 5000: "textgen",
    5001: "koboldcpp", 30000: "sglang",
}  # fmt: skip
"""The ports at which these servers listen if they are told nothing else, and what an endpoint of each may be called."""

SECONDS = 1.0
"""How long each port has for its answer."""

_COLAB = ("MODEL_PROXY_BASE_URL", "MODEL_PROXY_API_KEY")
_MAX_BYTES = 1_000_000
_MAX_NAME = 100
_LISTENS = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A server that has answered with a list of models.

    Parameters
    ----------
    name
        What an endpoint of it may be called.
    url
        Where it is.
    models
        The names of its models that can be shown: no control characters, and 100 characters at most.
    key_env
        The environment variable that holds its key; empty if it was asked without one.
    owner
        The number of the user whose process listens there, if that is another one; -1 if it cannot be told; None if it
        is this user's own.
    """

    name: str
    url: str
    models: tuple[str, ...]
    key_env: str = ""
    owner: int | None = None


def find(ports: Mapping[int, str] = PORTS, environ: Mapping[str, str] | None = None) -> list[Found]:
    """Ask each usual place for its models, all at once, and return those that answer.

    Parameters
    ----------
    ports
        Those of this machine, each with the name of a server.
    environ
        Where variables are looked up; the process's environment if not given.
    """
    variables = Environment(environ)
    places = [(name, f"http://127.0.0.1:{port}/v1", "") for port, name in ports.items()]
    if (url := variables.get(_COLAB[0], "").strip()) and variables.get(_COLAB[1]) and not url_problem(url):
        places.append(("colab", url.rstrip("/"), _COLAB[1]))
    models: dict[str, Sequence[str] | None] = {}
    threads = [threading.Thread(target=_ask, args=(place, variables, models), daemon=True) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * SECONDS)  # one that answers a byte at a time is not waited for
    known = dict(models)
    owners = _owners()
    return [
        Found(name=name, url=url, models=tuple(listed), key_env=key, owner=None if key else _other(url, owners))
        for name, url, key in places
        if (listed := known.get(url)) is not None
    ]


def _ask(place: tuple[str, str, str], environ: Mapping[str, str], models: dict[str, Sequence[str] | None]) -> None:
    _, url, key_env = place
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Accept": "application/json"}
    if key_env:
        headers["Authorization"] = f"Bearer {environ[key_env].strip()}"
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    with suppress(OSError, http.client.HTTPException, ValueError), closing(connection):
        connection.request("GET", f"{parts.path}/models", headers=headers)
        response = connection.getresponse()
        if response.status == http.HTTPStatus.OK:
            names = models_in(response.read(_MAX_BYTES))
            models[url] = None if names is None else [name for name in names if _can_be_shown(name)]


def _can_be_shown(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME and name.isprintable() and name == name.strip()


# -- whose process listens


def _owners() -> dict[int, int] | None:
    """Return who listens at each port of this machine, by the user's number; None where the system does not say."""
    found: dict[int, int] = {}
    try:
        for table in filter(os.path.exists, _TABLES):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS:
                    found[int(re.sub(r".*:", "", fields[1]), 16)] = int(fields[7])
    except (OSError, ValueError, IndexError):
        return None
    return found or None


def _other(url: str, owners: Mapping[int, int] | None) -> int | None:
    """Return whose process listens at the port of a URL, if it is not this user's; -1 if that cannot be told."""
    owner = (owners or {}).get(urlsplit(url).port or 0)
    if owner is None:
        return -1
    return None if owner == os.getuid() else owner
