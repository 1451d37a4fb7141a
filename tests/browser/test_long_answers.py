"""Long answers on the page: a part of them is drawn, it is said how much more there is, and all can be had."""

import pytest

from robota_nb.core.record.entries import source_hash
from support.hostile import snap, talk
from support.notebook import write
from support.switcher import LOAD, Switcher

pytestmark = pytest.mark.slow("drives real applications in a browser")

SIZE = 300_000
TEXTS = {  # what it begins with, what it repeats, and a letter of that
    "list": ("", "- a\n", "a"),
    "headings": ("", "# a\n", "a"),
    "quotes in each other": ("", "> " * 70 + "a\n", "a"),
    "emphasis": ("", "*a* ", "a"),
    "right to left": ("", "\u0645", "\u0645"),
    "rows": ("|c|d|\n|-|-|\n", "|a|b|\n", "a"),
    "code": ("```python\n", "x = [1]\n", "x"),
}
SAMPLE = ("list", "right to left")
MANY = 5000  # elements: more than this take a page long

STAYS = "turn => { const list = turn.closest('.robota-transcript'); return list.scrollHeight - list.scrollTop > 9000; }"
COUNT = "element => element.querySelectorAll('*').length"


@pytest.mark.parametrize(
    "name",
    [*SAMPLE, *(pytest.param(name, marks=pytest.mark.long("more of a kind")) for name in TEXTS if name not in SAMPLE)],
)
def test_a_part_of_it_is_drawn_and_all_is_there_on_demand(opened, work, lab, name):
    beginning, piece, letter = TEXTS[name]
    text = beginning + piece * (SIZE // len(piece.encode()))
    source = "%%robota\nasked"
    recorded = talk(prompt="asked", answer=text, cell=["cell-1", 0, source_hash(source)])
    page = opened(write(work / "long.ipynb", LOAD, source, "%robota ui", metadata={"robota_nb": snap(recorded)}))
    page.run()
    page.cell(1).get_by_text("more characters").wait_for()
    assert page.cell(1).locator(".jp-OutputArea").first.evaluate(COUNT) < MANY
    answer = Switcher(page.page).ready().turn("asked")
    assert answer.evaluate(COUNT) < MANY
    answer.locator("[data-part=show-all]").click()
    page.page.wait_for_function(
        """([answer, letter, wanted]) => [...answer.querySelectorAll('.robota-markdown')]
            .reduce((count, { textContent }) => count + textContent.split(letter).length - 1, 0) >= wanted""",
        arg=[answer.element_handle(), letter, text.count(letter)],
    )
    assert answer.evaluate(COUNT) < MANY
    assert answer.evaluate(STAYS)
