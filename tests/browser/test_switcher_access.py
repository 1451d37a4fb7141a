"""The switcher for everybody: axe finds nothing serious, in any theme and state, and it fits into little room."""

import threading
from importlib.util import find_spec

import pytest

from support.require import require
from support.switcher import Switcher, notebook

pytestmark = pytest.mark.slow("drives real applications in a browser")

ANSWER = """# Heading

Text with `code`, **bold**, a [link](https://example.org) and $x^2$.

```python
def f(x):
    return x  # as it is
```

- one
- two

| a | b |
|---|---|
| 1 | 2 |
"""
THEMES = ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"]


@pytest.fixture
def axe():
    require("browser", find_spec("axe_playwright_python"), "pip install '.[test]'")
    from axe_playwright_python.sync_playwright import Axe

    def check(switcher):
        found = Axe().run(switcher.page, context=".robota-switcher").response["violations"]
        serious = [
            f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]
        assert serious == []

    return check


@pytest.fixture
def talk(opened, work, server):
    server.reply = lambda _: ANSWER
    page = opened(notebook(work, "%robota new Left", "%%robota\nl1", "%robota new Right", "%%robota\nr1"))
    page.run()
    yield page, Switcher(page.page).ready()
    page.dress(THEMES[0])  # the application remembers it


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_serious_in_any_state(talk, axe, server, theme):
    page, switcher = talk
    page.dress(theme)
    switcher.turn("r1").locator("pre").wait_for()
    axe(switcher)
    switcher.part("session-menu").click()
    axe(switcher)
    switcher.page.keyboard.press("Escape")
    switcher.act("r1", "edit")
    switcher.part("edit-area").wait_for()
    axe(switcher)
    switcher.page.keyboard.press("Escape")
    switcher.chat_menu("Left", "Rename")
    switcher.part("name").wait_for()
    axe(switcher)
    switcher.part("name").press("Escape")
    switcher.act("r1", "retry")
    switcher.turn("r1").get_by_text("2/2").wait_for()
    switcher.chat_menu("Left", "Delete")
    switcher.note("was deleted")
    axe(switcher)
    server.chunks, server.gate = ["so", " far"], threading.Event()
    switcher.send("stream", wait=False)
    switcher.root.locator(".robota-arriving").get_by_text("so").wait_for()
    axe(switcher)
    server.gate.set()
    switcher.rests()


def test_it_fits_into_320_pixels(talk):
    page, switcher = talk
    switcher.root.evaluate("root => { root.style.width = '320px'; }")
    switcher.part("drawer").wait_for()
    wide = """root => [...root.querySelectorAll('.robota-main-part, .robota-bar, .robota-draft, .robota-turn')]
        .filter(part => part.scrollWidth > part.clientWidth + 1).map(part => part.className)"""
    assert switcher.root.evaluate(wide) == []
    switcher.part("drawer").click()
    switcher.choose("Left")
    switcher.says("l1", switcher.turn("l1").locator(".robota-markdown").evaluate("e => e.textContent.trim()"))
    assert switcher.root.evaluate("root => root.scrollWidth <= 320")


def test_it_does_not_jump_while_an_answer_arrives_and_follows_it_unless_the_reader_has_scrolled_up(talk, server):
    _, switcher = talk
    gate = threading.Event()
    server.chunks, server.gate, server.gate_after = ["A long line of words.\n\n" * 60, "The end."], gate, 1
    switcher.send("go on", wait=False)
    arriving = switcher.root.locator(".robota-arriving")
    arriving.get_by_text("A long line").last.wait_for()
    scroller = switcher.root.locator(".robota-transcript")
    at_end = "list => list.scrollHeight - list.scrollTop - list.clientHeight < 3"
    switcher.page.wait_for_function(at_end, arg=scroller.element_handle())
    scroller.hover()
    switcher.page.mouse.wheel(0, -300)
    switcher.page.wait_for_function(f"list => !({at_end})(list)", arg=scroller.element_handle())
    top = scroller.evaluate("list => list.scrollTop")
    gate.set()
    switcher.rests()
    switcher.turn("go on").locator(".robota-foot").wait_for(state="attached")
    assert abs(scroller.evaluate("list => list.scrollTop") - top) < 2
