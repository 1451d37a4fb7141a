"""The list of chats in the panel: it comes and goes, finds what was said, and has the settings of chats."""

import pytest

from support.notebook import write
from support.switcher import Switcher, prompts_of

pytestmark = [pytest.mark.usefixtures("lab", "one_tab"), pytest.mark.slow("drives real applications in a browser")]

CELLS = [
    "%load_ext robota_nb",
    "c = get_ipython().magics_manager.registry['RobotaMagics']\nc.presets = {'reviewer': {'system': 'Judge.'}}",
    "%%robota\nWhat is a **closure**?",
    "%robota new Plots",
    "%%robota\nHow do I draw bars?",
    "%robota chat fork Pies",
    "%%robota\nand pies?",
]


@pytest.fixture
def panel(opened, work, server):
    """A notebook with a chat without a name, one with a name, and a fork of that; and its panel."""
    page = opened(write(work / "talk.ipynb", *CELLS))
    page.run()
    server.requests.clear()
    page.page.keyboard.press("Control+Shift+Y")
    return page, Switcher(page.page, within="#robota-nb-chats").ready()


def has_focus(switcher, part):
    switcher.page.wait_for_function("part => document.activeElement?.dataset.part === part", arg=part)


def is_closed(switcher):
    switcher.part("filter").wait_for(state="hidden")


def test_in_a_narrow_panel_it_goes_when_something_was_chosen_and_the_draft_has_the_focus(panel):
    page, switcher = panel
    keys = page.page.keyboard
    switcher.part("drawer").click()
    switcher.lists("Plots", "Pies", "What is a closure?")  # the fork below what it came from
    switcher.row("Pies").get_by_label("Fork of Plots").wait_for()
    switcher.choose("Plots")
    is_closed(switcher)
    has_focus(switcher, "draft")
    keys.press("Control+k")
    has_focus(switcher, "filter")
    keys.press("Escape")
    is_closed(switcher)
    has_focus(switcher, "draft")
    switcher.part("drawer").click()
    switcher.part("filter").wait_for()
    box = switcher.root.bounding_box()
    page.page.mouse.click(box["x"] + box["width"] - 10, box["y"] + box["height"] / 2)  # beside it
    is_closed(switcher)
    switcher.part("drawer").click()
    switcher.part("new-chat").click()
    switcher.name("Fresh")
    is_closed(switcher)
    has_focus(switcher, "draft")


def test_what_was_deleted_comes_back_by_a_key(panel):
    page, switcher = panel
    switcher.part("drawer").click()
    switcher.row("Plots").locator(".robota-choose").focus()
    page.page.keyboard.press("Delete")
    switcher.note("“Plots” was deleted")
    switcher.lists("Pies", "What is a closure?")
    page.page.keyboard.press("Control+z")
    switcher.lists("Plots", "Pies", "What is a closure?")


def test_what_was_said_is_found_and_gone_to(panel, server):
    page, switcher = panel
    switcher.send("and another")
    switcher.edit("and another", "something else")
    switcher.turn("something else").get_by_text("2/2").wait_for()
    switcher.part("draft").press("Control+k")
    switcher.part("filter").fill("closure")
    hit = switcher.root.locator(".robota-hit").filter(has_text="What is a")
    hit.get_by_text("Chat 1 · turn 1").wait_for()
    hit.click()
    switcher.active("Chat 1")
    switcher.turn("What is a **closure**?").wait_for()
    switcher.part("draft").press("Control+k")
    switcher.part("filter").fill("another")
    undone = switcher.root.locator(".robota-hit").filter(has_text="and another").first
    undone.get_by_text("undone").wait_for()
    undone.click()
    switcher.note("on another branch").locator("[data-part=offer]").click()
    switcher.turn("and another").wait_for()


def test_a_chat_gets_its_model_system_prompt_parameters_and_preset_in_a_form(panel, server):
    _, switcher = panel
    switcher.part("drawer").click()
    switcher.chat_menu("Plots", "Model and settings…")
    form = switcher.part("settings")
    form.get_by_text("to choose from").wait_for()  # the server was asked which
    has_focus(switcher, "model")
    listed = form.locator("datalist option").first.get_attribute("value")
    switcher.part("model").fill(listed)
    switcher.part("preset").select_option("reviewer")
    switcher.part("params").fill("temperature = 0.2\nseed = 7")
    switcher.part("settings-save").click()
    form.wait_for(state="detached")
    switcher.choose("Plots")
    switcher.send("which colours?")
    body = server.requests[-1]
    assert (body["model"], body["temperature"], body["seed"]) == (listed, 0.2, 7)
    assert body["messages"][0] == {"role": "system", "content": "Judge."}
    assert prompts_of(body)[-1] == "which colours?"
    switcher.part("drawer").click()
    switcher.chat_menu("Plots", "Model and settings…")
    assert sorted(switcher.part("params").input_value().split("\n")) == ["seed = 7", "temperature = 0.2"]
    switcher.part("params").fill("seed = 7")
    switcher.part("system").fill("")
    switcher.part("settings-save").click()
    form.wait_for(state="detached")
    switcher.page.keyboard.press("Escape")
    switcher.send("and now?")
    assert "temperature" not in server.requests[-1]
    assert server.requests[-1]["messages"][0]["role"] == "user"


def test_settings_that_are_wrong_are_told_and_stay_in_the_form(panel):
    _, switcher = panel
    switcher.part("drawer").click()
    switcher.chat_menu("Plots", "Model and settings…")
    switcher.part("params").fill("temprature = 0.2")
    switcher.part("settings-save").click()
    switcher.note("temperature")
    assert switcher.part("params").input_value() == "temprature = 0.2"
