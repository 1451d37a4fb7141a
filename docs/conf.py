"""How Sphinx builds these pages: ``sphinx-build -W -n docs docs/_build``."""

from __future__ import annotations

from importlib.metadata import version as installed
from typing import TYPE_CHECKING

from ipython_pygments_lexers import IPython3Lexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "robota_nb"
author = "The robota_nb developers"
copyright = author  # noqa: A001 - Sphinx's own name for it
version = release = installed("robota-nb")

extensions = ["myst_nb", "sphinx_copybutton"]
exclude_patterns = ["_build", "**/.ipynb_checkpoints", "notebooks/README.md"]
nitpicky = True
highlight_language = "text"

myst_heading_anchors = 3
nb_execution_mode = "off"  # they are shown as they were recorded
nb_ipywidgets_js = {}  # a page fetches nothing from elsewhere; a widget's text stands in its place
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

html_theme = "pydata_sphinx_theme"
html_title = "robota_nb"
html_theme_options = {
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": []}
html_show_sourcelink = False


def inward(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Let links that lead out of ``docs``, as they must on GitHub, find what the site has of it inside."""
    here = "../" * docname.count("/")
    up = "](../docs/" if docname.startswith("notebooks/") else f"]({here}../"
    source[0] = source[0].replace(up, f"]({here}")


def setup(app: Sphinx) -> None:
    """Let blocks of Python be cells, which may hold magics."""
    app.add_lexer("python", IPython3Lexer)
    app.connect("source-read", inward)
