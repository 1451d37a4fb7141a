"""What a search finds, in which order, and what is said of it; one table of cases for all that search."""

import itertools

import pytest

from robota_nb.core.inside import view_of
from robota_nb.core.manager import SessionManager
from robota_nb.core.record.fold import SessionState
from robota_nb.core.record.snapshot import parse
from robota_nb.core.rules.search import by_use, holds, matches_here, matches_in
from support.core import Echo

CASES = {
    "a Korean word with its particle": ("데이터를 나누는 방법", "데이터", True),
    "a particle alone": ("데이터를 나누는 방법", "를", True),
    "two syllables": ("판다스로 묶기", "다스", True),
    "Korean in single letters": ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af", True),
    "Korean over a space": ("데이터를 나누는", "를 나", True),
    "another particle": ("데이터를 나누는 방법", "데이터는", False),
    "two letters": ("group by", "ou", True),
    "one letter": ("group by", "y", True),
    "part of a word": ("the dataframe", "tafra", True),
    "words in another order": ("group by", "by group", False),
    "upper case": ("Straße", "STRASSE", True),
    "lower case": ("GROUP BY", "group", True),
    "a Greek word's end": ("ΟΔΟΣ", "οδος", True),
    "an accent put together": ("cafe\u0301 au lait", "café", True),
    "an accent taken apart": ("café au lait", "cafe\u0301", True),
    "no accent": ("café", "cafe", False),
    "a letter whose accent stands apart": ("cafe\u0301 au lait", "cafe", False),
    "Turkish dotted I": ("İstanbul", "i\u0307stanbul", True),
    "a quote": ('say "no"', '"no"', True),
    "one quote": ("it's", "'", True),
    "a percent sign": ("100% sure", "0%", True),
    "a percent sign is no wildcard": ("100 sure", "1%sure", False),
    "an underscore is no wildcard": ("abc", "a_c", False),
    "a star is no wildcard": ("prefix", "pre*", False),
    "a star": ("2 ** 3", "**", True),
    "AND is a word": ("salt AND pepper", "salt AND pepper", True),
    "AND is no operator": ("salt and, later, pepper", "salt AND pepper", False),
    "NEAR is no operator": ("salt pepper", "NEAR(salt pepper)", False),
    "NOT is no operator": ("salt", "salt NOT pepper", False),
    "a column's name": ("text: x", "text:", True),
    "brackets and backslashes": (r"a[0]\n", r"[0]\n", True),
    "over the end of a line": ("one\ntwo", "e\nt", True),
    "a null character": ("a\0b", "\0b", True),
    "an emoji with a skin": ("👍🏽 fine", "👍🏽", True),
    "beyond the first plane": ("𝒳 is 𐐀", "𐐨", True),
}


def manager_with(*texts, **options):
    clock = itertools.count()
    manager = SessionManager(providers=Echo(), now=lambda: f"2026-01-01T00:00:{next(clock):02}Z", **options)
    chat = manager.create_session("u", "S").create_chat("A")
    for text in texts:
        chat.send(text)
    return manager, chat


def stored(manager):
    """The states that a reader makes of the snapshot, and the entries that they are made of."""
    manager.flush("u")
    for sid, entries in parse(manager.snapshot("u")).items():
        state = SessionState(sid)
        state.apply(entries)
        yield state, entries


def shown(matches):
    return [(m.session, m.chat, m.number, m.deleted, m.foreign, m.excerpt) for m in by_use(matches)]


@pytest.mark.parametrize(("said", "wanted", "found"), CASES.values(), ids=CASES)
def test_what_is_found_is_what_holds_the_text_whoever_searches(said, wanted, found):
    manager, chat = manager_with("something else", said)
    assert [hit.number for hit in chat.search(wanted)] == [2] * found
    assert [hit.number for hit in chat.session.search(wanted)] == [2] * found
    assert [match.number for match in matches_here(view_of(chat), wanted)] == [2] * found
    ((state, entries),) = stored(manager)
    assert [match.number for match in matches_in(state, wanted, "a.ipynb")] == [2] * found
    assert holds(entries.values(), wanted) == found


@pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case[2]], ids=[k for k, c in CASES.items() if c[2]]
)
def test_an_excerpt_shows_the_text_that_was_found(case):
    said, wanted, _ = case
    _, chat = manager_with("ﬃ İ " * 40 + said + " ß" * 40)
    (match,) = matches_here(view_of(chat), wanted)
    assert " ".join(said.split())[:20] in match.excerpt or " ".join(said.split())[-20:] in match.excerpt
    assert match.excerpt.startswith("…")
    assert match.excerpt.endswith("…")
    assert "\n" not in match.excerpt


def test_a_short_text_is_shown_whole():
    _, chat = manager_with("to be found")
    (match,) = matches_here(view_of(chat), "found")
    assert match.excerpt == "to be found"
    (match,) = matches_here(view_of(chat), "re: to")
    assert match.excerpt == "re: to be found"


def test_what_was_undone_or_deleted_is_found_and_marked_in_the_kernel_as_in_the_file():
    manager, chat = manager_with("found on the path", "found undone")
    chat.undo()
    session = chat.session
    session.create_chat("B").send("found in a deleted chat")
    session.delete_chat("B")
    other = manager.create_session("u", "T")
    other.create_chat("C").send("found in a deleted session")
    manager.delete_session("T", "u")
    expected = [
        ("T", "C", 1, True, False, "found in a deleted session"),
        ("S", "B", 1, True, False, "found in a deleted chat"),
        ("S", "A", None, False, False, "found undone"),
        ("S", "A", 1, False, False, "found on the path"),
    ]
    views = [view_of(session), view_of(other)]
    assert shown(match for view in views for match in matches_here(view, "FOUND")) == expected
    assert shown(match for state, _ in stored(manager) for match in matches_in(state, "FOUND", "a.ipynb")) == expected


def test_what_a_fork_has_kept_of_a_deleted_chat_is_not_deleted():
    _, chat = manager_with("one", "two")
    view, fork = view_of(chat), chat.fork("B", at=1)
    fork.session.delete_chat("A")
    assert [(m.chat, m.deleted, m.text) for m in by_use(matches_here(view, "one"))] == [("B", False, "one")]
    assert [(m.chat, m.deleted, m.text) for m in by_use(matches_here(view, "two"))] == [("A", True, "two")]


def test_the_chat_that_was_used_last_comes_first_and_of_each_the_newest_turn():
    _, chat = manager_with("x 1", "x 2")
    other = chat.session.create_chat("B")
    other.send("x 3")
    chat.send("x 4")
    assert [(m.chat, m.text) for m in by_use(matches_here(view_of(chat), "x"))] == [
        ("A", "x 4"), ("A", "x 2"), ("A", "x 1"), ("B", "x 3"),
    ]  # fmt: skip


def test_turns_of_the_same_second_come_newest_first():
    manager = SessionManager(providers=Echo(), now=lambda: "2026-01-01T00:00:00Z")
    chat = manager.create_session("u").create_chat("A")
    for text in ("x 1", "x 2", "x 3"):
        chat.send(text)
    assert [m.text for m in by_use(matches_here(view_of(chat), "x"))] == ["x 3", "x 2", "x 1"]


def test_a_turn_is_foreign_if_somebody_else_wrote_either_half():
    _, chat = manager_with("one", "two")
    (match,) = matches_here(view_of(chat), "two")
    assert not match.foreign
    question = view_of(chat).record.nodes[match.turn].user
    for eid in (match.turn, question):
        assert [m.foreign for m in by_use(matches_here(view_of(chat), "re:", {eid}))] == [True, False]


def test_what_was_purged_is_not_found():
    manager, chat = manager_with("secret", "after it")
    chat.purge(1)
    assert matches_here(view_of(chat), "secret") == []
    assert [holds(entries.values(), "secret") for _, entries in stored(manager)] == [False]


def test_what_is_no_entry_holds_nothing():
    odd = [{"kind": "message"}, {"kind": "message", "content": None}, {"kind": "message", "content": [1, {"a": "x"}]}]
    assert not holds(odd, "x")
