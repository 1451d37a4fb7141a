"""Stories of servers that people use: from making one known to the second turn of a chat, and its replay.

Each server here is one of our own, which insists on what the real one insists on.
"""

import threading

import pytest

from robota_nb.testing import FakeOpenAIServer

pytestmark = pytest.mark.slow("stories in a real kernel")

CLOSED_DOOR = 401, {"error": {"message": "Access denied due to missing or invalid credentials", "code": "401"}}


class InsistingServer(FakeOpenAIServer):
    """A server that refuses what does not please it: `refuses` says of a request with what status and words."""

    def __init__(self):
        super().__init__()
        self.refuses = lambda path, headers, body: None

    def _accept(self, path, headers, data, body):
        number, play = super()._accept(path, headers, data, body)
        if refused := self.refuses(path, headers, body):
            status, value = refused
            return number, lambda handler, _: handler.send_json(value, status)
        return number, play

    @property
    def origin(self):
        return self.base_url.removesuffix("/v1")


@pytest.fixture(scope="module")
def module_server():
    with InsistingServer() as server:
        yield server


def told(server, since=0):
    """The messages of each request, as (role, text)."""
    return [[(one["role"], one["content"]) for one in body["messages"]] for body in server.requests[since:]]


def second_turn(kernel, server, *before):
    """Run a notebook with two asks; strictly once more, it shows the same and asks nothing; return what was told."""
    cells = {f"cell-{number}": code for number, code in enumerate([*before, "%%robota\none", "%%robota\ntwo"])}
    outputs = {name: kernel.ok(code, name).outputs for name, code in cells.items()}
    assert told(server)[-1] == [("user", "one"), ("assistant", answer_to(server, "one")), ("user", "two")]
    asked = len(server.requests)
    notices = kernel.ok("%robota").text
    kernel.ok("%robota replay strict")
    assert {name: kernel.ok(code, name).outputs for name, code in cells.items()} == outputs
    assert len(server.requests) == asked
    return notices


def answer_to(server, prompt):
    """What the server answered to the last request that ended so; by default it numbers them."""
    number = max(n for n, body in enumerate(server.requests, 1) if body["messages"][-1]["content"] == prompt)
    return f"{number}: {prompt}"


def key(name):
    return f"import os\nos.environ[{name!r}] = 'a-key-of-{name}'"


def test_azure_by_its_v1_address(kernel, server):
    server.refuses = lambda path, headers, _: (
        None
        if path == "/openai/v1/chat/completions" and headers.get("authorization") == "Bearer a-key-of-AZURE_KEY"
        else CLOSED_DOOR
    )
    add = f"%robota endpoint add azure {server.origin}/openai/v1/ --key-env AZURE_KEY --model my-deployment"
    second_turn(kernel, server, key("AZURE_KEY"), add, "%robota chat open Work --provider azure")
    assert {body["model"] for body in server.requests} == {"my-deployment"}


@pytest.mark.parametrize(
    ("prefix", "header"), [("", "api-key"), ("/team", "Ocp-Apim-Subscription-Key")], ids=["deployment", "api manager"]
)
def test_azure_by_the_address_of_a_deployment(kernel, server, prefix, header):
    path = f"{prefix}/openai/deployments/gpt/chat/completions?api-version=2024-10-21"

    def refuses(asked, headers, _):
        wanted = headers.get(header.lower()) == "a-key-of-AZURE_KEY" and "authorization" not in headers
        return None if asked == path and wanted else CLOSED_DOOR

    server.refuses = refuses
    endpoint = {
        "base_url": f"{server.origin}{prefix}/openai/deployments/gpt",
        "query": {"api-version": "2024-10-21"}, "headers": {header: "$AZURE_KEY"}, "model": "gpt",
    }  # fmt: skip
    config = f"%config RobotaMagics.endpoints = {{'azure': {endpoint!r}}}"
    second_turn(kernel, server, key("AZURE_KEY"), config, "%robota chat open Work --provider azure")
    assert server.paths == [path] * 2


DOCKER = """
import socket
_look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: _look_up("127.0.0.1" if host == "ollama" else host, *rest, **more)
"""
"""A network in which there is a container called ``ollama``."""


def test_ollama_in_another_container(kernel, server):
    server.refuses = lambda path, headers, _: None if headers["host"].startswith("ollama:") else CLOSED_DOOR
    add = f"%robota endpoint add box {server.base_url.replace('127.0.0.1', 'ollama')} --model llama3"
    refused = kernel.run(add).error["evalue"]
    assert "--insecure" in refused
    kernel.ok(DOCKER)
    second_turn(kernel, server, f"{add} --insecure", "%robota chat open Box --provider box")
    kernel.ok("socket.getaddrinfo = _look_up")


