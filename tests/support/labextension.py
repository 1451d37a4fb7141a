"""The labextension's source, and the hook that builds it."""

import importlib.util
from importlib.util import find_spec

from support.paths import ROOT
from support.require import require

SOURCE = ROOT / "robota_nb" / "labextension"


def build_hook():
    """Load the build hook, which is no part of the package."""
    require("hatchling", find_spec("hatchling"), "pip install '.[test]'")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
