"""What the commands find around them: the services of the rooms below, and what only the kernel's app can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.core.live import LiveTurn
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.notebook_page import NotebookPage
    from robota_nb.core.ports import Provider, Toolbox
    from robota_nb.core.turn import Turn
    from robota_nb.providers.endpoint import Endpoint
    from robota_nb.providers.keys.secret import KeySource
    from robota_nb.providers.registry import EndpointCheck, EndpointState
    from robota_nb.sync.persistence import Persistence
    from robota_nb.sync.reader import NotebookReader
    from robota_nb.sync.recovery import Recovery
    from robota_nb.tools.consent import Consent


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

    def get(self, name: str) -> Provider:
        """Return the provider of that name; raise an error that says what is wrong if there is none."""
        ...

    def endpoint(self, name: str) -> Endpoint | None:
        """Return an endpoint as it is configured; None if none that can be used has that name."""
        ...

    def models(self) -> list[str]:
        """Return the models that endpoints have for their default, or have told of when they were tested."""
        ...

    def prices(self) -> dict[str, Mapping[str, float]]:
        """Return what a million tokens cost, ``input`` and ``output``, by the name of the endpoint."""
        ...

    def problems(self) -> list[str]:
        """Return what is wrong with endpoints that cannot be used."""
        ...

    def add(self, name: str, settings: Mapping[str, object]) -> None:
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


class Tools(Protocol):
    """The tools of a kernel, as far as commands use them; `robota_nb.kernel.tools` stands above them."""

    consent: Consent
    answered: Callable[[], object]

    def add(self, name: str) -> None:
        """Offer a tool with the asks below the running cell."""
        ...

    def remove(self, name: str) -> None:
        """Offer it no more from here on; raise `ToolError` if it is not offered here."""
        ...

    def offered(self) -> list[str]:
        """Return the names of the tools that an ask of the running cell offers."""
        ...

    def toolbox(self, names: Iterable[str]) -> Toolbox | None:
        """Return the tools that are offered here, and those of the *names*; None if there are none."""
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

    @property
    def tools(self) -> Tools:
        """What models may call."""
        ...

    @property
    def presets(self) -> Mapping[str, Any]:
        """The user's presets by name, as they are configured."""
        ...

    def ready(self) -> None:
        """Adopt what the notebook holds, unless that was done."""
        ...

    def page(self) -> NotebookPage:
        """Return the notebook, in which the cell that is being executed is noted."""
        ...

    def is_prompt(self, source: str) -> bool:
        """Say whether a cell of this source does nothing but talk to chats."""
        ...

    def ask(self, ask: Callable[[SessionManager], Turn | LiveTurn]) -> Turn | LiveTurn:
        """Ask by calling *ask*; where nobody has told which notebook this is, it may be found for that."""
        ...

    @property
    def request(self) -> str | None:
        """The id of the message that the running cell is executed for; None if none runs, empty in a terminal."""
        ...

    @property
    def is_one_ask(self) -> bool:
        """Whether the running cell is a ``%%robota`` cell: nothing else is shown below it."""
        ...

    @property
    def shows_at_end(self) -> bool:
        """Whether answers are to be shown when they are whole, not while they arrive."""
        ...

    @property
    def replaces_cells(self) -> bool:
        """Whether there is a front end that can."""
        ...

    def replace_cell(self, cell: str, former: str, source: str) -> None:
        """Have the front end put a source into a cell, if the hash of what stands there is still the *former* one."""
        ...

    def switcher(self) -> object:
        """Return the switcher as a widget; where there are no widgets, as text."""
        ...

    def notices(self) -> list[str]:
        """Return the notices that no front end has shown, and forget them."""
        ...
