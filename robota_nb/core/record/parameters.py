"""What settings of a chat may be called: parameters of its requests, fields of their bodies, and what it does itself.

Of the parameters that servers know, their types are known, too, so that a wrong one is told before it is sent. A name
that is not in the table is sent: servers have parameters of their own.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from robota_nb.errors import InvalidName, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "BODY", "CHOICES", "RESERVED_KEYS", "SUMMARY", "body_field", "check_param", "check_param_key", "is_param",
    "is_summary", "names_key",
]  # fmt: skip

BODY: Final = "body."
"""Before the name of a field of the body that is no parameter's, or not to be checked, as in ``body.provider``."""

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "pictures": ("all", "latest", "none"),
    "thinking": ("drop", "keep"),
})  # fmt: skip
"""Settings of what a chat sends and keeps, which go into no request, and their values; the first is the usual one."""

SUMMARY: Final = "summary"
"""The setting that says which summary a chat sends in the place of its beginning, by the id of the entry, as JSON."""

RESERVED_KEYS = frozenset({"chat", "deleted", "description", "from", "name", "session", "state"})
"""Keys of ``set`` entries that are no parameters of a request."""

_SUMMARY = re.compile(r'"e_[0-9a-f]{32}"')
_KEY_NAME = re.compile(
    r"(?i:(\w+[-_])?(api[-_]?key|auth[-_]?token|access[-_]?token|secret[-_]?key|authorization|bearer|password)"
    r"|key|token|secret)"
)
_OF_ENDPOINTS = frozenset({
    "api_base", "api_type", "api_version", "azure_endpoint", "base_url", "cookies", "default_headers",
    "default_query", "endpoint", "extra_body", "extra_headers", "extra_query", "headers", "host", "http_client",
    "organization", "project", "proxy", "url", "websocket_base_url",
})  # fmt: skip
"""The address of a server and the credentials for it, as parameters are called: some servers obey them in a request."""
_OF_REQUESTS = frozenset({"max_retries", "messages", "stream", "timeout"})
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_EXTRA = "extra_body"
_NOT_IN_BODIES = _OF_ENDPOINTS - {_EXTRA} | {"messages", "model", "stream"}

_NUMBER, _COUNT, _TEXT, _FLAG, _LIST, _OBJECT = (int, float), (int,), (str,), (bool,), (list,), (dict,)
_WORDS: Mapping[type, str] = {
    int: "a whole number", float: "a number", str: "text", bool: "true or false", list: "a list", dict: "an object",
}  # fmt: skip

KNOWN: Mapping[str, tuple[type, ...]] = MappingProxyType({
    # Chat Completions (platform.openai.com/docs/api-reference/chat/create)
    "audio": _OBJECT, "frequency_penalty": _NUMBER, "function_call": (str, dict), "functions": _LIST,
    "logit_bias": _OBJECT, "logprobs": _FLAG, "max_completion_tokens": _COUNT, "max_tokens": _COUNT,
    "metadata": _OBJECT, "modalities": _LIST, "n": _COUNT, "parallel_tool_calls": _FLAG, "prediction": _OBJECT,
    "presence_penalty": _NUMBER, "prompt_cache_key": _TEXT, "reasoning_effort": _TEXT, "response_format": _OBJECT,
    "safety_identifier": _TEXT, "seed": _COUNT, "service_tier": _TEXT, "stop": (str, list), "store": _FLAG,
    "stream_options": _OBJECT, "temperature": _NUMBER, "tool_choice": (str, dict), "tools": _LIST,
    "top_logprobs": _COUNT, "top_p": _NUMBER, "user": _TEXT, "verbosity": _TEXT, "web_search_options": _OBJECT,
    # what vLLM, llama.cpp, Ollama, Mistral and OpenRouter take besides
    "chat_template_kwargs": _OBJECT, "grammar": _TEXT, "ignore_eos": _FLAG, "keep_alive": (str, int, float),
    "length_penalty": _NUMBER, "min_p": _NUMBER, "min_tokens": _COUNT, "mirostat": _COUNT, "num_ctx": _COUNT,
    "num_predict": _COUNT, "options": _OBJECT, "random_seed": _COUNT, "repeat_last_n": _COUNT,
    "repeat_penalty": _NUMBER, "repetition_penalty": _NUMBER, "safe_prompt": _FLAG, "stop_token_ids": _LIST,
    "tfs_z": _NUMBER, "top_a": _NUMBER, "top_k": _COUNT, "typical_p": _NUMBER,
})  # fmt: skip
"""Request parameters that servers are known to take, and the types that their values may have."""

