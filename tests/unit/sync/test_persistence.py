"""What the store and the carriers keep: whole, once, and found again."""

import json

import pytest

from robota_nb.carriers import output
from robota_nb.carriers.document import Bridge, chunks
from robota_nb.core.inside import ledger_of, runtime_of
from robota_nb.core.record import snapshot
from robota_nb.core.record.kinds import purged_stub
from robota_nb.core.record.relations import missing_of
from robota_nb.core.users import default_user
from robota_nb.display.hints import told
from robota_nb.errors import SnapshotError
from support.core import ask_in_cell
from support.shell import Shell


@pytest.fixture
def shell(monkeypatch):
    return lambda **options: Shell(monkeypatch, **options)


def notebook_of(outputs):
    """A notebook whose cells have these outputs' metadata."""
    cells = [{"id": cell, "outputs": [{"metadata": {"robota_nb": mine}}]} for cell, mine in outputs.items()]
    return {"metadata": {}, "cells": cells}


def prompts(sessions):
    return {e["content"][0] for es in sessions.values() for e in es.values() if e.get("role") == "user"}


# -- outputs


def test_an_output_carries_its_own_turn_and_nothing_of_others(shell):
    here, shown = shell(), {}
    for cell, text in (("a", "one"), ("b", "two"), ("a", "three")):
        shown[text] = here.notebook.output_metadata(here.ask(text, cell))
    assert {text: prompts(mine["sessions"]) for text, mine in shown.items()} == {text: {text} for text in shown}


def test_an_output_carries_as_much_after_a_thousand_turns_as_after_ten(shell):
    here, sizes = shell(), []
    for number in range(1000):
        turn = here.ask(f"{number:4}", f"cell {number}")
        context = here.page.record.said_before(turn.id)
        sizes.append(len(json.dumps(here.notebook.output_metadata(turn, context))))
    assert sizes[999] - sizes[9] < 20  # the digits of n


def test_what_no_output_shows_rides_in_the_next_one_and_again_when_that_is_replaced(shell):
    here = shell()
    here.ask("unseen", "a")
    first = here.notebook.output_metadata(here.ask("one", "a"))
    assert prompts(first["sessions"]) == {"unseen", "one"}
    assert prompts(here.notebook.output_metadata(here.ask("two", "b"))["sessions"]) == {"two"}
    assert prompts(here.notebook.output_metadata(here.ask("three", "a"))["sessions"]) == {"unseen", "three"}
    there = shell()
    there.manager.adopt(first["sessions"])
    there.notebook.outputs.found("a", first["turn"], first["sessions"])
    assert prompts(there.notebook.output_metadata(there.ask("four", "b"))["sessions"]) == {"four"}
    assert prompts(there.notebook.output_metadata(there.ask("five", "a"))["sessions"]) == {"unseen", "five"}


def test_what_the_store_has_brought_back_waits_only_if_no_cell_shows_it(shell):
    here = shell()
    here.ask("outside")
    ask_in_cell(here.manager, "in a cell", user=default_user())
    there = shell()
    back = ledger_of(here.manager).records(default_user())
    there.manager.adopt(back)
    there.notebook.outputs.restored(back)
    assert prompts(there.notebook.output_metadata(there.ask("next"))["sessions"]) == {"outside", "next"}
    turns = there.manager.active_session().active_chat.turns
    asked = next(turn for turn in turns if turn.prompt.content == "in a cell")
    assert prompts(there.notebook.output_metadata(asked)["sessions"]) == {"in a cell"}


def test_what_was_captured_is_not_said_to_be_carried_and_takes_nothing_along(shell):
    here = shell()
    here.ask("unseen")
    captured = here.notebook.output_metadata(here.ask("one", "a"), stays=False)
    assert prompts(captured["sessions"]) == {"one"}  # it may be shown later
    assert prompts(here.notebook.output_metadata(here.ask("two", "b"))["sessions"]) == {"unseen", "two"}
    assert here.notebook.level == "in kernel"
    here.notebook.output_metadata(here.manager.active_session().active_chat.turns[1])
    assert here.notebook.level == "in the cells' outputs"


