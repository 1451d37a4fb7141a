"""How Sphinx builds these pages: ``sphinx-build -W docs docs/_build``."""

from __future__ import annotations

from importlib.metadata import version as installed

project = "robota_nb"
author = "The robota_nb developers"
copyright = author  # noqa: A001 - Sphinx's own name for it
version = release = installed("robota-nb")

extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["_build"]
nitpicky = True
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "robota_nb"
