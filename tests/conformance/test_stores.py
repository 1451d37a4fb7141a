"""One suite for every store: what `robota_nb.core.ports.Store` promises."""

import threading
from pathlib import Path

import pytest

from robota_nb.stores.memory import MemoryStore
from robota_nb.stores.sqlite import SqliteStore

STORES = {
    "memory": lambda directory: MemoryStore(),
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
    store.remove("a.ipynb", {"s_1": ["e_1"]})
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


def test_nothing_to_add_adds_nothing(store):
    store.add("a.ipynb", {})
    store.add("a.ipynb", {"s_1": {}})
    assert store.unsaved("a.ipynb") == {}


def test_documents_are_apart(store):
    store.add("a.ipynb", ONE)
    store.add("b.ipynb", {"s_1": {"e_1": entry("one")}})
    store.mark_saved("b.ipynb", ONE)
    assert store.unsaved("a.ipynb") == ONE
    store.remove("a.ipynb", ONE)
    store.add("b.ipynb", {"s_1": {"e_9": entry("nine")}})
    assert store.unsaved("b.ipynb") == {"s_1": {"e_9": entry("nine")}}
    assert store.unsaved("a.ipynb") == {}


def test_sessions_are_apart(store):
    store.add("a.ipynb", {"s_1": {"e_1": entry("one")}, "s_2": {"e_1": entry("one")}})
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    assert store.unsaved("a.ipynb") == {"s_2": {"e_1": entry("one")}}
    store.remove("a.ipynb", {"s_2": ["e_1"]})
    assert store.unsaved("a.ipynb") == {}


def test_unknown_ids_are_ignored(store):
    store.add("a.ipynb", ONE)
    store.mark_saved("a.ipynb", {"s_1": ["e_9"], "s_9": ["e_1"]})
    store.remove("a.ipynb", {"s_1": iter(["e_9", "\ud800"]), "s_9": ["e_1"]})
    store.mark_saved("a.ipynb", {})
    assert store.unsaved("a.ipynb") == ONE


def test_removed_entries_are_gone_and_may_come_again(store):
    store.add("a.ipynb", ONE)
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.remove("a.ipynb", {"s_1": iter(["e_1"])})
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


def test_it_may_be_used_again_after_close(store):
    store.add("a.ipynb", ONE)
    store.close()
    store.close()
    assert store.unsaved("a.ipynb") == ONE
    store.close()
    store.mark_saved("a.ipynb", {"s_1": ["e_1"]})
    store.close()
    store.remove("a.ipynb", {"s_1": ["e_2"]})
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
                    store.remove("a.ipynb", {"s_1": [mine]})
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
