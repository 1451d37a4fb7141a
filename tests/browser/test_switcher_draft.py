"""What is written in the panel: with what the notebook has, one message after the other, and nothing of it lost."""

import threading

import pytest

from support.notebook import write
from support.switcher import Switcher, prompts_of

pytestmark = [pytest.mark.usefixtures("lab", "one_tab"), pytest.mark.slow("drives real applications in a browser")]

LOAD = "%load_ext robota_nb"
TABLE = "frame = [1, 2, 3]\nfruit = 'apple'\nprint('{{ fruit }}', len(frame))"


@pytest.fixture
def panel(opened, work, server):
    """A notebook with some variables, an error and a chat; and its panel, opened by the key."""
    page = opened(write(work / "talk.ipynb", LOAD, TABLE, "%%robota\nhello", "1 / 0"))
    page.run(0, 1, 2)
    page.run(3)
    server.requests.clear()
    page.page.keyboard.press("Control+Shift+Y")
    return page, Switcher(page.page, within="#robota-nb-chats").ready()


def has_focus(switcher, part):
    switcher.page.wait_for_function("part => document.activeElement?.dataset.part === part", arg=part)


def test_a_message_is_sent_with_what_the_notebook_has(panel, server):
    page, switcher = panel
    keys = page.page.keyboard
    has_focus(switcher, "draft")
    assert switcher.root.evaluate("root => root.offsetWidth") >= 370
    keys.type("Look at {{ fr")
    switcher.root.get_by_role("option", name="frame").get_by_text("list, length 3").wait_for()
    keys.press("Enter")
    keys.type(" and @fru")
    switcher.root.get_by_role("option", name="fruit").wait_for()
    keys.press("Enter")
    switcher.root.get_by_text("@fruit", exact=True).wait_for()
    page.select(1)
    switcher.menu(switcher.part("attach"), "The selected cell")
    switcher.menu(switcher.part("attach"), "The last error")
    has_focus(switcher, "draft")
    switcher.menu(switcher.part("attach"), "See what is sent")
    shown = switcher.part("preview").locator("pre").inner_text()
    assert server.requests == []
    switcher.part("draft").press("Enter")
    switcher.root.locator(".robota-turn").nth(1).locator(".robota-foot").wait_for()
    assert not switcher.root.get_by_text("@fruit", exact=True).count()
    (request,) = server.requests
    sent = prompts_of(request)[-1]
    assert sent.startswith("Look at [1, 2, 3] and")
    assert "`fruit`:\n\nstr, length 5\n\napple" in sent
    assert f"```\n{TABLE}\n```" in sent  # with its braces: nobody has typed those here
    assert "Its output:\n\n```\n{{ fruit }} 3\n```" in sent
    assert "ZeroDivisionError: division by zero" in sent
    assert shown == sent


def test_two_clicks_choose_another_model_and_what_is_typed_next_is_for_that(panel, server):
    _, switcher = panel
    server.model = "another-model"
    switcher.menu(switcher.part("model-menu"), "another-model")
    has_focus(switcher, "draft")
    switcher.part("model-menu").and_(switcher.page.get_by_label("Model: another-model", exact=True)).wait_for()
    switcher.send("who are you?")
    assert server.requests[-1]["model"] == "another-model"
    switcher.menu(switcher.part("model-menu"), "Model and settings…")
    switcher.part("settings").get_by_text("to choose from").wait_for()


def test_what_cannot_be_filled_in_comes_back_and_can_be_tried_again(panel, server):
    _, switcher = panel
    switcher.send("see {{ fram }}", wait=False)
    error = switcher.note("no variable 'fram'")
    assert switcher.part("draft").input_value() == "see {{ fram }}"
    switcher.part("draft").fill("see {{ frame }}")
    error.get_by_role("button", name="Try again").click()
    switcher.turn("see [1, 2, 3]").wait_for()
    error.wait_for(state="detached")
    assert switcher.part("draft").input_value() == ""
    assert len(server.requests) == 1


def test_a_message_waits_for_the_end_of_an_answer_and_can_be_taken_back(panel, server):
    _, switcher = panel
    server.chunks, server.gate = ["one", " two"], threading.Event()
    switcher.send("first", wait=False)
    switcher.root.locator(".robota-arriving").get_by_text("one").wait_for()
    switcher.send("second", wait=False)
    switcher.part("waits").get_by_text("second").wait_for()
    switcher.part("take-back").click()
    has_focus(switcher, "draft")
    assert switcher.part("draft").input_value() == "second"
    switcher.part("draft").press("Enter")
    switcher.part("waits").get_by_text("second").wait_for()
    server.gate.set()
    switcher.turn("second").wait_for()
    switcher.rests()
    assert prompts_of(server.requests[-1]) == ["hello", "first", "second"]
    assert switcher.part("waits").is_hidden()


def test_keys_of_the_draft_edit_the_last_question_stop_and_go_back_to_the_notebook(panel, server):
    page, switcher = panel
    draft = switcher.part("draft")
    draft.press("ArrowUp")
    has_focus(switcher, "edit-area")
    assert switcher.part("edit-area").input_value() == "hello"
    switcher.part("edit-area").press("Escape")
    has_focus(switcher, "draft")  # as the field is gone
    server.chunks, server.gate = ["one", " two"], threading.Event()
    switcher.send("stop me", wait=False)
    switcher.root.locator(".robota-arriving").get_by_text("one").wait_for()
    draft.press("Escape")
    switcher.rests()
    server.gate.set()
    draft.press("Escape")
    page.page.wait_for_function("() => document.activeElement.closest('.jp-Notebook')")
    page.page.keyboard.press("Control+Shift+Y")
    has_focus(switcher, "draft")
    page.page.keyboard.press("Control+Shift+Y")
    switcher.root.wait_for(state="hidden")
    page.page.wait_for_function("() => document.activeElement.closest('.jp-Notebook')")
