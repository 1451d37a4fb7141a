"""The openai provider: every way an answer can go wrong, and no key in any of it."""

import gzip
import sys
import threading

import pytest

from robota_nb.core.ports import Finish
from robota_nb.errors import ProviderError
from robota_nb.testing import FakeOpenAIServer
from support.provider import CANARY, answer, ask, assert_no_key, failure, lab_provider

ECHO = f"Incorrect API key provided: {CANARY[:7]}***{CANARY[-4:]}. See https://example.com/keys\x1b[31m\u202e now"


class TestFailures:
    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (400, "LAB_KEY"),
            (401, "the environment variable LAB_KEY"),
            (403, "LAB_KEY"),
            (404, "LAB_KEY"),
            (408, "ask again"),
            (413, "start a new chat"),
            (418, "refused the request"),
            (422, "LAB_KEY"),
            (429, "wait a moment"),
            (500, "LAB_KEY"),
            (503, "server's side"),
        ],
    )
    def test_a_status_with_words_about_the_key(self, server, lab, status, words):
        server.fail(status, {"error": {"message": ECHO}})
        text, error = failure(lab)
        assert text == ""
        assert words in str(error)
        assert f"HTTP {status}" in str(error)
        assert error.status == status
        assert "endpoint 'lab'" in str(error)
        assert "Incorrect API key provided: … See … now" in " ".join(str(error).split())

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (400, "check the model"),
            (402, "add credit there"),
            (404, "does not know the model 'lab-model' or the path"),
            (413, "start a new chat"),
            (422, "refused the request"),
            (500, "server's side"),
            (504, "it may have been billed"),
            (524, "it may have been billed"),
        ],
    )
    def test_a_status_alone(self, server, lab, status, words):
        server.fail(status, {"error": {"message": "no"}})
        text, error = failure(lab)
        assert text == ""
        assert words in str(error)
        assert str(error).endswith("(it said: no)")
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "body", ["<html>Bad gateway</html>", "", "plain words", {"detail": "words"}, {"error": "words"}, ["words"], 7]
    )
    def test_any_error_body(self, server, lab, body):
        server.fail(502, body)
        _, error = failure(lab)
        assert "<html>" not in str(error)
        assert ("words" in str(error)) == ("words" in str(body))

    def test_a_huge_error_body_is_not_read(self, server, lab):
        server.fail(500, "x" * 5_000_000)
        _, error = failure(lab)
        assert error.status == 500

    def test_it_tries_again_before_the_first_byte(self, server):
        server.fail(500, headers={"retry-after-ms": "1"})
        server.fail(429, headers={"retry-after-ms": "1"})
        provider = lab_provider(server, max_retries=2)
        assert answer(provider)[0] == "3: hi"
        provider.close()

    @pytest.mark.parametrize("reset", [True, False])
    def test_a_lost_connection_keeps_the_text_before_it(self, server, lab, reset):
        server.chunks = ["kept", "lost"]
        server.cut(after=1, reset=reset)
        text, error = failure(lab)
        assert text in ("kept", "")  # a reset may overtake the data
        assert "lost the connection" in str(error)
        assert len(server.requests) == 1

    def test_an_error_inside_the_stream(self, server, lab):
        server.error(ECHO, after=2)
        text, error = failure(lab)
        assert text == "1: hi"
        assert "refused the key: check the environment variable LAB_KEY (it said: Incorrect API key" in str(error)

    @pytest.mark.parametrize(
        ("play", "words"),
        [
            (lambda s: s.html(), "answered with text/html instead of a stream"),
            (lambda s: s.empty(), "answered with nothing instead of a stream"),
            (lambda s: s.raw(b"hi", content_type="text/plain"), "text/plain"),
            (lambda s: s.raw(b"hi", content_type=f"text/{CANARY}"), "answered with"),
            (lambda s: s.raw(b"", status=204, content_type=""), "nothing"),
            (lambda s: s.raw(b""), "empty stream"),
            (lambda s: s.raw(b": only comments\n\n"), "empty stream"),
            (lambda s: s.raw(b"data: [DONE]\n\n"), "answered nothing"),
            (
                lambda s: s.raw(b'data: [DONE]\n\ndata: {"choices": [{"delta": {"content": "x"}}]}\n\n'),
                "answered nothing",
            ),
            (lambda s: s.raw(b'data: {"choices": [], "usage": {}}\n\ndata: [DONE]\n\n'), "answered nothing"),
            (lambda s: s.raw(b"{}", content_type="application/json"), "is no answer"),
            (lambda s: s.raw(b"[1]", content_type="application/json"), "is no answer"),
            (lambda s: s.raw(b'{"choices": [7]}', content_type="application/json"), "is no answer"),
            (lambda s: s.raw(b"oops", content_type="application/json"), "calls itself JSON"),
            (lambda s: s.raw(b"\xff\xfe\xfd", content_type="application/json"), "calls itself JSON"),
            (lambda s: s.raw(b'{"error": {"message": "words"}}', content_type="application/json"), "words"),
            (lambda s: s.raw(b"data: {oops\n\n"), "not JSON"),
            (lambda s: s.raw(b'data: {"choices": [{"del'), "not JSON"),
            (lambda s: s.raw(b"data: " + b"[" * 1900 + b"\n\n"), "not JSON"),
            (lambda s: s.raw(b"data: [1]\n\n"), "no part of an answer"),
            (lambda s: s.raw(b'data: {"choices": 7}\n\n'), "no part of an answer"),
            (lambda s: s.raw(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "no part of an answer"),
            (lambda s: s.raw(b'data: {"choices": [{"finish_reason": [7]}]}\n\n'), "no part of an answer"),
            (lambda s: s.raw(b"data: \xff\n\n"), "not UTF-8"),
            (lambda s: s.raw(b'data: {"error": "words"}\n\n'), "words"),
            (lambda s: s.raw(b'event: error\ndata: {"message": "words"}\n\n'), "words"),
            (lambda s: s.raw(b'data: {"object": "error", "message": "words"}\n\n'), "words"),
            (lambda s: s.raw(b"data: " + b"x" * 3000 + b"\n\n"), "more than 2000 bytes"),
            (lambda s: s.raw(b": ping\n\n" * 2000), "more than 10000 bytes"),
            (lambda s: s.raw(b"x", headers={"Content-Encoding": "gzip"}), "compressed"),
            (lambda s: s.fail(500, "x", headers={"Content-Encoding": "gzip"}), "HTTP 500"),
            (lambda s: s.raw(gzip.compress(b"words"), status=500, headers={"Content-Encoding": "gzip"}), "said: words"),
            (lambda s: s.fail(302, headers={"Location": f"{s.base_url}/elsewhere"}), "redirect"),
            (lambda s: s.fail(307, headers={"Location": "http://[bad"}), "redirect"),
        ],
    )
    def test_what_is_no_answer(self, server, play, words):
        provider = lab_provider(server, max_event_bytes=2000, max_reply_bytes=10_000)
        play(server)
        text, error = failure(provider)
        assert text == ""
        assert words in str(error)
        assert len(server.requests) == 1
        assert answer(provider)[0] == "2: hi"  # the next ask is not spoiled
        provider.close()

    def test_silence_in_the_middle_times_out(self, server):
        server.gate = threading.Event()
        provider = lab_provider(server, timeouts={"silence": 0.05})
        text, error = failure(provider)
        assert text == "1: "
        assert "fell silent" in str(error)

    def test_silence_from_the_start_times_out(self, server):
        server.gate, server.gate_after = threading.Event(), 0
        server.reply = lambda _: server.gate.wait(5) and ""
        _, error = failure(lab_provider(server, timeouts={"silence": 0.05}))
        assert "did not answer in time" in str(error)
        server.gate.set()

    def test_no_server(self):
        with FakeOpenAIServer() as server:
            provider = lab_provider(server)
        _, error = failure(provider)
        assert "cannot be reached: is the server running" in str(error)

    @pytest.mark.parametrize("params", [{"x": {1}}, {"x": float("nan")}, {"x": "\ud800"}])
    def test_a_request_that_cannot_be_sent(self, lab, params):
        _, error = failure(lab, ask(**params))
        assert "the request is not valid" in str(error)

    def test_a_client_that_cannot_be_made(self, server, monkeypatch):
        monkeypatch.setitem(sys.modules, "robota_nb.providers.openai.transport", None)
        _, error = failure(lab_provider(server))
        assert "cannot be set up (ModuleNotFoundError)" in str(error)

    def test_text_after_a_reason_counts_and_a_fault_after_one_is_told(self, server, lab):
        whole = b'data: {"choices": [{"delta": {"content": "all"}, "finish_reason": "stop"}]}\n\n'
        server.raw(whole + b'data: {"choices": [{"delta": {"content": " of it"}}]}\n\n')
        assert answer(lab) == ("all of it", Finish(reason="stop"))
        for rest in (b"data: {oops\n\n", b'data: {"error": "late"}\n\n', b"data: \xff\n\n", b"<html>\n\n"):
            server.raw(whole + rest)
            text, _ = failure(lab)
            assert text == "all"

    def test_a_connection_that_is_lost_after_a_reason_has_cost_nothing(self, server, lab):
        whole = b'data: {"choices": [{"delta": {"content": "all"}, "finish_reason": "stop"}]}\n\n'
        server.raw(whole, headers={"Content-Length": "5000"})  # the connection ends before that
        server.gate = threading.Event()
        short = lab_provider(server, timeouts={"silence": 0.05})
        assert answer(short) == ("all", Finish(reason="stop"))
        short.close()

    def test_a_server_that_goes_on_after_its_reasons_may_have_been_cut_off_after_one(self, server):
        chunk = b'data: {"choices": [{"delta": {"content": "more "}, "finish_reason": "stop"}]}\n\n'
        server.raw(chunk * 2, headers={"Content-Length": "5000"})
        server.gate = threading.Event()
        short = lab_provider(server, timeouts={"silence": 0.05})
        text, error = failure(short)
        assert text == "more more "
        assert "fell silent" in str(error)
        short.close()

    def test_verbose_tracebacks_of_ipython(self, server, lab):
        ultratb = pytest.importorskip("IPython.core.ultratb")
        server.fail(401, {"error": {"message": ECHO}})
        try:
            list(lab.stream(ask()))
        except ProviderError:
            assert_no_key(ultratb.VerboseTB().text(*sys.exc_info()))
