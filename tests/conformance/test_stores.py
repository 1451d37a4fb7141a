"""One suite for every store: what `robota_nb.core.ports.Store` promises."""

import threading
from pathlib import Path

import pytest

from examples.store import JsonStore
from robota_nb.core.record.entries import missing_entry
from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore

STORES = {
    "memory": lambda directory: MemoryStore(),
    "example": lambda directory: JsonStore(directory / "store.json"),
    "sqlite": lambda directory: SqliteStore(directory / "robota_nb" / "store.sqlite"),
}


@pytest.fixture(params=STORES)
def store(request, tmp_path: Path):
    store = STORES[request.param](tmp_path)
    yield store
    store.close()


def entry(text: str, **more) -> dict:
    return {"kind": "message", "n": 1, "content": [text], **more}


ONE = {"s_1": {"e_1": entry("one"), "e_2": entry("two")}}
STUB = {"s_1": {"e_1": {"kind": "purged", "chat": "c_1", "role": "user"}}}


def test_a_new_store_is_empty(store):
    assert store.unsaved("a.ipynb") == {}
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.add("a.ipynb", {}, {"s_1": ["e_1"]})
    assert store.unsaved("a.ipynb") == {}


def test_what_was_added_comes_back_in_order(store):
    store.add("a.ipynb", ONE)
    store.add("a.ipynb", {"s_0": {"e_0": entry("zero")}})
    found = store.unsaved("a.ipynb")
    assert found == {**ONE, "s_0": {"e_0": entry("zero")}}
    assert list(found) == ["s_1", "s_0"]
    assert list(found["s_1"]) == ["e_1", "e_2"]


def test_adding_again_changes_nothing(store):
    store.add("a.ipynb", ONE)
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.add("a.ipynb", ONE)
    assert store.unsaved("a.ipynb") == {"s_1": {"e_2": entry("two")}}


def test_adding_is_a_union(store):
    store.add("a.ipynb", {"s_1": {"e_1": entry("one")}})
    store.add("a.ipynb", {"s_1": {"e_1": entry("other"), "e_2": entry("two")}, "s_2": {"e_3": entry("three")}})
    assert store.unsaved("a.ipynb") == {**ONE, "s_2": {"e_3": entry("three")}}


def test_what_is_added_stands_for_what_is_dropped_at_once(store):
    store.add("a.ipynb", ONE)
    store.add("a.ipynb", {"s_1": {"e_3": entry("three")}}, {"s_1": ["e_1", "e_9"], "s_9": ["e_1"]})
    assert store.unsaved("a.ipynb") == {"s_1": {"e_2": entry("two"), "e_3": entry("three")}}


def test_nothing_to_add_adds_nothing(store):
    store.add("a.ipynb", {})
    store.add("a.ipynb", {"s_1": {}})
    assert store.unsaved("a.ipynb") == {}


def test_documents_are_apart(store):
    store.add("a.ipynb", ONE)
    store.add("b.ipynb", {"s_1": {"e_1": entry("one")}})
    store.mark_saved("b.ipynb", ONE)
    assert store.unsaved("a.ipynb") == ONE
    store.add("a.ipynb", {}, ONE)
    store.add("b.ipynb", {"s_1": {"e_9": entry("nine")}})
    assert store.unsaved("b.ipynb") == {"s_1": {"e_9": entry("nine")}}
    assert store.unsaved("a.ipynb") == {}


def test_sessions_are_apart(store):
    store.add("a.ipynb", {"s_1": {"e_1": entry("one")}, "s_2": {"e_1": entry("one")}})
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    assert store.unsaved("a.ipynb") == {"s_2": {"e_1": entry("one")}}
    store.add("a.ipynb", {}, {"s_2": ["e_1"]})
    assert store.unsaved("a.ipynb") == {}


def test_unknown_ids_are_ignored(store):
    store.add("a.ipynb", ONE)
    store.mark_saved("a.ipynb", {"s_1": ["e_9"], "s_9": ["e_1"]})
    store.add("a.ipynb", {}, {"s_1": iter(["e_9", "\ud800"]), "s_9": ["e_1"]})
    store.mark_saved("a.ipynb", {})
    assert store.unsaved("a.ipynb") == ONE


def test_removed_entries_are_gone_and_may_come_again(store):
    store.add("a.ipynb", ONE)
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.add("a.ipynb", {}, {"s_1": iter(["e_1"])})
    store.add("a.ipynb", ONE)
    assert store.unsaved("a.ipynb")["s_1"].keys() == {"e_1", "e_2"}


