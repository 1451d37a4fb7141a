"""Pictures of the switcher, to be looked at: ``ROBOTA_NB_PICTURES`` names the directory that keeps them."""

import os
import threading
from pathlib import Path

import pytest

from support.switcher import Switcher, notebook

pytestmark = pytest.mark.slow("drives real applications in a browser")

ANSWER = """Group by the key *once*, and aggregate columns that are numbers:

```python
totals = frame.groupby("city", observed=True)["price"].agg(["mean", "count"])
```

| way | time |
| --- | --- |
| strings as keys | 1.9 s |
| `category` | 0.2 s |

The cost grows as $O(n \\log n)$ only if you sort.
"""
LAB = "() => void window.jupyterapp.commands.execute('robota:open-chats')"


@pytest.fixture
def pictures(tmp_path):
    """Where pictures go; a picture that shows nothing is small."""
    place = Path(os.environ.get("ROBOTA_NB_PICTURES", tmp_path))
    place.mkdir(parents=True, exist_ok=True)

    def take(target, name):
        path = place / f"switcher-{name}.png"
        target.screenshot(path=path, animations="disabled")
        assert path.stat().st_size > 10_000

    return take


@pytest.fixture
def talk(opened, work, server):
    server.reply = lambda _: ANSWER
    names = ("Feature ideas", "Data cleaning", "Why is groupby slow?")
    cells = [cell for name in names for cell in (f"%robota new {name}", "%%robota\nWhy is this slow to group?")]
    page = opened(notebook(work, *cells))
    page.run()
    switcher = Switcher(page.page).ready()
    switcher.root.locator("mjx-container").wait_for()
    yield page, switcher
    page.dress("JupyterLab Light")  # the application remembers it


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_in_a_cell(talk, pictures, theme):
    page, switcher = talk
    page.dress(f"JupyterLab {theme}")
    switcher.root.scroll_into_view_if_needed()
    switcher.turn("Why is this slow to group?").hover()
    pictures(switcher.root, theme.lower())


def test_narrow(talk, pictures):
    _, switcher = talk
    switcher.root.evaluate("root => { root.style.width = '320px'; }")
    switcher.part("drawer").wait_for()
    pictures(switcher.root, "narrow")
    switcher.part("drawer").click()
    switcher.row("Data cleaning").wait_for()
    pictures(switcher.root, "narrow-list")


def test_streaming(talk, pictures, server):
    _, switcher = talk
    server.reply, server.gate, server.gate_after = (lambda _: [ANSWER[:150], ANSWER[150:]]), threading.Event(), 1
    switcher.send("And with polars?", wait=False)
    switcher.root.locator(".robota-arriving pre").wait_for()
    pictures(switcher.root, "streaming")
    server.gate.set()
    switcher.rests()


def test_beside_the_notebook(talk, pictures):
    page, _ = talk
    page.page.evaluate(LAB)
    panel = Switcher(page.page, "#robota-nb-chats").ready()
    panel.root.locator("mjx-container").wait_for()
    pictures(page.page, "panel")
