"""How much fits into a request, as servers tell it: in their lists of models, and when they refuse one."""

import pytest

from robota_nb.core.ports import KnowsWindow, Request
from robota_nb.errors import ProviderError
from robota_nb.providers.openai.windows import window_said, windows_in


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens", 8192),
        ("Input length 40000 exceeds the maximum context length of 32,768 tokens", 32768),
        ('{"error":{"message":"the request exceeds the available context size","n_ctx":4096}}', 4096),
        ("the request exceeds the available context size (4096 tokens)", 4096),
        ("model context window: 131072", 131072),
        ("the context length is exceeded by 9000 tokens", 0),
        ("maximum context length is 12 tokens", 0),
        ("maximum context length is 99999999999999 tokens", 0),
        ("context length is 1.5", 0),
        ("", 0),
    ],
)
def test_a_refusal_names_it(said, window):
    assert window_said(said) == window


@pytest.mark.parametrize(
    ("body", "windows"),
    [
        (b'{"data": [{"id": "a", "max_model_len": 4096}, {"id": "b"}]}', {"a": 4096}),
        (b'{"data": [{"id": "a", "context_length": 200000, "top_provider": {"context_length": 1}}]}', {"a": 200000}),
        (b'[{"name": "models/a", "context_window": 8192}]', {"a": 8192}),
        (b'{"data": [{"id": "a", "max_model_len": "4096"}, {"id": "b", "max_model_len": true}]}', {}),
        (b'{"data": [{"id": "a", "max_model_len": -1}]}', {}),
        (b"[" * 100_000, {}),
        (b"no JSON", {}),
    ],
)
def test_a_list_of_models_tells_it(body, windows):
    assert windows_in(body) == windows


def test_it_is_not_known_until_the_server_has_told(lab, server):
    assert isinstance(lab, KnowsWindow)
    assert lab.window("m") == 0
    message = "This model's maximum context length is 4096 tokens. However, your messages have 5000"
    server.fail(400, {"error": {"message": message, "code": "context_length_exceeded"}})
    with pytest.raises(ProviderError, match="too long") as caught:
        list(lab.stream(Request(model="m", messages=[{"role": "user", "content": "hi"}], params={})))
    assert "chat.compact()" in str(caught.value)
    assert lab.window("m") == 4096
    assert lab.window("other") == 0
