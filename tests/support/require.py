"""Parts of the real world that tests need: a test may skip for want of one, unless CI says that it must be there."""

import os
from importlib import import_module
from importlib.util import find_spec

import pytest

REQUIRED = os.environ.get("ROBOTA_NB_REQUIRE", "").replace(",", " ").split()
"""Names such as ``kernel http nbval``."""


def require(part, there, why=""):
    """Skip the running test if *part* is not *there*; fail it if ``ROBOTA_NB_REQUIRE`` names the part."""
    if there:
        return
    message = f"{part} is missing{f': {why}' if why else ''}"
    if part in REQUIRED:
        pytest.fail(f"{message}, and ROBOTA_NB_REQUIRE names it", pytrace=False)
    pytest.skip(message)


def optional(name, install):
    """Return a library that users may have; skip or fail the test without it, as `require` does."""
    require(name, find_spec(name), install)
    return import_module(name)
