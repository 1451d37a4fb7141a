"""What the notebook holds of the conversations, and what carries them into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robota_nb.carriers.document import DocumentCarrier
from robota_nb.carriers.output import OutputCarrier
from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import canonical
from robota_nb.errors import SnapshotError
from robota_nb.sync.notices import DocumentUnreadable, NotebookFull, NotebookLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robota_nb.carriers.messages import FromKernel, Open
    from robota_nb.core.ports import Carrier, Entries, Level
    from robota_nb.core.turn import Turn
    from robota_nb.sync.notices import Notify


class Notebook:
    """Writes entries into the notebook: into the open document, else into the outputs of its cells.

    A value in the document that cannot be read is left as it is, and so is a notebook that the user has stripped.

    Parameters
    ----------
    send
        Sends a message to the front end.
    notify
        Takes a notice for the user.
    has_outputs
        Whether outputs go into a notebook (in a terminal they do not).
    """

    def __init__(self, send: Callable[[FromKernel], None], notify: Notify, *, has_outputs: bool) -> None:
        self.document: DocumentCarrier | None = None  # once a front end has opened one
        self.outputs = OutputCarrier()
        self.adopted = False  # whether the manager has adopted what the notebook holds
        self._send = send
        self._notify = notify
        self._has_outputs = has_outputs
        self._problem: SnapshotError | None = None  # why the document's value cannot be read
        self._size = 0  # bytes of what the notebook holds, about
        self.stripped = False  # whether the user has taken the conversations out: only `write_all` writes then
        self._complete = True  # whether all that was recorded was written

    @property
    def carrier(self) -> Carrier:
        """What carries entries into this notebook."""
        return self.document or self.outputs

    @property
    def level(self) -> Level:
        """How far into the notebook the conversations have got: not beyond the kernel if something was not written."""
        reached = self.readable and self._complete and (self.document or self._has_outputs)
        return self.carrier.level if reached else "in kernel"

    # -- the document's value

    @property
    def readable(self) -> bool:
        """Whether the document's value can be read, or there is none."""
        return self._problem is None

    def check(self) -> None:
        """Raise `SnapshotError` if the document's value cannot be read."""
        if self._problem is not None:
            raise SnapshotError(
                f"the value in this notebook is no readable snapshot ({self._problem})", hint="snapshot.replace"
            )

    def open(self, *, dirty: bool) -> None:
        """Write into the document that a front end has opened; *dirty*: it has something that was not saved."""
        self.document = self.document or DocumentCarrier(self._send)
        self.document.opened(dirty=dirty)

    def read(self, message: Open) -> Entries | None:
        """Return the entries of the document that a front end has opened; None, and a notice, if they cannot be read.

        Parameters
        ----------
        message
            The front end's ``open``, with the document's ``value``.
        """
        self._problem = None
        try:
            if problem := message.get("problem"):
                raise SnapshotError(str(problem))  # noqa: TRY301 - said by the bridge, told like the others
            value = message.get("value")
            entries = snapshot.parse(value) if value is not None else {}
        except SnapshotError as error:
            self.leave(error)
            return None
        self._size = message.get("size", 0)
        if self._size > snapshot.NOTICE_BYTES:
            self._notify(NotebookLarge(size=self._size))
        return entries

    def leave(self, error: SnapshotError) -> None:
        """Leave the document's value as it is from now on, because it cannot be read."""
        self._problem = error
        self._notify(DocumentUnreadable(error=error))

    def start_over(self) -> None:
        """Forget what was to be carried: it was made before it was known which notebook this is."""
        self.outputs = OutputCarrier()

    # -- writing

    def write(self, add: Entries, remove: Mapping[str, Iterable[str]]) -> None:
        """Write entries, unless the notebook is to be left as it is."""
        if self.readable and not self.stripped:
            self.carrier.write(add, remove)

    def write_all(self, entries: Entries) -> None:
        """Write all entries, also those that were left out, and also into a notebook that was stripped."""
        self._complete, self.stripped = True, False
        self.write(entries, {})

    def leave_out(self) -> None:
        """Note that entries were recorded that are not written."""
        self._complete = False

    def has_room(self, add: Entries, sizes: Mapping[str, int]) -> bool:
        """Say whether the notebook may hold these entries, too: what is over a cap would not be read again.

        Parameters
        ----------
        add
            What is new.
        sizes
            How many entries each session has.
        """
        self._size += sum(len(canonical(entry)) for entries in add.values() for entry in entries.values())
        most = max((size for sid, size in sizes.items() if sid in add), default=0)
        if self._size <= snapshot.MAX_BYTES and most <= snapshot.MAX_ENTRIES:
            return True
        self._notify(NotebookFull())
        return False

    def replace(self, entries: Entries) -> None:
        """Write over whatever the document holds.

        Raises
        ------
        SnapshotError
            If no front end holds the document open, or the entries could not be read again.
        """
        if not self.document:
            raise SnapshotError("no front end holds this notebook open", hint="snapshot.replace_file")
        snapshot.parse(snapshot.dump(entries))
        self._problem = None
        self._complete, self.stripped = True, False
        self.document.write(entries, {}, replace=True)

    def strip(self) -> None:
        """Take the conversations out of the document.

        Raises
        ------
        SnapshotError
            If no front end holds the document open.
        """
        if not self.document:
            raise SnapshotError("no front end holds this notebook open: there is nothing here to take them out of")
        self.document.write({}, {}, replace=True)
        self._complete, self.stripped = False, True

    def save(self) -> bool:
        """Have the front end save the document; return whether there is one that does."""
        if self.document:
            self._send({"op": "save"})
        return self.document is not None

    def output_metadata(
        self, turn: Turn, context: str = "", *, former: Iterable[str] = (), stays: bool = True
    ) -> dict[str, Any]:
        """Return the metadata of an answer's output: its provenance, and without a document the entries that ride.

        Parameters
        ----------
        turn
            The answer.
        context
            A digest of what was said before it.
        former
            The turns that its cell has asked before, which stand, and which it shows no more.
        stays
            Whether the output will stand in the notebook: what is captured may not.
        """
        metadata: dict[str, Any] = {"model": turn.model, "finish_reason": turn.finish_reason}
        if not turn.id:
            return metadata
        if self.document is None and (riding := self.outputs.take(turn.id, *former, stays=stays)):
            metadata |= {"sessions": riding, **({"context": context} if context else {})}
        return metadata | {"turn": turn.id}
