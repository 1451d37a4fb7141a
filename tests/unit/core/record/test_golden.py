"""Format 1, for ever: the committed file is read, means what it meant, and is what the constructors make.

A change that breaks these tests breaks notebooks. Never edit the golden file: a new format gets a new one.
"""

from robota_nb.core.inside import view_of
from robota_nb.core.ports import Usage
from robota_nb.core.record import entries as make
from robota_nb.core.record import snapshot
from robota_nb.core.record.attachments import image_entry
from robota_nb.core.record.kinds import KINDS, purged_stub
from support.core import new_manager
from support.golden import GOLDEN, WORK

PLAIN = "s_" + "b" * 32
MAIN, FORK, GONE = "c_" + "1" * 32, "c_" + "2" * 32, "c_" + "3" * 32
AT = "2026-11-22T09:00:00Z"
SOURCE = "0123456789abcdef"

DEFAULT = make.config_entry(provider="offline", model="", system="", params={})
FULL = make.config_entry(
    provider="openai", model="gpt-4o", system="Be brief.\nBe kind.", params={"seed": "7", "temperature": "0.2"}
)
IMAGE = image_entry(media_type="image/png", data=bytes(range(60)))
DEFAULT_ID, FULL_ID, IMAGE_ID = map(make.entry_id, (DEFAULT, FULL, IMAGE))


def ask(n, parent, text, chat=MAIN, **fields):
    return make.user_message(n=n, at=AT, chat=chat, parent=parent and make.entry_id(parent), text=text, **fields)


def answer(parent, text, reason, *, config=FULL_ID, usage=None, model="gpt-4o-2024-08-06"):
    return make.assistant_message(
        n=parent["n"] + 1, at=AT, chat=parent["chat"], parent=make.entry_id(parent), text=text,
        config=config, model=model, finish_reason=reason, usage=usage,
    )  # fmt: skip


SESSION = make.session_entry(n=1, at=AT, name="Python Development", config=DEFAULT_ID)
CHAT = make.chat_entry(n=2, at=AT, chat=MAIN, name="Debug Session", config=FULL_ID)
CHAT_SET = make.set_entry(n=3, at=AT, chat=MAIN, key="model", value="gpt-4o-mini")
ACTIVE = make.active_entry(n=4, at=AT, chat=MAIN)

HELLO = ask(
    5, None, "line 1\nline 2", cell=["cell-1", 0, SOURCE],
    set_={"chat": "Debug Session", "session": "Python Development"}, options={"temperature": "0.9"},
)  # fmt: skip
HI = answer(HELLO, "Grüße 🙂", "stop", usage=Usage(input_tokens=12, output_tokens=34))
LOOK = ask(7, HI, "what is this?", attached=[{"image": IMAGE_ID}], cell=["", 1, SOURCE])
CUT = answer(LOOK, "a very long", "length", model="")
STOPPED_ASK = ask(9, CUT, "go on")
STOPPED = answer(STOPPED_ASK, "I was just", "interrupted")
BROKEN_ASK = ask(11, CUT, "go on, please")
BROKEN = answer(BROKEN_ASK, "the net", "error")
FILTERED_ASK = ask(13, CUT, "and now?")
FILTERED = answer(FILTERED_ASK, "", "content_filter", usage=Usage(input_tokens=0, output_tokens=0))
SECRET_ASK = ask(15, FILTERED, "my key is …")
SECRET_ASK_ID = make.entry_id(SECRET_ASK)
SECRET_ASK_STUB = purged_stub(SECRET_ASK)
AFTER = answer(SECRET_ASK, "keep it safe", "unknown", config=DEFAULT_ID)
TOOLS_ASK = ask(17, AFTER, "look it up")
TOOLS = answer(TOOLS_ASK, "calling", "tool_calls")
HEAD = make.head_entry(n=19, at=AT, chat=MAIN, message=make.entry_id(AFTER))

FORK_CHAT = make.chat_entry(n=20, at=AT, chat=FORK, name="Fork", config=DEFAULT_ID, from_=make.entry_id(CUT))
RENAMED = make.set_entry(n=21, at=AT, chat=FORK, key="name", value="Feature")
REBASED = make.set_entry(n=22, at=AT, chat=FORK, key="from", value=make.entry_id(HI))
REBASED_HEAD = make.head_entry(n=23, at=AT, chat=FORK, message=make.entry_id(HI))
ON_FORK_ASK = ask(24, HI, "on the fork", chat=FORK)
ON_FORK = answer(ON_FORK_ASK, "yes", "stop", config=DEFAULT_ID)
UNSET = make.set_entry(n=26, at=AT, chat=MAIN, key="seed", value=None)

GONE_CHAT = make.chat_entry(n=27, at=AT, chat=GONE, name="Debug Session", config=DEFAULT_ID)
CLEARED = make.head_entry(n=28, at=AT, chat=GONE, message=None)
DELETED = make.set_entry(n=29, at=AT, chat=GONE, key="deleted", value="true")
SESSION_RENAMED = make.set_entry(n=30, at=AT, chat=None, key="name", value="Python")
STATE = make.set_entry(n=31, at=AT, chat=None, key="state", value="paused")
UNKNOWN_KIND = {"kind": "reaction", "n": 32, "to": make.entry_id(HI), "with": ["🙂", {"deep": [[["x"]]]}]}
UNKNOWN_KEY = {**make.active_entry(n=33, at=AT, chat=FORK), "later": True}

