"""The providers: real HTTP under the real client, every way an answer can go wrong, and no key in any of it."""

import gc
import importlib.metadata
import json
import pickle
import signal
import subprocess
import sys
import threading
import traceback
import weakref

import pytest

from robota_nb.core.ports import Finish, Provider, Request, TextDelta, Usage
from robota_nb.errors import EndpointNotFound, KeyMissing, ProviderError
from robota_nb.providers.endpoints import (
    Endpoint,
    EndpointError,
    ProviderRegistry,
    builtin_endpoints,
    parse_endpoints,
    url_problem,
)
from robota_nb.providers.faults import Environment, Secret, scrub
from robota_nb.providers.offline import OfflineProvider
from robota_nb.providers.openai import OpenAIProvider
from robota_nb.providers.reply import Reply
from robota_nb.testing import FakeOpenAIServer

CANARY = "sk-CANARY7hQ2xV9mRt4Lw8Zp"
FRAGMENTS = [CANARY[start : start + 5] for start in range(3, len(CANARY) - 4)]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in ("API_KEY", "BASE_URL", "MODEL", "ORG_ID", "PROJECT_ID", "ADMIN_KEY", "CUSTOM_HEADERS"):
        monkeypatch.delenv(f"OPENAI_{name}", raising=False)


@pytest.fixture
def server():
    with FakeOpenAIServer() as running:
        yield running


@pytest.fixture
def lab(server):
    provider = lab_provider(server)
    yield provider
    provider.close()


def lab_provider(server, **options):
    endpoint = Endpoint("lab", server.base_url, "LAB_KEY", "lab-model")
    return OpenAIProvider(endpoint, **{"environ": {"LAB_KEY": f" {CANARY}\n"}, "max_retries": 0} | options)


def ask(text="hi", model="", **params):
    return Request(model=model, messages=[{"role": "user", "content": text}], params=params)


def said(events):
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def answer(provider, request=None):
    """Return (text, Finish)."""
    *deltas, finish = provider.stream(request or ask())
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas)
    assert isinstance(finish, Finish)
    return said(deltas), finish


def failure(provider, request=None, kind=ProviderError):
    """Return (text before the error, error), after checking that the error gives nothing away."""
    events, caught = [], None
    try:
        for event in provider.stream(request or ask()):
            events.append(event)
    except kind as error:
        caught = error
    assert caught is not None, f"no {kind.__name__}, but {events}"
    check_discreet(caught)
    return said(events), caught


def check_discreet(error):
    text = str(error)
    assert "\n" not in text
    assert len(text) < 300
    assert text.isprintable()
    assert "://" not in text
    assert "127.0.0.1" not in text
    assert error.__cause__ is None
    assert error.__context__ is None
    report = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert_no_key(text, report, repr(error), repr(vars(error)), str(pickle.dumps(error)))


def assert_no_key(*texts):
    for text in texts:
        assert not [fragment for fragment in FRAGMENTS if fragment.casefold() in text.casefold()]


