"""What real servers have said, each in its own form: the words are shown, and the next step is the one that helps."""

import itertools
import json
from dataclasses import replace

import pytest

from robota_nb.core.ports import Remark, Request
from robota_nb.display.hints import HINTS, told
from robota_nb.providers.keys.secret import KeySource, Secret
from robota_nb.providers.said import reports_error, said_in
from robota_nb.providers.server_errors import ServerErrors
from support.provider import answer, ask, failure, lab_provider

LONG = "%robota chat compact sends a summary of its beginning"
QUOTA = "the account has no quota left"
MODEL = "%robota chat set model=NAME chooses another"
KEY = "refused the key"


def error(message, **more):
    return {"error": {"message": message, **more}}


SAID = {
    "openai, too long": (
        400,
        error("This model's maximum context length is 8 tokens.", code="context_length_exceeded"),
        LONG,
    ),
    "anthropic, too long": (
        400,
        {"type": "error", "error": {"message": "prompt is too long: 210 > 200 maximum"}},
        LONG,
    ),
    "llama.cpp, too long": (400, error("the request exceeds the available context size", n_ctx=4096), LONG),
    "gemini, too long": (
        400,
        [error("The input token count (12) exceeds the maximum number of tokens allowed (10).")],
        LONG,
    ),
    "tgi, too long": (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 9."}, LONG),
    "lm studio, too long": (400, {"error": "the model is loaded with context length of only 4096 tokens"}, LONG),
    "groq, too long": (413, error("Request too large for model `m` on tokens per minute (TPM): Limit 6000"), LONG),
    "vllm, too long an answer": (
        400,
        {"message": "max_tokens is too large: 5000."},
        "%robota chat set max_tokens=NUMBER",
    ),
    "openai, quota": (
        429,
        error("You exceeded your current quota, please check your plan.", code="insufficient_quota"),
        QUOTA,
    ),
    "deepseek, quota": (402, error("Insufficient Balance"), QUOTA),
    "anthropic, quota": (400, error("Your credit balance is too low to access the API."), QUOTA),
    "openrouter, quota": (402, error("This request requires more credits, or fewer max_tokens.", code=402), QUOTA),
    "zhipu, quota": (429, error("余额不足或无可用资源包,请充值。", code="1113"), QUOTA),
    "minimax, quota": (
        200,
        {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
        QUOTA,
    ),
    "openai, rate": (429, error("Rate limit reached for m on requests per min (RPM)."), "limits the rate"),
    "hugging face, loading": (503, {"error": "Model m is currently loading", "estimated_time": 900.0}, "still loading"),
    "llama.cpp, loading": (503, error("Loading model", type="unavailable_error"), "ask again in a minute"),
    "gemini, key": (400, [error("API key not valid. Please pass a valid API key.", status="INVALID_ARGUMENT")], KEY),
    "dashscope, key": (400, {"code": "InvalidApiKey", "message": "No valid credential.", "request_id": "r"}, KEY),
    "cloudflare, key": (400, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}, KEY),
    "ollama, model": (404, error('model "lab-model" not found, try pulling it first'), "run `ollama pull lab-model`"),
    "openai, model": (404, error("The model `m` does not exist or you do not have access to it."), MODEL),
    "openrouter, model": (400, error("m is not a valid model ID", code=400), MODEL),
    "openai, other api": (
        404,
        error("This model is only supported in the Responses API."),
        MODEL,
    ),
    "openai, no chat": (404, error("This is not a chat model. Did you mean to use v1/completions?"), MODEL),
    "fastapi": (422, {"detail": [{"loc": ["body", "top_p"], "msg": "must be below 1"}]}, "top_p: must be below 1"),
    "mistral": (
        422,
        {"object": "error", "message": {"detail": [{"loc": ["body", "top_p"], "msg": "no"}]}},
        "top_p: no",
    ),
    "azure": (
        400,
        error("The response was filtered.", innererror={"code": "ResponsibleAI"}),
        "The response was filtered.",
    ),
    "cloudflare": (403, {"success": False, "errors": [{"code": 7, "message": "magic"}], "messages": []}, "magic"),
    "openrouter": (400, error("Provider returned error", metadata={"raw": json.dumps(error("magic"))}), "error; magic"),
    "spring": (
        500,
        {"timestamp": 1, "status": 500, "error": "Internal Server Error", "path": "/v1"},
        "Internal Server",
    ),
    "problem": (400, {"type": "about:blank", "title": "Bad", "status": 400, "detail": "magic"}, "magic"),
    "aws": (400, {"Message": "magic"}, "magic"),
    "apigee": (400, {"fault": {"faultstring": "magic"}}, "magic"),
    "tencent": (400, {"Response": {"Error": {"Code": "x", "Message": "magic"}}}, "magic"),
    "a page": (
        502,
        "<html><head><title>502 Bad &amp; Gateway</title></head><h1>nginx</h1>",
        "502 Bad & Gateway; nginx",
    ),
    "a stream": (400, 'event: error\ndata: {"error": {"message": "magic"}}\n\ndata: [DONE]\n\n', "said: magic"),
    "words": (400, "upstream connect error", "upstream connect error"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_servers_say_is_told_with_the_next_step_that_helps(server, name):
    status, body, words = SAID[name]
    provider = lab_provider(server, max_retries=0)
    server.fail(status, body)
    _, failed = failure(provider)
    shown = told(failed)
    assert words in shown
    assert len(shown) < 500
    assert shown.isprintable()
    said = said_in(body if isinstance(body, str) else json.dumps(body))
    assert said
    assert said in shown
    provider.close()


@pytest.mark.parametrize("name", [name for name in SAID if "quota" in name or "key" in name])
def test_what_does_not_pass_is_asked_once(server, name):
    status, body, _ = SAID[name]
    provider = lab_provider(server, max_retries=2)
    server.fail(status, body)
    failure(provider)
    assert len(server.requests) == 1
    provider.close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"error": "Model m is currently loading", "estimated_time": 0.01}),
        (429, [{"error": {"message": "You exceeded your current quota", "details": [{"retryDelay": "0.01s"}]}}]),
        (429, error("Rate limit reached. Please try again in 10ms.")),
    ],
)
def test_a_server_that_names_a_time_is_asked_again_after_it(server, status, body):
    provider = lab_provider(server, max_retries=1)
    server.fail(status, body)
    assert answer(provider)[0] == "2: hi"
    provider.close()


