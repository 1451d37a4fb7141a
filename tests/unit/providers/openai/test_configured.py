"""What the configuration of an endpoint adds to its requests, at a real server: headers, query, body, organization."""

import logging

import pytest

from robota_nb.errors import KeyMissing
from robota_nb.providers.endpoint import Endpoint
from support.provider import CANARY, answer, ask, assert_no_key, failure, openai_provider, said

SECRET = "SUBSCRIPTION-7hQ2xV9mRt4Lw8Zp"


@pytest.fixture
def made(server):
    """A provider of the server's endpoint with these settings, whose variables are set."""
    providers = []

    def make(base_url=server.base_url, key_env="", environ=None, **settings):
        environ = {"LAB_KEY": CANARY, "APIM_KEY": SECRET} if environ is None else environ
        endpoint = Endpoint("lab", base_url, key_env, "m", **settings)
        providers.append(openai_provider(endpoint, environ=environ, max_retries=0))
        return providers[-1]

    yield make
    for provider in providers:
        provider.close()


def test_headers_and_query_go_with_each_request_with_the_values_of_their_variables(made, server):
    provider = made(
        key_env="LAB_KEY",
        headers={"X-Team": "blue", "Ocp-Apim-Subscription-Key": "$APIM_KEY"},
        query={"version": "1 2"},
    )
    answer(provider)
    assert provider.models() == ["fake-model"]
    assert server.headers[0]["x-team"] == "blue"
    assert server.headers[0]["ocp-apim-subscription-key"] == SECRET
    assert server.headers[0]["authorization"] == f"Bearer {CANARY}"
    assert server.paths == ["/v1/chat/completions?version=1+2"]


@pytest.mark.parametrize(
    ("headers", "authorization"),
    [({"api-key": "$APIM_KEY"}, None), ({"Authorization": "Token ${APIM_KEY}"}, f"Token {SECRET}")],
)  # fmt: skip
def test_where_the_headers_say_who_asks_nothing_else_does(made, server, headers, authorization):
    answer(made(headers=headers))
    assert server.headers[0].get("authorization") == authorization


def test_an_older_address_of_azure_is_asked(made, server):
    base_url = server.base_url.replace("/v1", "/openai/deployments/gpt-4o")
    provider = made(base_url, headers={"api-key": "$APIM_KEY"}, query={"api-version": "2024-10-21"})
    assert answer(provider)[0] == "1: hi"
    assert server.paths == ["/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"]


def test_the_body_has_defaults_at_any_depth_and_the_chat_says_otherwise(made, server):
    provider = made(body={"provider": {"order": ["one"], "allow_fallbacks": False}, "seed": 1, "user": "lab"})
    answer(provider, ask(seed=7, provider={"allow_fallbacks": True}))
    sent = server.requests[0]
    assert (sent["seed"], sent["user"]) == (7, "lab")
    assert sent["provider"] == {"order": ["one"], "allow_fallbacks": True}
    assert provider.endpoint.body["provider"]["allow_fallbacks"] is False


def test_the_organization_is_said(made, server):
    answer(made(organization="org-1"))
    assert server.headers[0]["openai-organization"] == "org-1"


def test_a_variable_that_is_not_set_is_named_before_anything_is_sent(made, server):
    _, error = failure(made(headers={"api-key": "$APIM_KEY"}, environ={}), kind=KeyMissing)
    assert "APIM_KEY" in str(error)
    assert not server.requests


def test_a_variable_that_is_set_anew_is_sent(made, server):
    environ = {"APIM_KEY": "first-1"}
    provider = made(headers={"api-key": "$APIM_KEY"}, environ=environ)
    answer(provider)
    environ["APIM_KEY"] = "second-2"
    answer(provider)
    assert [headers["api-key"] for headers in server.headers] == ["first-1", "second-2"]


def test_a_secret_in_a_header_is_seen_nowhere(made, server, caplog):
    caplog.set_level(logging.DEBUG)
    server.fail(403, {"error": {"message": f"the subscription {SECRET} is used up"}})
    provider = made(headers={"api-key": "$APIM_KEY"})
    _, error = failure(provider)
    server.chunks = ["your ", SECRET[:9], SECRET[9:], " is it"]
    events = list(provider.stream(ask()))
    for seen in (str(error), said(events), repr(provider), repr(provider.endpoint), caplog.text):
        assert SECRET not in seen
        assert SECRET[5:20] not in seen
        assert_no_key(seen)
