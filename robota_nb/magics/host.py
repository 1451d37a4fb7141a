"""What the commands need from the wiring around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.core.chat import Chat
    from robota_nb.core.manager import SessionManager
    from robota_nb.core.ports import Entries, Provider
    from robota_nb.core.rules.document import Cell
    from robota_nb.core.session import Session
    from robota_nb.core.turn import Turn
    from robota_nb.providers.keys.secret import KeySource
    from robota_nb.providers.registry import EndpointCheck, EndpointState


class Persistence(Protocol):
    """How the conversations get into the notebook, and out of it."""

    def level(self) -> str:
        """Say how far the conversations have got: in kernel, in store, in notebook, saved."""
        ...

    def output_metadata(self, turn: Turn) -> dict[str, Any]:
        """Return what goes into the metadata of an answer's last output."""
        ...

    def snapshot(self, *, save: bool, to: str | None, replace: bool) -> str:
        """Write what is to be written, and say how far it got."""
        ...

    def check(self) -> None:
        """Raise `SnapshotError` if what the notebook holds cannot be read."""
        ...

    def recorded(self) -> Mapping[str, Any]:
        """Return the snapshot as it stands."""
        ...

    def resume(self, path: str | None) -> str:
        """Add a snapshot to this kernel, and say what was added."""
        ...

    def strip(self) -> str:
        """Take the conversations out of the open notebook, and say so."""
        ...

    def fetch(self, ref: str) -> Session | None:
        """Bring a session of another notebook, by its id, from the store; None if it is no such id."""
        ...

    def elsewhere(self) -> Mapping[str, Entries]:
        """Return the sessions of other notebooks that the store holds, by their place."""
        ...

    def recover(self, ref: str | None, *, saved: bool) -> str:
        """Add what the store holds and no notebook has saved, and say what was added."""
        ...


class Endpoints(Protocol):
    """The endpoints and provider objects that can be asked; `RobotaError` where a name is none of them."""

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
    """The wiring of one shell, as the commands see it."""

    manager: SessionManager

    @property
    def persistence(self) -> Persistence:
        """What keeps the conversations."""
        ...

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints that can be asked, and their keys."""
        ...

    def ready(self) -> None:
        """See to it that what the notebook holds has been taken over."""
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

    def export(self, chat: Chat, path: str) -> str:
        """Write a chat into a file, and return the file's name."""
        ...

    def bring(self, session: Session, path: str) -> str:
        """Add the chat in a file, and say what was added."""
        ...

    def provider_names(self) -> Iterable[str]:
        """Return the providers and endpoints there are."""
        ...
