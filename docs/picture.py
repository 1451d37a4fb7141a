"""Take the README's picture: ``python docs/picture.py`` (needs the extra ``test``, and Chromium).

It runs the quickstart in a real JupyterLab, with its chats beside it, changes a variable, and asks again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.jupyter import JupyterServer  # noqa: E402 - the tests' own ways of driving JupyterLab
from support.page import FLAGS, Notebook  # noqa: E402
from support.switcher import Switcher  # noqa: E402

WIDTH, HEIGHT = 1_400, 820
PANEL = 640
"""Pixels of the panel: enough for the list beside the talk."""
PICTURE = ROOT / "docs" / "quickstart.png"
TOP, EDITED, ASKS, STATUS = 8, 11, 12, 13
"""Which cells are at the top of the picture, edited, run because of that, and replaced by the status."""


def main() -> None:
    """Write docs/quickstart.png."""
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        server = JupyterServer(home, "lab").start()
        try:
            path = Path(shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", server.work))
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
            take(Notebook(page, server, path).open())
            browser.close()
        finally:
            server.stop()
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--output", str(PICTURE), "64", str(PICTURE)], check=True)


def take(notebook: Notebook) -> None:
    """Take the picture of what happens when a prompt has changed."""
    page = notebook.page
    page.keyboard.press("Control+b")  # the side bar
    notebook.restart_and_run_all()
    page.evaluate("() => void window.jupyterapp.commands.execute('robota:open-chats')")
    panel = Switcher(page, "#robota-nb-chats").ready()
    handle = page.locator(".lm-SplitPanel-handle:visible").last.bounding_box()
    page.mouse.move(handle["x"] + 1, handle["y"] + HEIGHT / 2)
    page.mouse.down()
    page.mouse.move(WIDTH - PANEL, handle["y"] + HEIGHT / 2)
    page.mouse.up()
    panel.root.locator(".robota-chat").first.wait_for()
    notebook.edit(EDITED, "nights, price = 5, 85")
    notebook.run(EDITED, ASKS)
    notebook.save()
    notebook.edit(STATUS, "%robota")
    notebook.run(STATUS)
    notebook.cell(TOP).evaluate("cell => cell.scrollIntoView({block: 'start'})")
    notebook.notice("branch")
    page.wait_for_timeout(500)  # the notification slides in
    page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
