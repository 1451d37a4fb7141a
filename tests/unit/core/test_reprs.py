"""Sessions, chats and turns show themselves as the result of a cell: as text always, as HTML of escaped text."""

from html.parser import HTMLParser

import pytest

from support.core import new_manager

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "<a href='javascript:alert(1)' data-commandlinker-command=x>go</a>",
    "\u202egnp.exe\u2066",
    "x" * 1_000_000,
]
INERT = {"div", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"}


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


def objects(prompt, name="A chat"):
    """One of each thing that can be the result of a cell, with a stranger's text in it."""
    manager = new_manager()
    session = manager.create_session(name=name)
    session.describe(prompt[:200])
    chat = session.create_chat(name, system=prompt[:500])
    turn = chat.send(prompt)
    chat.edit(1, "another")
    (hit,) = [hit for hit in session.search(prompt[:50]) if hit.number is None]
    return [manager, session, chat, turn, *chat.branches, hit, chat.stats, chat.preview(prompt)]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_strangers_wrote_is_shown_as_text_and_nothing_else(text):
    for thing in objects(text, text[:90]):
        html, line = thing._repr_html_(), repr(thing)
        found = Tags(html)
        assert found.tags <= INERT, thing
        assert found.attributes <= {"class", "style"}, thing
        assert "\u202e" not in html + line
        assert len(html) < 30_000
        assert len(line) < 500
        assert "\n" not in line


def test_they_say_what_they_are():
    manager, session, chat, turn, branch, hit, stats, preview = objects("What is a closure?")
    assert repr(manager) == "<SessionManager: 1 session, 'A chat' is active>"
    assert repr(session) == "<Session 'A chat': 1 chat, active>"
    assert repr(chat) == "<Chat 'A chat' in 'A chat': 1 turn, echo/m>"
    assert repr(turn) == "<Turn 're: What is a closure?' model='m-1' finish_reason='stop'>"
    assert repr(branch) == "<Branch 1 after turn 0: 1 turn, 'What is a closure?'>"
    assert "What is a closure?" in Tags(hit._repr_html_()).text
    assert "2 turns" in repr(stats)
    assert repr(preview).startswith("<Preview: 4 messages, ")
    assert "re: another" in Tags(chat._repr_html_()).text


def test_turns_are_rows_of_a_table():
    manager = new_manager()
    chat = manager.create_session(name="S").create_chat("C")
    chat.send("hello")
    rows = chat.to_records()
    assert [(row["role"], row["content"], row["turn"], row["tokens"]) for row in rows] == [
        ("user", "hello", 1, 1),
        ("assistant", "re: hello", 1, 2),
    ]
    assert [{"session": "S", "chat": "C", **row} for row in rows] == chat.session.to_records() == manager.to_records()
    assert len({frozenset(row) for row in rows}) == 1