def test_a_turn_is_there_whatever_became_of_those_before_it(shell):
    here, shown = shell(), {}
    for cell in "abc":
        turn = here.ask(cell, cell)
        shown[cell] = here.notebook.output_metadata(turn, here.page.record.said_before(turn.id))
    contexts = [mine.get("context") for mine in shown.values()]
    del shown["b"]  # its output was cleared
    notebook = notebook_of(shown)
    saved, riding = output.read(notebook)
    assert saved == {}
    assert prompts(riding) == {"a", "c"}
    (entries,) = riding.values()
    assert missing_of(entries) == {here.manager.active_session().active_chat.turns[1].id}
    there = shell()
    there.manager.adopt(riding)
    assert there.page.record.said_before(shown["c"]["turn"]) == contexts[2]
    assert output.settle(notebook) == 0
    assert list(output.riders(notebook)) == []
    assert all("context" not in one["metadata"]["robota_nb"] for cell in notebook["cells"] for one in cell["outputs"])
    settled = snapshot.parse(notebook["metadata"]["robota_nb"])
    assert settled == riding


def test_what_was_missing_takes_its_place_where_it_is_found_again(shell):
    here, shown = shell(), {}
    for cell in "abc":
        shown[cell] = here.notebook.output_metadata(here.ask(cell, cell))
    whole = ledger_of(here.manager).records(default_user())
    notebook = notebook_of({"a": shown["a"], "c": shown["c"]})
    output.settle(notebook)
    notebook["cells"] += notebook_of({"b": shown["b"]})["cells"]
    output.settle(notebook)
    assert output.read(notebook) == (whole, {})
    there = shell()
    there.manager.adopt(output.read(notebook_of({"c": shown["c"]}))[1])
    there.manager.adopt(whole)
    assert ledger_of(there.manager).records(default_user()) == whole


def test_what_refers_to_settings_that_are_nowhere_stays_in_its_output(shell):
    here = shell()
    mine = here.notebook.output_metadata(here.ask("a", "a"))
    for entries in mine["sessions"].values():
        config = next(eid for eid, entry in entries.items() if entry["kind"] == "config")
        del entries[config]
    notebook = notebook_of({"a": mine})
    assert output.settle(notebook) == 2  # the chat, and the answer
    assert [cell for cell, _ in output.riders(notebook)] == ["a"]
    assert output.settle(notebook) == 2


@pytest.mark.parametrize("wrong", ["", "x", 1, None, ["0" * 32], "0" * 31, "0" * 33, "G" * 32])
def test_a_forged_digest_of_what_was_before_is_as_none(shell, wrong):
    here, shown = shell(), {}
    for cell in "ab":
        shown[cell] = here.notebook.output_metadata(here.ask(cell, cell), "0" * 32)

    def of_before():
        _, riding = output.read(notebook_of({"b": shown["b"]}))
        return [entry for entries in riding.values() for entry in entries.values() if entry["kind"] == "before"]

    assert [entry["says"] for entry in of_before()] == ["0" * 32]
    shown["b"]["context"] = wrong
    assert of_before() == []


@pytest.mark.parametrize("order", [("stub", "original"), ("original", "stub")])
def test_what_was_purged_stays_so_whichever_output_says_it(shell, order):
    here = shell()
    said = here.notebook.output_metadata(here.ask("a secret", "a"))
    ((sid, entries),) = said["sessions"].items()
    stubs = {eid: purged_stub(entry) for eid, entry in entries.items() if entry["kind"] == "message"}
    outputs = {"original": said, "stub": {"sessions": {sid: {**entries, **stubs}}}}
    notebook = notebook_of({name: outputs[name] for name in order})
    output.settle(notebook)
    held = notebook["metadata"]["robota_nb"]["sessions"][sid]
    assert {eid: held[eid] for eid in stubs} == stubs
    assert list(output.riders(notebook)) == []


