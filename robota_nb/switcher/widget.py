"""The switcher as a Jupyter widget: it carries messages between the hub and the front end's modules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Dict

from robota_nb.switcher import fallback
from robota_nb.switcher.views import View

if TYPE_CHECKING:
    from robota_nb.switcher.hub import Hub

FRONT = Path(__file__).parents[1] / "labextension" / "switcher"


def _modules() -> dict[str, str]:
    """Return the front end's modules, by name; the widget's own loads them (see ``widget.js``)."""
    return {path.name: path.read_text(encoding="utf-8") for path in FRONT.glob("*.js") if path.name != "widget.js"}


class Switcher(anywidget.AnyWidget):
    """Sessions and chats at a glance; ``%robota ui`` shows it.

    It holds no state: what it shows is the manager's, and every open view shows the same.

    Parameters
    ----------
    hub
        What the views are told by.
    """

    _esm = FRONT / "widget.js"
    _css = "\n".join(path.read_text(encoding="utf-8") for path in sorted(FRONT.glob("*.css")))
    _modules = Dict(_modules()).tag(sync=True)

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self._hub = hub
        self._view = View(send=self.send)
        self.on_msg(self._heard)

    def _heard(self, _: object, content: object, __: object) -> None:
        self._hub.receive(self._view, content)

    def close(self) -> None:
        """Show it no more."""
        self._hub.leave(self._view)
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the widget, and what is shown of it where there are no widgets: text, and HTML of escaped text."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        manager = self._hub.manager
        return {**data, "text/plain": fallback.text(manager), "text/html": fallback.html(manager)}, metadata
