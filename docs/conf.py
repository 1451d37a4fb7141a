"""How Sphinx builds these pages: ``sphinx-build -W -n docs docs/_build/html``."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as installed
from os import getpid
from pathlib import Path
from shutil import copy2
from typing import TYPE_CHECKING

from ipython_pygments_lexers import IPython3Lexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).with_name("_ext")))

project = "robota_nb"
author = "The robota_nb developers"
copyright = author  # noqa: A001 - Sphinx's own name for it
version = release = installed("robota-nb")

extensions = ["myst_nb", "sphinx_copybutton", "robota_reference"]
exclude_patterns = ["_build", "**/.*"]
nitpicky = True
nitpick_ignore = [("py:class", "robota_nb.tools.function.R")]  # what a function returns, whatever that is
highlight_language = "none"
copybutton_selector = "div:not(.highlight-text, .output) > div.highlight > pre"

myst_heading_anchors = 3
nb_execution_mode = "off"  # they are shown as they were recorded
nb_ipywidgets_js = {}  # a page fetches nothing from elsewhere; a widget's text stands in its place
suppress_warnings = ["mystnb.unknown_mime_type"]  # what only a notebook application shows
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

html_theme = "pydata_sphinx_theme"
html_title = "robota_nb"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "tutorial": []}  # nothing stands beside them
html_show_sourcelink = False


def notebooks(app: Sphinx) -> None:
    """Copy the notebooks into ``docs``, where alone Sphinx looks for pages; those that are there already stay."""
    there = Path(app.srcdir, "notebooks")
    there.mkdir(exist_ok=True)
    source = there.parent.parent / "notebooks"
    ours = {path.name: path for path in (*source.glob("*.ipynb"), source / "README.md")}
    for gone in there.glob("[!.]*"):
        if gone.name not in ours:
            gone.unlink()
    for name, path in ours.items():
        copy = there / name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            Path(copy2(path, there / f".{getpid()}-{name}")).replace(copy)  # at once: another build may be reading it


def inward(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let links that lead out of ``docs``, as they must on GitHub, find what the site has of it inside."""
    up = "../" * docname.count("/")
    out = "../docs/" if docname.startswith("notebooks/") else f"{up}../"

    def nearer(link: re.Match[str]) -> str:
        return f"]({up}{link[1]}" if Path(app.srcdir, link[1]).exists() else link[0]

    source[0] = re.sub(rf"\]\({re.escape(out)}([^)#]+)", nearer, source[0])
    if docname == "notebooks/README":
        listed = "\n".join(re.findall(r"\((\w+)\.ipynb\)", source[0]))  # in the order of the list that people read
        source[0] += f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"


def setup(app: Sphinx) -> None:
    """Prepare a build."""
    app.add_lexer("python", IPython3Lexer)  # blocks of Python may be cells, with magics
    app.connect("builder-inited", notebooks)
    app.connect("source-read", inward)
