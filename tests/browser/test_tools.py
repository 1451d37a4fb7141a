"""Tools in a real browser: the user is asked in the cell, and what is saved is what a replay shows."""

import pytest

from support.notebook import write
from support.switcher import Switcher

pytestmark = [pytest.mark.usefixtures("one_tab"), pytest.mark.slow("drives real applications in a browser")]

TOOLS = """
calls = []

def rows(table: str) -> str:
    "Count the rows of a table."
    calls.append(table)
    return f"{table}: 3 rows"
"""
ASK = "%%robota --tool rows\nhow many?"


def outputs(page, number):
    """The outputs of a cell in the file."""
    found = page.file()["cells"][number]["outputs"]
    return [
        (output["output_type"], "".join(output.get("data", {}).get("text/markdown", "")), output.get("metadata"))
        for output in found
    ]


def test_a_question_in_the_cell_leaves_what_a_replay_shows_and_the_panel_has_each_call(opened, work, server, jupyter):
    server.calls(("rows", {"table": "cities"}), text="Let me look.")
    page = opened(write(work / "tools.ipynb", "%load_ext robota_nb", TOOLS, ASK, "print(calls)"))
    page.run(0, 1)
    page.start(2)
    field = page.page.locator(".jp-Stdin-input")
    field.wait_for()
    page.page.locator(".jp-Stdin-prompt").get_by_text('rows(table="cities") · run it?').wait_for()
    field.fill("y")
    field.press("Enter")
    page.idle()
    page.save()
    left = outputs(page, 2)
    assert [text for _, text, _ in left][:2] == [
        "Let me look.",
        '> `rows(table="cities")` → `cities: 3 rows`',
    ]
    page.restart_and_run_all()
    page.save()
    assert outputs(page, 2) == left
    assert page.file()["cells"][3]["outputs"][0]["text"] == ["[]\n"]
    page.page.keyboard.press("Control+Shift+Y")
    turn = Switcher(page.page, within="#robota-nb-chats").ready().root.locator(".robota-turn").first
    call = turn.locator(".robota-call")
    call.locator("summary").get_by_text("rows(").wait_for()
    call.locator("summary").click()
    call.get_by_text("cities: 3 rows", exact=True).wait_for()
