"""What answers have beside their text, as JupyterLab and the panel show it: a picture, and links nothing follows."""

import pytest

from robota_nb.testing.servers.local_server import DONE, event
from support.notebook import write
from support.switcher import LOAD, Switcher

pytestmark = pytest.mark.slow("drives a real application in a browser")

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
EVIL = "<img src=http://127.0.0.1:9/evil> ![x](http://127.0.0.1:9/evil) \u202eelif"
SOURCES = [
    {"title": "One $x$ [two](http://127.0.0.1:9/)", "url": "https://one.example/a_(b)"},
    {"title": EVIL, "url": "javascript:alert(1)"},
]
IMAGES = [{"image_url": {"url": f"data:image/png;base64,{PIXEL}"}}, {"image_url": {"url": "http://127.0.0.1:9/evil"}}]
THOUGHTS = "Let me <b>see</b>."
NAMES = ["One $x$ [two](http://127.0.0.1:9/)", "<img src=http://127.0.0.1:9/evil> ![x](http://127.0.0.1:9/evil) elif"]


def answer():
    delta = {"content": "So[1][2].", "images": IMAGES, "refusal": "No more.", "reasoning_content": THOUGHTS}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}], "search_results": SOURCES}) + DONE


def test_cells_and_the_panel_show_the_picture_and_the_sources_and_fetch_nothing(opened, work, server, context):
    fetched = []
    context.route("http://127.0.0.1:9/**", lambda route: (fetched.append(route.request.url), route.abort()))
    server.raw(answer())
    page = opened(write(work / "besides.ipynb", LOAD, "%%robota\nis it so?", "%robota ui", metadata={}))
    page.run()
    switcher = Switcher(page.page).ready()
    turn = switcher.turn("is it so?")
    cell = page.cell(1).locator(".jp-OutputArea")
    for where in (cell, turn):
        items = where.locator("ol > li")
        for number, name in enumerate(NAMES):
            items.nth(number).get_by_text(name).wait_for()
        assert items.count() == 3
        links = where.locator("ol a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert links == ["https://one.example/a_%28b%29", "http://127.0.0.1:9/evil"]
        picture = where.locator("img")
        assert picture.count() == 1
        page.page.wait_for_function("image => image.naturalWidth === 1", arg=picture.element_handle())
    assert turn.get_by_text("refused", exact=True).count() == 1
    thoughts = turn.get_by_text(THOUGHTS)
    assert not thoughts.is_visible()
    turn.get_by_text("Thoughts", exact=True).click()
    assert thoughts.is_visible()
    assert cell.get_by_text(THOUGHTS).count() == 0
    page.cell(1).locator("robota-answer-line").wait_for(state="attached")
    assert fetched == []
