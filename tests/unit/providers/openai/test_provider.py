"""The openai provider: real HTTP under the real client, its answers, its ends, its keys."""

import gc
import json
import pickle
import signal
import threading
import traceback
import weakref

import pytest

from robota_nb.core.ports import Finish, Provider, SignOfLife, TextDelta, Usage
from robota_nb.display.hints import told
from robota_nb.errors import KeyMissing
from robota_nb.providers.endpoint import Endpoint
from robota_nb.providers.keys.secret import Environment, Secret
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.redaction import scrub
from robota_nb.providers.registry import ProviderRegistry
from support.provider import CANARY, answer, ask, assert_no_key, failure, lab_provider, openai_provider, said


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in ("API_KEY", "BASE_URL", "MODEL", "ORG_ID", "PROJECT_ID", "ADMIN_KEY", "CUSTOM_HEADERS"):
        monkeypatch.delenv(f"OPENAI_{name}", raising=False)


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
        assert next(event for event in stream if not isinstance(event, SignOfLife)) == TextDelta("first ")
        server.gate.set()
        assert said(stream) == "second"

    def test_one_delta_for_each_piece_from_the_network(self, server, lab):
        events = [{"choices": [{"delta": {"content": text}}]} for text in ("a", "b", "c")]
        server.raw(b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n")
        assert list(lab.stream(ask())) == [TextDelta("abc"), Finish(reason="unknown")]

    @pytest.mark.parametrize(
        ("end", "reason"),
        [
            ("clean", "unknown"),
            ("done", "unknown"),
            ("reason", "stop"),
            ("stop", "stop"),
            ("length", "length"),
            ("content_filter", "content_filter"),
            ("tool_calls", "tool_calls"),
            ("function_call", "tool_calls"),
            ("something new", "stop"),
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
        provider = openai_provider(Endpoint("lab", server.base_url, "", "m"), environ={"OPENAI_API_KEY": CANARY})
        assert answer(provider)[0] == "1: hi"
        assert_no_key(server.headers[0]["authorization"])

    def test_warm_makes_the_client_and_never_raises(self, server, lab):
        lab.warm()
        assert server.requests == []
        lab_provider(server, environ={}).warm()
        openai_provider(Endpoint("lab", "nonsense")).warm()


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
    def test_an_interrupt_while_waiting(self, server, lab, after):
        waiting = threading.Event()
        server.gate, server.gate_after = threading.Event(), after

        def reply(_):
            if not after:
                waiting.set()
            return ["first ", "second"]

        server.reply = reply
        stream = lab.stream(ask())

        def interrupt():
            waiting.wait()
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        if after:
            next(stream)
        with pytest.raises(KeyboardInterrupt) as caught:
            if after:
                waiting.set()
            list(stream)
        thread.join()
        report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert_no_key("".join(report.format()))
        stream.close()
        assert server.hung_up.wait(5)
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


class TestKeys:
    @pytest.mark.parametrize("environ", [{}, {"LAB_KEY": ""}, {"LAB_KEY": " \n"}])
    def test_a_missing_key_names_its_variable(self, server, environ):
        _, error = failure(lab_provider(server, environ=environ), kind=KeyMissing)
        assert (
            "endpoint 'lab' has no API key: run %robota endpoint key lab, or set the environment variable LAB_KEY"
            in told(error)
        )

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
            ("a\x1b[2J\x00\r\nb\u202ec", "a b c"),
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

    @pytest.mark.parametrize("usage", [{}, {"prompt_tokens": -1}, {"prompt_tokens": True, "completion_tokens": -1}])
    def test_odd_usage_is_none(self, usage):
        reply = Reply()
        reply.take([(json.dumps({"model": "m\x1b\n" + "x" * 999, "usage": usage}), "", "")])
        assert reply.finish().usage is None
        assert reply.finish().model == "m" + "x" * 199
