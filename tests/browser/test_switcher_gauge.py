"""The gauge below the draft: how full the model's window is, and that the chat is compacted and back by a click."""

import pytest

from support.notebook import write
from support.switcher import Switcher

pytestmark = [pytest.mark.usefixtures("lab"), pytest.mark.slow("drives a real application in a browser")]

HOSTILE = "<img src=x onerror=alert(1)> **bold**"


def test_the_gauge_fills_and_the_chat_is_compacted_and_back_by_a_click(opened, work, server):
    server.reply = lambda body: HOSTILE if "Sum up" in str(body["messages"][-1]) else "word " * 20
    config = (
        f"%config RobotaMagics.endpoints = {{'small': {{'base_url': '{server.base_url}', 'key_env': 'OPENAI_API_KEY', "
        "'model': 'm', 'context_window': 200, 'price': {'input': 10000, 'output': 10000}}}"
    )
    page = opened(write(work / "long.ipynb", "%load_ext robota_nb", config, "%robota chat open Long --provider small"))
    page.run(0, 1, 2)
    page.page.keyboard.press("Control+Shift+Y")
    switcher = Switcher(page.page, within="#robota-nb-chats").ready()
    gauge, text = switcher.part("gauge"), switcher.part("gauge-text")
    gauge.wait_for(state="hidden")
    for number in range(6):
        switcher.send(f"question {number}")
    text.get_by_text("of 200 tokens").wait_for()
    assert "robota-nearly-full" not in (gauge.get_attribute("class") or "")
    assert "so far" in text.inner_text()
    meter = switcher.root.get_by_role("meter")
    assert meter.get_attribute("aria-valuemax") == "200"
    switcher.send("word " * 40, wait=False)
    switcher.root.locator(".robota-nearly-full").wait_for()
    asked = len(server.requests)
    switcher.menu(switcher.part("gauge-menu"), "Compact…")
    switcher.root.get_by_text("No turn is removed, and it can be undone.").wait_for()
    assert len(server.requests) == asked
    switcher.root.get_by_role("button", name="Compact", exact=True).click()
    text.get_by_text("3 turns as a summary").wait_for()
    switcher.send("and now?")
    sent = [message["content"] for message in server.requests[-1]["messages"]]
    assert "[1] question 0" in sent[0]
    assert HOSTILE in sent[1]
    assert switcher.root.locator("img[src=x]").count() == 0
    switcher.menu(switcher.part("gauge-menu"), "Undo compaction")
    switcher.root.get_by_text("as a summary").wait_for(state="hidden")
    switcher.send("and then?")
    assert server.requests[-1]["messages"][0]["content"] == "question 0"
