"""The golden file of format 1."""

import json

from support.paths import TESTS

GOLDEN = json.loads(TESTS.joinpath("golden", "format-1.json").read_text(encoding="utf-8"))
WORK = "s_" + "a" * 32
"""The first of its two sessions."""
