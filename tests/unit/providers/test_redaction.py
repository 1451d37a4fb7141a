"""A key that a server sends back does not pass: not in an answer, however it is cut, and not in the libraries' logs."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core.ports import Finish, TextDelta
from robota_nb.errors import ProviderError
from robota_nb.providers.keys.secret import Secret
from robota_nb.providers.redaction import redacted, redacted_logs, scrub
from support.provider import CANARY, answer, ask, assert_no_key, failure, lab_provider, said

END = Finish(reason="stop", model="m")


def through(pieces, key=CANARY, end=END):
    def events():
        for piece in pieces:
            yield TextDelta(piece)
        if isinstance(end, Exception):
            raise end
        yield end

    return redacted(events(), Secret(key))


@given(st.lists(st.sampled_from(["text ", CANARY, CANARY[:9], CANARY[9:], "s", "sk-", "…"])), st.data())
def test_the_key_does_not_pass_however_it_is_cut(parts, data):
    text, pieces = "".join(parts), []
    while text:
        size = data.draw(st.integers(1, len(text)))
        pieces.append(text[:size])
        text = text[size:]
    *deltas, end = through(pieces)
    assert end == END
    assert said(deltas) == "".join(parts).replace(CANARY, "…")
    assert all(delta.text for delta in deltas)


def test_text_that_could_not_begin_the_key_is_not_held_back():
    stream = through(["first ", "second"])
    assert next(stream) == TextDelta("first ")


@pytest.mark.parametrize("key", ["", "short-1", "lm-studio", "not-needed", "EMPTY-KEY", "fake-key-for-tests"])
def test_what_stands_for_a_key_where_none_is_needed_may_be_said(key):
    assert said(list(through([f"use {key} there"], key))[:-1]) == f"use {key} there"


def test_what_was_held_back_is_there_when_the_answer_breaks_off():
    texts = []
    with pytest.raises(ProviderError, match="lost"):
        for event in through(["it is sk", "-C"], end=ProviderError("lost")):
            texts.append(event.text)
    assert "".join(texts) == "it is sk-C"


def test_an_answer_and_a_models_name_come_without_the_key(server, lab):
    server.model = f"model-{CANARY}"
    server.chunks = ["your key is ", CANARY[:10], CANARY[10:], ", thanks"]
    text, finish = answer(lab)
    assert text == "your key is …, thanks"
    assert_no_key(repr(finish))


def test_an_answer_that_breaks_off_leaves_nothing_in_the_traceback(server, lab):
    server.chunks = ["your key is ", CANARY, ", and", "more"]
    server.cut(after=3, reset=False)
    _, error = failure(lab)  # which looks at every frame's variables
    assert "lost the connection" in str(error)


@pytest.mark.parametrize("status", [200, 401, 500])
def test_records_of_the_libraries_hold_no_key_and_no_prompt_while_we_ask(server, caplog, status):
    caplog.set_level(logging.DEBUG)
    provider = lab_provider(server, max_retries=1)
    headers = {"X-Echo": CANARY, "retry-after-ms": "1", "x-request-id": CANARY}
    event = b'data: {"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}\n\n'
    for _ in range(2):
        server.raw(event, status=status, headers=headers)
    try:
        list(provider.stream(ask("a prompt of mine")))
    except ProviderError:
        pass
    provider.close()
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert {"openai", "httpx2", "httpcore2"} <= names
    assert_no_key(caplog.text, *(repr(vars(record)) for record in caplog.records))
    assert "a prompt of mine" not in caplog.text
    assert server.base_url not in caplog.text


def test_records_of_others_stay_as_they_are(server, lab, caplog):
    answer(lab)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("openai").debug("see %s", "https://x.example")
    assert caplog.messages == ["see https://x.example"]


def test_a_record_with_the_whole_request_is_left_out_while_we_ask(caplog):
    caplog.set_level(logging.DEBUG)
    with redacted_logs(Secret(CANARY), "openai"):  # as openai 3.0 writes them
        logging.getLogger("openai._base_client").debug("Request options: %s", {"json_data": {"messages": ["mine"]}})
    assert "Request options" not in caplog.text


@pytest.mark.parametrize(
    ("key", "text", "shown"),
    [
        ("token-abc123", "the 4096 tokens of a token abc tokenizer", "the 4096 tokens of a token abc tokenizer"),
        ("token-abc123", "key token-abc123 and Token-ABC12 no", "key … and … no"),
        ("token-abc123", "an invalid token... or token: x", "an invalid token... or token: x"),
        ("token-abc123", "token-***123 to...c123 ****c123 toke****", "… … … …"),
        ("sk-abCDefGHij1234wxyz", "key sk-ab...wxyz or sk-ab**********wxyz. or sk-ab…wxyz", "key … or … or …"),
        ("gsk_abCDefGHij1234wxyz", "gsk_a...wxyz, gsk_abCD**** and ...wxyz", "… … and …"),
        ("gsk_abCDefGHij1234wxyz", "piece CDefGHij is hidden, CDefGHi is not", "piece … is hidden, CDefGHi is not"),
        ("gsk_abCDefGHij1234wxyz", "ends in 1234wxyz.", "ends in …"),
        ("my-company-assistant-key-77x", "the assistant of my company", "the assistant of my company"),
        ("my-company-assistant-key-77x", "my-company-assistant-key-77x assistant-key", "… …"),
        ("EMPTY", "the list is EMPTY", "the list is EMPTY"),
        ("ollama", "ollama is ollama", "ollama is ollama"),
        ("abcd-4096", "asked for 4096 tokens", "asked for 4096 tokens"),
        ("k1", "k1 stands in book1", "… stands in book1"),
        ("", "task-based disk_full risk-free sk-live1", "task-based disk_full risk-free …"),
    ],
)
def test_errors_show_the_words_and_nothing_of_the_key(key, text, shown):
    assert scrub(text, Secret(key), 500) == shown


@given(st.integers(0, 12), st.integers(8, 22), st.sampled_from(["", "x", '"', "key=", "%20"]))
def test_no_piece_of_a_key_of_eight_characters_is_shown(start, size, before):
    piece = CANARY[start : start + size]
    shown = scrub(f"it was {before}{piece}, no", Secret(CANARY), 500)
    assert shown.startswith("it was ")
    if len(piece) >= 8:
        assert piece not in shown


def test_a_cookie_is_not_kept(server, lab):
    event = b'data: {"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}\n\n'
    server.raw(event, headers={"Set-Cookie": f"echo={CANARY}; Path=/"})
    answer(lab)
    answer(lab)
    assert "cookie" not in server.headers[1]
