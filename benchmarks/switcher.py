"""How fast the switcher is with 2,000 chats and a chat of 2,000 turns, and a notebook with 50 chats of 40 turns each.

``python -m benchmarks.switcher``

In a real JupyterLab in Chromium, whose frames are drawn by the processor where there is no graphics card. Needs the
extra ``test``, and Chromium.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from benchmarks.figure import Figure
from benchmarks.page import line

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.jupyter import JupyterServer  # noqa: E402 - the tests' own ways of driving JupyterLab
from support.large import LIMITS, TURNS, crowded, library  # noqa: E402
from support.notebook import write  # noqa: E402
from support.page import FLAGS, Notebook  # noqa: E402
from support.switcher import LOAD, Switcher  # noqa: E402

RUNS = 7
PANEL = "#robota-nb-chats"

OPEN = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const root = () => document.querySelector('#robota-nb-chats .robota-switcher');
    const began = performance.now();
    await window.jupyterapp.commands.execute('robota:open-chats');
    while (!(root()?.querySelectorAll('.robota-turn:not(.robota-loading)').length > 0)) await frame();
    await frame();
    return performance.now() - began;
}"""
"""Milliseconds from the command to what was said in the active chat."""

DRAWN = """async path => {
    const frame = () => new Promise(requestAnimationFrame);
    const { shell, commands } = window.jupyterapp;
    const panel = () => document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
    const shown = () => panel()?.querySelector('.jp-Cell')?.offsetParent && !panel().querySelector('.jp-Spinner');
    const drawn = () => document.querySelector('#robota-nb-chats > .robota-chats-ui:not([inert]) .robota-turn');
    await commands.execute('robota:open-chats');
    [...shell.widgets('main')].forEach(widget => widget.dispose());
    while (shown() || drawn()) await frame();
    void commands.execute('docmanager:open', { path });
    while (!shown()) await frame();
    const began = performance.now();
    while (!drawn()) await frame();
    return performance.now() - began;
}"""
"""Milliseconds from a notebook's cells to its chats in the panel, by what the notebook has of them.

An empty cell stands below the spinner until the file has come: that is not shown yet.
"""

SEARCH = """async ([words, hit]) => {
    const root = document.querySelector('#robota-nb-chats .robota-switcher');
    const frame = () => new Promise(requestAnimationFrame);
    const filter = root.querySelector('[data-part=filter]');
    const began = performance.now();
    filter.value = words;
    filter.dispatchEvent(new InputEvent('input', { bubbles: true }));
    while (!root.querySelector('.robota-hit')?.textContent.includes(hit)) await frame();
    return performance.now() - began;
}"""
"""Milliseconds from words in the filter to a turn in which they were said."""

SWITCH = """async ([id, label]) => {
    const root = document.querySelector('.jp-OutputArea .robota-switcher');
    const frame = () => new Promise(requestAnimationFrame);
    const began = performance.now();
    root.querySelector(`[data-chat="${id}"] .robota-choose`).click();
    while (!root.querySelector(`.robota-turn[aria-label="${label}"]:not(.robota-loading)`)) await frame();
    await frame();
    return performance.now() - began;
}"""
"""Milliseconds from the click to the last turn of the chosen chat."""

FRAMES = """async ([element, step, seconds]) => {
    const times = [];
    const until = performance.now() + 1000 * seconds;
    while (performance.now() < until) {
        times.push(await new Promise(requestAnimationFrame));
        element.scrollTop += step;
    }
    return (times.length - 1) / (times.at(-1) - times[0]) * 1000;
}"""
"""Frames a second while an element is scrolled by so many pixels each frame."""

TYPING = """async field => {
    const times = [];
    for (const text of ['c', 'ch', 'cha', 'chat', 'chat ', 'chat 1', 'chat 12', 'chat 1', 'chat', 'c', '']) {
        field.value = text;
        field.dispatchEvent(new InputEvent('input', { bubbles: true }));
        for (let i = 0; i < 3; i++) times.push(await new Promise(requestAnimationFrame));
    }
    return (times.length - 1) / (times.at(-1) - times[0]) * 1000;
}"""
"""Frames a second while one types into the filter, a letter every third frame."""


def main() -> int:
    """Return 1 if a limit is missed."""
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        server = JupyterServer(home, "lab").start()
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            figures = [*measured(browser, server), *of_a_library(browser, server)]
            browser.close()
        finally:
            server.stop()
    for figure in figures:
        print(line(figure))
    return 0 if all(figure.holds for figure in figures) else 1


def measured(browser, server):
    path = write(server.work / "crowded.ipynb", LOAD, LIMITS, "%robota ui", metadata={"robota_nb": crowded()})
    opened = []
    for _ in range(RUNS):
        page = browser.new_page(viewport={"width": 1800, "height": 900})
        notebook = Notebook(page, server, path).open()
        notebook.run()
        Switcher(page).ready()
        opened.append(page.evaluate(OPEN))
        if len(opened) < RUNS:
            page.close(run_before_unload=False)
            server.end_kernels()
    yield Figure("open the panel, with 2,000 chats", median(opened), 300, "ms", worst(opened))
    switcher = Switcher(page)
    ids = {name: switcher.row(name).get_attribute("data-chat") for name in ("Long", "chat 7")}
    there, back = [], []
    for _ in range(RUNS):
        there.append(page.evaluate(SWITCH, [ids["Long"], f"Turn {TURNS} of {TURNS}"]))
        back.append(page.evaluate(SWITCH, [ids["chat 7"], "Turn 1 of 1"]))
    yield Figure("switch to the chat of 2,000 turns", median(there), 100, "ms", worst(there))
    yield Figure("switch to a short chat", median(back), 100, "ms", worst(back))
    rows = switcher.root.locator(".robota-rows").element_handle()
    yield slow("scroll through 2,000 chats", page.evaluate(FRAMES, [rows, 40, 3]))
    rows.evaluate("rows => { rows.scrollTop = 0; }")
    switcher.row("Long").wait_for()
    page.evaluate(SWITCH, [ids["Long"], f"Turn {TURNS} of {TURNS}"])
    turns = switcher.root.locator(".robota-transcript").element_handle()
    yield slow("scroll through 2,000 turns", page.evaluate(FRAMES, [turns, -60, 3]))
    yield slow("type into the filter", page.evaluate(TYPING, switcher.part("filter").element_handle()))


def of_a_library(browser, server):
    path = write(server.work / "library.ipynb", LOAD, LIMITS, metadata={"robota_nb": library()})
    drawn, opened, searched = [], [], []
    for _ in range(RUNS):
        page = browser.new_page(viewport={"width": 1800, "height": 900})
        notebook = Notebook(page, server, path).open()
        drawn.append(page.evaluate(DRAWN, path.name))
        page.evaluate("() => window.jupyterapp.shell.collapseRight()")
        notebook.ready()
        notebook.run()
        opened.append(page.evaluate(OPEN))
        Switcher(page, within=PANEL).ready()
        for number in range(3):
            words = f"turn 3{number} of 4{number}"
            searched.append(page.evaluate(SEARCH, [words, words]))
        page.close(run_before_unload=False)
        server.end_kernels()
    yield Figure("draw 50 chats of 40 turns without a kernel", median(drawn), 200, "ms", worst(drawn))
    yield Figure("open the panel, with 50 chats", median(opened), 300, "ms", worst(opened))
    yield Figure("search 2,000 turns", median(searched), 100, "ms", worst(searched))


def slow(what, frames):
    return Figure(f"{what}: a frame", 1000 / frames, 20, "ms", f"{frames:.0f} frames a second")


def worst(times):
    return f"worst {max(times):.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