def test_a_stub_beats_its_original_and_is_not_saved_yet(store):
    store.add("a.ipynb", ONE)
    store.mark_saved("a.ipynb", ONE)
    store.add("a.ipynb", STUB)
    assert store.unsaved("a.ipynb") == STUB
    store.mark_saved("a.ipynb", STUB)
    store.add("a.ipynb", STUB)
    store.add("a.ipynb", ONE)
    assert store.unsaved("a.ipynb") == {}


def test_a_stub_without_an_original_is_kept(store):
    store.add("a.ipynb", STUB)
    store.add("a.ipynb", ONE)
    assert store.unsaved("a.ipynb") == {"s_1": {**STUB["s_1"], "e_2": entry("two")}}


def test_what_is_missing_gives_way_to_whatever_is_found_and_is_to_be_saved_then(store):
    missing = {"s_1": {"e_1": missing_entry()}}
    for document, found in {"a.ipynb": ONE, "b.ipynb": STUB}.items():
        store.add(document, missing)
        store.mark_saved(document, missing)
        store.add(document, found)
        store.add(document, missing)
        assert store.unsaved(document) == found


def test_which_stub_stays_does_not_depend_on_the_order(store):
    other = {"s_1": {"e_1": {"kind": "purged", "chat": "c_1", "role": "user", "parent": "e_0"}}}
    for document, order in {"a.ipynb": [STUB, other], "b.ipynb": [other, STUB]}.items():
        for stub in order:
            store.add(document, stub)
    assert store.unsaved("a.ipynb") == store.unsaved("b.ipynb")


def test_what_is_stored_cannot_be_changed_from_outside(store):
    given = {"s_1": {"e_1": entry("one")}}
    store.add("a.ipynb", given)
    given["s_1"]["e_1"]["content"].append("changed")
    store.unsaved("a.ipynb")["s_1"]["e_1"]["content"].append("changed")
    assert store.unsaved("a.ipynb") == {"s_1": {"e_1": entry("one")}}


def test_an_entry_that_no_notebook_could_hold_is_refused_with_all_that_came_along(store):
    with pytest.raises(ValueError):
        store.add("a.ipynb", {"s_1": {"e_1": entry("fine"), "e_2": entry("\ud800")}})
    assert store.unsaved("a.ipynb") == {}


@pytest.mark.parametrize("text", ["", "é 漢 🦊 \x00 \r\n", "'; DROP TABLE entry; --", "x" * 1_000_000])
def test_any_text_comes_back(store, text):
    store.add("a.ipynb", {"s_1": {"e_1": entry(text)}})
    assert store.unsaved("a.ipynb")["s_1"]["e_1"]["content"] == [text]


def test_a_document_is_any_string(store):
    documents = ["", "a", "A", "a\x00", "a\x00b", "ä", "a\u0308", "terminal", "\udcff.ipynb", "x" * 5000, "1", "1.0"]
    for number, document in enumerate(documents):
        store.add(document, {"s_1": {"e_1": entry("", n=number)}})
    assert [store.unsaved(document)["s_1"]["e_1"]["n"] for document in documents] == list(range(len(documents)))


def test_many_entries_are_marked_at_once(store):
    many = {"s_1": {f"e_{i}": entry(str(i)) for i in range(10_001)}}
    store.add("a.ipynb", many)
    store.mark_saved("a.ipynb", {"s_1": [f"e_{i}" for i in range(10_000)]})
    assert store.unsaved("a.ipynb") == {"s_1": {"e_10000": entry("10000")}}
    assert store.unsaved_documents() == {"a.ipynb": 1}


# -- which documents have what no notebook has saved


def test_a_new_store_has_no_unsaved_documents(store):
    assert store.unsaved_documents() == {}


def test_unsaved_documents_are_counted_the_newest_first(store):
    store.add("a.ipynb", {"s_1": {"e_1": entry("one")}, "s_2": {"e_1": entry("one")}})
    store.add("\udcff.ipynb", ONE)
    store.add("", {"s_1": {"e_1": entry("one")}})
    assert list(store.unsaved_documents().items()) == [("", 1), ("\udcff.ipynb", 2), ("a.ipynb", 2)]
    store.add("a.ipynb", {"s_1": {"e_3": entry("three")}})
    assert list(store.unsaved_documents().items()) == [("a.ipynb", 3), ("", 1), ("\udcff.ipynb", 2)]
    store.mark_saved("a.ipynb", {"s_1": ["e_3"]})
    assert list(store.unsaved_documents().items()) == [("", 1), ("\udcff.ipynb", 2), ("a.ipynb", 2)]


