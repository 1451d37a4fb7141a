"""The switcher as a Jupyter widget: it carries messages between the hub and the modules in the page."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anywidget
from traitlets import Unicode

from robota_nb.switcher import fallback
from robota_nb.switcher.views import View

if TYPE_CHECKING:
    from robota_nb.switcher.hub import Hub

FRONT = Path(__file__).parents[1] / "labextension" / "switcher"
LOADER = "widget.js"
CHATS = "application/vnd.robota-nb.chats+json"
"""The type by which our extension draws the chats, also where the widget's kernel is gone; its value says nothing."""


class Switcher(anywidget.AnyWidget):
    """Sessions and chats at a glance; ``%robota ui`` shows it.

    It holds no state: it shows the manager's sessions, and all open views show the same.

    Parameters
    ----------
    hub
        Keeps the views up to date.
    """

    _esm = FRONT / LOADER
    _version = Unicode().tag(sync=True)  # of the modules
    _text = Unicode().tag(sync=True)  # shown where no kernel answers; quoted, as exports put it into a script

    def __init__(self, hub: Hub) -> None:
        digest = hashlib.sha256(repr(_modules()).encode()).hexdigest()
        super().__init__(_version=digest[:16])
        self._hub = hub
        self._view = View(send=self.send)
        self.on_msg(self._receive)

    def _receive(self, _: object, content: object, __: object) -> None:
        if isinstance(content, dict) and content.get("op") == "modules":
            modules, css = _modules()
            self._view.send({"op": "modules", "modules": modules, "css": css})
        else:
            self._hub.receive(self._view, content)

    def rejoin(self) -> None:
        """Join the hub again, after that has closed all views."""
        if self._view.full:
            self._hub.receive(self._view, {"op": "hello"})

    def close(self) -> None:
        """Leave the hub, and close the widget."""
        self._hub.leave(self._view)
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the widget, what our front end draws in its place, and what others do: text, HTML of escaped text."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        text = fallback.text(self._hub.manager, of_cells=True)
        self._text = quote(text)
        return {CHATS: {}, **data, "text/plain": text, "text/html": fallback.html(text)}, metadata


@cache
def _modules() -> tuple[dict[str, str], str]:
    """Return the sources of the switcher's modules in the page, by name, and its style sheet."""
    modules = {path.name: path.read_text(encoding="utf-8") for path in sorted(FRONT.glob("*.js"))}
    del modules[LOADER]
    return modules, "\n".join(path.read_text(encoding="utf-8") for path in sorted(FRONT.glob("*.css")))