@pytest.mark.parametrize("status", [504, 524])
def test_what_may_have_been_billed_is_not_sent_again(server, status):
    provider = lab_provider(server, max_retries=2)
    server.fail(status, "<html><title>A timeout occurred</title>", headers={"Retry-After": "0"})
    _, failed = failure(provider)
    assert "may have been billed" in str(failed)
    assert len(server.requests) == 1
    provider.close()


@pytest.mark.parametrize("name", SAID)
def test_the_text_of_an_error_is_one_short_line_and_five_hundred_characters_of_a_server_are_kept(name):
    known, body, _ = SAID[name]
    turns = range(10_001, 10_012)
    words = f"{said_in(body if isinstance(body, str) else json.dumps(body))} {'word ' * 100}"
    whole = " ".join(words.split())[:499] + "…"
    for status, place in itertools.product((known, 401, 402, 500), ("keyring", "environment")):
        key = Secret("no such word", KeySource(place, "K" * 60))
        failed = ServerErrors("e" * 64, key, "m" * 99, turns, files=turns).refused(status, {}, words).error
        assert failed.said == whole
        for text in (str(failed), told(failed)):
            assert len(text) < 500
            assert text.isprintable()
            assert text.endswith("…)")
            assert whole.startswith(text.rpartition("(it said: ")[2][:-2])
        failed.reword(HINTS)
        assert str(failed) == told(failed) == text


def test_words_of_a_server_that_have_room_are_shown_whole(server, lab):
    words = "word " * 50 + "end."
    server.fail(400, error(words))
    _, failed = failure(lab)
    assert str(failed).endswith(f"(it said: {words})")
    assert failed.said == words


# -- pictures


def with_pictures(*questions):
    """A request of so many questions, whose marked ones have a picture."""
    picture = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    messages = [{"role": "system", "content": "be brief"}]
    for has_one in questions:
        messages += [
            {"role": "user", "content": picture if has_one else "hi"},
            {"role": "assistant", "content": "fine"},
        ]
    return Request(model="", messages=messages[:-1])


NO_PICTURES = [
    "m is not a multimodal model",
    "No endpoints found that support image input",
    "unknown variant `image_url`, expected `text`",
    "messages[0].content must be a string",
    "image input is not supported - hint: you may need to provide the mmproj",
    "At most 0 image(s) may be provided in one request.",
    "Invalid content type. image_url is only supported by certain models.",
]


WITHOUT = "%robota chat set pictures=none goes on without them, %robota chat fork NAME"


@pytest.mark.parametrize("message", NO_PICTURES)
def test_pictures_that_a_model_does_not_take_are_named_by_their_turns(server, lab, message):
    for questions, words in {
        "-##-": f"turns 2, 3 of the chat sent some: {WITHOUT} --at 1 before them",
        "#-": f"turn 1 of the chat sent some: {WITHOUT} --at 0 before them",
        "-#": ": ask without it",
        "#-#": "turn 1 of the chat sent some: ask without it",
    }.items():
        server.fail(400, error(message))
        _, failed = failure(lab, with_pictures(*(one == "#" for one in questions)))
        assert words in told(failed)
        assert message.split(" - ")[0] in told(failed)


def test_the_turns_of_pictures_are_numbered_as_in_the_chat_whatever_of_it_is_sent(server, lab):
    server.fail(400, error(NO_PICTURES[0]))
    _, failed = failure(lab, replace(with_pictures(False, True, True, False), turns=(7, 9, 12)))
    assert "turns 9, 12 of the chat sent some" in told(failed)
    assert "--at 8 before them" in told(failed)