class TestAnswers:
    def test_the_request_and_the_answer(self, server, lab):
        usage = Usage(input_tokens=2, output_tokens=3)
        text, finish = answer(lab, ask("good day", temperature=0.5, seed=7))
        assert (text, finish) == ("1: good day", Finish(reason="stop", model="fake-model", usage=usage))
        assert server.requests[0] == {
            "model": "lab-model",
            "messages": [{"role": "user", "content": "good day"}],
            "temperature": 0.5,
            "seed": 7,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        assert server.headers[0]["authorization"] == f"Bearer {CANARY}"
        assert server.headers[0]["accept-encoding"] == "identity"

    def test_it_is_a_provider_and_its_repr_is_discreet(self, lab):
        assert isinstance(lab, Provider)
        answer(lab)
        assert repr(lab) == "OpenAIProvider('lab')"

    def test_the_request_names_the_model(self, server, lab):
        answer(lab, ask(model="other"))
        assert server.requests[0]["model"] == "other"

    def test_settings_cannot_change_what_is_asked(self, server, lab):
        answer(lab, ask("real", stream=False, messages=[], model="x"))
        assert server.requests[0]["messages"] == [{"role": "user", "content": "real"}]
        assert server.requests[0]["stream"] is True

    def test_stream_options_can_be_left_out(self, server, lab):
        assert answer(lab, ask(stream_options=None))[1].usage is None
        assert "stream_options" not in server.requests[0]

    def test_the_first_text_comes_at_once(self, server, lab):
        server.chunks, server.gate = ["first ", "second"], threading.Event()
        stream = lab.stream(ask())
        assert next(stream) == TextDelta("first ")
        server.gate.set()
        assert said(stream) == "second"

    def test_one_delta_for_each_piece_from_the_network(self, server, lab):
        events = [{"choices": [{"delta": {"content": text}}]} for text in ("a", "b", "c")]
        server.raw(b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n")
        assert list(lab.stream(ask())) == [TextDelta("abc"), Finish(reason="stop")]

    @pytest.mark.parametrize(
        ("end", "reason"),
        [
            ("clean", "unknown"),
            ("done", "stop"),
            ("reason", "stop"),
            ("stop", "stop"),
            ("length", "length"),
            ("content_filter", "content_filter"),
            ("tool_calls", "tool_calls"),
            ("function_call", "tool_calls"),
            ("something new", "unknown"),
        ],
    )
    def test_the_end_is_honest(self, server, lab, end, reason):
        server.end(end)
        text, finish = answer(lab)
        assert (text, finish.reason) == ("1: hi", reason)

    def test_a_completion_in_one_piece_is_an_answer(self, server, lab):
        server.whole()
        usage = Usage(input_tokens=1, output_tokens=2)
        assert answer(lab) == ("1: hi", Finish(reason="stop", model="fake-model", usage=usage))

    def test_threads_share_a_provider(self, server, lab):
        texts = [f"prompt {n}" for n in range(6)]
        answers = []
        threads = [threading.Thread(target=lambda t=t: answers.append(answer(lab, ask(t))[0])) for t in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(text.partition(": ")[2] for text in answers) == texts

    def test_the_key_is_read_at_each_ask(self, server):
        environ = {"LAB_KEY": "first"}
        provider = lab_provider(server, environ=environ)
        answer(provider)
        environ["LAB_KEY"] = "second"
        answer(provider)
        assert [headers["authorization"] for headers in server.headers] == ["Bearer first", "Bearer second"]
        provider.close()

    def test_no_key_needed(self, server):
        provider = OpenAIProvider(Endpoint("lab", server.base_url, "", "m"), environ={"OPENAI_API_KEY": CANARY})
        assert answer(provider)[0] == "1: hi"
        assert_no_key(server.headers[0]["authorization"])

    def test_warm_makes_the_client_and_never_raises(self, server, lab):
        lab.warm()
        assert server.requests == []
        lab_provider(server, environ={}).warm()
        OpenAIProvider(Endpoint("lab", "nonsense")).warm()


class TestClosing:
    def test_closing_the_stream_closes_the_connection(self, server, lab):
        server.gate = threading.Event()
        stream = lab.stream(ask())
        next(stream)
        stream.close()
        assert server.hung_up.wait(5)

    def test_dropping_the_stream_closes_the_connection(self, server, lab):
        server.gate = threading.Event()
        stream = lab.stream(ask())
        next(stream)
        del stream
        gc.collect()
        assert server.hung_up.wait(5)

    @pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals")
    @pytest.mark.parametrize("after", [0, 1])
    def test_an_interrupt_while_reading(self, server, lab, after):
        server.chunks, server.gate, server.gate_after = ["first ", "second"], threading.Event(), after
        stream, reading = lab.stream(ask()), threading.Event()

        def interrupt():
            reading.wait()
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        if after:
            next(stream)
        with pytest.raises(KeyboardInterrupt) as caught:
            reading.set()
            list(stream)
        thread.join()
        report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert_no_key("".join(report.format()))
        stream.close()
        assert server.hung_up.wait(5) or not server.requests
        server.gate.set()
        assert answer(lab)[0] == "first second"  # the provider goes on

    def test_a_forgotten_provider_leaves_no_connection(self, server):
        provider = lab_provider(server)
        server.whole()  # read to its end, so the connection is kept for the next ask
        answer(provider)
        gone = weakref.ref(provider)
        del provider
        gc.collect()  # an open socket would be a ResourceWarning, which is an error
        assert gone() is None


ECHO = f"Incorrect API key provided: {CANARY[:7]}***{CANARY[-4:]}. See https://example.com/keys\x1b[31m\u202e now"


class TestFailures:
    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (400, "check the model"),
            (401, "the environment variable LAB_KEY"),
            (403, "LAB_KEY"),
            (404, "does not know the model 'lab-model'"),
            (408, "ask again"),
            (413, "fork or clear the chat"),
            (418, "refused the request"),
            (422, "refused the request"),
            (429, "wait a moment"),
            (500, "server's side"),
            (503, "server's side"),
        ],
    )
    def test_statuses(self, server, lab, status, words):
        server.fail(status, {"error": {"message": ECHO}})
        text, error = failure(lab)
        assert text == ""
        assert words in str(error)
        assert f"HTTP {status}" in str(error)
        assert error.status == status
        assert "endpoint 'lab'" in str(error)
        assert "Incorrect API key provided: … See … now" in " ".join(str(error).split())

    @pytest.mark.parametrize(
        "body", ["<html>Bad gateway</html>", "", "plain words", {"detail": "words"}, {"error": "words"}, ["words"], 7]
    )
    def test_any_error_body(self, server, lab, body):
        server.fail(502, body)
        _, error = failure(lab)
        assert "<html>" not in str(error)
        assert ("words" in str(error)) == (body in ("plain words", {"detail": "words"}, {"error": "words"}))

    def test_a_huge_error_body_is_not_read(self, server, lab):
        server.fail(500, "x" * 5_000_000)
        _, error = failure(lab)
        assert error.status == 500

    def test_the_sdk_retries_before_the_first_byte(self, server):
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
        assert "reported an error: ask again (it said: Incorrect API key provided:" in str(error)

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
            (lambda s: s.raw(b"{}", content_type="application/json"), "not a chat completion"),
            (lambda s: s.raw(b"[1]", content_type="application/json"), "not a chat completion"),
            (lambda s: s.raw(b'{"choices": [7]}', content_type="application/json"), "not a chat completion"),
            (lambda s: s.raw(b"oops", content_type="application/json"), "calls itself JSON"),
            (lambda s: s.raw(b"\xff\xfe\xfd", content_type="application/json"), "calls itself JSON"),
            (lambda s: s.raw(b'{"error": {"message": "words"}}', content_type="application/json"), "words"),
            (lambda s: s.raw(b"data: {oops\n\n"), "not JSON"),
            (lambda s: s.raw(b'data: {"choices": [{"del'), "not JSON"),
            (lambda s: s.raw(b"data: " + b"[" * 100_000 + b"\n\n"), "not JSON"),
            (lambda s: s.raw(b"data: [1]\n\n"), "not a chat completion chunk"),
            (lambda s: s.raw(b'data: {"choices": 7}\n\n'), "not a chat completion chunk"),
            (lambda s: s.raw(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "not a chat completion chunk"),
            (lambda s: s.raw(b'data: {"choices": [{"finish_reason": [7]}]}\n\n'), "not a chat completion chunk"),
            (lambda s: s.raw(b"data: \xff\n\n"), "not UTF-8"),
            (lambda s: s.raw(b'data: {"error": "words"}\n\n'), "words"),
            (lambda s: s.raw(b'event: error\ndata: {"message": "words"}\n\n'), "words"),
            (lambda s: s.raw(b'data: {"object": "error", "message": "words"}\n\n'), "words"),
            (lambda s: s.raw(b"data: " + b"x" * 3000 + b"\n\n"), "more than 2000 bytes"),
            (lambda s: s.raw(b": ping\n\n" * 2000), "more than 10000 bytes"),
            (lambda s: s.raw(b"x", headers={"Content-Encoding": "gzip"}), "compressed"),
            (lambda s: s.fail(500, "x", headers={"Content-Encoding": "gzip"}), "compressed"),
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
        provider = lab_provider(server, timeout=0.05)
        text, error = failure(provider)
        assert text == "1: "
        assert "fell silent" in str(error)

    def test_silence_from_the_start_times_out(self, server):
        server.gate, server.gate_after = threading.Event(), 0
        server.reply = lambda _: server.gate.wait(5) and ""
        _, error = failure(lab_provider(server, timeout=0.05))
        assert "did not answer in time" in str(error)
        server.gate.set()

    def test_no_server(self, server):
        provider = lab_provider(server)
        server.close()
        _, error = failure(provider)
        assert "cannot be reached: is the server running" in str(error)

    @pytest.mark.parametrize("params", [{"x": {1}}, {"x": float("nan")}, {"x": "\ud800"}])
    def test_a_request_that_cannot_be_sent(self, lab, params):
        _, error = failure(lab, ask(**params))
        assert "the request is not valid" in str(error)

    def test_a_client_that_cannot_be_made(self, server, monkeypatch):
        monkeypatch.setitem(sys.modules, "robota_nb.providers.transport", None)
        _, error = failure(lab_provider(server))
        assert "cannot be set up (ModuleNotFoundError)" in str(error)

    def test_what_breaks_after_the_end_does_not_matter(self, server, lab):
        whole = b'data: {"choices": [{"delta": {"content": "all"}, "finish_reason": "stop"}]}\n\n'
        more = b'data: {"choices": [{"delta": {"content": "ignored"}}]}\n\n'
        for rest in (more, b"data: {oops\n\n", b'data: {"error": "late"}\n\n', b"data: \xff\n\n"):
            server.raw(whole + rest)
            assert answer(lab) == ("all", Finish(reason="stop"))
        server.raw(whole, headers={"Content-Length": "5000"})  # the connection ends before that
        server.gate = threading.Event()
        short = lab_provider(server, timeout=0.05)
        assert answer(short) == ("all", Finish(reason="stop"))
        short.close()

    def test_verbose_tracebacks_of_ipython(self, server, lab):
        ultratb = pytest.importorskip("IPython.core.ultratb")
        server.fail(401, {"error": {"message": ECHO}})
        try:
            list(lab.stream(ask()))
        except ProviderError:
            assert_no_key(ultratb.VerboseTB().text(*sys.exc_info()))


class TestKeys:
    @pytest.mark.parametrize("environ", [{}, {"LAB_KEY": ""}, {"LAB_KEY": " \n"}])
    def test_a_missing_key_names_its_variable(self, server, environ):
        _, error = failure(lab_provider(server, environ=environ), kind=KeyMissing)
        assert "endpoint 'lab' has no API key: set the environment variable LAB_KEY" in str(error)

    @pytest.mark.parametrize("key", [f"{CANARY} x", f"{CANARY}\nx", f"{CANARY}ü", f"{CANARY}\x07", f"{CANARY}\u200b"])
    def test_an_impossible_key_is_not_sent(self, server, key):
        _, error = failure(lab_provider(server, environ={"LAB_KEY": key}), kind=KeyMissing)
        assert "copy it again" in str(error)
        assert server.requests == []

    def test_what_the_environment_says_about_openai_stays_with_openai(self, server, lab, monkeypatch):
        monkeypatch.setenv("OPENAI_BASE_URL", "https://wrong.invalid/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "wrong")
        monkeypatch.setenv("OPENAI_ADMIN_KEY", "wrong")
        monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: wrong\nX-Secret: x\nAccept-Encoding: gzip\nHost: h")
        answer(lab)
        theirs = server.headers[0]
        assert not {"openai-organization", "openai-project", "x-secret"} & set(theirs)
        assert theirs["authorization"] == f"Bearer {CANARY}"
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        provider = ProviderRegistry().get("openai")
        answer(provider)
        ours = server.headers[1]
        assert (ours["openai-organization"], ours["x-secret"]) == ("org-secret", "x")
        assert ours["accept-encoding"] == "identity"
        provider.close()

    def test_a_proxy_does_not_see_local_traffic(self, server, lab, monkeypatch):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert answer(lab)[0] == "1: hi"

    def test_a_secret_shows_nothing(self):
        secret = Secret(CANARY)
        assert_no_key(repr(secret), str(secret), f"{[secret]}")
        assert bool(secret)
        assert not Secret("")
        with pytest.raises(TypeError):
            pickle.dumps(secret)
        environment = Environment({"KEY": CANARY})
        assert_no_key(repr(environment))
        assert (dict(environment), len(environment)) == ({"KEY": CANARY}, 1)

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (f"key {CANARY}!", "key …"),
            (f"key {CANARY.lower()} no", "key … no"),
            ("ends in w8zp.", "ends in …"),
            ("sk-proj-*****abcd and sk_live_1", "… and …"),
            ("a\x1b[2J\x00\r\nb\u202ec", "a [2J b c"),
            ("go to https://x.y/?k=1 or www.z.com now", "go to … or … now"),
            ("x" * 100, "x" * 49 + "…"),
        ],
    )
    def test_scrub(self, text, shown):
        assert scrub(text, Secret(CANARY), 50) == shown


class TestReply:
    def test_halves_of_a_character_join(self):
        reply = Reply()
        for half in (r"a\ud83d", r"\ude00b"):
            reply.take([(f'{{"choices": [{{"delta": {{"content": "{half}"}}}}]}}', "", "")])
        assert reply.text() == "a😀b"

    def test_a_half_character_waits_for_the_next_piece(self):
        reply, texts = Reply(), []
        for part in (r"a\ud83d", r"\ude00b", r"\ude00c\ud83d"):
            reply.take([(f'{{"choices": [{{"delta": {{"content": "{part}"}}}}]}}', "", "")])
            texts.append(reply.text())
        assert texts == ["a", "😀b", "\ufffdc"]
        assert reply.text(last=True) == "\ufffd"

    def test_the_first_alternative_counts(self):
        reply = Reply()
        choices = [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]
        reply.take([(json.dumps({"choices": choices}), "", "")])
        assert reply.text() == "yes"

    def test_text_in_parts_refusals_and_empty_events(self):
        reply = Reply()
        parts = [{"type": "text", "text": "a"}, {"type": "image"}]
        for delta in ({"content": parts}, {"content": None, "refusal": "b"}, {"tool_calls": []}, None):
            reply.take([(json.dumps({"choices": [{"delta": delta}]}), "", ""), ("", "", "")])
        assert (reply.text(), reply.problem) == ("ab", None)

    @pytest.mark.parametrize("usage", [{}, {"prompt_tokens": 1}, {"prompt_tokens": True, "completion_tokens": -1}])
    def test_odd_usage_is_none(self, usage):
        reply = Reply()
        reply.take([(json.dumps({"model": "m\x1b\n" + "x" * 999, "usage": usage}), "", "")])
        assert reply.finish().usage is None
        assert reply.finish().model == "m" + "x" * 199


class TestEndpoints:
    def test_the_form_of_a_configuration(self):
        config = {"lab": {"base_url": "https://lab.example/v1", "key_env": "LAB_KEY", "model": "m"}}
        assert parse_endpoints(config) == {"lab": Endpoint("lab", "https://lab.example/v1", "LAB_KEY", "m")}
        assert parse_endpoints({"a": {"base_url": "http://localhost:1/v1"}})["a"].is_local

    def test_builtin_endpoints_follow_the_users_environment(self):
        builtin = builtin_endpoints({})
        assert builtin["openai"] == Endpoint("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-4o-mini")
        assert builtin["ollama"] == Endpoint("ollama", "http://127.0.0.1:11434/v1", "", "")
        environ = {"OPENAI_BASE_URL": "https://proxy.example/v1", "OPENAI_MODEL": "gpt-4o"}
        assert builtin_endpoints(environ)["openai"].base_url == "https://proxy.example/v1"
        assert builtin_endpoints(environ)["openai"].model == "gpt-4o"

    def test_a_builtin_endpoint_can_be_changed_in_part_but_its_key_stays_with_its_server(self):
        assert parse_endpoints({"openai": {"model": "x"}}, {})["openai"].key_env == "OPENAI_API_KEY"
        assert parse_endpoints({"openai": {"base_url": "https://x.example/v1"}}, {})["openai"].key_env == ""

    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ([], "a dictionary"),
            ({"lab": "https://x"}, "a dictionary"),
            ({"lab": {}}, "not a URL"),
            ({"a b": {}}, "letters, digits"),
            ({7: {}}, "letters, digits"),
            ({"offline": {"base_url": "https://x/v1"}}, "cannot be named 'offline'"),
            ({"lab": {"base_ulr": "https://x/v1"}}, "did you mean 'base_url'?"),
            ({"lab": {"whatever": 1}}, "the settings are base_url, key_env, model"),
            ({"lab": {"api_key": CANARY}}, "name that with key_env"),
            ({"lab": {"base_url": "https://x/v1", "key_env": CANARY}}, "not the key itself"),
            ({"lab": {"base_url": "https://x/v1", "key_env": "gsk_abc"}}, "upper case"),
            ({"lab": {"base_url": "https://x/v1", "model": None}}, "model is a string"),
            ({"lab": {"base_url": f"https://u:{CANARY}@x/v1"}}, "user name or password"),
            ({"lab": {"base_url": f"https://x/v1?key={CANARY}"}}, "query"),
            ({"lab": {"base_url": "http://lab.example/v1"}}, "use https, or a tunnel"),
        ],
    )
    def test_errors_name_the_endpoint_and_repeat_no_value(self, config, words):
        with pytest.raises(EndpointError) as caught:
            parse_endpoints(config)
        assert words in str(caught.value)
        assert isinstance(caught.value, (ProviderError, ValueError))
        assert_no_key(str(caught.value))

    @pytest.mark.parametrize(
        "url", ["https://x/v1", "https://x.y:8443", "http://localhost:1/v1", "http://127.9.9.9/v1", "http://[::1]:2/v1"]
    )
    def test_good_urls(self, url):
        assert url_problem(url) == ""

    @pytest.mark.parametrize(
        "url",
        [
            *("", "x", "//x/v1", "ftp://x/v1", "https://", "https://x y/v1", "https://x/\n", "https://é.fr/v1"),
            *("http://localhost.evil.com/v1", "http://127.0.0.1.evil.com/v1", r"http://evil.com\@localhost/v1"),
            *("http://10.0.0.1/v1", "http://0.0.0.0/v1", "https://x:port/v1", "https://[x/v1", "https://u@x/v1"),
            *("https://x/v1#f", "https://x/v1?", "HTTP://example.com/v1"),
        ],
    )
    def test_bad_urls(self, url):
        assert url_problem(url)
        _, error = failure(OpenAIProvider(Endpoint("lab", url, "", "m")), kind=Exception)
        assert isinstance(error, ProviderError)

    def test_no_model_is_an_error_that_asks_for_one(self):
        _, error = failure(ProviderRegistry(environ={}).get("ollama"))
        assert "--model" in str(error)

    def test_repr_shows_no_url(self):
        assert repr(Endpoint("lab", "https://x/v1")) == "Endpoint(name='lab', key_env='', model='')"


