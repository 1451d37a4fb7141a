"""What servers count, under whatever names."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.core.ports import Usage
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.sse import EventParser
from robota_nb.providers.openai.usage import Counts


def counted(*holders):
    counts = Counts()
    for holder in holders:
        counts.take(holder)
    return counts.usage()


OPENAI = {
    "prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46,
    "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 2, "accepted_prediction_tokens": 3},
}  # fmt: skip
PARTS = {"cached_tokens": 8, "input_audio_tokens": 1, "reasoning_tokens": 20, "output_audio_tokens": 2,
         "accepted_prediction_tokens": 3}  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "more"),
    [
        (OPENAI, PARTS),
        (
            {"input_tokens": 12, "output_tokens": 34, "output_tokens_details": {"reasoning_tokens": 20}},
            {"reasoning_tokens": 20},
        ),
        (
            {"input_tokens": 12, "output_tokens": 34, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 2},
            {"cached_tokens": 8, "cache_creation_input_tokens": 2},
        ),
        (
            {"prompt_tokens": 12, "completion_tokens": 34, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 4},
            {"cached_tokens": 8, "prompt_cache_miss_tokens": 4},
        ),
        (
            {
                "promptTokenCount": 12,
                "candidatesTokenCount": 34,
                "thoughtsTokenCount": 20,
                "totalTokenCount": 66,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 1}],
            },
            {"reasoning_tokens": 20, "total_tokens": 66, "input_audio_tokens": 1},
        ),
        ({"prompt_eval_count": 12, "eval_count": 34, "eval_duration": 4799921000}, {}),
        ({"inputTokens": 12, "outputTokens": 34}, {}),
        ({"prompt_tokens": 12.0, "completion_tokens": 33.6, "cost": 1.0, "cost_details": {"upstream": 2}}, {}),
        (
            {"prompt_tokens": "12", "completion_tokens": 34, "num_search_queries": 3, "is_byok": False},
            {"num_search_queries": 3},
        ),
        ({"prompt_tokens": 12, "total_tokens": 46, "completion_tokens": None}, {}),
        ({"prompt_tokens": 12, "completion_tokens": 34, "queue_time": 1, "Über": 5, "x" * 90: 6}, {}),
    ],
)
def test_names_are_known(usage, more):
    assert counted({"usage": usage}) == Usage(input_tokens=12, output_tokens=34, more=more)


@pytest.mark.parametrize(
    "holder", [{"usageMetadata": OPENAI}, {"x_groq": {"id": "r", "usage": OPENAI}}, {"usage": OPENAI}]
)
def test_they_are_found_where_servers_put_them(holder):
    assert counted(holder) == Usage(input_tokens=12, output_tokens=34, more=PARTS)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        [],
        "x",
        {"prompt_tokens": -1},
        {"prompt_tokens": float("nan"), "completion_tokens": True},
        {"prompt_tokens": 2**53},
        {"cached_tokens": 5},
    ],
)
def test_what_cannot_be_read_is_no_usage_and_takes_no_other_away(bad):
    assert counted({"usage": bad}) is None
    usage = counted({"usage": OPENAI}, {"usage": bad})
    assert (usage.input_tokens, usage.output_tokens) == (12, 34)


def test_one_count_alone_is_at_least_that():
    assert counted({"usage": {"prompt_tokens": 12}}) == Usage(input_tokens=12, at_least=True)


counts = st.integers(0, 2**53 - 1)
usages = st.fixed_dictionaries({"prompt_tokens": counts, "completion_tokens": counts})
zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@given(st.lists(usages, min_size=1), st.lists(st.sampled_from([None, {}, zeros, {"prompt_tokens": "?"}]), max_size=3))
def test_the_last_good_one_of_a_stream_counts(good, bad):
    chunks = [{"choices": [{"index": 0, "delta": {"content": "x"}}], "usage": usage} for usage in (*good, *bad)]
    parser, reply = EventParser(), Reply()
    reply.take(parser.feed(b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks)))
    usage = reply.finish().usage
    last = next((each for each in reversed(good) if any(each.values())), good[-1])
    assert (usage.input_tokens, usage.output_tokens) == (last["prompt_tokens"], last["completion_tokens"])


def test_a_usage_beside_the_delta_is_read():
    reply = Reply()
    reply.take_whole(json.dumps({"choices": [{"message": {"content": "x"}, "usage": OPENAI}]}).encode())
    assert reply.finish().usage == Usage(input_tokens=12, output_tokens=34, more=PARTS)
