"""What a server may send, by name; public as `robota_nb.testing.SHAPES`.

Each shape says what an honest client may make of it: how the answer may end, and which text has arrived. The test of
a provider plays them all to it: no cut answer may pass for a whole one, and no text that arrived may be lost.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, Final

from robota_nb.testing.servers.fault_server import Act, Shape, http
from robota_nb.testing.servers.local_server import DONE, delta, event, frame, head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from robota_nb.testing.servers.fault_server import Play, Step

_MODEL = "fault-model"
_HELLO: Final = "Hello, world"
_HTML = b"<!doctype html><title>Welcome</title><p>Sign in to continue"


def _chunk(content: Any, reason: Any = None, **more: Any) -> bytes:
    return delta(_MODEL, {"content": content, **more}, reason)


def _event(choices: Any, **more: Any) -> bytes:
    return event(head(_MODEL) | {"choices": choices, **more})


_USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
_ROLE = delta(_MODEL, {"role": "assistant", "content": ""})
_TWO = _chunk("Hello, ") + _chunk("world")
_STOP = delta(_MODEL, {}, "stop")
_END = _STOP + DONE
_COUNT = _event([], usage=_USAGE)
_CHUNKED = http(headers={"Transfer-Encoding": "chunked"})


def _shape(
    name: str, ends: str, text: str, *steps: Step, play: Play | None = None, exact: bool = True, slow: bool = False
) -> Shape:
    return Shape(
        name=name, play=play or (lambda _: steps), ends=frozenset(ends.split()), text=text, exact=exact, slow=slow
    )


def _stream(name: str, ends: str, text: str, *steps: Step, exact: bool = True, slow: bool = False) -> Shape:
    return _shape(name, ends, text, http(), *steps, exact=exact, slow=slow)


def _body(name: str, kind: str, body: bytes, *, ends: str = "error", text: str = "") -> Shape:
    return _shape(name, ends, text, http(kind, headers={"Content-Length": str(len(body))}), body)


def _status(status: str, body: bytes = b"", kind: str = "application/json", **headers: str) -> Shape:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return _shape(f"status/{'-'.join([status[:3], *fields]).lower()}", "error", "", http(kind, status, fields), body)


def _completion(content: Any, reason: str | None = "stop", **more: Any) -> bytes:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return json.dumps({"object": "chat.completion", "model": _MODEL, "choices": [choice], **more}).encode()


def _said(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "scripted", "code": None}}).encode()


def _bytewise(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def _refuses_options(status: str, body: Any, *, always: bool = False) -> Play:
    """Refuse `stream_options`, which the client sends on its own account."""

    def play(request: Mapping[str, Any]) -> Iterable[Step]:
        if always or "stream_options" in request:
            return http("application/json", status), json.dumps(body).encode()
        return http(), _TWO, _END

    return play


def _endless(*first: bytes, every: bytes) -> Play:
    def play(_: Mapping[str, Any]) -> Iterator[Step]:
        yield from first
        while True:
            yield every
            yield 0.005

    return play


def _bomb(_: Mapping[str, Any]) -> Iterator[Step]:
    """Pack 200 MB into 200 kB."""
    yield http(headers={"Content-Encoding": "gzip"})
    yield gzip.compress(bytes(1_000_000)) * 200


_WHOLE = [
    _stream("whole/plain", "stop", _HELLO, _ROLE, _TWO, _END),
    _stream("whole/byte by byte", "stop", _HELLO, *_bytewise(_ROLE + _TWO + _END)),
    _stream("whole/with usage", "stop", _HELLO, _ROLE, _TWO, _STOP, _COUNT, DONE),
    _stream("whole/reason with the last text", "stop", _HELLO, _chunk("Hello, "), _chunk("world", "stop"), DONE),
    _stream("whole/reason alone", "stop", _HELLO, _TWO, _STOP),
    _stream("whole/done alone", "unknown", _HELLO, _TWO, DONE),
    _stream("whole/done without a space", "stop", _HELLO, _TWO, _STOP, b"data:[DONE]\n\n"),
    _stream("whole/done without an empty line", "stop", _HELLO, _TWO, _STOP, b"data: [DONE]"),
    _stream("whole/without spaces", "stop", _HELLO, (_TWO + _END).replace(b"data: ", b"data:")),
    _stream("whole/empty", "stop", "", _ROLE, _END),
    _stream("whole/length", "length", _HELLO, _TWO, delta(_MODEL, {}, "length"), DONE),
    _stream("whole/content filter", "content_filter", _HELLO, _TWO, delta(_MODEL, {}, "content_filter"), DONE),
    _stream("whole/unknown reason", "stop", _HELLO, _TWO, delta(_MODEL, {}, "because"), DONE),
    _stream("whole/reason error", "error", _HELLO, _TWO, delta(_MODEL, {}, "error"), DONE),
    _stream("whole/refusal", "stop", "No.", delta(_MODEL, {"refusal": "No."}), _END),
    _stream("whole/parts", "stop", _HELLO, _chunk([{"type": "text", "text": _HELLO}, {"type": "image"}]), _END),
    _stream("whole/reasoning", "stop", _HELLO, _chunk(None, reasoning_content="Hm."), _TWO, _END),
    _stream("whole/alternatives", "stop", _HELLO, _TWO, _event([{"index": 1, "delta": {"content": "No"}}]), _END),
    _shape("whole/chunked", "stop", _HELLO, _CHUNKED, frame(_ROLE), frame(_TWO), frame(_END), b"0\r\n\r\n"),
    _shape(
        "whole/chunks across events", "stop", _HELLO, _CHUNKED, frame(_TWO[:50]), frame(_TWO[50:] + _END), b"0\r\n\r\n"
    ),
    _shape(
        "whole/odd head",
        "stop",
        _HELLO,
        b"HTTP/1.0 200\r\ncontent-TYPE:TEXT/Event-Stream ; charset=x\r\n\r\n",
        _TWO,
        _END,
    ),
    _shape("whole/continue first", "stop", _HELLO, b"HTTP/1.1 100 Continue\r\n\r\n", http(), _TWO, _END),
    _body("whole/not streamed", "application/json", _completion(_HELLO), ends="stop", text=_HELLO),
    _body("whole/not streamed, called a stream", "text/event-stream", _completion(_HELLO), ends="stop", text=_HELLO),
    _body("whole/not streamed, no reason", "application/json", _completion(_HELLO, None), ends="unknown", text=_HELLO),
]

_ENDS = [
    _stream("ends/after text", "unknown", _HELLO, _ROLE, _TWO),
    _stream("ends/after the role", "error", "", _ROLE),
    _stream("ends/in an event", "error", "Hello, ", _TWO[:-20]),
    _stream("ends/in a character", "error", "a", _chunk("a"), _chunk("é")[: _chunk("é").index("é".encode()) + 1]),
    _stream("ends/in done", "error unknown", _HELLO, _TWO, b"data: [DO"),
    _stream("ends/after a comment", "unknown", _HELLO, _TWO, b": still here\n\n"),
    _stream("ends/reset after text", "error", _HELLO, _TWO, Act.RESET, exact=False),
    _stream("ends/reset after the reason", "stop error", _HELLO, _TWO, _STOP, Act.RESET, exact=False),
    _stream("ends/reset after the head", "error", "", Act.RESET),
    _shape("ends/before the head", "error", ""),
    _shape("ends/reset before the head", "error", "", Act.RESET),
    _shape("ends/in the status line", "error", "", b"HTTP/1.1 20"),
    _shape("ends/in the head", "error", "", http()[:40]),
    _shape("ends/in a chunk", "error", _HELLO, _CHUNKED, frame(_TWO), frame(_END)[:30]),
    _shape("ends/between chunks", "error", _HELLO, _CHUNKED, frame(_TWO)),
    _shape("ends/chunks after the reason", "stop", _HELLO, _CHUNKED, frame(_TWO + _STOP)),
    _shape("ends/before its length", "error", _HELLO, http(headers={"Content-Length": "5000"}), _TWO),
    _shape("ends/not streamed, cut", "error", "", http("application/json"), _completion(_HELLO)[:90]),
]

_ERRORS = [
    _stream("error/object", "error", _HELLO, _TWO, event({"error": {"message": "overloaded"}})),
    _stream("error/words", "error", _HELLO, _TWO, event({"error": "overloaded"})),
    _stream("error/event", "error", _HELLO, _TWO, b'event: error\ndata: {"message": "overloaded"}\n\n'),
    _stream("error/whole object", "error", _HELLO, _TWO, event({"object": "error", "message": "overloaded"})),
    _stream("error/list", "error", _HELLO, _TWO, event({"error": ["overloaded"]})),
    _stream("error/then done", "error", _HELLO, _TWO, event({"error": {"code": 503}}), DONE),
    _stream("error/first", "error", "", event({"error": {"message": "overloaded"}})),
    _stream("error/detail", "error", _HELLO, _TWO, event({"detail": "overloaded"})),
    _stream(
        "error/null beside text", "stop", _HELLO, _event([{"index": 0, "delta": {"content": _HELLO}}], error=None), _END
    ),
    _stream("error/after the reason", "error", _HELLO, _TWO, _STOP, event({"error": "overloaded"})),
    _body("error/json", "application/json", _said("overloaded")),
]

_NO_STREAMS = [
    _body("no stream/html", "text/html; charset=utf-8", _HTML),
    _body("no stream/text", "text/plain", b"hello"),
    _body("no stream/nothing", "", b""),
    _body("no stream/empty", "text/event-stream", b""),
    _body("no stream/html called a stream", "text/event-stream", _HTML),
    _body("no stream/other json", "application/json", b'{"ok": true}'),
    _body("no stream/list", "application/json", b"[]"),
    _body("no stream/null", "application/json", b"null"),
    _body("no stream/bad json", "application/json", b"{oops"),
    _body("no stream/utf-16", "application/json", '{"choices": ['.encode("utf-16")),
    _body("no stream/only comments", "text/event-stream", b": hello\n\n: hello\n\n"),
    _shape("no stream/no http", "error", "", b"SSH-2.0-OpenSSH_9.9\r\n"),
    _shape("no stream/endless head", "error", "", b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 300_000),
    _shape("no stream/another protocol", "error", "", http("", "101 Switching Protocols", {"Upgrade": "x"}), _TWO),
]

_STATUSES = [
    _status("204 No Content"),
    _status("302 Found", Location="https://example.com/"),
    _status("307 Temporary Redirect", Location="/v1/elsewhere"),
    _status("400 Bad Request", _said("no")),
    _status("401 Unauthorized", _said("no")),
    _status("402 Payment Required", b'{"detail": "no"}'),
    _status("403 Forbidden", _HTML, "text/html"),
    _status("404 Not Found", b"not found", "text/plain"),
    _status("408 Request Timeout"),
    _status("409 Conflict", b"[]"),
    _status("413 Content Too Large", b"x" * 1_000_000),
    _status("422 Unprocessable Content", b'{"detail": [{"loc": ["body"], "msg": "no"}]}'),
    _status("429 Too Many Requests", _said("slow down")),
    _status("429 Too Many Requests", _said("slow down"), Retry_After="3600"),
    _status("429 Too Many Requests", _said("slow down"), X_Should_Retry="false"),
    _status("500 Internal Server Error", b"\xff\xfe"),
    _status("502 Bad Gateway", _HTML, "text/html"),
    _status("503 Service Unavailable", Retry_After="Fri, 01 Jan 2100 00:00:00 GMT"),
    _status("599 Odd", b'{"error": ' + b"[" * 100_000),
]

_BYTES = [
    _stream("bytes/bad json", "error", "Hello, ", _chunk("Hello, "), b"data: {oops}\n\n", _chunk("world"), _END),
    _stream("bytes/bad utf-8", "error", "Hello, ", _chunk("Hello, "), b'data: {"\xff"}\n\n', _END),
    _stream("bytes/byte order mark", "stop", _HELLO, b"\xef\xbb\xbf", _TWO, _END),
    _stream("bytes/crlf", "stop", _HELLO, (_TWO + _END).replace(b"\n", b"\r\n")),
    _stream("bytes/crlf byte by byte", "stop", _HELLO, *_bytewise((_TWO + _END).replace(b"\n", b"\r\n"))),
    _stream("bytes/cr", "stop", _HELLO, (_TWO + _END).replace(b"\n", b"\r")),
    _stream("bytes/comments", "stop", _HELLO, b": hi\n\n", _chunk("Hello, "), b":\n:\n", _chunk("world"), _END),
    _stream("bytes/ids and retries", "stop", _HELLO, b"id: 1\nretry: 99\n", _TWO, b"retry: soon\nid: \0\n\n", _END),
    _stream("bytes/named events", "stop", _HELLO, (_TWO + _END).replace(b"data:", b"event: message\ndata:")),
    _stream("bytes/unknown fields", "stop", _HELLO, b"x\ny: z\n", _TWO, b"datax: {oops\n\n", _END),
    _stream("bytes/data in two lines", "stop", _HELLO, (_TWO + _END).replace(b',"choices"', b',\ndata: "choices"')),
    _stream("bytes/empty data", "stop", _HELLO, b"data:\n\n", _TWO, b"data: \n\n", _END),
    _stream("bytes/empty lines", "stop", _HELLO, b"\n\n\n", _TWO, b"\n\n\n", _END),
    _stream("bytes/split characters", "stop", "é😀", *_bytewise(_chunk("é😀")), _END),
    _stream(
        "bytes/split escapes",
        "stop",
        "😀",
        _chunk("\\ud83d").replace(b"\\\\", b"\\"),
        _chunk("\\ude00").replace(b"\\\\", b"\\"),
        _END,
    ),
    _stream("bytes/half an escape", "stop", "a\ufffdb", _chunk("a\\ud83d").replace(b"\\\\", b"\\"), _chunk("b"), _END),
    _stream("bytes/u+2028", "stop", "a\u2028b\u2029c\x85d", _chunk("a\u2028b\u2029c\x85d"), _END),
    _stream("bytes/line ends", "stop", "a\r\nb\rc\n", _chunk("a\r\nb\rc\n"), _END),
    _stream("bytes/controls", "stop", "a\0\x1b[31m\x7fb", _chunk("a\0\x1b[31m\x7fb"), _END),
    _stream("bytes/not a number", "stop", _HELLO, _TWO.replace(b'"created":0', b'"created":NaN'), _END),
    _stream("bytes/a key twice", "stop", _HELLO, _TWO.replace(b'"object"', b'"model":"x","object"'), _END),
]

_CHUNKS = [
    _stream("chunk/empty choices", "stop", _HELLO, _event([]), _TWO, _event([]), _END),
    _stream("chunk/null choices", "stop", _HELLO, _TWO, _event(None), _END),
    _stream("chunk/no choices", "stop", _HELLO, event(head(_MODEL)), _TWO, _END),
    _stream("chunk/usage only", "stop", _HELLO, _COUNT, _TWO, event({"usage": _USAGE}), _END),
    _stream("chunk/null content", "stop", _HELLO, _chunk(None), _TWO, _chunk(None), _END),
    _stream("chunk/null delta", "stop", _HELLO, _TWO, delta(_MODEL, None), _END),
    _stream("chunk/no delta", "stop", _HELLO, _TWO, _event([{"index": 0}]), _event([{"finish_reason": "stop"}]), DONE),
    _stream(
        "chunk/repeated roles", "stop", _HELLO, _chunk("Hello, ", role="assistant"), _chunk("world", role="x"), _END
    ),
    _stream("chunk/no index", "stop", _HELLO, _event([{"delta": {"content": _HELLO}}]), _END),
    _stream("chunk/index as words", "stop error", _HELLO, _event([{"index": "0", "delta": {"content": _HELLO}}]), _END),
    _stream("chunk/bare", "stop", _HELLO, event({"choices": [{"delta": {"content": _HELLO}}]}), _END),
    _stream("chunk/delta as words", "error", "Hello, ", _chunk("Hello, "), delta(_MODEL, "world"), _END),
    _stream("chunk/delta as list", "error", "Hello, ", _chunk("Hello, "), delta(_MODEL, ["world"]), _END),
    _stream("chunk/content as number", "error", "Hello, ", _chunk("Hello, "), _chunk(7), _END),
    _stream("chunk/content as object", "error", "Hello, ", _chunk("Hello, "), _chunk({"text": "world"}), _END),
    _stream("chunk/choices as number", "error", "Hello, ", _chunk("Hello, "), _event(7), _END),
    _stream("chunk/choices as object", "error", "Hello, ", _chunk("Hello, "), _event({"0": "world"}), _END),
    _stream("chunk/null choice", "error", "Hello, ", _chunk("Hello, "), _event([None]), _END),
    _stream("chunk/reason as number", "unknown", _HELLO, _TWO, delta(_MODEL, {}, 7), DONE),
    _stream("chunk/reason as list", "error", _HELLO, _TWO, delta(_MODEL, {}, ["stop"]), DONE),
    _stream("chunk/reason before text", "stop", _HELLO, _chunk("Hello, ", "stop"), _chunk("world"), DONE),
    _stream("chunk/model as number", "stop", _HELLO, event({"model": 7, "choices": []}), _TWO, _END),
    _stream("chunk/usage as words", "stop", _HELLO, _event([], usage="lots"), _TWO, _STOP, _event([], usage=[1]), DONE),
    _stream("chunk/usage below zero", "stop", _HELLO, _TWO, _STOP, _event([], usage={"prompt_tokens": -1}), DONE),
    *(
        _stream(f"chunk/{name}", "error", "Hello, ", _chunk("Hello, "), event(value), _chunk("world"), _END)
        for name, value in {"list": [1], "number": 7, "words": "world", "null": None}.items()
    ),
]

_CALL: dict[str, Any] = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_TOOLS = [
    _stream("tools/call", "tool_calls", "", delta(_MODEL, {"tool_calls": [{"index": 0, **_CALL}]}, "tool_calls"), DONE),
    _stream(
        "tools/no index",
        "tool_calls",
        "",
        delta(_MODEL, {"tool_calls": [_CALL]}),
        delta(_MODEL, {}, "tool_calls"),
        DONE,
    ),
    _stream(
        "tools/text, then call", "tool_calls", _HELLO, _TWO, delta(_MODEL, {"tool_calls": [_CALL]}, "tool_calls"), DONE
    ),
    _stream("tools/null call", "stop", _HELLO, _chunk(_HELLO, tool_calls=None), _END),
    _stream("tools/odd call", "stop", _HELLO, _chunk(_HELLO, tool_calls=[7, None, "f"]), _END),
    _stream("tools/old function call", "tool_calls", "", delta(_MODEL, {"function_call": {}}, "function_call"), DONE),
]

_AFTER = [
    _stream("after/text after the reason", "stop", "Hello, world!", _TWO, _STOP, _chunk("!"), DONE),
    _stream("after/text after done", "stop", _HELLO, _TWO, _END, _chunk("!")),
    _stream("after/noise after done", "stop", _HELLO, _TWO, _END, b"data: {oops\n\n\xff\xff"),
    _stream("after/noise after the reason", "error", _HELLO, _TWO, _STOP, b"data: {oops\n\n"),
    _stream("after/second reason", "length", _HELLO, _TWO, _STOP, delta(_MODEL, {}, "length"), DONE),
    _stream("after/done twice", "stop", _HELLO, _TWO, _END, DONE),
    _stream("after/done first", "stop unknown error", "", DONE, _TWO, _END),
]

_PING = b": ping\n\n"
_SLOW = [
    _shape("slow/no head", "error", "", Act.STALL, slow=True),
    _stream("slow/no text", "error", "", Act.STALL, slow=True),
    _stream("slow/stall in the text", "error", "Hello, ", _chunk("Hello, "), Act.STALL, slow=True, exact=False),
    _stream("slow/stall in an event", "error", "Hello, ", _TWO[:-20], Act.STALL, slow=True, exact=False),
    _stream("slow/stall after the reason", "stop error", _HELLO, _TWO, _STOP, Act.STALL, slow=True, exact=False),
    _stream("slow/stall after done", "stop", _HELLO, _TWO, _END, Act.STALL),
    _shape("slow/pings", "error", "", play=_endless(http(), every=_PING), slow=True),
    _shape("slow/pings after text", "error", _HELLO, play=_endless(http(), _TWO, every=_PING), slow=True, exact=False),
    _shape(
        "slow/pings after the reason",
        "stop error",
        _HELLO,
        play=_endless(http(), _TWO + _STOP, every=_PING),
        slow=True,
        exact=False,
    ),
    _shape("slow/empty chunks", "error", "", play=_endless(http(), every=_event([])), slow=True),
    _shape("slow/in the head of a chunk", "error", "", play=_endless(_CHUNKED, b"5;", every=b"x"), slow=True),
]

_MEGABYTE = b"x" * 1_000_000
_TEXTS = _chunk("x" * 1000) * 900
_LONG_TEXT = "x" * 2_000_000  # more than anybody keeps
_SIZES = [
    _stream("size/20 MB event", "error", "Hello, ", _chunk("Hello, "), b'data: {"x":"', *[_MEGABYTE] * 20),
    _stream("size/20 MB comment", "error", "Hello, ", _chunk("Hello, "), b":", *[_MEGABYTE] * 20),
    _stream("size/20 MB of comments", "error", "", *[b": %b\n\n" % (b"x" * 9_996) * 100] * 20),
    _stream("size/20 MB of text", "length error", _LONG_TEXT, *[_TEXTS] * 20, _END, exact=False),
    _shape("size/20 MB chunk", "length error", _LONG_TEXT, _CHUNKED, b"1312d00\r\n", *[_TEXTS] * 20, exact=False),
    _shape("size/20 MB not streamed", "error", "", http("application/json"), b'{"x": "', *[_MEGABYTE] * 20),
    _stream("size/deep nesting", "error", "Hello, ", _chunk("Hello, "), b"data: " + b"[" * 100_000 + b"\n\n", _END),
    _stream("size/deep nesting, whole", "error", "", b"data: " + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"\n\n"),
    _body("size/deep nesting, not streamed", "application/json", b"[" * 100_000),
    _stream("size/long number", "error stop", _HELLO, _TWO, b'data: {"created": ' + b"9" * 100_000 + b"}\n\n", _END),
    _shape("size/gzip", "error", "", http(headers={"Content-Encoding": "gzip"}), gzip.compress(_TWO + _END)),
    _shape("size/gzip bomb", "error", "", play=_bomb),
    _shape("size/unknown packing", "error", "", http(headers={"Content-Encoding": "zstd, br"}), b"\x28\xb5\x2f\xfd"),
]

_OPTIONS = "Unrecognized request argument supplied: stream_options"
_DETAIL = {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "not permitted"}]}
_REFUSALS = [
    _shape("options/400", "stop", _HELLO, play=_refuses_options("400 Bad Request", {"error": {"message": _OPTIONS}})),
    _shape("options/422", "stop", _HELLO, play=_refuses_options("422 Unprocessable", _DETAIL)),
    _shape("options/always", "error", "", play=_refuses_options("400 No", {"error": _OPTIONS}, always=True)),
]

SHAPES: Final[tuple[Shape, ...]] = (
    *_WHOLE,
    *_ENDS,
    *_ERRORS,
    *_NO_STREAMS,
    *_STATUSES,
    *_BYTES,
    *_CHUNKS,
    *_TOOLS,
    *_AFTER,
    *_SLOW,
    *_SIZES,
    *_REFUSALS,
)
"""What a server may send, each with what an honest client may make of it; `FaultServer` plays them."""
