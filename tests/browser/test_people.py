"""What five people do with their first notebook, each told to the end.

``python docs/picture.py people`` has them tell it again, and keeps the pictures.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.notebook import write
from support.page import Notebook
from support.require import require
from support.switcher import Switcher, prompts_of

pytestmark = [pytest.mark.usefixtures("lab"), pytest.mark.slow("drives real applications in a browser")]

LOAD = "%load_ext robota_nb"
VIEWPORT = {"width": 1280, "height": 800}


@pytest.fixture
def context(browser):
    """A window as wide as a laptop's, drawn as finely."""
    context = browser.new_context(viewport=VIEWPORT, device_scale_factor=1.5)
    yield context
    context.close()


@pytest.fixture
def picture(request, tmp_path):
    """Takes the picture of a page, into the directory that ``ROBOTA_NB_PICTURES`` names if there is one."""
    folder = Path(os.environ.get("ROBOTA_NB_PICTURES") or tmp_path)

    def take(notebook, name):
        notebook.dismiss_notices()
        notebook.page.keyboard.press("Control+b")  # the side bar with the files
        notebook.page.locator("#jp-left-stack").wait_for(state="hidden")
        notebook.page.screenshot(path=folder / f"{name}.png", animations="disabled", caret="hide")

    return take


def panel(notebook):
    """Open the chats beside the notebook."""
    notebook.page.keyboard.press("Escape")
    notebook.page.keyboard.press("Control+Shift+Y")
    return Switcher(notebook.page, within="#robota-nb-chats").ready()


def answers(server, **said):
    """Have the model say what belongs to a word of the prompt."""
    server.reply = lambda body: next(text for word, text in said.items() if word in prompts_of(body)[-1])


def test_a_student_asks_a_first_question_and_one_more(opened, work, server, picture):
    answers(
        server,
        median=(
            "The **median** is the value in the middle: sort the numbers, and take the one in the middle.\n\n"
            "| numbers | mean | median |\n| --- | --- | --- |\n| 1, 2, 3 | 2 | 2 |\n| 1, 2, 30 | 11 | 2 |\n\n"
            "One very large number moves the mean $\\bar x = \\frac{1}{n}\\sum x_i$, and leaves the median where it is."
        ),
        When="When a few values are far from all others: incomes, prices of houses, times to answer.",
    )
    notebook = opened(write(work / "statistics.ipynb", ""))
    page = notebook.page
    page.keyboard.press("Control+Shift+Y")
    page.get_by_role("button", name="Start a chat").click()
    switcher = Switcher(page, within="#robota-nb-chats").ready()
    page.wait_for_function("() => document.activeElement.dataset.part === 'draft'")
    page.keyboard.insert_text("What is a median?")
    page.keyboard.press("Enter")
    switcher.turn("What is a median?").locator("mjx-container").first.wait_for()
    switcher.send("When do I use it?")
    notebook.save()
    assert notebook.prompts() == ["What is a median?", "When do I use it?"]
    picture(notebook, "first-question")


def test_a_researcher_has_an_error_explained_and_the_cell_mended(opened, work, server, picture):
    fails = "rates = {'EUR': 1.0, 'USD': 1.09}\nprices = {'tea': (3.5, 'EUR'), 'nori': (420, 'KRW')}\n"
    fails += "{name: amount / rates[currency] for name, (amount, currency) in prices.items()}"
    mended = fails.replace("1.09}", "1.09, 'KRW': 1_480}")
    answers(server, fail=f"There is no rate for **KRW**, which the price of `nori` is in:\n\n```python\n{mended}\n```")
    notebook = opened(write(work / "prices.ipynb", LOAD, fails))
    notebook.run()
    notebook.cell(1).locator("[data-part=askWhy]").click()
    notebook.cell(2).wait_for()
    notebook.run(2)
    notebook.shows(2, "There is no rate for KRW")
    assert "KeyError: 'KRW'" in prompts_of(server.requests[0])[-1]
    notebook.select(1)
    switcher = panel(notebook)
    code = switcher.root.locator(".robota-code").last
    code.locator("[data-part=replaceCell]").click()
    code.locator("[data-part=acceptChange]").wait_for()
    picture(notebook, "error-explained")
    code.locator("[data-part=acceptChange]").click()
    notebook.page.keyboard.press("Escape")
    notebook.run(1)
    notebook.shows(1, "'nori'")


