"""What a provider is made with does for each of its asks: a response is closed, in time, whatever happens."""

import threading

import pytest

from robota_nb.core.ports import Finish, TextDelta
from robota_nb.errors import ProviderError
from robota_nb.providers.context import ProviderContext, Timeouts
from robota_nb.providers.endpoint import Endpoint, EndpointError
from robota_nb.providers.keys.lookup import Keys
from robota_nb.providers.retry import FailedAttempt
from support.patience import PATIENCE
from support.provider import CANARY, ask, check_discreet


class Response:
    """A response that ends when it is hung up on."""

    def __init__(self):
        self.hung_up, self.closed = threading.Event(), False

    def hang_up(self):
        self.hung_up.set()

    def close(self):
        self.closed = True


@pytest.fixture
def response():
    return Response()


def context(*, url="https://lab.example", **timeouts):
    endpoint = Endpoint("lab", url, "LAB_KEY", provider="mine")
    return ProviderContext(
        endpoint=endpoint, keys=Keys({"LAB_KEY": CANARY}), timeouts=Timeouts(**timeouts), max_retries=0
    )


def test_the_answer_is_read_with_the_key_and_the_response_is_closed(response):
    keys = []

    def send(key):
        keys.append(key.reveal())
        return response

    def read(_):
        yield TextDelta(f"the key is {CANARY}")
        yield Finish(reason="stop")

    assert list(context().ask(ask(), send, read)) == [TextDelta("the key is …"), Finish(reason="stop")]
    assert (keys, response.closed, response.hung_up.is_set()) == ([CANARY], True, False)


def test_an_answer_that_nobody_hears_out_is_closed(response):
    def read(_):
        yield TextDelta("first")
        yield TextDelta("second")

    stream = context().ask(ask(), lambda key: response, read)
    next(stream)
    stream.close()
    assert response.closed


def test_cancelling_hangs_up(response):
    request = ask()

    def read(_):
        yield TextDelta("first")
        assert response.hung_up.wait(PATIENCE)
        yield Finish(reason="unknown")

    stream = context().ask(request, lambda key: response, read)
    next(stream)
    request.cancellation.cancel()
    assert list(stream) == [Finish(reason="unknown")]
    assert response.closed


@pytest.mark.parametrize("end", [Finish(reason="unknown"), ProviderError("lost the connection: ask again")])
def test_an_end_after_the_deadline_is_that_of_the_deadline(response, end):
    def read(_):
        yield TextDelta("first")
        assert response.hung_up.wait(PATIENCE)
        if isinstance(end, Exception):
            raise end
        yield end

    stream = context(answer=0.05).ask(ask(), lambda key: response, read)
    assert next(stream) == TextDelta("first")
    with pytest.raises(ProviderError, match="endpoint 'lab' had not ended its answer after 1 s") as caught:
        list(stream)
    check_discreet(caught.value)
    assert response.closed


def test_an_answer_that_is_complete_is_an_answer_whenever_it_ends(response):
    def read(_):
        assert response.hung_up.wait(PATIENCE)
        yield Finish(reason="stop")

    assert list(context(answer=0.05).ask(ask(), lambda key: response, read)) == [Finish(reason="stop")]


def test_something_else_than_an_answer_is_fetched_once(response):
    assert context().fetch(lambda key: response, lambda _: ["a model"]) == ["a model"]
    assert response.closed
    failed = FailedAttempt(ProviderError("busy: ask again"), retryable=True)
    with pytest.raises(ProviderError, match="busy"):
        context().fetch(lambda key: failed, list)


def test_a_url_that_cannot_be_asked_gets_no_key():
    def send(key):
        raise AssertionError(key.reveal())

    far = context(url="http://far.example")
    for act in (lambda: list(far.ask(ask(), send, iter)), lambda: far.fetch(send, list)):
        with pytest.raises(EndpointError, match="use https"):
            act()
