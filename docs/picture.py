"""Take the README's picture: ``python docs/picture.py`` (needs the extra ``lab``, playwright, and Chromium).

It opens the quickstart, as it is committed, in a real JupyterLab.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
PORT = 18_877
WIDTH, HEIGHT = 880, 1_600
FROM, TO = "A second one", "in answer.text"
"""The heading at the top of the picture, and what the last cell in it holds."""


def main() -> None:
    """Write docs/quickstart.png."""
    with TemporaryDirectory() as home:
        shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", home)
        env = {**os.environ, "HOME": home, "JUPYTER_CONFIG_DIR": f"{home}/.config", "JUPYTER_DATA_DIR": f"{home}/.data"}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
        options = [f"--port={PORT}", "--IdentityProvider.token=", f"--ServerApp.root_dir={home}"]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen([*command, *options], env=env, **silent)
        try:
            wait(f"http://127.0.0.1:{PORT}/api")
            take(f"http://127.0.0.1:{PORT}/lab/workspaces/picture/tree/quickstart.ipynb?reset")
        finally:
            server.terminate()
            server.wait()
    if shutil.which("pngquant"):
        picture = str(ROOT / "docs" / "quickstart.png")
        subprocess.run(["pngquant", "--force", "--output", picture, "64", picture], check=True)


def wait(url: str) -> None:
    """Wait until the server answers."""
    for _ in range(200):
        try:
            urllib.request.urlopen(url)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(url)


def take(url: str) -> None:
    """Take the picture of the notebook, without the application around it."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
        page.goto(url)
        page.wait_for_selector(".jp-Notebook .jp-OutputArea-output", timeout=60_000)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", state="attached")
        page.keyboard.press("Control+b")  # the side bar
        page.add_style_tag(content=".Toastify, #jp-top-panel, #jp-bottom-panel { display: none !important; }")
        page.evaluate("window.dispatchEvent(new Event('resize'))")
        heading = page.locator(".jp-Notebook h2", has_text=FROM)
        heading.evaluate("heading => heading.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(1_500)
        first, last = heading.bounding_box(), page.locator(".jp-Notebook-cell", has_text=TO).bounding_box()
        panel = page.locator(".jp-NotebookPanel-notebook").bounding_box()
        assert first
        assert last
        assert panel
        top, bottom = first["y"] - 12, last["y"] + last["height"] + 8
        clip = {"x": panel["x"], "y": top, "width": panel["width"] - 8, "height": bottom - top}
        page.screenshot(path=ROOT / "docs" / "quickstart.png", clip=clip)
        browser.close()


if __name__ == "__main__":
    main()
