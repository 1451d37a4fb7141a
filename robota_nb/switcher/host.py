"""What the views find around them, of the app of one kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Level
    from robota_nb.core.rules.search import Match
    from robota_nb.providers.registry import EndpointCheck


class Endpoints(Protocol):
    """The endpoints that can be asked, as far as views show them."""

    def names(self) -> Sequence[str]:
        """Return the names of all providers and endpoints."""
        ...

    def prices(self) -> Mapping[str, Mapping[str, float]]:
        """Return what a million tokens cost, ``input`` and ``output``, by the name of the endpoint."""
        ...

    def check(self, name: str) -> EndpointCheck:
        """See whether an endpoint can be reached, and which models it has; no model is asked."""
        ...


class Host(Protocol):
    """The app of one kernel, as far as views use it; `robota_nb.kernel.app` stands above them."""

    @property
    def manager(self) -> SessionManager:
        """The conversations."""
        ...

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints that can be asked."""
        ...

    @property
    def presets(self) -> Mapping[str, object]:
        """The user's presets by name, as they are configured."""
        ...

    @property
    def namespace(self) -> Mapping[str, object]:
        """Where the names of a prompt's fields are looked up: what cells see."""
        ...

    @property
    def variables(self) -> Mapping[str, object]:
        """Those of them that the user has made."""
        ...

    @property
    def running_number(self) -> int | None:
        """The number of the cell that is being executed, as its prompt shows it; None if none is."""
        ...

    def is_prompt(self, source: str) -> bool:
        """Say whether a cell of this source does nothing but talk to chats."""
        ...

    def preset(self, name: str) -> dict[str, str]:
        """Return the settings of a preset; `CommandError` if there is none, or it cannot be used."""
        ...

    def search(self, text: str, *, everywhere: bool) -> list[Match]:
        """Return the turns of the notebook that hold a text, or of all notebooks in the store."""
        ...

    def say(self, text: str) -> str:
        """Return a text of this package in the language of the front end."""
        ...

    def ready(self) -> None:
        """Adopt what the notebook holds, unless that was done."""
        ...

    def write_soon(self) -> None:
        """Write the pointers that wait once the kernel is idle."""
        ...

    def level(self) -> Level:
        """Return how far the conversations have got: in kernel, in store, in notebook, saved."""
        ...