_LIKENESS = 0.85
"""From here on two names are taken for one that is misspelt: ``temprature``, not ``top_n`` for ``top_k``."""


def names_key(word: str) -> bool:
    """Say whether the value under this name would be a key, as in ``api_key=…``, which nothing may repeat."""
    return _KEY_NAME.fullmatch(word) is not None


def is_param(key: str) -> bool:
    """Say whether *key* may name a parameter of a request."""
    if not _KEY.fullmatch(key) or names_key(key):
        return False
    return key not in _OF_ENDPOINTS | _OF_REQUESTS | RESERVED_KEYS


def is_summary(value: str) -> bool:
    """Say whether a value of the setting `SUMMARY` names an entry: format 1.0 may have sent another as a parameter."""
    return _SUMMARY.fullmatch(value) is not None


def body_field(key: str) -> str:
    """Return the field of a request's body that *key* names, as in ``body.provider``; empty if it names none."""
    field = key.removeprefix(BODY)
    return field if field != key and _may_be_field(field) else ""


def is_safe(field: str, value: object) -> bool:
    """Say whether a value may go into a field of the body: what is in ``extra_body`` is as if it stood in the body."""
    return field != _EXTRA or not isinstance(value, dict) or all(_may_be_field(name) for name in value)


def _may_be_field(name: str) -> bool:
    return bool(_FIELD.fullmatch(name)) and not names_key(name) and name.lower() not in _NOT_IN_BODIES


def check_param_key(key: str) -> str:
    """Return *key* if it may name a request parameter or a field of the body, else raise `InvalidName`."""
    name = key.removeprefix(BODY)
    if names_key(name):  # what is given as a setting stands in the notebook
        raise InvalidName(f"{key[:40]} is no setting of a chat", hint="config.key")
    if body_field(key) or key in CHOICES:
        return key
    if name == _EXTRA:
        raise InvalidName(f"{_EXTRA} is an argument of the openai package: {BODY}NAME=VALUE sends any field of a body")
    if name in _OF_ENDPOINTS:
        raise InvalidName(f"{key} is no setting of a chat", hint="config.endpoint")
    if name != key or not is_param(key):
        form = "letters, digits, '_' and '-'" if name != key else "lower-case letters, digits and _"
        pattern = _FIELD if name != key else _KEY
        why = f"must be {form}" if not pattern.fullmatch(name) else "is reserved"
        raise InvalidName(f"setting {key[:40]!r} {why}: use the provider's parameter name, such as temperature=0.2")
    return key


def check_param(key: str, value: object) -> None:
    """Tell a misspelt setting, and a value that it never has, before either is sent.

    Raises
    ------
    InvalidName
        It is none that is known, and nearly one that is.
    SnapshotError
        Its value is none that it may have, or sets what only the user's configuration may.
    """
    if field := body_field(key):
        if not is_safe(field, value):
            raise SnapshotError(f"{key} names a server or a key", hint="config.endpoint")
        return
    if key == SUMMARY:
        raise SnapshotError(
            f"{SUMMARY} is no setting to type; {BODY}{key}=… sends it to the server", hint="chat.compact"
        )
    if values := CHOICES.get(key):
        if value not in values:
            said = f"{', '.join(values[:-1])} or {values[-1]}"
            raise SnapshotError(f"{key} is {said}, not {str(value)[:40]!r}; {BODY}{key}=… sends it to the server")
        return
    types = KNOWN.get(key)
    if types is None:
        if near := _misspelt(key, (*KNOWN, *CHOICES)):
            raise InvalidName(f"no parameter is called {key!r}; did you mean {near!r}? {BODY}{key}=… sends it anyway")
    elif value is not None and type(value) not in types:
        # Of a number the whole ones are the more special kind, which need not be named beside it.
        kinds = " or ".join(_WORDS[type_] for type_ in types if type_ is not int or float not in types)
        raise SnapshotError(f"{key} is {kinds}, not {str(value)[:40]!r}; {BODY}{key}=… sends it anyway")


def is_text(key: str) -> bool:
    """Say whether a parameter's value is always text, so that ``user=12345`` needs no quotes."""
    return KNOWN.get(key) == _TEXT


def _misspelt(key: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(key[:100], known, n=1, cutoff=_LIKENESS)), "")