def test_a_document_with_all_saved_or_removed_is_not_unsaved(store):
    store.add("a.ipynb", ONE)
    store.add("b.ipynb", ONE)
    store.add("c.ipynb", {"s_1": {}})
    store.mark_saved("a.ipynb", ONE)
    store.add("b.ipynb", {}, ONE)
    assert store.unsaved_documents() == {}
    store.add("a.ipynb", STUB)
    assert store.unsaved_documents() == {"a.ipynb": 1}


# -- a notebook gets another name


def test_what_was_moved_is_there_and_no_longer_here(store):
    store.add("a.ipynb", {**ONE, "s_0": {"e_0": entry("zero")}})
    store.add("c.ipynb", ONE)
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.move("a.ipynb", "\udcff.ipynb")
    assert store.unsaved("a.ipynb") == {}
    assert store.unsaved("\udcff.ipynb") == {"s_1": {"e_2": entry("two")}, "s_0": {"e_0": entry("zero")}}
    assert store.unsaved("c.ipynb") == ONE
    store.add("\udcff.ipynb", ONE)  # the saved one has come along, as saved
    assert store.unsaved_documents() == {"c.ipynb": 2, "\udcff.ipynb": 2}
    store.add("a.ipynb", ONE)  # and nothing of it stayed behind
    assert store.unsaved("a.ipynb") == ONE


def test_moving_is_a_union(store):
    store.add("a.ipynb", ONE)
    store.add("b.ipynb", {"s_1": {"e_2": entry("other"), "e_3": entry("three")}, "s_2": {"e_1": entry("one")}})
    store.move("a.ipynb", "b.ipynb")
    union = {"e_1": entry("one"), "e_2": entry("other"), "e_3": entry("three")}
    assert store.unsaved("b.ipynb") == {"s_1": union, "s_2": {"e_1": entry("one")}}


@pytest.mark.parametrize(("document", "to"), [("a.ipynb", "b.ipynb"), ("b.ipynb", "a.ipynb")])
def test_what_was_moved_keeps_its_age(store, document, to):
    for number, place in enumerate(["a.ipynb", "b.ipynb", "a.ipynb", "b.ipynb", "c.ipynb"]):
        store.add(place, {"s_1": {f"e_{number}": entry("")}})
    store.move(document, to)
    assert list(store.unsaved(to)["s_1"]) == ["e_0", "e_1", "e_2", "e_3"]
    assert list(store.unsaved_documents().items()) == [("c.ipynb", 1), (to, 4)]
    store.add(to, {"s_1": {"e_5": entry("")}})
    assert list(store.unsaved_documents().items()) == [(to, 5), ("c.ipynb", 1)]


def test_what_is_in_both_places_is_saved_only_if_both_are(store):
    store.add("a.ipynb", {"s_1": {f"e_{n}": entry(str(n)) for n in range(4)}})
    store.add("b.ipynb", {"s_1": {f"e_{n}": entry(str(n)) for n in range(4)}})
    store.mark_saved("a.ipynb", {"s_1": ["e_1", "e_3"]})
    store.mark_saved("b.ipynb", {"s_1": ["e_2", "e_3"]})
    store.move("a.ipynb", "b.ipynb")
    assert store.unsaved("b.ipynb") == {"s_1": {f"e_{n}": entry(str(n)) for n in range(3)}}
    store.add("b.ipynb", {"s_1": {"e_3": entry("3")}})
    assert store.unsaved_documents() == {"b.ipynb": 3}


@pytest.mark.parametrize("saved", [[], ["a.ipynb"], ["b.ipynb"], ["a.ipynb", "b.ipynb"]], ids="+".join)
@pytest.mark.parametrize(("document", "to"), [("a.ipynb", "b.ipynb"), ("b.ipynb", "a.ipynb")])
def test_a_stub_beats_its_original_wherever_it_is_and_is_to_be_saved(store, document, to, saved):
    store.add("a.ipynb", {"s_1": {"e_1": entry("one")}})
    store.add("b.ipynb", STUB)
    for place in saved:
        store.mark_saved(place, STUB)
    store.move(document, to)
    assert store.unsaved(to) == STUB
    assert store.unsaved(document) == {}
    store.add(to, ONE)
    assert store.unsaved(to) == {"s_1": {**STUB["s_1"], "e_2": entry("two")}}


