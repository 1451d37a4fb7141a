"""One suite for every carrier: what `robota_nb.core.ports.Carrier` promises, read where the next kernel reads it."""

import json
from copy import deepcopy

import nbformat
import pytest

from examples.carrier import SidecarCarrier
from robota_nb.carriers import file, output
from robota_nb.carriers.document import DocumentCarrier
from robota_nb.core.inside import ledger_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.kinds import purged_stub
from robota_nb.frontends.headless import FrontEnd
from support.core import new_manager
from support.file import a_notebook


class InDocument:
    """The document that a front end has open; nobody acknowledges here what is written."""

    level = "in kernel"

    def __init__(self, directory):
        front = FrontEnd(a_notebook(), None)
        self.another = lambda: DocumentCarrier(front.take)
        self.carrier, self.notebook = self.another(), front.notebook

    def read(self):
        found = snapshot.parse(self.notebook.metadata[snapshot.KEY])
        return {sid: entries for sid, entries in found.items() if entries}  # a front end may leave an empty session


class InFile:
    """A notebook's file."""

    level = "saved"

    def __init__(self, directory):
        self.path = directory / "talk.ipynb"
        nbformat.write(a_notebook(), self.path)
        self.another = lambda: file.FileCarrier(self.path)
        self.carrier = self.another()

    def read(self):
        return snapshot.parse(file.read(self.path))


class InOutputs:
    """A notebook's outputs: there is one more whenever it is looked at, which takes along what waits."""

    level = "in the cells' outputs"

    def __init__(self, directory):
        self.carrier, self.notebook = output.OutputCarrier(), a_notebook()

    def read(self):
        if riding := self.carrier.take():
            metadata = {snapshot.KEY: {"sessions": json.loads(json.dumps(riding))}}
            self.notebook.cells[1].outputs.append(nbformat.v4.new_output("display_data", metadata=metadata))
        return snapshot.merge(*output.read(self.notebook))


class InSidecar:
    """The file of the example."""

    level = "saved"

    def __init__(self, directory):
        self.another = lambda: SidecarCarrier(directory / "talk.ipynb")
        self.carrier = self.another()
        self.read = self.carrier.read


PLACES = {"document": InDocument, "example": InSidecar, "file": InFile, "output": InOutputs}


@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    return PLACES[request.param](tmp_path)


@pytest.fixture
def talk():
    """The entries of a session with a turn, and those that came with the next one."""
    manager = new_manager()
    chat = manager.create_session("u", "S").create_chat("A")
    chat.send("one")
    first = deepcopy(ledger_of(manager).records("u"))
    chat.send("two")
    second = {
        sid: {eid: entry for eid, entry in entries.items() if eid not in first[sid]}
        for sid, entries in ledger_of(manager).records("u").items()
    }
    assert all(second.values())
    return first, second


def other_talk():
    """The entries of a session with a turn."""
    manager = new_manager()
    manager.create_session("u", "Other").create_chat("B").send("elsewhere")
    return ledger_of(manager).records("u")


def ids(entries):
    return {sid: iter(found) for sid, found in entries.items()}


def test_it_says_how_far_it_has_got(place, talk):
    place.carrier.write(talk[0], {})
    place.read()
    assert place.carrier.level == place.level


def test_a_turn_is_added_to_what_is_there(place, talk):
    first, second = talk
    place.carrier.write(first, {})
    assert place.read() == first
    place.carrier.write(second, {})
    assert place.read() == snapshot.merge(first, second)


def test_writing_again_changes_nothing(place, talk):
    entries = snapshot.merge(*talk)
    place.carrier.write(entries, {})
    before = place.read()
    place.carrier.write(talk[0], {})
    place.carrier.write(talk[1], {})
    assert place.read() == before == entries


def test_sessions_are_apart(place, talk):
    (first, second), other = talk, other_talk()
    place.carrier.write(snapshot.merge(first, other), {})
    place.carrier.write({}, {sid: eids for sid in other for eids in second.values()})
    place.carrier.write(second, {})
    assert place.read() == snapshot.merge(first, second, other)


def test_what_is_superseded_is_dropped(place, talk):
    first, second = talk
    place.carrier.write(first, {})
    place.carrier.write(second, {})
    place.carrier.write({}, ids(second))
    assert place.read() == first


def test_what_was_dropped_may_come_again(place, talk):
    first, second = talk
    place.carrier.write(snapshot.merge(first, second), {})
    place.carrier.write({}, ids(second))
    place.carrier.write(second, {})
    assert place.read() == snapshot.merge(first, second)


def test_what_is_not_there_can_be_dropped(place, talk):
    first, second = talk
    place.carrier.write(first, {})
    place.carrier.write({}, ids(second) | ids(other_talk()))
    assert place.read() == first


def test_a_purged_entry_takes_the_place_of_its_original(place, talk):
    first, second = talk
    place.carrier.write(snapshot.merge(first, second), {})
    stubs = {
        sid: {eid: purged_stub(entry) for eid, entry in entries.items() if entry["kind"] == "message"}
        for sid, entries in second.items()
    }
    place.carrier.write(stubs, {})
    assert place.read() == snapshot.merge(first, second, stubs)


# -- what others have put there


@pytest.fixture(params=["document", "example", "file"])
def shared(request, tmp_path):
    """Where somebody else may write, too: an output is its cell's own."""
    return PLACES[request.param](tmp_path)


def test_what_somebody_else_has_written_stays(shared, talk):
    (first, second), theirs = talk, other_talk()
    shared.carrier.write(first, {})
    shared.another().write(theirs, {})
    shared.carrier.write(second, {})
    assert shared.read() == snapshot.merge(first, second, theirs)


@pytest.mark.parametrize("where", [InDocument, InFile])
def test_the_rest_of_the_notebook_stays_as_it_was(where, tmp_path, talk):
    place = where(tmp_path)
    place.carrier.write(talk[0], {})
    notebook = place.notebook if where is InDocument else nbformat.read(place.path, as_version=4)
    del notebook.metadata[snapshot.KEY]
    assert notebook == a_notebook()
