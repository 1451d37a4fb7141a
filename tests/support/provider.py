"""What the tests of the providers share."""

import pickle
import traceback

from robota_nb.core.ports import Finish, ReasoningDelta, Request, SignOfLife, TextDelta
from robota_nb.errors import ProviderError
from robota_nb.providers.context import ProviderContext, Timeouts
from robota_nb.providers.endpoint import Endpoint
from robota_nb.providers.keys.lookup import Keys
from robota_nb.providers.openai.provider import OpenAIProvider

CANARY = "sk-CANARY7hQ2xV9mRt4Lw8Zp"
FRAGMENTS = [CANARY[start : start + 5] for start in range(3, len(CANARY) - 4)]


class Parrot:
    """A provider that answers with what it was asked, in the name of a model."""

    name = "echo"

    def __init__(self, model="m"):
        self.model = model

    def default(self):
        return "echo", "m"

    def get(self, name):
        return self

    def stream(self, request):
        yield TextDelta(request.messages[-1]["content"])
        yield Finish(reason="stop", model=self.model)


def openai_provider(endpoint, *, keys=None, environ=None, max_retries=2, timeouts=None, **caps):
    """The provider of an endpoint; *timeouts* are the arguments of `Timeouts`."""
    context = ProviderContext(
        endpoint=endpoint,
        keys=keys or Keys(environ),
        timeouts=Timeouts(**timeouts or {}),
        max_retries=max_retries,
    )
    return OpenAIProvider(context, **caps)


def lab_provider(server, **options):
    endpoint = Endpoint("lab", server.base_url, "LAB_KEY", "lab-model")
    return openai_provider(endpoint, **{"environ": {"LAB_KEY": f" {CANARY}\n"}, "max_retries": 0} | options)


def ask(text="hi", model="", **params):
    return Request(model=model, messages=[{"role": "user", "content": text}], params=params)


def heard(events):
    """The events that say something."""
    return [event for event in events if not isinstance(event, SignOfLife)]


def said(events):
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thought(events):
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


def answer(provider, request=None):
    """Return (text, Finish)."""
    *deltas, finish = heard(provider.stream(request or ask()))
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas)
    assert isinstance(finish, Finish)
    return said(deltas), finish


def failure(provider, request=None, kind=ProviderError):
    """Return (text before the error, error), after checking that the error gives nothing away."""
    events, caught = [], None
    try:
        for event in provider.stream(request or ask()):
            events.append(event)
    except kind as error:
        caught = error
    assert caught is not None, f"no {kind.__name__}, but {events}"
    check_discreet(caught)
    return said(events), caught


def check_discreet(error):
    text = str(error)
    assert "\n" not in text
    assert len(text) < 800
    assert text.isprintable()
    assert "://" not in text
    assert "127.0.0.1" not in text
    assert error.__cause__ is None
    assert error.__context__ is None
    report = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert_no_key(text, report, repr(error), repr(vars(error)), str(pickle.dumps(error)))


def assert_no_key(*texts):
    for text in texts:
        assert not [fragment for fragment in FRAGMENTS if fragment.casefold() in text.casefold()]


def sent(server, n=-1):
    """The messages of a request, as (role, content)."""
    return [(message["role"], message["content"]) for message in server.requests[n]["messages"]]


def prompts(server, n=-1):
    return [content for role, content in sent(server, n) if role == "user"]
