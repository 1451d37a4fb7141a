"""Whatever is typed or pasted: one clear line, or kept safely. And what was kept, every reader can read again."""

import json
import math
import unicodedata

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robota_nb.core.inside import ledger_of, runtime_of, view_of
from robota_nb.core.ports import TextDelta
from robota_nb.core.record import snapshot
from robota_nb.core.record.snapshot import MAX_BYTES, parse
from robota_nb.errors import (
    ChatNotFound,
    DuplicateName,
    InvalidName,
    RobotaError,
    SessionNotFound,
    SnapshotError,
    TurnNotFound,
)
from support.core import new_manager, raised, texts


def readable(manager, user="u"):
    """The snapshot, which went through a notebook's file, is read as it was written; returns a manager that read it."""
    written = manager.snapshot(user)
    notebook = nbformat.v4.new_notebook(metadata={snapshot.KEY: written})
    nbformat.validate(notebook)
    text = nbformat.writes(notebook)
    text.encode()  # what cannot be encoded empties the file
    read = json.loads(json.dumps(nbformat.reads(text, as_version=4).metadata[snapshot.KEY]))
    assert read == written
    again = new_manager()
    again.adopt(parse(read), user)
    assert again.snapshot(user) == written
    return again


@pytest.fixture
def manager():
    manager = new_manager(max_active_sessions=0)
    yield manager
    readable(manager)


@pytest.fixture
def session(manager):
    return manager.create_session("u", "S")


@pytest.fixture
def chat(session):
    return session.create_chat("A")


# -- names

CONTROLS = ["a\nb", "a\rb", "a\0b", "tab\tbed", "\x1b[31mred", "\x7f", "a\x85b", "a\u2028b", "a\u2029b"]
EMPTY = ["", " ", "\n", "\t \r\n", "\u3000"]
LONG = ["x" * 101, "x" * 10_000, "🙂" * 101, "e\u0301" * 101]
STRANGE = {
    "emoji": "🙂👩‍👩‍👧‍👦🏳️‍🌈",
    "right to left": "שלום עולם",
    "turned around": "abc\u202edcba\u202c",
    "without width": "a\u200bb\ufeffc",
    "a way out": "../../etc/passwd",
    "a way in": "C:\\Windows\\..\\x",
    "prototype": "__proto__",
    "constructor": "constructor",
    "markup": "<script>alert(1)</script>",
    "a template": "{{ secret }} ${x} %s %(x)s {0}",
    "a command": "--chat; rm -rf /",
    "quotes": "'\"`\\",
    "an id": "c_" + "0" * 32,
    "a number": "1",
    "null": "null",
    "100 characters": "x" * 100,
    "100 emoji": "🙂" * 100,
    "private and unassigned": "\ue000\U000e0fff",
    "combining": "Z" + "\u0335" * 99,
}


def everywhere_refused(manager, session, name):
    """Refuse a name wherever one may be given, and return with what words."""
    chat = session.create_chat()
    before = manager.snapshot("u")
    said = {
        raised(InvalidName, call, *args).replace("session", "chat")
        for call, *args in [
            (session.create_chat, name),
            (chat.rename, name),
            (manager.create_session, "u", name),
            (session.rename, name),
            (chat.fork, name),
        ]
    }
    assert manager.snapshot("u") == before
    (text,) = said
    return text


@pytest.mark.parametrize("name", CONTROLS, ids=ascii)
def test_a_name_with_control_characters_is_refused(manager, session, name):
    name = name if name == name.strip() else f"a{name}b"
    assert everywhere_refused(manager, session, name) == (
        "a chat name cannot hold control characters or line breaks: leave them out"
    )


@pytest.mark.parametrize("name", EMPTY, ids=ascii)
def test_a_name_of_nothing_is_refused(manager, session, name):
    assert everywhere_refused(manager, session, name) == "a chat needs a name: give it 1 to 100 characters"


@pytest.mark.parametrize("name", LONG, ids=["101", "10,000", "emoji", "composed"])
def test_a_name_of_more_than_100_characters_is_refused_with_how_many_it_has(manager, session, name):
    if unicodedata.normalize("NFC", name) != name:
        assert len(name) == 202  # counted as composed
    assert everywhere_refused(manager, session, name) == (
        f"the name has {len(unicodedata.normalize('NFC', name))} characters: a chat name has at most 100"
    )