NO_FILES = [
    "Invalid 'messages[1]'. Content blocks are expected to be either text or image_url type.",
    "Invalid value: 'file'. Supported values are: 'text'",
    "Unknown part type: file",
    "unsupported content[].type",
    "audio input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
    "This model does not support PDF input.",
    "No endpoints found that support input audio",
    "messages[0].content must be a string",
]


def with_files(*questions):
    """A request of so many questions, whose marked ones have a PDF."""
    request = with_pictures(*questions)
    for message in request.messages:
        if isinstance(message["content"], list):
            message["content"] = [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:;base64,AA=="}}]
    return request


@pytest.mark.parametrize("message", NO_FILES)
def test_files_that_a_model_does_not_take_are_named_by_their_turns(server, lab, message):
    for questions, words in (
        ((False, True, False), "turn 2 of the chat sent some: %robota chat fork NAME --at 1 goes on before them"),
        ((False, True), "takes no PDF or sound with the model 'lab-model' (HTTP 400): ask without it"),
    ):
        server.fail(400, error(message))
        _, failed = failure(lab, with_files(*questions))
        assert words in told(failed)
        assert message.split(" - ")[0] in told(failed)
    server.fail(400, error(message))
    assert "PDF or sound" not in told(failure(lab)[1]).partition("(it said")[0]


@pytest.mark.parametrize("message", NO_PICTURES)
def test_without_pictures_they_are_no_matter(server, lab, message):
    server.fail(400, error(message))
    assert "of the chat sent some" not in told(failure(lab)[1])


# -- what a question can be asked without

UNKNOWN = "Unsupported parameter: '{}' is not supported with this model."
INSTEAD = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
VALUE = (
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."
)
EXTRA = {"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra inputs"}]}


@pytest.mark.parametrize(
    ("params", "refusals", "sent"),
    [
        ({"max_tokens": 9}, [error(INSTEAD, param="max_tokens")], {"max_completion_tokens": 9}),
        ({"max_completion_tokens": 9}, [EXTRA], {"max_tokens": 9}),
        ({"temperature": 0.2}, [error(VALUE, param="temperature")], {}),
        ({"temperature": 0.2, "top_p": 1}, [error(VALUE), error(UNKNOWN.format("top_p"))], {}),
        ({"max_tokens": 9}, [error(INSTEAD), error(UNKNOWN.format("max_completion_tokens"))], {}),
        ({"max_tokens": 9, "temperature": 0.2}, [error(INSTEAD), error(VALUE)], {"max_completion_tokens": 9}),
    ],
)
def test_a_parameter_that_is_refused_is_renamed_or_left_out_and_that_is_told(server, lab, params, refusals, sent):
    for refusal in refusals:
        server.fail(400, refusal)
    events = list(lab.stream(ask(**params)))
    remarks = [event.text for event in events if isinstance(event, Remark)]
    assert len(remarks) == len(refusals)
    assert all("'lab-model'" in remark for remark in remarks)
    fixed = {"model", "messages", "stream", "stream_options"}
    assert {key: value for key, value in server.requests[-1].items() if key not in fixed} == sent
    again = list(lab.stream(ask(**params)))  # and from then on
    assert not any(isinstance(event, Remark) for event in again)
    assert len(server.requests) == len(refusals) + 2


@pytest.mark.parametrize(
    "body",
    [
        error("this account may not stream this model", param="stream", code="unsupported_value"),
        error("Streaming is not supported for this model"),
        {"detail": [{"loc": ["body", "stream"], "msg": "Input should be False"}]},
    ],
)
def test_a_model_that_may_not_be_streamed_is_asked_in_one_piece(server, lab, body):
    server.fail(400, body)
    server.whole()
    remark, *rest = list(lab.stream(ask()))
    assert "does not stream" in remark.text
    assert rest[0].text == "2: hi"
    assert not {"stream", "stream_options"} & set(server.requests[-1])


@pytest.mark.parametrize("message", ["temperature must be between 0 and 2", "Invalid type for 'temperature': 'hot'"])
def test_a_value_that_is_wrong_is_not_left_out(server, lab, message):
    server.fail(400, error(message, param="temperature"))
    _, failed = failure(lab, ask(temperature=7))
    assert message in str(failed)
    assert len(server.requests) == 1


def test_a_server_that_refuses_everything_is_asked_a_few_times_only(server, lab):
    for _ in range(9):
        server.fail(400, error("temperature, max_tokens, stream and max_completion_tokens are not supported"))
    failure(lab, ask(temperature=1, max_tokens=9))
    assert len(server.requests) < 8


# -- words


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [{"delta": {}}], "message": ""},
        {"code": 0, "message": "success", "data": {}},
        {"code": 200, "msg": "ok"},
        {"status": "completed"},
        {"error": None, "errors": [], "base_resp": {"status_code": 0, "status_msg": "success"}},
        {"status": "queued", "id": "r"},
    ],
)
def test_what_is_no_error_is_none(value):
    assert not reports_error(value)


@pytest.mark.parametrize("text", ["", "{}", "[]", "{oops", "[" * 100_000, '{"a":' * 50_000, "<" * 60_000, "7"])
def test_a_body_without_words_has_none(text):
    assert said_in(text) in ("", text if text[:1] in "<7" else "")
