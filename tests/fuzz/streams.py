"""What a model's server sends: any bytes, cut anywhere, are the same events and the same answer, or one problem."""

import json
from random import Random

from robota_nb.core.ports import Echo
from robota_nb.providers.openai.answer import Problem
from robota_nb.providers.openai.reply import Reply
from robota_nb.providers.openai.responses_reply import ResponsesReply
from robota_nb.providers.openai.sse import EventParser, SseError

from . import mutations
from .harness import Target

CAPS = (12, 200, 1_000_000)
"""Bytes that an event may have."""


def pieces(data):
    """Return the case as it may come: in pieces that depend on nothing but the case."""
    rng = Random(data)
    most = 1 + len(data) // rng.choice((1, 4, 50))
    found, at = [b""], 0
    while at < len(data):
        start, at = at, at + rng.randint(1, most)
        found.append(data[start:at])
    return found


def sse(data):
    cap = CAPS[len(data) % len(CAPS)]
    whole = events([data], cap)
    assert events(pieces(data), cap) == whole
    found, failed = whole
    return f"{cap} {min(len(found), 5)} {failed} {any(event.event for event in found)}"


def events(parts, cap):
    """Return the events, and whether an error ended them."""
    parser, found, failed = EventParser(max_event_bytes=cap), [], False
    try:
        for part in parts:
            for event in parser.feed(part):
                assert len(event.data.encode()) <= cap
                found.append(event)
            assert len(parser._buffer) <= cap + 2  # so much is kept, and no more
        found += parser.close()
    except SseError:
        failed = True
    return found, failed


def reply(data, kind=Reply):
    whole, cut = answer([data], kind), answer(pieces(data), kind)
    assert cut == whole
    text, (*calls, finish), problem, is_complete = whole
    check_answer(text, finish)
    check_calls(calls)
    once = kind()
    once.take_whole(data.split(b"data: ", 1)[-1].partition(b"\n")[0])
    check_answer(once.text(last=True), once.finish())
    of_whole = once.problem and once.problem.what
    ended = f"{finish.reason} {bool(text)} {min(len(calls), 3)} {bool(finish.usage)}"
    return f"{ended} {problem} {is_complete} | {of_whole}"


def responses(data):
    return reply(data, ResponsesReply)


def answer(parts, kind):
    """Return what the provider makes of a body: the text, the calls and how it ended, and what is wrong."""
    parser, taken, texts = EventParser(max_event_bytes=CAPS[-1]), kind(), []
    for part in parts:
        taken.take(parser.feed(part))
        texts.append(taken.text())
        if taken.over:
            break
    else:
        taken.end(parser.close())
    texts.append(taken.text(last=True))
    assert taken.problem is None or type(taken.problem) is Problem
    return "".join(texts), list(taken.outcome(echoes=True)), taken.problem and taken.problem.what, taken.complete


def check_answer(text, finish):
    text.encode()  # well-formed
    assert finish.model.isprintable()
    assert len(finish.model) <= 200
    if finish.usage:
        assert min(finish.usage.input_tokens, finish.usage.output_tokens) >= 0


def check_calls(told):
    for each in told:
        if isinstance(each, Echo):
            assert all(isinstance(json.loads(item), dict) and item.encode() for item in each.items)
        else:
            assert each.name
            assert (each.id + each.name + each.arguments).encode()  # well-formed


def a_stream(rng, case, other):
    """Change the JSON of an event, or the bytes."""
    lines, donors = case.split(b"\n"), [line for line in other.split(b"\n") if is_chunk(line)]
    at = rng.randrange(len(lines))
    if rng.random() < 0.3 or not (is_chunk(lines[at]) and donors):
        return mutations.as_bytes(rng, case, other)
    made = mutations.as_json(rng, lines[at][6:], rng.choice(donors)[6:])
    if rng.random() < 0.5:  # characters as they are, and not as escapes
        made = json.dumps(json.loads(made), ensure_ascii=False).encode("utf-8", "surrogatepass")
    lines[at] = b"data: " + made
    return b"\n".join(lines)


def is_chunk(line):
    try:
        return line.startswith(b"data: ") and isinstance(json.loads(line[6:]), dict)
    except (ValueError, RecursionError):
        return False


TARGETS = [
    Target("sse", mutate=mutations.as_bytes, check=sse),
    Target("reply", mutate=a_stream, check=reply),
    Target("responses", mutate=a_stream, check=responses),
]
