"""Make the pictures of the documentation: ``python docs/picture.py``, or some: ``… replay``, ``… readme people``.

``replay`` draws docs/replay.svg: a page after one cell was edited, and what each cell sees. ``readme`` takes
docs/quickstart.png (it needs the extra ``test``, and Chromium): it runs the quickstart in a real JupyterLab, with its
chats beside it, changes a variable, and asks again. ``people`` takes those of docs/people.md, which a test tells:
tests/browser/test_people.py; it needs pandas, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from support.page import Notebook

ROOT = Path(__file__).parent.parent

# -- what each cell sees

TITLE = "What each cell sees after cell 2 was edited and run"
DESCRIPTION = """\
A page of five cells; cells 1, 2, 3 and 5 are in the chat Travel, cell 4 is in the chat Numbers. Beside each cell stand
the answers above it that it sees. Cell 1 sees nothing, and its answer is fresh. Cell 2 was edited from bus to boat and
run: it saw 1, and was asked. Cell 3 would see 1 and the new answer of 2, but was asked after 1 and the old answer of 2,
so its own answer is stale. Cell 4 is in another chat, and fresh. Cell 5 is new, and would see 1, the new 2, and 3.
Run All asks cells 3 and 5, and replays the others."""

STYLE = """
svg{--page:#fff;--line:#d0d7de;--text:#1f2328;--soft:#57606a;--cell:#f6f8fa;--edge:#8c959f;
--good:#dafbe1;--good-edge:#1a7f37;--hot:#ffe2c4;--hot-edge:#bc4c00;--old:#fff;--new:#ddf4ff;--new-edge:#0969da}
@media(prefers-color-scheme:dark){svg{--page:#0d1117;--line:#30363d;--text:#e6edf3;--soft:#9da7b3;--cell:#161b22;--edge:#6e7681;
--good:#12321d;--good-edge:#3fb950;--hot:#4a2505;--hot-edge:#f0883e;--old:#0d1117;--new:#0c2d4d;--new-edge:#58a6ff}}
text{font:14px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--text)}
.h{font-weight:600}.s{font-size:12.5px;fill:var(--soft)}.m{text-anchor:middle}
.page{fill:var(--page);stroke:var(--line)}.line{stroke:var(--line)}
.cell{fill:var(--cell);stroke:var(--edge)}.edited{stroke:var(--hot-edge);stroke-width:2}
.chip{fill:var(--cell);stroke:var(--edge)}.changed{fill:var(--hot);stroke:var(--hot-edge)}
.gone{fill:var(--old);stroke:var(--soft);stroke-dasharray:4 3}.struck{text-decoration:line-through}
.fresh{fill:var(--good);stroke:var(--good-edge)}.asked{fill:var(--hot);stroke:var(--hot-edge)}
.stale{fill:var(--old);stroke:var(--hot-edge);stroke-width:2;stroke-dasharray:5 3}
.new{fill:var(--new);stroke:var(--new-edge)}
"""
"""The colours of a light and of a dark page; the picture has its own ground, so it can be read on either."""


class Row(NamedTuple):
    """A cell of the page, and what is to be said of it.

    Parameters
    ----------
    chat
        Whose it is, and what was done to it.
    prompt
        What it asks.
    state, why
        How its answer stands, and what that comes from.
    sees
        The answers that it would be sent with now, each as (text, class).
    saw
        Those that it was sent with, if they are others.
    """

    chat: str
    prompt: str
    state: str
    why: str
    sees: tuple[tuple[str, str], ...]
    saw: tuple[tuple[str, str], ...] = ()


FIRST, BOAT, BUS = ("1", "chip"), ("2 boat", "changed"), ("2 bus", "gone")
ROWS = (
    Row("Travel", "Five days in Lisbon.", "fresh", "nothing has changed", ()),
    Row("Travel · edited, run", "By train or by boat?", "asked", "was: “… or by bus?”", (FIRST,)),
    Row("Travel", "What shall I pack?", "stale", "it saw another 2", (FIRST, BOAT), (FIRST, BUS)),
    Row("Numbers", "What is 4 * 85?", "fresh", "another chat", ()),
    Row("Travel · not run yet", "Write it all up.", "new", "nobody was asked", (FIRST, BOAT, ("3", "chip"))),
)
CHIP = 24
"""How high an answer is."""
AT, SEES, STATE, WIDTH, TOP, HIGH, STEP = 20, 244, 470, 640, 62, 52, 66
"""Where the columns begin, how wide it is; where the first cell stands, how high it is, and how far the next one is."""


def replay() -> None:
    """Write docs/replay.svg."""
    (ROOT / "docs" / "replay.svg").write_text(drawn(), encoding="utf-8")


def drawn() -> str:
    """Return the picture of replay, as SVG."""
    parts = [row_of(number, row, TOP + (number - 1) * STEP) for number, row in enumerate(ROWS, 1)]
    end = TOP + len(ROWS) * STEP
    high = end + 58
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" width="{WIDTH}" height="{high}" role="img" \
aria-labelledby="t d">
<title id="t">{escape(TITLE)}</title>
<desc id="d">{escape(DESCRIPTION)}</desc>
<style>{STYLE}</style>
<rect x=".5" y=".5" width="{WIDTH - 1}" height="{high - 1}" rx="8" class="page"/>
{text(AT, 34, "The page", "h")}{text(SEES, 34, "Sees, above it in its chat", "h")}{text(STATE, 34, "Its answer", "h")}
{"".join(parts)}\
<path class="line" d="M{AT} {end + 2}H{WIDTH - AT}"/>
{text(AT, end + 26, "Run All asks 3 and 5, and replays the others.")}
{text(AT, end + 44, "Until 3 runs, its stale answer stays on the page, and 5 would see it.", "s")}
</svg>
"""


def row_of(number: int, row: Row, y: int) -> str:
    """Draw a cell, what it sees, and how its answer stands."""
    edited = " edited" if row.state == "asked" else ""
    middle = y + HIGH // 2
    out = [
        box(AT, y, 200, HIGH, f"cell{edited}"),
        text(AT + 10, y + 19, f"{number} · {row.chat}", "s"),
        text(AT + 10, y + 40, row.prompt),
    ]
    if row.saw:
        out += [text(SEES, y + 17, "now", "s"), chips(SEES + 44, y, row.sees)]
        out += [text(SEES, y + 45, "then", "s"), chips(SEES + 44, y + 28, row.saw)]
    else:
        out += [chips(SEES, middle - 12, row.sees) if row.sees else text(SEES, middle + 5, "nothing", "s")]
    out += [
        box(STATE, y + 2, 62, CHIP, row.state),
        text(STATE + 31, y + 19, row.state, "m"),
        text(STATE, y + 45, row.why, "s"),
    ]
    return "\n".join(out) + "\n"


def chips(x: int, y: int, answers: tuple[tuple[str, str], ...]) -> str:
    """Draw answers in a row."""
    out = list[str]()
    for answer, kind in answers:
        wide = 24 + 8 * (len(answer) - 1)
        struck = " struck" if kind == "gone" else ""
        out += [box(x, y, wide, CHIP, kind), text(x + wide // 2, y + 17, answer, f"m{struck}")]
        x += wide + 6
    return "".join(out)


def box(x: int, y: int, wide: int, high: int, kind: str) -> str:
    """Draw a rectangle; a low one is round at its ends."""
    return f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="{12 if high == CHIP else 4}" class="{kind}"/>'


def text(x: int, y: int, words: str, kind: str = "") -> str:
    """Write a line."""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{named}>{escape(words)}</text>'


# -- the README's picture

WIDE, HIGH_SCREEN = 1_400, 820
PANEL = 640
"""Pixels of the panel: enough for the list beside the talk."""
PICTURE = ROOT / "docs" / "quickstart.png"
TOP_CELL, EDITED, ASKS, STATUS = 8, 11, 12, 13
"""Which cells are at the top of the picture, edited, run because of that, and replaced by the status."""


def readme() -> None:
    """Write docs/quickstart.png."""
    sys.path.insert(0, str(ROOT / "tests"))
    from playwright.sync_api import sync_playwright

    from support.jupyter import JupyterServer  # the tests' own ways of driving JupyterLab
    from support.page import FLAGS, Notebook

    with TemporaryDirectory() as home, sync_playwright() as playwright:
        server = JupyterServer(home, "lab").start()
        try:
            path = Path(shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", server.work))
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": WIDE, "height": HIGH_SCREEN}, device_scale_factor=2)
            take(Notebook(page, server, path).open())
            browser.close()
        finally:
            server.stop()
    shrink(PICTURE)


def shrink(picture: Path) -> None:
    """Write a picture with fewer colours, where there is pngquant."""
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--output", str(picture), "64", str(picture)], check=True)


def people() -> None:
    """Write docs/people/*.png."""
    folder = ROOT / "docs" / "people"
    folder.mkdir(exist_ok=True)
    told = [sys.executable, "-m", "pytest", "-q", "-n", "0", str(ROOT / "tests" / "browser" / "test_people.py")]
    subprocess.run(told, cwd=ROOT, env={**os.environ, "ROBOTA_NB_PICTURES": str(folder)}, check=True)
    for picture in folder.glob("*.png"):
        shrink(picture)


def take(notebook: Notebook) -> None:
    """Take the picture of what happens when a prompt has changed."""
    from support.switcher import Switcher

    page = notebook.page
    page.keyboard.press("Control+b")  # the side bar
    notebook.restart_and_run_all()
    page.evaluate("() => void window.jupyterapp.commands.execute('robota:open-chats')")
    panel = Switcher(page, "#robota-nb-chats").ready()
    handle = page.locator(".lm-SplitPanel-handle:visible").last.bounding_box()
    page.mouse.move(handle["x"] + 1, handle["y"] + HIGH_SCREEN / 2)
    page.mouse.down()
    page.mouse.move(WIDE - PANEL, handle["y"] + HIGH_SCREEN / 2)
    page.mouse.up()
    panel.root.locator(".robota-chat").first.wait_for()
    notebook.edit(EDITED, "nights, price = 5, 85")
    notebook.run(EDITED, ASKS)
    notebook.save()
    notebook.edit(STATUS, "%robota")
    notebook.run(STATUS)
    notebook.cell(TOP_CELL).evaluate("cell => cell.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(500)  # what moves has come to rest
    page.screenshot(path=PICTURE)


if __name__ == "__main__":
    for name in sys.argv[1:] or ["replay", "readme", "people"]:
        {"replay": replay, "readme": readme, "people": people}[name]()
