"""When a server wants to be asked again, in all the forms in which servers say it."""

import time
from datetime import UTC, datetime

import pytest

from robota_nb.providers.waits import limit_reset, wait_said


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-ratelimit-reset-requests": "1s"}, 1),
        ({"x-ratelimit-reset-tokens": "6m0s"}, 360),
        ({"x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"x-ratelimit-reset-requests": "1h2m3.5s"}, 3723.5),
        ({"x-ratelimit-reset-requests": "24h0m0s", "x-ratelimit-reset-tokens": "7s"}, 7),
        (
            {
                "x-ratelimit-reset-requests": "24h0m0s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "7s",
                "x-ratelimit-remaining-tokens": "900",
            },
            86400,
        ),
        ({"ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-reset": ""}, None),
        ({"x-ratelimit-reset": "-5"}, 0),
    ],
)
def test_a_limit_says_when_it_is_lifted(headers, seconds):
    assert limit_reset(headers) == seconds


@pytest.mark.parametrize(
    "moment",
    [
        lambda at: str(int(at)),
        lambda at: str(int(at * 1000)),
        lambda at: datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
    ],
)
def test_a_limit_may_name_the_moment(moment):
    assert 50 < limit_reset({"x-ratelimit-reset": moment(time.time() + 60)}) <= 61


def test_anthropics_limits_have_names_of_their_own():
    later = datetime.fromtimestamp(time.time() + 60, UTC).isoformat()
    headers = {"anthropic-ratelimit-tokens-reset": later, "anthropic-ratelimit-tokens-remaining": "0"}
    assert 50 < limit_reset(headers) <= 61


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ('{"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "35.5s"}]}', 35.5),
        ("Please retry in 12.5s.", 12.5),
        ("Please try again in 20 seconds", 20),
        ("try again in 2 minutes", 120),
        ("Try again in 250ms", 0.25),
        ("retry after 3 s", 3),
        ('{"error": "loading", "estimated_time": 20.0}', 20),
        ("try again later", None),
        ("", None),
    ],
)
def test_the_body_may_say_how_long(body, seconds):
    assert wait_said(body) == seconds
