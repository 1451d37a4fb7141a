"""What an answer has beside its text, from the provider's event to the record, the next request, and exports."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb import SessionManager
from robota_nb.core import chat_format
from robota_nb.core.inside import ledger_of
from robota_nb.core.ports import Besides, File, Finish, Image, Source, Usage
from robota_nb.core.record.attachments import MAX_IMAGE_BYTES
from robota_nb.core.record.besides import MAX_PICTURE_BYTES, MAX_SOURCES, checked, web_address
from robota_nb.core.record.snapshot import parse
from robota_nb.display import report
from robota_nb.errors import ProviderError
from robota_nb.testing import ScriptedProvider
from support.core import Only, ask_in_cell, new_manager, raised, scripted

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
GIF = b"GIF89a" + b"\0" * 40
CITED = Besides(sources=(Source(title="One", url="https://one.example/a"), Source(url="https://two.example/")))


def png(data):
    return Image(media_type="image/png", data=data)


def chat_with(*steps):
    return scripted(*steps).create_session("u", "S").create_chat("A")


def test_the_last_word_of_a_provider_counts_and_the_turn_has_it():
    turn = chat_with([Besides(refused=True), "so", CITED]).send("hi")
    assert turn.besides == CITED
    assert [source.title for source in turn.sources] == ["One", ""]
    assert (turn.refused, turn.images) == (False, ())


def test_the_log_names_what_went_along_and_what_came_and_how_large_it_is():
    chat = chat_with([Besides(pictures=(png(PNG), png(GIF))), "here"], "ok")
    notes = File(name="notes.txt", media_type="text/plain", data=b"a" * 2001)
    chat.send("draw this", [png(PNG)], files=[notes])
    chat.send("all", files=[replace(notes, name=f"{number}.txt") for number in range(5)])
    assert report.log(chat).replace(" · asked outside of cells", "").splitlines()[1:] == [
        "  1  draw this + picture (1 kB) + notes.txt (3 kB)",
        "     here + picture (1 kB) + picture (1 kB)",
        "  2  all + 0.txt (3 kB) + 1.txt (3 kB) + 2.txt (3 kB) + 2 more",
        "     ok",
    ]
    chat.purge(1)
    assert "notes.txt" not in report.log(chat)


def test_a_refusal_and_a_filter_are_told_by_the_turn():
    chat = chat_with(["No.", Besides(refused=True)], [Finish(reason="content_filter")], "yes")
    assert [chat.send("hi").refused for _ in range(3)] == [True, True, False]


def test_a_replay_gives_all_of_it_and_asks_nobody():
    drawn = Besides(pictures=(png(PNG),), sources=CITED.sources, more_sources=3)
    provider = ScriptedProvider([["here", drawn]])
    manager = SessionManager(providers=Only(provider))
    manager.create_session("u", "S").create_chat("A")
    first = ask_in_cell(manager, "draw", "one", "draw")
    again = SessionManager(providers=Only(provider))
    again.adopt(parse(json.loads(json.dumps(manager.snapshot("u")))), "u")
    second = ask_in_cell(again, "draw", "one", "draw")
    assert (first.besides, second.besides, second.replayed) == (drawn, drawn, True)
    assert second.reply.images == (png(PNG),)
    assert len(provider.requests) == 1


def test_a_picture_is_an_answer_and_the_next_request_says_that_there_was_one():
    steps = [Besides(pictures=(png(PNG), png(GIF)))], ["here", Besides(pictures=(png(PNG),))], "ok"
    provider = ScriptedProvider(steps)
    chat = SessionManager(providers=Only(provider)).create_session("u", "S").create_chat("A")
    for _ in range(3):
        chat.send("draw")
    sent = [message["content"] for message in provider.requests[-1].messages]
    assert sent == ["draw", "[2 pictures]", "draw", "here\n\n[1 picture]", "draw"]
    assert chat.turns[0].images[1].media_type == "image/gif"  # as the file says


def test_a_picture_that_came_before_a_break_is_kept_and_sources_alone_are_not():
    chat = chat_with([Besides(pictures=(png(PNG),)), ProviderError("cut")], [CITED, ProviderError("cut")])
    for _ in range(2):
        assert raised(ProviderError, chat.send, "hi") == "cut"
    assert [turn.images for turn in chat.turns] == [(png(PNG),)]


def test_what_is_too_large_or_no_picture_is_counted_and_the_text_kept():
    large, fits = PNG + b"\0" * MAX_IMAGE_BYTES, PNG.ljust(MAX_IMAGE_BYTES, b"\0")
    pictures = (png(large), png(b"<svg onload=alert(1)>"), png(fits), png(fits), png(PNG))
    turn = chat_with(["here", Besides(pictures=pictures)]).send("draw")
    assert [len(picture.data) for picture in turn.images] == [MAX_IMAGE_BYTES, MAX_IMAGE_BYTES]
    assert sum(len(picture.data) for picture in turn.images) <= MAX_PICTURE_BYTES
    assert (turn.text, turn.besides.lost_pictures) == ("here", 3)


def test_ten_thousand_sources_are_cut_and_counted():
    sources = tuple(Source(url=f"https://one.example/{n}") for n in range(10_000))
    turn = chat_with(["so", Besides(sources=sources)]).send("hi")
    assert (len(turn.sources), turn.besides.more_sources) == (MAX_SOURCES, 10_000 - MAX_SOURCES)


def test_a_purge_takes_all_of_it():
    chat = chat_with(["so", Besides(sources=CITED.sources, pictures=(png(PNG),))])
    chat.send("hi")
    chat.purge(1)
    said = json.dumps(ledger_of(chat).records("u"))
    assert "one.example" not in said
    assert "iVBOR" not in said


def test_markdown_gives_sources_and_refusals_back():
    chat = chat_with(["so", CITED], ["No.", Besides(refused=True)])
    chat.send("a")
    chat.send("b")
    text = chat_format.to_markdown(chat)
    assert "Sources:\n\n1. One https://one.example/a\n2. https://two.example/\n" in text
    copy, _ = chat_format.add(new_manager().create_session("v", "T"), chat_format.from_markdown(text, "a.md"))
    assert [turn.besides for turn in copy.turns] == [CITED, Besides(refused=True)]
    assert chat_format.to_markdown(copy) == text


HOSTILE = [
    "javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
    "//one.example",
    "https://user@one.example/",
    "https://one.example\\@two.example/", "https://", "http:one.example", "https://a b/",
    "https://one.example/\u202egpj.exe", "https://one.example/\n", "https://[::1", "x" * 5000, "https://" + "x" * 5000,
    "https://one.example:port/", "https://one.\u0000example/",
]  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE)
def test_no_address_but_a_plain_one_of_the_web_becomes_a_link(address):
    address = address.replace("\n", "\nx")
    assert web_address(address) == ""
    (source,) = checked(Besides(sources=(Source(title="", url=address),))).sources
    assert source.url == ""
    assert source.title.isprintable()
    assert len(source.title) <= 200


def test_a_name_in_other_letters_is_written_as_servers_know_it():
    assert web_address("https://аpple.example/ä") == "https://xn--pple-43d.example/%C3%A4"


anything = (
    st.text(max_size=30)
    | st.sampled_from(HOSTILE)
    | st.builds("https://{}.example/{}".format, st.text(max_size=5), st.text())
)


@given(st.lists(st.builds(Source, title=anything, url=anything)))
def test_what_is_checked_once_stays_as_it_is(sources):
    once = checked(Besides(sources=tuple(sources)))
    assert checked(once) == once
    for source in once.sources:
        assert source.url.isascii()
        assert not set(source.url) & set(" ()<>[]`\"'\\|$^{}\n")


@pytest.mark.parametrize(
    "more", [{"Bad": 1}, {"x": -1}, {"x": 1.5}, {"x": True}, {"x": 2**53}, {"": 1}, {"a-b": 1}]
)  # fmt: skip
def test_of_a_providers_counts_only_what_a_snapshot_can_hold_is_kept(more):
    usage = Usage(input_tokens=1, output_tokens=2, more={"good": 3, **more})
    chat = chat_with([Finish(reason="stop", usage=usage)])
    chat.send("hi")
    parse(json.loads(json.dumps(chat.session.manager.snapshot("u"))))
    assert chat.turns[0].usage == Usage(input_tokens=1, output_tokens=2, more={"good": 3})
