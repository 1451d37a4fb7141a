"""Model servers are found where they usually are, and nothing is said to them that they may not know."""

import http.server
import json
import os
import threading
from contextlib import contextmanager

import pytest

from robota_nb.display import report
from robota_nb.magics.completion import quoted
from robota_nb.magics.parser import parse
from robota_nb.providers import finder
from robota_nb.providers.finder import Found, find
from support.patience import PATIENCE

NAMES = ["llama3:8b", "a b", "it's", 'say "hi"', "\x1b[31mred", "two\nlines", "x" * 101, " lead", "mistral"]


@contextmanager
def serving(body, status=200, gate=None):
    """A server on a free port that answers so, and holds its answer back until *gate* is set."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, dict(self.headers)))
            if gate:
                gate.wait(PATIENCE)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, seen
        server.shutdown()
        thread.join()


def models(*names):
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


@pytest.fixture(autouse=True)
def a_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY7hQ2xV9mRt4Lw8Zp")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")


def test_a_server_is_listed_with_its_models_and_gets_no_key():
    with serving(models(*NAMES)) as (port, seen):
        [found] = find({port: "desk"}, {})
    assert found == Found(
        name="desk", url=f"http://127.0.0.1:{port}/v1", models=("a b", "it's", "llama3:8b", "mistral", 'say "hi"')
    )
    [(path, headers)] = seen
    assert path == "/v1/models"
    assert not {name.lower() for name in headers} & {"authorization", "cookie", "api-key"}


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"data": 7}', b'{"data": [7]}', b'{"data": [{"id": ""}]}', b"[" * 99_999, b""]
)
def test_what_is_no_list_of_models_is_none(body):
    with serving(body) as (port, _), serving(models("m"), status=401) as (closed, _):
        assert find({port: "a", closed: "b"}, {}) == []


def test_a_server_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(finder, "SECONDS", 0.2)
    gate = threading.Event()
    with serving(models("m"), gate=gate) as (slow, _), serving(models("m")) as (port, _):
        try:
            assert [found.name for found in find({slow: "slow", port: "quick"}, {})] == ["quick"]
        finally:
            gate.set()


def test_colabs_proxy_is_asked_with_colabs_key_alone():
    with serving(models("gemini")) as (port, seen):
        url = f"http://127.0.0.1:{port}/models/"
        [found] = find({}, {"MODEL_PROXY_BASE_URL": url, "MODEL_PROXY_API_KEY": "colab-key"})
        assert (found.name, found.key_env, found.models) == ("colab", "MODEL_PROXY_API_KEY", ("gemini",))
        assert find({}, {"MODEL_PROXY_BASE_URL": "http://far.example", "MODEL_PROXY_API_KEY": "colab-key"}) == []
    assert [headers["Authorization"] for _, headers in seen] == ["Bearer colab-key"]


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="the system does not say whose process listens")
def test_whose_process_listens_is_told(monkeypatch):
    with serving(models("m")) as (port, _):
        assert find({port: "mine"}, {})[0].owner is None
        monkeypatch.setattr(os, "getuid", lambda: 4242)
        assert find({port: "theirs"}, {})[0].owner not in (None, -1)
        monkeypatch.setattr(finder, "_TABLES", ())
        assert find({port: "whose"}, {})[0].owner == -1


@pytest.mark.parametrize("model", ["llama3:8b", "a b", "it's", 'say "hi"', "back\\slash"])
def test_the_line_that_adds_a_server_is_one_that_works(model):
    found = Found(name="desk", url="http://127.0.0.1:1/v1", models=(model,), key_env="LAB_KEY", owner=7)
    head, line = report.found([found], [], quoted).splitlines()
    assert "another user's process (7): it can read what you ask" in head
    args = parse(line.strip().removeprefix("%robota ")).args
    assert (args["name"], args["url"], args["key_env"], args["model"]) == ("desk", found.url, "LAB_KEY", model)
    _, line = report.found([found], ["desk"], quoted).splitlines()
    assert parse(line.strip().removeprefix("%robota ")).args["model"] == model


def test_where_nothing_is_found_the_next_step_is_said():
    assert "ollama serve" in report.found([], [], quoted)
