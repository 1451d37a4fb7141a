"""What is sent before a question, whatever has happened in its chat: of any history, what every server takes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robota_nb.core.inside import runtime_of
from robota_nb.core.ports import File, Finish, Image, TextDelta
from robota_nb.core.record.config import settings_from
from robota_nb.errors import ProviderError, RobotaError
from support.core import Only, ask_in_cell, entries_of, everything, new_manager, restarted

ENDS = ["stop", "length", "content_filter", "unknown", "tool_calls"]
BREAKS = {"error": ProviderError("broken"), "interrupt": KeyboardInterrupt(), "a bug": ZeroDivisionError()}
TEXTS = ["yes", " ", ""]
PICTURE = Image(media_type="image/png", data=b"one")


class Moody:
    """A provider that answers, or breaks off, as it is told to, and keeps what it was asked."""

    name = "moody"

    def __init__(self):
        self.requests, self.text, self.end = [], "yes", "stop"

    def stream(self, request):
        self.requests.append(request)
        if self.text:
            yield TextDelta(self.text)
        if self.end in BREAKS:
            raise BREAKS[self.end]
        yield Finish(reason=self.end)


def check(request, prompt, *, limit=0, system=""):
    """The roles alternate, from the user to the question that is asked; nothing before it is empty."""
    messages = list(request.messages)
    if system:
        assert messages.pop(0) == {"role": "system", "content": system}
    *before, last = messages
    assert [message["role"] for message in before] == ["user", "assistant"] * (len(before) // 2)
    assert last["role"] == "user"
    assert text_of(last) == prompt
    assert all(text_of(message).strip() for message in before)
    assert len(request.turns) == len(before) // 2
    assert not limit or len(before) <= limit
    assert list(request.turns) == sorted(set(request.turns))
    assert not request.params


def text_of(message):
    content = message["content"]
    return content if isinstance(content, str) else content[0]["text"]


ENDED = st.tuples(st.sampled_from(TEXTS), st.sampled_from([*ENDS, *BREAKS]))
DONE = st.one_of(
    st.tuples(st.just("ask"), ENDED, st.booleans()),
    st.tuples(st.just("cell"), ENDED, st.sampled_from(["a", "b", "c", "d"])),
    st.tuples(st.sampled_from(["undo", "redo", "clear", "fork", "retry", "restart"])),
    st.tuples(st.sampled_from(["edit", "purge", "checkout"]), st.integers(1, 4)),
    st.tuples(st.just("pictures"), st.sampled_from(["all", "latest", "none"])),
)


@pytest.mark.slow("many histories")
@settings(max_examples=60)
@given(
    done=st.lists(DONE, min_size=1, max_size=14), limit=st.integers(0, 7), system=st.sampled_from(["", "be brief"]),
    mark=st.booleans(),
)  # fmt: skip
def test_roles_alternate_whatever_happened(done, limit, system, mark):
    provider = Moody()
    options = {"providers": Only(provider), "max_messages": limit, "mark_unfinished": mark}
    manager = new_manager(**options)
    manager.create_session("u", "S").create_chat("C", provider="moody", system=system)
    for number, (what, *details) in enumerate(done):
        chat, prompt, asked = manager.active_session("u").active_chat, f"question {number}", len(provider.requests)
        provider.text, provider.end = "yes", "stop"
        try:
            if what == "ask":
                (provider.text, provider.end), picture = details
                chat.send(prompt, [PICTURE] if picture else [])
            elif what == "cell":
                (provider.text, provider.end), cell = details
                ask_in_cell(manager, prompt, cell, f"hash {number}")
            elif what == "restart":
                manager = restarted(manager, **options)
            elif what == "pictures":
                chat.configure(pictures=details[0])
            elif what == "fork":
                chat.fork(f"fork {number}")
            elif what == "edit":
                chat.edit(details[0], prompt)
            else:
                getattr(chat, what)(*details)
        except (RobotaError, KeyboardInterrupt):
            pass
        for request in provider.requests[asked:]:
            check(request, text_of(request.messages[-1]) if what == "retry" else prompt, limit=limit, system=system)
        chat = manager.active_session("u").active_chat
        check(chat.preview("next").request, "next", limit=limit, system=system)
    assert "[interrupted" not in everything(manager)


@pytest.mark.parametrize(
    ("pictures", "shown"),
    [
        ("all", [True, False, True, False]),
        ("latest", [False, False, True, False]),
        ("none", [False, False, False, False]),
        ("", [True, False, True, False]),
    ],
)
def test_the_pictures_of_earlier_turns_are_sent_as_the_chat_says(manager, session, pictures, shown):
    chat = session.create_chat("A", system="s")
    chat.send("one", [PICTURE])
    chat.send("two")
    chat.send("three", [PICTURE, Image(media_type="image/png", data=b"two")])
    chat.configure(pictures=pictures)
    sent = chat.preview("four").request.messages[1::2]
    assert [isinstance(message["content"], list) for message in sent] == shown
    left = {"one": "one\n\n[1 picture left out]", "three": "three\n\n[2 pictures left out]"}
    expected = [
        text if has_one else left.get(text, text)
        for text, has_one in zip(["one", "two", "three", "four"], shown, strict=True)
    ]
    assert [text_of(message) for message in sent] == expected


def test_a_picture_that_is_asked_about_now_is_always_sent_and_is_the_latest(session):
    chat = session.create_chat("A")
    chat.send("one", [PICTURE])
    for pictures in ("latest", "none"):
        chat.configure(pictures=pictures)
        first, _, last = chat.preview("two", [PICTURE]).request.messages
        assert (isinstance(first["content"], list), isinstance(last["content"], list)) == (False, True)


def test_pictures_are_a_setting_that_an_earlier_version_keeps_and_sends_nobody(manager, session):
    chat = session.create_chat("A")
    chat.configure(pictures="none")
    ask_in_cell(manager, "hi", options={"pictures": '"latest"'})
    entries = [entry for found in entries_of(manager).values() for entry in found.values()]
    plain = {key for entry in entries for field in ("set", "options", "params", "hand") for key in entry.get(field, ())}
    assert "pictures" not in plain
    assert ["option", "pictures", '"none"'] in [[e["kind"], e.get("key"), e.get("value")] for e in entries]
    assert ["options", "pictures", '"latest"'] in [row for entry in entries for row in entry.get("more", ())]


def test_replay_compares_which_pictures_are_sent(manager):
    def run():
        """Run a notebook of two cells; return how often the model was asked."""
        before = runtime_of(manager).requests
        ask_in_cell(manager, "look", "cell-1", attached=[PICTURE])
        ask_in_cell(manager, "and?", "cell-2", options=options)
        return runtime_of(manager).requests - before

    options = {}
    assert (run(), run()) == (2, 0)
    options = settings_from({"pictures": "none"})
    assert (run(), run()) == (1, 0)
    options = settings_from({"pictures": "all"})
    assert run() == 0


def test_replay_does_not_compare_which_pictures_are_sent_where_there_is_none(manager):
    for options in ({}, settings_from({"pictures": "none"}), settings_from({"pictures": "latest"})):
        for cell, attached in (("cell-1", []), ("cell-2", [PICTURE]), ("cell-3", [])):
            ask_in_cell(manager, cell, cell, attached=attached, options=options)
    assert runtime_of(manager).requests == 5


@pytest.mark.parametrize("picture", [PICTURE, File(name="a.png", media_type="image/png", data=b"one")])
def test_a_picture_is_one_also_where_it_was_sent_as_a_file(session, picture):
    chat = session.create_chat("A")
    chat.send("one", [picture] if picture is PICTURE else [], files=[picture] if picture is not PICTURE else [])
    chat.configure(pictures="none")
    assert text_of(chat.preview("two").request.messages[0]) == "one\n\n[1 picture left out]"
