"""What the commands find around them: the services of the rooms below, and what only the kernel's app can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Provider
    from robota_nb.core.rules.document import Cell
    from robota_nb.providers.keys.secret import KeySource
    from robota_nb.providers.registry import EndpointCheck, EndpointState
    from robota_nb.sync.persistence import Persistence
    from robota_nb.sync.reader import NotebookReader
    from robota_nb.sync.recovery import Recovery


class Endpoints(Protocol):
    """The endpoints and provider objects, as far as commands use them; `robota_nb.kernel.endpoints` stands above them.

    `RobotaError` where a name is none of theirs.
    """

    def names(self) -> list[str]:
        """Return the names of all providers and endpoints."""
        ...

    def states(self) -> list[EndpointState]:
        """Return what can be said of each endpoint without asking it."""
        ...

    def objects(self) -> list[str]:
        """Return the names of the provider objects."""
        ...

    def add(self, name: str, settings: Mapping[str, str]) -> None:
        """Make a server known in this kernel."""
        ...

    def add_object(self, name: str, provider: Provider) -> None:
        """Make an object known in this kernel as a provider."""
        ...

    def check(self, name: str) -> EndpointCheck:
        """See whether an endpoint can be reached and takes the key; no model is asked."""
        ...

    def key_source(self, name: str) -> KeySource | None:
        """Return where the key of an endpoint is; None if there is none."""
        ...

    def take_key(self, name: str, ask: Callable[[str], str]) -> None:
        """Keep in this kernel what *ask* returns as an endpoint's key; *ask* gets the name of its variable."""
        ...

    def save_key(self, name: str) -> None:
        """Move an endpoint's key, if it was typed, into the system's keyring."""
        ...

    def forget_key(self, name: str) -> bool:
        """Remove an endpoint's key from this kernel and the keyring; return whether there was one."""
        ...


class Host(Protocol):
    """The app of one shell, as far as commands use it; `robota_nb.kernel.app` stands above them."""

    @property
    def manager(self) -> SessionManager:
        """The conversations."""
        ...

    @property
    def persistence(self) -> Persistence:
        """What writes them into the store and the notebook."""
        ...

    @property
    def reader(self) -> NotebookReader:
        """What reads the notebook, and others."""
        ...

    @property
    def recovery(self) -> Recovery:
        """What finds in the store what is in no notebook."""
        ...

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints that can be asked, and their keys."""
        ...

    def ready(self) -> None:
        """Adopt what the notebook holds, unless that was done."""
        ...

    def cell(self) -> Cell:
        """Return the cell that is being executed."""
        ...

    def switcher(self) -> object:
        """Return the switcher as a widget; where there are no widgets, as text."""
        ...

    def notices(self) -> list[str]:
        """Return the notices that no front end has shown, and forget them."""
        ...