def test_moving_again_changes_nothing(store):
    store.add("a.ipynb", ONE)
    store.add("b.ipynb", {**STUB, "s_2": {"e_1": entry("one")}})
    store.move("a.ipynb", "b.ipynb")
    store.mark_saved("b.ipynb", {"s_1": ["e_1"]})
    moved = store.unsaved("b.ipynb")
    store.move("a.ipynb", "b.ipynb")
    assert store.unsaved("b.ipynb") == moved == {"s_1": {"e_2": entry("two")}, "s_2": {"e_1": entry("one")}}


def test_moving_to_its_own_name_changes_nothing(store):
    store.add("a.ipynb", {**ONE, "s_2": {"e_1": entry("one")}})
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.move("a.ipynb", "a.ipynb")
    assert store.unsaved("a.ipynb") == {"s_1": {"e_2": entry("two")}, "s_2": {"e_1": entry("one")}}
    store.add("a.ipynb", ONE)
    assert store.unsaved_documents() == {"a.ipynb": 2}


def test_moving_nothing_changes_nothing(store):
    store.move("a.ipynb", "b.ipynb")
    assert store.unsaved_documents() == {}
    store.add("b.ipynb", ONE)
    store.move("a.ipynb", "b.ipynb")
    assert store.unsaved("b.ipynb") == ONE


def test_there_and_back_is_as_before(store):
    store.add("a.ipynb", ONE)
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.move("a.ipynb", "b.ipynb")
    store.close()
    store.move("b.ipynb", "a.ipynb")
    assert store.unsaved_documents() == {"a.ipynb": 1}
    store.add("a.ipynb", ONE)
    assert store.unsaved("a.ipynb") == {"s_1": {"e_2": entry("two")}}


# -- at all times


def test_it_may_be_used_again_after_close(store):
    store.add("a.ipynb", ONE)
    store.close()
    store.close()
    assert store.unsaved("a.ipynb") == ONE
    store.close()
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.close()
    store.add("a.ipynb", {}, {"s_1": ["e_2"]})
    store.close()
    store.add("a.ipynb", {"s_1": {"e_3": entry("three")}})
    assert store.unsaved("a.ipynb") == {"s_1": {"e_3": entry("three")}}


def test_threads_may_share_it(store):
    failures, start = [], threading.Barrier(8)

    def work(number: int) -> None:
        try:
            start.wait()
            for i in range(25):
                mine = f"e_{number}_{i}"
                store.add("a.ipynb", {"s_1": {mine: entry(mine), "e_all": entry("all")}})
                if i % 5 == 0:
                    store.mark_saved("a.ipynb", {"s_1": [mine]})
                if i % 5 == 1:
                    store.add("a.ipynb", {}, {"s_1": [mine]})
                assert store.unsaved("a.ipynb")["s_1"]["e_all"] == entry("all")
                if number == 0 and i % 10 == 0:
                    store.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    kept = {f"e_{number}_{i}" for number in range(8) for i in range(25) if i % 5 > 1}
    assert store.unsaved("a.ipynb")["s_1"].keys() == kept | {"e_all"}


def test_all_that_was_filed_can_be_read_again_saved_or_not(store):
    assert store.documents() == []
    assert store.entries("a.ipynb") == {}
    store.add("a.ipynb", ONE)
    store.add("b.ipynb", {"s_2": {"e_3": entry("three")}})
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    assert sorted(store.documents()) == ["a.ipynb", "b.ipynb"]
    assert store.entries("a.ipynb") == ONE
    assert list(store.entries("a.ipynb")["s_1"]) == ["e_1", "e_2"]
    store.add("b.ipynb", {}, {"s_2": ["e_3"]})
    assert store.documents() == ["a.ipynb"]


def test_the_ids_of_a_session_are_those_of_all_documents(store):
    assert store.ids("s_1") == set()
    store.add("a.ipynb", ONE)
    store.add("b.ipynb", {"s_1": {"e_3": entry("three")}, "s_2": {"e_4": entry("four")}})
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    assert store.ids("s_1") == {"e_1", "e_2", "e_3"}
    assert store.ids("s_2") == {"e_4"}