def test_openrouter_that_is_told_which_providers_to_route_to(kernel, server):
    route = {"order": ["one"], "allow_fallbacks": False}
    server.refuses = lambda path, headers, body: (
        None if body.get("provider") == route else (404, {"error": {"message": "No endpoints found", "code": 404}})
    )
    second_turn(
        kernel, server, key("ROUTER_KEY"),
        f"%robota endpoint add router {server.origin}/api/v1 --key-env ROUTER_KEY --model meta/llama",
        '%robota chat open Routed --provider router --set body.provider={"order": ["one"], "allow_fallbacks": false}',
    )  # fmt: skip
    assert [(body["model"], body["provider"]) for body in server.requests] == [("meta/llama", route)] * 2


def reasoning_model(path, headers, body):
    """What OpenAI's reasoning models say to parameters that they do not take, one at a time."""
    words = {
        "stream": "Unsupported value: 'stream' does not support true with this model. Only false is supported.",
        "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        "temperature": "Unsupported value: 'temperature' does not support 0.2 with this model. "
        "Only the default (1) value is supported.",
    }
    refused = next((name for name in words if body.get(name)), None)
    error = {"type": "invalid_request_error", "param": refused, "code": "unsupported_value"}
    return (400, {"error": {"message": words[refused], **error}}) if refused else None


def test_a_reasoning_model_that_refuses_to_stream_and_two_parameters(kernel, server):
    server.refuses = reasoning_model
    notices = second_turn(
        kernel, server, key("O_KEY"),
        f"%robota endpoint add o {server.base_url} --key-env O_KEY --model o1",
        "%robota chat open Thinking --provider o --set max_tokens=90 --set temperature=0.2",
    )  # fmt: skip
    *_, first, second = server.requests
    assert len(server.requests) == 5  # what it refuses is found out once
    for body in (first, second):
        assert body.keys() == {"model", "messages", "max_completion_tokens"}
        assert body["max_completion_tokens"] == 90
    for words in ("does not stream here", "takes no temperature", "takes no max_tokens: asked again with"):
        assert words in notices


def mistral_template(path, headers, body):
    """What the templates of Mistral's models raise where the roles do not alternate."""
    roles = [one["role"] for one in body["messages"]]
    roles = roles[1:] if roles[0] == "system" else roles
    if roles == [("user", "assistant")[n % 2] for n in range(len(roles))] and all(
        m["content"] for m in body["messages"]
    ):
        return None
    message = "After the optional system message, conversation roles must alternate user/assistant/user/assistant/..."
    return 400, {"object": "error", "message": message, "type": "BadRequestError", "code": 400}


def test_a_template_that_demands_that_roles_alternate_whatever_has_happened(kernel, server):
    server.refuses = mistral_template
    kernel.ok(f"%robota endpoint add vllm {server.base_url} --model mistral")
    kernel.ok('%robota chat open M --provider vllm --system "Be brief."')
    kernel.ok("%%robota\none", "one")
    server.chunks, server.gate = ["some ", "text"], threading.Event()
    running = kernel.begin("%%robota\ncut off", "cut")
    running.shows("some")
    kernel.interrupt()
    assert running.finish().status == "error"
    server.chunks, server.gate = [""], None
    kernel.ok("%%robota\nempty", "empty")
    server.chunks = None
    server.fail(400, {"error": {"message": "no"}})
    assert kernel.run("%%robota\nrefused", "refused").status == "error"
    kernel.ok("%%robota\ntwo", "two")
    messages = [
        ("system", "Be brief."), ("user", "one"), ("assistant", "1: one"),
        ("user", "cut off"), ("assistant", "some \n\n[interrupted by the user]"), ("user", "two"),
    ]  # fmt: skip
    assert told(server)[-1] == messages
    preview = kernel.ok("%robota chat preview").text
    assert "[interrupted by the user]" in preview
    asked = len(server.requests)
    kernel.ok("%config RobotaMagics.mark_unfinished = False")
    assert "[interrupted" not in kernel.ok("%robota chat preview").text
    kernel.ok("%robota replay strict")
    for name, text in [("one", "one"), ("empty", "empty"), ("two", "two")]:
        kernel.ok(f"%%robota\n{text}", name)  # what is not compared makes no difference
    assert len(server.requests) == asked