@pytest.mark.parametrize("name", STRANGE.values(), ids=STRANGE)
def test_any_other_name_is_kept_as_it_is_and_found_again(manager, session, name):
    chat = session.create_chat(name)
    chat.send(name)
    manager.create_session("u", name).create_chat(name).send("hi")
    again = readable(manager)
    assert again.session("S", "u").chat(name).id == chat.id
    assert again.session(name, "u").chat(name).name == name
    assert texts(again.session("S", "u").chat(name)) == [f"re: {name}"]
    raised(DuplicateName, session.create_chat, name)
    assert chat.fork(name) is chat


def test_a_name_that_looks_like_an_id_means_nobody_else(session):
    chat = session.create_chat("A")
    taker = session.create_chat(chat.id)
    assert session.chat(chat.id) is chat
    assert session.chat(taker.id) is taker


def test_twins_that_only_differ_in_their_composition_are_one_name(manager, session):
    composed, decomposed = "Caf\u00e9 \uac00", "Cafe\u0301 \u1100\u1161"
    chat = session.create_chat(decomposed)
    assert chat.name == composed
    assert session.chat(decomposed) is session.chat(composed) is chat
    raised(DuplicateName, session.create_chat, composed)
    assert session.bring_back(decomposed) is None
    chat.delete()
    assert session.bring_back(composed) == chat.id


def test_names_are_stripped_of_the_space_around_them(session):
    chat = session.create_chat("  a b \n")
    assert chat.name == "a b"
    assert session.chat(" a b\t") is chat


def test_half_a_character_in_a_name_is_replaced(manager, session):
    assert session.create_chat("x\ud83d").name == "x\ufffd"
    assert session.create_chat("\ud83d\ude42").name == "🙂"  # the two halves of one
    session.rename("\udfff")
    assert session.name == "\ufffd"


@pytest.mark.parametrize("ref", [*CONTROLS, *EMPTY, *LONG, "\ud800", "../A", "__proto__", "%s"], ids=ascii)
def test_what_is_looked_for_in_vain_is_told_in_one_short_line(manager, session, ref):
    session.create_chat("A")
    for error, call, *args in [
        (ChatNotFound, session.chat, ref),
        (ChatNotFound, session.switch_to, ref),
        (ChatNotFound, session.delete_chat, ref),
        (SessionNotFound, manager.session, ref, "u"),
        (SessionNotFound, manager.delete_session, ref, "u"),
    ]:
        text = raised(error, call, *args)
        assert len(text) < 600
        assert text.isprintable()
    assert session.bring_back(ref) is None
    assert manager.bring_back(ref, "u") is None
    assert session.search(ref) == []


@given(st.text())
@settings(max_examples=150)
def test_any_text_is_a_name_that_can_be_read_again_or_is_refused(name):
    manager = new_manager()
    try:
        session = manager.create_session("u", name)
    except InvalidName as error:
        assert "\n" not in str(error)
        return
    chat = session.create_chat(name)
    again = readable(manager)
    assert again.session(name, "u").chat(name).id == chat.id


# -- prompts

