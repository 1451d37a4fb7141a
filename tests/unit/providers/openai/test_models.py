"""Endpoints are tested by asking for their list of models: every way this can fail, and no key in any of it."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from robota_nb.display.hints import told
from robota_nb.display.report import checked
from robota_nb.errors import KeyMissing, NoModelList, ProviderError
from robota_nb.providers.endpoint import Endpoint
from robota_nb.providers.openai.models import misspelt
from robota_nb.providers.registry import EndpointCheck, check_models
from robota_nb.testing import FakeOpenAIServer
from support.provider import (
    CANARY,
    answer,
    ask,
    assert_no_key,
    check_discreet,
    failure,
    lab_provider,
    openai_provider,
)

ECHO = f"Incorrect API key provided: {CANARY[:7]}***{CANARY[-4:]}. See https://example.com/keys"


class Answer:
    """What a server answers to any GET, and the headers it was asked with."""

    def __init__(self, body=b"", status=200, kind="application/json", **headers):
        self.body, self.status, self.kind, self.headers = body, status, kind, headers
        self.asked = []


@contextmanager
def serving(answer):
    """Serve one answer; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            answer.asked.append(dict(self.headers))
            self.send_response(answer.status)
            for name, value in {"Content-Type": answer.kind, **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(answer.body)
            except OSError:
                pass  # the client has had enough

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def provider_at(url, **options):
    options = {"environ": {"LAB_KEY": CANARY}, "max_retries": 0, **options}
    return openai_provider(Endpoint("lab", url, "LAB_KEY", "m"), **options)


def refusal(answer, **options):
    """The error of a test against a server with this answer; it gives nothing away."""
    with serving(answer) as url:
        return failed(provider_at(url, **options))


def failed(provider, kind=ProviderError):
    caught = None
    try:
        provider.models()
    except kind as error:
        caught = error
    finally:
        provider.close()
    assert caught is not None
    check_discreet(caught)
    return caught


def test_the_models_of_a_server_are_listed():
    with FakeOpenAIServer(model="llama3") as server:
        provider = lab_provider(server)
        assert provider.models() == ["llama3"]
        assert server.requests == []
        provider.close()


@pytest.mark.parametrize(("status", "words"), [(401, "LAB_KEY"), (403, "LAB_KEY"), (400, "LAB_KEY"), (503, "later")])
def test_a_status_is_said_with_the_next_step_and_without_the_key(status, words):
    error = refusal(Answer(b'{"error": {"message": "%s"}}' % ECHO.encode(), status))
    assert words in str(error)
    assert error.status == status


def test_a_redirect_is_not_followed():
    elsewhere = Answer(b'{"data": []}')
    with serving(elsewhere) as url:
        error = refusal(Answer(status=302, Location=f"{url}/models"))
    assert "redirect" in str(error)
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><title>Welcome</title>",
        b"",
        b"{}",
        b'{"data": 1}',
        b'{"data": [{}]}',
        b'{"error": "no"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_list_of_models_is_said(body):
    assert "no list of models" in str(refusal(Answer(body)))


@pytest.mark.parametrize(
    "body",
    [
        {"object": "list", "data": [{"id": "b"}, {"id": "a"}]},
        [{"id": "a"}, {"id": "b"}],
        ["b", "a"],
        {"data": ["a", "b"]},
        {"models": [{"name": "a", "model": "a"}, {"name": "b", "model": "b"}]},
        {"models": [{"name": "models/a"}, {"name": "models/b"}]},
        {"models": {"a": {"context": 1}, "b": {}}},
        {"data": {"models": [{"id": "a"}, {"slug": "b"}]}},
        {"success": True, "result": [{"id": "1", "name": "x"}, {"name": "b"}], "errors": []},
    ],
)
def test_a_list_of_models_is_read_in_each_known_shape(body):
    with serving(Answer(json.dumps(body).encode())) as url:
        provider = provider_at(url)
        assert provider.models() in (["a", "b"], ["1", "b"])
        provider.close()


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_a_list_can_be_reached(status):
    with serving(Answer(b'{"detail": "Not Found"}', status)) as url:
        provider = provider_at(url)
        error = failed(provider, NoModelList)
        assert "can be reached and has no list of models" in str(error)
        assert "base_url" in str(error)
        assert check_models("lab", provider, "m") == EndpointCheck(name="lab", model="m")
        assert "can be reached and has no list of models" in checked(check_models("lab", provider, "m"))
        provider.close()


def test_a_list_without_end_is_not_read():
    assert "more than" in str(refusal(Answer(b" " * 3_000_000), max_reply_bytes=1_000_000))


def test_a_server_that_is_not_there_cannot_be_reached():
    with serving(Answer()) as url:
        pass
    assert "cannot be reached" in str(failed(provider_at(url)))


def test_without_its_key_nothing_is_asked():
    answer = Answer(b'{"data": []}')
    with serving(answer) as url:
        failed(provider_at(url, environ={}), KeyMissing)
    assert answer.asked == []


def test_the_key_goes_to_the_server_alone():
    answer = Answer(b'{"data": [{"id": "m"}]}')
    with serving(answer) as url:
        provider = provider_at(url)
        models = provider.models()
        provider.close()
    assert [headers["Authorization"] for headers in answer.asked] == [f"Bearer {CANARY}"]
    assert_no_key(repr(models), repr(provider))


LISTED = ["gpt-4o-2024-08-06", "llama3:latest", "maker/mistral-small", "phi-4"]


@pytest.mark.parametrize(
    ("model", "near"), [("lama3:latest", "llama3:latest"), ("phi4", "phi-4"), ("maker/mistral-smal1", LISTED[2])]
)
def test_a_name_is_misspelt_if_it_looks_like_a_listed_one(model, near):
    assert misspelt(model, LISTED) == f" (did you mean {near!r}?)"


@pytest.mark.parametrize("model", [*LISTED, "llama3", "gpt-4o", "mistral-small", "phi-4:free", "quite-another"])
def test_a_name_is_not_misspelt_if_the_server_may_know_it(model):
    assert misspelt(model, LISTED) == misspelt("phi4", []) == ""


def test_a_misspelt_model_is_told_before_anything_is_sent_and_sent_when_asked_again(server, lab):
    server.model = "phi-4"
    assert lab.models() == ["phi-4"]
    _, failed = failure(lab, ask(model="phi4"))
    assert told(failed) == (
        "endpoint 'lab' lists no model 'phi4' (did you mean 'phi-4'?): run the cell again to send it anyway, "
        "or %robota chat set model=NAME chooses another"
    )
    assert server.requests == []
    assert answer(lab, ask(model="phi4"))[0] == "1: hi"
    assert answer(lab, ask(model="phi-4"))[0] == "2: hi"


@pytest.mark.parametrize(
    "body", [{"error": "model 'x' not found, try pulling it first"}, {"error": {"message": "no such model"}}, ""]
)
def test_a_model_that_a_server_does_not_know_is_told_with_the_nearest_if_somebody_has_asked_for_its_list(
    server, lab, body
):
    server.model = "phi-4"
    server.fail(404, body)
    assert "did you mean" not in str(failure(lab, ask(model="phi4"))[1])
    lab.models()
    failure(lab, ask(model="phi4"))  # told at once
    for model, near in (("phi4", " (did you mean 'phi-4'?)"), ("quite-another", ""), ("phi-4", "")):
        server.fail(404, body)
        shown = str(failure(lab, ask(model=model))[1])
        assert f"the model {model!r}{near}" in shown
        assert near or "did you mean" not in shown
