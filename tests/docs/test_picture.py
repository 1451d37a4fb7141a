"""The picture of replay is what its program draws, can be read on any page, and says in words what it shows."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from xml.etree import ElementTree as ET

import pytest

from support.markdown import TEXTS
from support.paths import ROOT

PICTURE = ROOT / "docs" / "replay.svg"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def picture():
    """The program that draws it."""
    spec = spec_from_file_location("picture", ROOT / "docs" / "picture.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_of_replay_is_what_its_program_draws(picture):
    assert PICTURE.read_text(encoding="utf-8") == picture.drawn()


def test_it_says_in_words_what_it_shows():
    root = ET.fromstring(PICTURE.read_text(encoding="utf-8"))
    named = {node.get("id"): node.text for node in root if node.tag in (f"{SVG}title", f"{SVG}desc")}
    assert root.get("role") == "img"
    assert root.get("aria-labelledby").split() == list(named)
    assert all(named.values())
    assert re.search(r"!\[.{40,}\]\(replay\.svg\)", TEXTS["docs/replay.md"])


def luminance(colour):
    """How light a colour is, as WCAG 2 reckons it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_its_words_can_be_read_in_light_and_in_dark(theme):
    colours = dict(re.findall(r"--([\w-]+):(#\w+)", PICTURE.read_text(encoding="utf-8").split("@media")[theme]))
    for words, grounds in {"text": ("page", "cell", "good", "hot", "old", "new"), "soft": ("page", "cell")}.items():
        for ground in grounds:
            dark, light = sorted((luminance(colours[words]), luminance(colours[ground])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (words, ground)