class TestRegistry:
    def test_default(self):
        def default(environ, **options):
            return ProviderRegistry({"lab": {"base_url": "https://x/v1", "model": "m"}}, environ, **options).default()

        key = {"OPENAI_API_KEY": CANARY}
        assert default({}) == default({"OPENAI_API_KEY": " "}) == ("offline", "offline")
        assert default(key) == ("openai", "gpt-4o-mini")
        assert default(key | {"OPENAI_MODEL": "big"}) == ("openai", "big")
        assert default(key, default_model="big") == ("openai", "big")
        assert default({}, default_model="big") == ("offline", "offline")
        assert default(key, default_provider="lab") == ("lab", "m")
        assert default(key, default_provider="lab", default_model="n") == ("lab", "n")
        assert default(key, default_provider="gone") == ("gone", "")

    def test_names(self):
        assert ProviderRegistry({"lab": {"base_url": "https://x/v1"}}, {}).names() == ["lab", "offline", "ollama", "openai"]

    def test_get(self, server):
        registry = ProviderRegistry({"lab": {"base_url": server.base_url, "model": "m"}}, {})
        assert answer(registry.get("lab"))[0] == "1: hi"
        assert registry.get("lab") is registry.get("lab")
        assert registry.get("offline") is registry.get("offline")

    def test_a_changed_environment_makes_another_provider(self, server):
        environ = {}
        registry = ProviderRegistry(environ=environ)
        before = registry.get("openai")
        environ.update(server.environment())
        assert registry.get("openai") is not before
        assert answer(registry.get(registry.default()[0]))[0] == "1: hi"

    def test_an_unknown_name_says_how_to_add_it(self):
        with pytest.raises(EndpointNotFound) as caught:
            ProviderRegistry(environ={}).get("olama")
        assert str(caught.value) == (
            "no endpoint 'olama' is configured (did you mean 'ollama'?); "
            "add it: c.RobotaMagics.endpoints = {'olama': {'base_url': …, 'key_env': …}}"
        )
        with pytest.raises(EndpointNotFound) as caught:
            ProviderRegistry(environ={}).get("http://evil/\x1b\n" * 99)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300

    def test_a_wrong_configuration_is_reported_at_once(self):
        with pytest.raises(EndpointError):
            ProviderRegistry({"lab": {}})

    def test_other_packages_bring_providers(self, monkeypatch):
        points = [
            importlib.metadata.EntryPoint(name, f"plugin:{name}", "robota_nb.providers")
            for name in ("made", "ready", "broken", "strange", "openai")
        ]
        plugin = type(sys)("plugin")
        plugin.made, plugin.ready, plugin.strange = OfflineProvider, OfflineProvider(), object
        monkeypatch.setitem(sys.modules, "plugin", plugin)
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
        registry = ProviderRegistry(environ={})
        assert isinstance(registry.get("made"), OfflineProvider)
        assert registry.get("ready") is plugin.ready
        assert isinstance(registry.get("openai"), OpenAIProvider)  # an endpoint's name cannot be taken over
        with pytest.raises(ProviderError, match="'broken' does not load"):
            registry.get("broken")
        with pytest.raises(ProviderError, match="ask its authors"):
            registry.get("strange")
        assert "made" in registry.names()

    def test_importing_it_is_cheap(self):
        code = (
            "import sys, robota_nb.providers.endpoints, robota_nb.providers.openai, robota_nb.providers.offline\n"
            "heavy = {'openai', 'httpx2', 'pydantic', 'importlib.metadata', 'IPython', 'http.server'} & set(sys.modules)\n"
            "sys.exit(str(heavy) if heavy else 0)"
        )
        done = subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=False)
        assert done.returncode == 0