# -- the document


def test_an_open_again_goes_on_with_the_same_writes(shell):
    here = shell(path="/nb.ipynb")
    here.ask("one")
    seq = here.sent[-1]["seq"]
    here.reader.document_opened({"op": "open", "path": "/nb.ipynb", "value": here.document()})
    here.reader.adopt_notebook()
    here.ask("two")
    assert here.sent[-1]["seq"] > seq
    here.persistence.acknowledge_save(here.sent[-1]["seq"])
    assert here.persistence.unsaved.store.unsaved("/nb.ipynb") == {}


def test_what_was_not_saved_is_added_as_far_as_the_notebook_holds_what_it_hangs_from(shell):
    here = shell(path="/nb.ipynb")
    here.ask("one")
    here.persistence.acknowledge_save(here.sent[-1]["seq"])
    here.ask("two")
    # The notebook goes back to a time before both: the second turn's place is gone.
    there = shell(path="/nb.ipynb", store=here.persistence.unsaved.store)
    assert there.manager.sessions() == []
    assert there.document()["sessions"] == {}
    there.ask("three")
    snapshot.parse(there.document())


def test_an_unreadable_value_is_left_alone_also_by_what_was_not_saved(shell):
    here = shell(path="/nb.ipynb")
    here.ask("one")
    there = shell(path="/nb.ipynb", store=here.persistence.unsaved.store, value="no snapshot")
    there.ask("two")
    assert there.document()["sessions"] == {}
    with pytest.raises(SnapshotError) as caught:
        there.notebook.check()
    assert "%robota snapshot --replace" in told(caught.value)


def test_what_a_stranger_wrote_is_foreign_to_who_has_a_store_of_their_own(shell):
    stranger = shell(path="/a.ipynb")
    turn = stranger.ask("hello")
    mine = shell(path="/b.ipynb")
    made = mine.ask("mine")
    value, store = stranger.document(), mine.persistence.unsaved.store
    reader = shell(store=store, path="/copy of a.ipynb", value=value)
    assert turn.id in runtime_of(reader.manager).foreign
    own = shell(store=store, path="/moved.ipynb", value=mine.document())
    assert made.id in ledger_of(own.manager).records(default_user())[own.manager.sessions()[0].id]
    assert runtime_of(own.manager).foreign == set()


def test_whose_entries_are_is_doubtful_where_no_store_is_kept(shell):
    stranger = shell(path="/a.ipynb")
    turn = stranger.ask("hello")
    foreign = runtime_of(shell(path="/a.ipynb", value=stranger.document()).manager).foreign
    assert turn.id in foreign.doubtful
    assert not foreign.sure


