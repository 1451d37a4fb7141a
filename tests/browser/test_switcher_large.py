"""Thousands of chats and turns in the switcher: little is in the page, and little goes over the wire."""

import json
import re

import pytest

from support.large import CHATS, LIMITS, TURNS, crowded
from support.notebook import write
from support.switcher import LOAD, Switcher

pytestmark = pytest.mark.slow("drives real applications in a browser")

CHUNKS = 10_000
FOR_VIEWS = re.compile(rb'"op": ?"(status|lists|transcript|turns|arriving|text|arrived|answer|picture)"')


class Traffic:
    """The bytes that come from the kernel for views."""

    def __init__(self, page):
        self.size = self.messages = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._received))

    def _received(self, payload):
        data = payload.encode() if isinstance(payload, str) else payload
        if FOR_VIEWS.search(data):
            self.size += len(data)
            self.messages += 1

    def begin(self):
        self.size = self.messages = 0


@pytest.fixture(scope="module")
def snapshot():
    return crowded()


@pytest.fixture
def visited(context, work, lab, snapshot):
    from support.page import Notebook

    path = write(
        work / "crowded.ipynb", LOAD, LIMITS, "%robota ui", metadata={"robota_nb": json.loads(json.dumps(snapshot))}
    )
    tab = context.new_page()
    traffic = Traffic(tab)
    page = Notebook(tab, lab, path).open()
    page.run()
    switcher = Switcher(tab).ready()
    tab.wait_for_function(
        f"root => root.querySelector('.robota-chat')?.getAttribute('aria-setsize') === '{CHATS}'",
        arg=switcher.root.element_handle(),
    )
    yield page, switcher, traffic
    lab.end_kernels()


def test_all_are_there_and_few_are_in_the_page(visited):
    page, switcher, _ = visited
    switcher.active("chat 7")
    count = switcher.root.locator(".robota-chat")
    assert count.count() < 60
    switcher.part("filter").fill("chat 1234")
    switcher.lists("chat 1234")
    switcher.part("filter").fill("")
    switcher.row("Long").locator(".robota-choose").focus()
    page.page.keyboard.press("End")
    switcher.row("chat 0").wait_for()
    assert count.count() < 60


def test_a_switch_to_a_long_chat_costs_little_and_its_beginning_is_found(visited):
    page, switcher, traffic = visited
    switcher.active("chat 7")
    traffic.begin()
    switcher.choose("Long")
    switcher.root.get_by_label(f"Turn {TURNS} of {TURNS}").wait_for()
    assert traffic.messages
    assert traffic.size < 100_000
    assert switcher.root.locator(".robota-turn").count() < 60
    switcher.root.locator(".robota-transcript").evaluate("list => { list.scrollTop = 0; }")
    first = switcher.root.get_by_label(f"Turn 1 of {TURNS}")
    first.locator(".robota-prompt", has_text="turn 0: ").wait_for()
    assert switcher.root.locator(".robota-turn").count() < 60


def test_a_long_answer_costs_little_more_than_its_text_and_arrives_whole(opened, work, server, context):
    words = [f"word{number} " for number in range(CHUNKS)]
    server.reply, server.batch = (lambda _: words), 20
    traffic = None

    def watch(page):
        nonlocal traffic
        traffic = Traffic(page)

    context.on("page", watch)
    page = opened(write(work / "long.ipynb", LOAD, "%robota ui"))
    page.run()
    switcher = Switcher(page.page).ready()
    traffic.begin()
    switcher.send("go on", wait=False)
    switcher.turn("go on").locator("[data-part=show-all]").click()
    switcher.root.locator(".robota-markdown", has_text=f"word{CHUNKS - 1}").wait_for()
    switcher.rests()
    size = sum(map(len, words))
    pieces = switcher.turn("go on").locator(".robota-markdown").all_text_contents()
    assert len(pieces) > 2
    assert " ".join("".join(pieces).split()) == "".join(words).strip()
    assert traffic.size <= 3 * size