def test_an_analyst_talks_about_a_frame(opened, work, server, picture):
    require("pandas", find_spec("pandas"), "pip install pandas")
    table = "import pandas as pd\nsales = pd.DataFrame({\n    'month': ['Jan', 'Feb', 'Mar', 'Apr'],\n"
    table += "    'shop': ['Seoul', 'Seoul', 'Busan', 'Busan'],\n    'sold': [120, 135, 80, None],\n})\nsales"
    code = "sales.groupby('shop')['sold'].agg(['mean', 'count'])"
    answers(
        server, odd=f"`sold` is missing for **Apr**. Count what is there before you compare:\n\n```python\n{code}\n```"
    )
    notebook = opened(write(work / "sales.ipynb", LOAD, table))
    notebook.run()
    switcher = panel(notebook)
    keys = notebook.page.keyboard
    keys.type("What is odd in @sal")
    switcher.root.get_by_role("option", name="sales").wait_for()
    keys.press("Enter")
    keys.press("Enter")
    block = switcher.root.locator(".robota-code").last
    block.locator("[data-part=insertBelow]").wait_for()
    switcher.rests()
    sent = prompts_of(server.requests[0])[-1]
    assert "shop" in sent
    assert "float64" in sent
    notebook.select(1)
    block.locator("[data-part=insertBelow]").click()
    notebook.cell(2).get_by_text("groupby").first.wait_for()
    notebook.page.keyboard.press("Escape")
    notebook.run(2)
    notebook.shows(2, "Busan")
    picture(notebook, "frame-discussed")


def test_a_writer_tries_another_way_and_keeps_both(opened, work, server, picture):
    answers(
        server,
        title="*A Notebook That Remembers*",
        short="*Remembered*",
        abstract="We keep conversations with language models **in the notebook** that they are about.",
        question="*Who Remembers What You Asked?*",
    )
    notebook = opened(write(work / "paper.ipynb", LOAD, "%robota new Paper", "%%robota\nWrite an abstract"))
    notebook.run()
    switcher = panel(notebook)
    switcher.send("Now a title, please")
    switcher.edit("Now a title, please", "Now a title that is a question")
    branches = switcher.turn("Now a title that is a question").locator(".robota-branches")
    branches.get_by_text("2/2").wait_for()
    switcher.rests()
    switcher.part("drawer").click()
    switcher.chat_menu("Paper", "Fork")
    switcher.name("Shorter")
    switcher.active("Shorter")
    switcher.send("As short as can be")
    switcher.turn("As short as can be").get_by_text("Remembered").wait_for()
    switcher.part("drawer").click()
    switcher.row("Shorter").get_by_label("Fork of Paper").wait_for()
    picture(notebook, "branch")


def test_a_colleague_opens_a_shared_notebook_and_nobody_is_asked(opened, work, server, picture):
    answers(server, five="Five days are enough for **Lisbon** and *Sintra*.", pack="Shoes for hills, and a jacket.")
    mine = write(
        work / "trip.ipynb", LOAD, "%robota new Trip", "%%robota\nAre five days enough?", "%%robota\nWhat to pack?"
    )
    notebook = opened(mine)
    notebook.run()
    notebook.save()
    notebook.close()
    theirs = work / "trip-of-a-colleague.ipynb"
    theirs.write_bytes(mine.read_bytes())
    server.requests.clear()
    shared = opened(theirs)
    assert isinstance(shared, Notebook)
    shared.page.keyboard.press("Control+Shift+Y")
    shown = shared.page.locator("#robota-nb-chats")
    shown.get_by_text("Shoes for hills").wait_for()  # before any code has run
    shared.restart_and_run_all()
    shared.shows(3, "Shoes for hills")
    shared.page.locator(".jp-Cell[data-robota=replayed]").nth(1).wait_for()
    assert server.requests == []
    picture(shared, "shared-notebook")