PROMPTS = {
    "a lone surrogate": "a\ud800b",
    "halves the wrong way round": "\ude42\ud83d",
    "NUL": "a\0b",
    "all controls": "".join(map(chr, range(32))),
    "carriage returns": "a\r\nb\rc\n\r",
    "line separators": "a\u2028b\u2029c\x85d\x0ce",
    "turned around": "\u202e",
    "noncharacters": "\uffff\U0010ffff\ufdd0",
    "JSON": '{"format": {"major": 99}}',
    "a comment": "<!-- robota_nb user {} -->\n",
    "nothing": "",
    "one line break": "\n",
    "a long line": "x" * 999_999,
    "many lines": "\n" * 100_000,
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_a_prompt_is_kept_as_it_is_but_for_half_characters(manager, chat, prompt):
    expected = prompt.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if len(prompt) < 90_000:
        assert chat.send(prompt).text == f"re: {expected}"
    else:
        runtime_of(manager).providers.stream = lambda request: iter([TextDelta("ok")])
        chat.send(prompt)
    again = readable(manager).session("S", "u").chat("A")
    assert [turn.prompt.content for turn in again.turns] == [expected]
    assert chat.preview("x").request.messages[0]["content"] == (
        expected if expected.strip() else "x"
    )  # as it says nothing


@pytest.mark.parametrize("ask", ["send", "stream", "edit", "preview"])
def test_a_prompt_of_five_megabytes_is_refused_and_nothing_is_sent(manager, chat, ask):
    chat.send("hi")
    calls = {
        "send": lambda text: chat.send(text),
        "stream": lambda text: list(chat.stream(text)),
        "edit": lambda text: chat.edit(1, text),
        "preview": lambda text: chat.preview(text),
    }
    large = "ä" * 2_500_000
    assert raised(SnapshotError, calls[ask], large) == (
        "a message of 5,000,000 bytes is over the cap of 1,000,000: shorten it"
    )
    assert len(runtime_of(manager).providers.requests) == 1
    assert texts(chat) == ["re: hi"]
    assert chat.send("go on").text == "re: go on"


@given(st.text(alphabet=st.characters()), st.text(alphabet=st.characters(categories=["Cs", "Cc", "Lu"])))
@settings(max_examples=150)
def test_any_text_is_a_prompt_that_can_be_read_again(one, two):
    manager = new_manager()
    chat = manager.create_session("u").create_chat()
    chat.send(one)
    chat.send(two)
    chat.configure(system=two)
    chat.session.describe(one)
    again = readable(manager).sessions("u")[0]
    assert texts(again.chats[0]) == texts(chat)
    assert again.description == chat.session.description


# -- settings

NO_JSON = {
    "NaN": math.nan,
    "infinity": math.inf,
    "NaN inside": [1, {"a": -math.inf}],
    "an object": object(),
    "bytes": b"x",
    "a set": {1},
    "a circle": (circle := []),
    "typed NaN": "NaN",
}
circle.append(circle)


@pytest.mark.parametrize("value", NO_JSON.values(), ids=NO_JSON)
def test_a_setting_without_a_json_form_is_refused_or_text(manager, chat, value):
    before = manager.snapshot("u")
    if isinstance(value, str):  # as typed: it is a text, and the server may say what it thinks of it
        raised(SnapshotError, lambda: chat.configure(temperature=value))
    else:
        assert "has no JSON form: use a finite number, text" in raised(
            SnapshotError, lambda: chat.configure(temperature=value)
        )
    raised(SnapshotError, lambda: chat.session.create_chat("B", temperature=value))
    assert manager.snapshot("u") == before


@pytest.mark.parametrize(
    "key",
    ["api_key", "base_url", "extra_headers", "Temperature", "__proto__", "a-b", "", "ä", "a\n", "messages", "name"],
)
def test_a_setting_that_is_no_parameter_of_a_request_is_refused(manager, chat, key):
    before = manager.snapshot("u")
    text = raised(InvalidName, lambda: chat.configure(**{key: "sk-secret"}))
    assert "sk-secret" not in text
    assert manager.snapshot("u") == before


@pytest.mark.parametrize(
    "value",
    [
        10**400,
        1e308,
        -0.0,
        "1" * 5000,
        "[" * 100_000,
        {"a": {"b": [None, True]}},
        None,
        "\ud800",
        ["\ud800"],
        {"\ud800": 1},
    ],
    ids=[
        "large",
        "near infinity",
        "minus zero",
        "digits",
        "brackets",
        "nested",
        "none",
        "half",
        "half inside",
        "half key",
    ],
)
def test_any_other_setting_is_kept_and_sent(manager, chat, value):
    chat.configure(odd=value)
    chat.send("hi")
    sent = runtime_of(manager).providers.requests[-1].params
    again = readable(manager).session("S", "u").chat("A")
    assert again.config == chat.config
    again.send("hi")
    assert runtime_of(again.session).providers.requests[-1].params == sent
    assert ("odd" in sent) == (value is not None)


# -- places that are not there


@pytest.mark.parametrize(
    "call",
    [
        lambda chat: chat.fork("F", at=999),
        lambda chat: chat.fork("F", at=-1),
        lambda chat: chat.edit(999, "x"),
        lambda chat: chat.edit(0, "x"),
        lambda chat: chat.purge(10**30),
        lambda chat: chat.checkout("x"),
        lambda chat: chat.checkout(999),
        lambda chat: chat.checkout("-1"),
        lambda chat: chat.checkout("²"),
        lambda chat: chat.checkout("٣"),
        lambda chat: chat.checkout("9" * 10_000),
        lambda chat: chat.checkout("\0\n" * 400),
        lambda chat: chat.checkout("e_"),
        lambda chat: chat.checkout(chat.messages[0].id),
    ],
)
def test_a_turn_or_branch_that_is_not_there_is_told_in_one_line_and_nothing_moves(manager, chat, call):
    chat.send("hi")
    before = manager.snapshot("u")
    text = raised(TurnNotFound, call, chat)
    assert "chat." in text
    assert len(text) < 300
    assert text.isprintable()
    assert manager.snapshot("u") == before


# -- users, descriptions, texts to look for


@pytest.mark.parametrize("user", ["", "a/b", "../x", "__proto__", "\0", "x" * 10_000, "ä", "u\n"], ids=ascii)
def test_a_user_of_any_name_has_sessions_that_no_snapshot_names(user):
    manager = new_manager()
    manager.create_session(user or None, "S").create_chat("A").send("hi")
    again = readable(manager, user or None)
    assert [session.name for session in again.sessions(user or None)] == ["S"]
    if len(user) > 3:
        assert user not in json.dumps(manager.snapshot(user))


@pytest.mark.parametrize("text", ["\ud800", "a\0b\n\n", "x" * 50_000, " \n "], ids=["half", "NUL", "long", "blank"])
def test_a_description_is_kept_as_it_is(manager, session, text):
    session.describe(text)
    assert readable(manager).session("S", "u").description == session.description
    assert session.description == text.replace("\ud800", "\ufffd").strip()


@pytest.mark.parametrize("key", ["system", "stop"])
def test_a_setting_of_more_than_a_megabyte_is_refused(manager, chat, key):
    before = manager.snapshot("u")
    text = "x" * 1_000_000
    said = r"^the setting \w+ of 1,00\d,\d\d\d bytes is over the cap of 1,000,000: shorten it$"
    with pytest.raises(SnapshotError, match=said):
        chat.configure(**{key: text + "é"})
    with pytest.raises(SnapshotError, match=said):
        chat.session.create_chat("B", **{key: text + "é"})
    assert manager.snapshot("u") == before
    chat.configure(**{key: text[:-2]})
    assert readable(manager).sessions("u")[0].chats[0].config == chat.config


def test_a_description_of_more_than_a_megabyte_is_refused(manager, session):
    said = "a description of 1,000,001 bytes is over the cap of 1,000,000: shorten it"
    assert raised(SnapshotError, session.describe, "x" * 1_000_001) == said
    assert session.description == ""


def test_a_key_is_no_setting_and_the_error_says_where_it_belongs(manager, chat):
    before = manager.snapshot("u")
    assert raised(InvalidName, lambda: chat.configure(api_key="sk-1")) == (
        "api_key is no setting of a chat: a key stands in the environment variable that its endpoint names"
    )
    assert manager.snapshot("u") == before


def test_a_recorded_setting_that_is_no_json_is_told_before_anything_is_asked(manager, chat):
    ledger_of(manager).configure(view_of(chat), chat.id, {"seed": "{"})  # as a stranger's notebook may hold it
    assert raised(SnapshotError, chat.send, "hi") == (
        "a recorded parameter is not JSON text: set it anew with chat.configure()"
    )
    assert (runtime_of(manager).providers.requests, chat.turns) == ([], [])
    chat.configure(seed=1)
    assert chat.send("hi").text == "re: hi"


def test_a_snapshot_with_somebody_elses_session_is_told_in_words_that_do_not_name_them(manager, session):
    assert raised(SessionNotFound, manager.adopt, parse(manager.snapshot("u")), "somebody") == (
        "a session in this snapshot cannot be opened here: use a kernel of its own"
    )


# -- more than a notebook holds


def test_what_is_over_the_cap_of_a_snapshot_is_refused_by_who_reads_it_and_kept_here():
    manager = new_manager()
    chat = manager.create_session("u").create_chat()
    runtime_of(manager).providers.stream = lambda request: iter([TextDelta("ok")])
    for n in range(MAX_BYTES // 1_000_000 + 1):
        chat.send(str(n % 10) * 1_000_000)
    assert "is over the cap of 20,000,000 bytes" in raised(RobotaError, parse, manager.snapshot("u"))
    assert len(chat.turns) == 21
