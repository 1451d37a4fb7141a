"""How Sphinx builds these pages: ``sphinx-build -W docs docs/_build``."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("_ext")))

project = "robota_nb"
author = "The robota_nb developers"
copyright = author  # noqa: A001 - Sphinx's own name for it
version = release = installed("robota-nb")

extensions = ["myst_parser", "sphinx_copybutton", "robota_reference"]
exclude_patterns = ["_build"]
nitpicky = True
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "robota_nb"