class TestOffline:
    def talk(self, *prompts, **params):
        messages = [{"role": "system", "content": "be brief"}]
        for prompt in prompts:
            messages += [{"role": "user", "content": prompt}, {"role": "assistant", "content": "…"}]
        return answer(OfflineProvider(), Request(model="", messages=messages[:-1], params=params))

    def test_it_says_what_it_is_and_how_to_connect_a_model(self):
        text, finish = self.talk("hello there")
        assert "offline model" in text
        assert "OPENAI_API_KEY" in text
        assert "c.RobotaMagics.endpoints" in text
        assert "```text\nhello there\n```" in text
        assert "2 words, and I see no earlier turn" in text
        words = len(text.split())
        assert finish == Finish(reason="stop", model="offline", usage=Usage(input_tokens=4, output_tokens=words))

    def test_it_is_a_function_of_the_request(self):
        assert self.talk("a", "b") == self.talk("a", "b")
        assert "1 word, and I see 1 earlier turn of" in self.talk("a", "b")[0]
        assert "OPENAI_API_KEY" not in self.talk("a", "b")[0]

    def test_it_remembers_the_first_prompt(self):
        assert "my name is Ada" in self.talk("my name is Ada", "x", "What did I say first?")[0]

    @pytest.mark.parametrize(
        ("prompt", "result"),
        [("2+2", "4"), ("What is (2 + 3) * 4.5 / 7?", "3.21428571428571"), ("-7 * 6 =", "-42"), ("1/4", "0.25")],
    )
    def test_it_can_do_sums(self, prompt, result):
        assert f"is **{result}**" in self.talk(prompt)[0]

    @pytest.mark.parametrize(
        "prompt", ["1/0", "((((((1", "9**9**9", "1(2)", "7//2", "1 2", "0777", "1" * 100_000 + "x", "(" * 90 + "1", "9" * 99]
    )
    def test_what_is_no_sum_is_quoted(self, prompt):
        text, _ = self.talk(prompt)
        assert f"```text\n{prompt[:600]}" in text or "is **9" in text

    def test_quoted_text_cannot_break_out(self):
        text, _ = self.talk("a\n```\n<script>\n`````\x1b[2J")
        assert "``````text\na\n```\n<script>\n`````[2J\n``````" in text

    def test_max_tokens_cuts_it(self):
        text, finish = self.talk("hi", max_tokens=3)
        assert (text, finish.reason, finish.usage.output_tokens) == ("**This is the", "length", 3)

    def test_pictures_and_nothing(self):
        content = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:"}}]
        assert "look" in said(OfflineProvider().stream(Request(model="", messages=[{"role": "user", "content": content}])))
        assert "You said nothing" in self.talk("  ")[0]