def test_an_interrupt_while_taking_over_loses_nothing(shell, monkeypatch):
    first = shell(path="/nb.ipynb")
    first.ask("one")
    here = shell()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(snapshot, "parse", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        here.reader.document_opened({"op": "open", "path": "/other.ipynb", "value": first.document()})
    assert here.reader.adopt_notebook()
    assert len(here.manager.sessions()) == 1


def test_the_level_says_what_was_not_carried(shell):
    here = shell(path="/nb.ipynb")
    here.persistence.automatic = False
    here.ask("one")
    assert here.persistence.level == "in store"
    here.persistence.snapshot()
    here.persistence.acknowledge(here.sent[-1]["seq"])
    assert here.persistence.level == "in notebook"


# -- the snapshot


@pytest.mark.parametrize("replace", [False, True])
def test_a_stripped_notebook_takes_nothing_until_a_snapshot_puts_all_into_it_again(shell, replace):
    here = shell(path="/nb.ipynb")
    here.ask("one")
    here.persistence.strip()
    here.sent.clear()
    here.ask("two")
    assert here.document()["sessions"] == {}
    assert here.persistence.level == "in store"
    here.persistence.snapshot(replace=replace)
    here.ask("three")
    assert prompts(here.document()["sessions"]) == {"one", "two", "three"}
    here.persistence.acknowledge(here.sent[-1]["seq"])
    assert here.persistence.level == "in notebook"


def test_an_n_out_of_all_proportion_is_refused(shell):
    here = shell(path="/nb.ipynb")
    ledger_of(here.manager)._n = 2**40
    here.ask("one")
    with pytest.raises(SnapshotError, match="cannot be among"):
        snapshot.parse(here.document())


# -- the bridge


class Comm:
    def __init__(self):
        self.sent, self.closed = [], None

    def send(self, message):
        self.sent.append(message)

    def on_msg(self, callback):
        self.heard = callback

    def on_close(self, callback):
        self.closed = callback

    def close(self):
        pass


@pytest.fixture
def comms(monkeypatch):
    import comm

    made = []

    def create_comm(**_):
        made.append(Comm())
        return made[-1]

    monkeypatch.setattr(comm, "create_comm", create_comm)
    return made


def test_a_front_end_that_comes_back_gets_a_comm_of_its_own(comms):
    bridge = Bridge()
    bridge.connect("1", lambda _, call: call())
    bridge.deliver({"op": "open"})
    bridge.send({"op": "notice", "text": "one"})
    comms[0].closed({})
    bridge.send({"op": "notice", "text": "lost"})
    bridge.deliver({"op": "open"})
    bridge.send({"op": "notice", "text": "two"})
    assert [[m["text"] for m in comm.sent] for comm in comms] == [["one"], ["two"]]


def test_a_long_message_comes_in_parts_and_in_order(comms):
    timers = []
    bridge = Bridge()
    bridge.connect("1", lambda _, call: timers.append(call))
    bridge.deliver({"op": "open"})
    bridge.send({"op": "notice", "text": "é" * 100_000})
    assert len(comms[0].sent) == 1  # the rest in their time
    bridge.send({"op": "notice", "text": "after"})
    *parts, last = comms[0].sent
    assert last["text"] == "after"
    assert [part["at"] for part in parts] == list(range(parts[0]["of"]))
    assert "".join(part["text"] for part in parts).count("é") == 100_000
    assert len(timers) == 1
    timers[0]()  # nothing is left to send
    assert comms[0].sent[-1] == last


def test_a_pushed_message_arrives_whole_whatever_it_holds():
    bridge, heard = Bridge(), []
    bridge.listen(heard.append)
    for text in ("x" * 2_500_000, "漢" * 1_200_000, "\ud800"):
        for metadata in chunks({"op": "renamed", "path": text}, "1"):
            bridge.take(metadata)
        assert heard.pop()["path"] == text


def test_of_the_lists_of_cells_that_nobody_has_read_the_last_one_waits():
    bridge, heard = Bridge(), []
    first, last = ({"op": "cells", "cells": [["id", source_hash]]} for source_hash in "12")
    for message in ({"op": "open"}, first, {"op": "renamed"}, last):
        bridge.deliver(message)
    bridge.listen(heard.append)
    assert heard == [{"op": "open"}, {"op": "renamed"}, last]


@pytest.mark.parametrize("odd", [
    None, [], "open", {}, {"op": None}, {"op": ["open"]}, {"op": "unknown"}, {"op": "ack"}, {"op": "ack", "seq": "1"},
    {"op": "ack", "seq": True}, {"op": "open", "path": 7}, {"op": "open", "dirty": None}, {"op": "cells", "cells": [1]},
    {"op": "changed", "sessions": {"s": {"add": {}}}}, {"op": "changed", "sessions": {"s": {"add": [], "remove": []}}},
    {"op": "changed", "sessions": {"s": {"add": {}, "remove": [1]}}},
])  # fmt: skip
def test_what_is_no_message_is_dropped_and_what_follows_is_heard(odd):
    bridge, heard = Bridge(), []
    bridge.listen(heard.append)
    bridge.deliver(odd)
    bridge.deliver({"op": "ack", "seq": 1, "more": "of a later version"})
    assert heard == [{"op": "ack", "seq": 1, "more": "of a later version"}]