PLAIN_SESSION = make.session_entry(n=34, at=AT, name="Plain")
PLAIN_ACTIVE = make.active_entry(n=35, at=AT, chat=None)

WORK_ENTRIES = [
    SESSION, DEFAULT, FULL, IMAGE, CHAT, CHAT_SET, ACTIVE, HELLO, HI, LOOK, CUT, STOPPED_ASK, STOPPED, BROKEN_ASK,
    BROKEN, FILTERED_ASK, FILTERED, AFTER, TOOLS_ASK, TOOLS, HEAD, FORK_CHAT, RENAMED, REBASED, REBASED_HEAD,
    ON_FORK_ASK, ON_FORK, UNSET, GONE_CHAT, CLEARED, DELETED, SESSION_RENAMED, STATE, UNKNOWN_KIND, UNKNOWN_KEY,
]  # fmt: skip


def test_the_constructors_make_every_entry_of_the_golden_file_under_its_id():
    work = {make.entry_id(entry): entry for entry in WORK_ENTRIES}
    plain = {make.entry_id(entry): entry for entry in (PLAIN_SESSION, PLAIN_ACTIVE)}
    made = snapshot.dump({WORK: {**work, SECRET_ASK_ID: SECRET_ASK_STUB}, PLAIN: plain})
    assert made == {**GOLDEN, "format": {"major": 1, "minor": snapshot.MINOR}}


def test_the_golden_file_holds_every_kind_and_every_field_of_format_1_0():
    used = {}
    for entries in GOLDEN["sessions"].values():
        for entry in entries.values():
            used.setdefault(entry["kind"], set()).update(entry)
    assert used.pop("reaction")
    assert used["active"] == {"kind", "n", "at", "chat", "later"}
    used["active"].discard("later")
    first = {name: {"kind", *kind.required, *kind.optional} for name, kind in KINDS.items() if not kind.minor}
    assert used == first


def test_the_golden_file_is_read_and_written_as_it_stands():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    assert manager.snapshot("u") == {**GOLDEN, "format": {"major": 1, "minor": snapshot.MINOR}}


def test_the_golden_file_means_what_it_meant():
    manager = new_manager()
    manager.adopt(snapshot.parse(GOLDEN), "u")
    work, plain = manager.sessions("u")
    assert (work.id, work.name, work.state, view_of(work).record.n) == (WORK, "Python", "paused", 33)
    assert (plain.id, plain.name, plain.state, plain.chats, plain.active_chat) == (PLAIN, "Plain", "active", [], None)
    assert manager.active_session("u") is plain

    main, fork = work.chats
    assert (main.id, main.name, fork.id, fork.name) == (MAIN, "Debug Session", FORK, "Feature")
    assert work.active_chat is fork
    assert view_of(work).find("Fork") == FORK
    assert view_of(work).find("Python") is None
    assert manager.find_session("Python Development", "u") is work

    assert [(turn.prompt.content, turn.text, turn.finish_reason) for turn in main.turns] == [
        ("line 1\nline 2", "Grüße 🙂", "stop"),
        ("what is this?", "a very long", "length"),
        ("and now?", "", "content_filter"),
        ("", "keep it safe", "unknown"),  # what it asked was purged
    ]
    assert main.head == make.entry_id(AFTER)
    assert [message.content for message in main.messages][-2:] == ["", "keep it safe"]
    first, second, third, _ = main.turns
    assert (first.model, first.usage) == ("gpt-4o-2024-08-06", Usage(input_tokens=12, output_tokens=34))
    assert first.config.settings() == {
        "provider": "openai", "model": "gpt-4o", "system": "Be brief.\nBe kind.", "seed": "7", "temperature": "0.9",
    }  # fmt: skip
    assert first.cell == ("cell-1", 0, SOURCE)
    assert view_of(work).record.nodes[first.id].set == {"chat": "Debug Session", "session": "Python Development"}
    assert (second.model, second.usage, second.cell) == ("gpt-4o", None, (None, 1, SOURCE))
    assert third.usage == Usage(input_tokens=0, output_tokens=0)
    record = view_of(work).record
    branches = {record.text(node.id) for node in record.children(MAIN, make.entry_id(CUT))}
    assert branches == {"I was just", "the net", ""}

    assert [turn.text for turn in fork.turns] == ["Grüße 🙂", "yes"]
    assert view_of(work).base(FORK) == make.entry_id(HI)
    assert fork.config.settings() == {"provider": "offline"}
    # the config of its latest answer, and what was set since
    assert main.config.settings() == {
        "provider": "openai", "model": "gpt-4o", "system": "Be brief.\nBe kind.", "temperature": "0.2",
    }  # fmt: skip
    assert view_of(work).record.config(view_of(work).record.default_config.value).settings() == {"provider": "offline"}
