"""Ten tasks, done by a person's moves in a real browser: in the panel alone, in cells alone, and in Jupyter AI's chat.

``python -m benchmarks.tasks [TASK …]``

Each task begins at the notebook, with a cell selected and the chat open beside it, and ends with a check that its
result is there. A move is a click, a press of a key (with Ctrl, Shift or Alt it is one), or something dragged. What is
typed as the message is the same for all, and is left out; every other letter is a key. The moves are counted where they
are made, by what drives the mouse and the keyboard.

Jupyter AI runs in an environment of its own, which is made when it is not there, with the same model server: the
benchmark's own. Its agent is Jupyternaut, the one that talks to such servers. Needs the extra ``test``, and Chromium.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import shutil
import sys
import threading
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from playwright.sync_api import sync_playwright

from benchmarks.contenders import Contender
from benchmarks.environments import CACHE, prepare
from robota_nb import __version__
from robota_nb.testing import FakeOpenAIServer

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.core import new_manager  # noqa: E402 - the tests' own ways of driving JupyterLab
from support.jupyter import JupyterServer, free_port  # noqa: E402
from support.notebook import write  # noqa: E402
from support.page import FLAGS, MODEL, Notebook  # noqa: E402
from support.switcher import LOAD, Switcher  # noqa: E402

JUPYTER_AI = Contender(
    name="jupyter-ai", package="jupyter_ai", load="", ask="",
    requirements=("jupyterlab", "jupyter-ai[jupyternaut]", "pandas"),
)  # fmt: skip
PACKAGES = ("jupyter_ai", "jupyter_ai_jupyternaut", "jupyterlab_chat", "jupyterlab")
VIEWPORT = {"width": 1400, "height": 900}
PANEL = "#robota-nb-chats"
CHAT = ".jp-chat-sidepanel"

# -- what the notebooks hold, and what the model says

FRAME = """import pandas as pd
sales = pd.DataFrame({"month": ["Jan", "Feb", "Mar"], "sold": [37 * n for n in (3, 40, 4)]})
sales"""
ODD = "1480"
"""A number that is in the frame alone, not in the code that makes it."""
FAILS = "total = 0\nfor price in ['3', 4]:\n    total += price"
MENDED = "total = 0\nfor price in [3, 4]:\n    total += price"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FIGURE = f"from IPython.display import Image\nfigure = Image({PNG!r})\nfigure"
CODE = "print(sum([1, 2, 3]))"
LAST_WEEK = "Who built the lighthouse of Alexandria?"

ANSWERS = {
    "odd in": "February is odd.",
    "fail": f"A text is added to a number:\n\n```python\n{MENDED}\n```",
    "sum": f"Like this:\n\n```python\n{CODE}\n```",
    "yellow": "A **banana**.",
    "another fruit": "A **cherry**.",
    "third fruit": "A **mango**.",
    "fruit": "An **apple**.",
    "go on": "I go on from **there**.",
    "lighthouse": "**Sostratus** of Cnidus.",
    "picture": "It is **dark**.",
}
"""By what stands in the prompt; the first that does counts."""


def answer(body):
    """Return what the model says."""
    prompts = [message["content"] for message in body["messages"] if message["role"] == "user"]
    text = prompts[-1] if isinstance(prompts[-1], str) else json.dumps(prompts[-1])
    return next((said for words, said in ANSWERS.items() if words in text), "I see.")


def last_week():
    """Return a snapshot with a chat of last week, and one of today."""
    at = datetime.now(UTC) - timedelta(days=7)
    manager = new_manager(now=lambda: at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    session = manager.create_session()
    session.create_chat("Antiquity").send(LAST_WEEK)
    session.create_chat("Prices").send("What is a mean price?")
    return manager.snapshot()


# -- the person


class NotPossibleError(Exception):
    """A task cannot be done there; what was seen when it was tried says why."""


class Person:
    """Somebody at mouse and keyboard, whose moves are counted.

    Parameters
    ----------
    page
        The tab.
    """

    def __init__(self, page):
        self.page = page
        self.moves = []

    def click(self, target, times=1):
        """Click where an element is, if nothing lies over it."""
        target.hover()
        box = target.bounding_box()
        place = box["x"] + min(box["width"] / 2, 100), box["y"] + min(box["height"] / 2, 50)
        self.page.mouse.click(*place, click_count=times)
        self.moves += ["click"] * times

    def press(self, *keys):
        """Press keys, one after the other; those that are held with one are one move with it."""
        for key in keys:
            self.page.keyboard.press(key)
            self.moves.append(key)

    def type(self, text):
        """Type what is no message: each letter is a key."""
        for letter in text:
            self.page.keyboard.type(letter)
            self.moves.append(letter)

    def say(self, text):
        """Type the message, or a part of it, which is not counted."""
        self.page.keyboard.insert_text(text)

    def drag(self, start, end):
        """Drag one element to another."""
        start.hover(position={"x": 10, "y": 8})
        self.page.mouse.down()
        box = end.bounding_box()
        here = start.bounding_box()
        self.page.mouse.move(here["x"] - 20, here["y"] + 30, steps=5)
        self.page.mouse.move(box["x"] + 40, box["y"] + 10, steps=8)
        self.page.mouse.up()
        self.moves.append("drag")

    def told(self):
        """Return the moves, in short."""
        short = []
        for move in self.moves:
            if short and len(move) == 1 and short[-1][0] == "`":
                short[-1] = f"{short[-1][:-1]}{move}`"
            else:
                short.append(f"`{move}`" if len(move) == 1 else move)
        return ", ".join(short)


class Side:
    """A way to do the tasks.

    Parameters
    ----------
    browser
        Where.
    model
        The model server.
    jupyter
        The `JupyterServer`.
    colleague
        Another one, of somebody who was given the files.
    """

    def __init__(self, browser, model, jupyter, colleague):
        self.browser, self.model, self.jupyter, self.colleague = browser, model, jupyter, colleague
        self.count = 0

    def do(self, task):
        """Do a task; return the moves."""
        self.model.reset()
        self.model.reply = answer
        self.person = None
        self.page = self.browser.new_page(viewport=VIEWPORT)
        try:
            getattr(self, task)()
        finally:
            self.page.close(run_before_unload=False)
            self.jupyter.end_kernels()
        return self.person

    def open(self, *sources, at, metadata=None, asked=()):
        """Open a notebook, run it, open the chat, ask there; then select a cell: the person begins."""
        self.count += 1
        path = write(self.jupyter.work / f"notebook-{self.count}.ipynb", *self.above, *sources, metadata=metadata)
        self.notebook = Notebook(self.page, self.jupyter, path).open()
        self.notebook.run()
        self.begin(asked)
        self.notebook.select(at + len(self.above))
        self.model.requests.clear()
        self.person = Person(self.page)
        return self.person

    def source(self, number):
        """The source of a cell, counted from the first below what loads the extension."""
        return self.page.evaluate(f"n => [...{MODEL}.cells][n]?.sharedModel.getSource()", number + len(self.above))

    def has_source(self, number, source):
        self.page.wait_for_function(
            f"([n, source]) => [...{MODEL}.cells][n]?.sharedModel.getSource() === source",
            arg=[number + len(self.above), source],
        )

    def sent(self):
        """All that the last request says."""
        return json.dumps(self.model.requests[-1]["messages"])

    def gated(self):
        """Have the model stop after its first word, until it is told to go on."""
        self.model.gate, self.model.gate_after = threading.Event(), 1

    def hand_over(self, *names):
        """Give a colleague files."""
        for name in names:
            shutil.copy(self.jupyter.work / name, self.colleague.work / name)
        self.model.requests.clear()
        self.page.goto(f"{self.colleague.url}lab")
        self.page.locator(".jp-DirListing-item", has_text=self.notebook.path.name).wait_for()

    def open_file(self):
        """Open the notebook that was handed over."""
        self.person.click(self.page.locator(".jp-DirListing-item", has_text=self.notebook.path.name), times=2)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")


# -- robota_nb


class Ours(Side):
    above = (LOAD,)

    @staticmethod
    def server(root, python, model):
        return JupyterServer(root, "lab", python=python, **model.environment())

    @property
    def panel(self):
        return Switcher(self.page, within=PANEL)

    def answered(self, text):
        """Wait until the panel shows a text, and no answer arrives."""
        self.panel.root.locator(".robota-transcript").get_by_text(text).first.wait_for()
        self.panel.rests()


class Panel(Ours):
    name = "panel"

    def begin(self, asked):
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+Shift+Y")
        self.panel.ready()
        for question in asked:
            self.panel.send(question)

    def ask(self, question):
        self.person.press("Control+Shift+Y")
        self.person.say(question)
        self.person.press("Enter")

    def frame(self):
        person = self.open(FRAME, at=0)
        person.press("Control+Shift+Y")
        person.say("Which month is odd in ")
        person.type("@")
        person.say("sales")
        self.panel.root.get_by_role("option", name="sales").wait_for()
        person.press("Enter", "Enter")
        self.answered("February is odd.")
        assert ODD in self.sent()

    def error(self):
        person = self.open(FAILS, at=0)
        person.click(self.panel.part("attach"))
        person.click(self.panel.root.get_by_role("menuitem", name="The last error"))
        self.page.wait_for_function("() => document.activeElement.dataset.part === 'draft'")
        person.say("Why does this fail?")
        person.press("Enter")
        person.click(self.panel.part("replaceCell").last)
        person.click(self.panel.part("acceptChange"))
        self.has_source(0, MENDED)
        assert "TypeError" in self.sent()

    def below(self):
        self.open("1", at=0)
        self.ask("Print the sum of 1, 2 and 3")
        self.person.click(self.panel.part("insertBelow").last)
        self.has_source(1, CODE)

    def edit(self):
        person = self.open("1", at=0, asked=["Name a fruit"])
        person.press("Control+Shift+Y", "ArrowUp")
        self.panel.part("edit-area").wait_for()
        person.say(" that is yellow")
        person.press("Enter")
        self.answered("banana")
        person.click(self.panel.part("earlierBranch"))
        self.answered("apple")
        assert len(self.model.requests) == 1

    def find(self):
        person = self.open("1", at=0, metadata={"robota_nb": last_week()})
        person.press("Control+Shift+Y", "Control+k")
        person.say("lighthouse")
        person.click(self.panel.root.locator(".robota-hit", has_text="lighthouse").first)
        self.answered(LAST_WEEK)

    def fork(self):
        person = self.open("1", at=0, asked=["Name a fruit", "Name another fruit"])
        person.click(self.panel.turn("Name a fruit").locator("[data-part=forkHere]"))
        self.panel.root.locator(".robota-title", has_text=" 2").wait_for()
        self.page.wait_for_function("() => document.activeElement.dataset.part === 'draft'")
        person.say("Name a third fruit")
        person.press("Enter")
        self.answered("mango")
        person.click(self.panel.part("drawer"))
        person.click(self.panel.root.locator(".robota-chat:not(.robota-active) .robota-choose"))
        self.answered("cherry")
        assert "another fruit" not in self.sent()

    def model_(self):
        person = self.open("1", at=0, asked=["Name a fruit"])
        self.model.model = "other-model"
        person.click(self.panel.part("model-menu"))
        person.click(self.panel.root.get_by_role("menuitem", name="other-model"))
        self.page.wait_for_function("() => document.activeElement.dataset.part === 'draft'")
        person.say("Name another fruit")
        person.press("Enter")
        self.answered("cherry")
        assert self.model.requests[-1]["model"] == "other-model"

    def picture(self):
        person = self.open(FIGURE, at=0)
        person.click(self.panel.part("attach"))
        person.click(self.panel.root.get_by_role("menuitem", name="The selected cell"))
        self.page.wait_for_function("() => document.activeElement.dataset.part === 'draft'")
        person.say("What is in the picture?")
        person.press("Enter")
        self.answered("dark")
        assert "image_url" in self.sent()

    def stop(self):
        self.open("1", at=0)
        self.gated()
        self.ask("Name a fruit")
        self.panel.root.locator(".robota-arriving .robota-markdown", has_text="An").wait_for()
        self.person.press("Escape")
        self.panel.rests()
        assert self.model.hung_up.wait(10)
        self.model.gate = None
        self.person.say("Please go on")
        self.person.press("Enter")
        self.answered("there")

    def share(self):
        person = self.open("1", at=0, asked=["Name a fruit"])
        person.press("Control+s")
        self.notebook.is_saved()
        self.hand_over(self.notebook.path.name)
        self.open_file()
        person.press("Control+Shift+Y")
        self.page.locator(PANEL).get_by_text("apple").wait_for()
        assert not self.model.requests


class Cells(Ours):
    name = "cells"

    def begin(self, asked):
        pass

    def ask(self, question):
        self.question()
        self.person.say(question)
        self.person.press("Control+Enter")

    def question(self):
        """Make the next cell a question, and be there."""
        self.person.press("Alt+Shift+Q")
        self.page.wait_for_function(
            "() => document.activeElement.closest('.jp-Cell')?.textContent.includes('%%robota')"
        )

    def shows(self, text):
        self.page.locator(".jp-OutputArea-output", has_text=text).first.wait_for()
        self.notebook.idle()

    def option(self, text):
        """Write an option behind `%%robota`, from the end of the question."""
        self.person.press("Control+Home", "End")
        self.person.type(text)

    def frame(self):
        person = self.open(FRAME, at=0)
        self.question()
        person.say("Which month is odd in ")
        person.type("{{")
        person.say("sales")
        if self.source(1).count("}") < 2:
            person.type("}}")
        person.press("Control+Enter")
        self.shows("February is odd.")
        assert ODD in self.sent()

    def error(self):
        person = self.open(FAILS, at=0)
        person.click(self.page.locator("[data-part=askWhy]"))
        self.notebook.cell(2).locator(".cm-content:focus").wait_for()
        person.press("Control+Enter")
        person.click(self.page.locator(".jp-OutputArea [data-part=replaceCell]"))
        person.click(self.page.locator(".jp-OutputArea [data-part=acceptChange]"))
        self.has_source(0, MENDED)
        assert "TypeError" in self.sent()

    def below(self):
        self.open("1", at=0)
        self.ask("Print the sum of 1, 2 and 3")
        self.person.click(self.page.locator(".jp-OutputArea [data-part=insertBelow]"))
        self.has_source(2, CODE)

    def edit(self):
        person = self.open("1", "%%robota\nName a fruit", at=1)
        person.press("Enter", "Control+End")
        person.say(" that is yellow")
        person.press("Control+Enter")
        self.shows("banana")
        person.press("Enter", "Control+z", "Control+Enter")
        self.shows("apple")
        assert len(self.model.requests) == 1

    def find(self):
        person = self.open("1", at=0, metadata={"robota_nb": last_week()})
        person.press("b", "Enter")
        person.type("%robota search ")
        person.say("lighthouse")
        person.press("Control+Enter")
        self.shows(LAST_WEEK)

    def fork(self):
        person = self.open("1", "%%robota\nName a fruit", "%%robota\nName another fruit", at=1)
        person.click(self.notebook.cell(2).locator("[data-part=forkHere]"))
        self.notebook.cell(3).locator(".cm-content:focus").wait_for()
        person.press("Control+Enter")
        self.notebook.idle()
        self.ask("Name a third fruit")
        self.shows("mango")
        self.shows("cherry")
        assert "another fruit" not in self.sent()

    def model_(self):
        person = self.open("%%robota\nName a fruit", at=0)
        self.model.model = "other-model"
        self.question()
        person.say("Name another fruit")
        self.option(" -m other-model")
        person.press("Control+Enter")
        self.shows("cherry")
        assert self.model.requests[-1]["model"] == "other-model"

    def picture(self):
        person = self.open(FIGURE, at=0)
        self.question()
        person.say("What is in the picture?")
        self.option(" -i figure")
        person.press("Control+Enter")
        self.shows("dark")
        assert "image_url" in self.sent()

    def stop(self):
        self.open("1", at=0)
        self.gated()
        self.ask("Name a fruit")
        self.page.locator(".jp-OutputArea-output", has_text="An").wait_for()
        self.person.press("i", "i")
        self.notebook.idle()
        assert self.model.hung_up.wait(10)
        self.model.gate = None
        self.ask("Please go on")
        self.shows("there")

    def share(self):
        person = self.open("%%robota\nName a fruit", at=0)
        person.press("Control+s")
        self.notebook.is_saved()
        self.hand_over(self.notebook.path.name)
        self.open_file()
        self.shows("apple")
        assert not self.model.requests


# -- Jupyter AI


class JupyterAI(Side):
    name = "jupyter-ai"
    above = ()

    @staticmethod
    def server(root, python, model):
        """Return a server whose agent knows two models of the model server."""
        # Its library of models would ask the network for their prices.
        offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        port = f"--MCPExtensionApp.mcp_port={free_port()}"
        server = JupyterServer(root, "lab", port, python=python, **offline, **model.environment())
        way = {"api_base": model.base_url, "api_key": model.api_key}
        models = [
            {"id": f"custom-{name}", "name": name.title(), "model_id": f"openai/{name}-model", "params": way}
            for name in ("fake", "other")
        ]
        first = models[0]["model_id"]
        config = {"model_provider_id": first, "fields": {first: way}, "custom_models": models}
        place = Path(server.env["JUPYTER_DATA_DIR"], "jupyter_ai")
        place.mkdir(parents=True)
        (place / "config.json").write_text(json.dumps(config))
        return server

    @property
    def chat(self):
        return self.page.locator(CHAT)

    @property
    def field(self):
        return self.chat.locator("textarea:not([readonly])")

    def begin(self, asked):
        self.page.locator(".jp-SideBar .lm-TabBar-tab[title='Jupyter Chat']").click()
        self.chat.locator(".jp-chat-add").first.click()
        self.field.wait_for()
        self.chat.get_by_text("Jupyternaut").first.wait_for()
        handle = self.page.locator("#jp-main-split-panel > .lm-SplitPanel-handle").first.bounding_box()
        self.page.mouse.move(handle["x"] + 1, 400)  # it opens too narrow for its own buttons
        self.page.mouse.down()
        self.page.mouse.move(handle["x"] + 200, 400, steps=8)
        self.page.mouse.up()
        for question in asked:
            self.field.fill(question)
            self.field.press("Enter")
            self.answered(re.sub(r"[*]", "", answer({"messages": [{"role": "user", "content": question}]})))

    def ask(self, question):
        self.person.press("Control+Shift+1")
        self.chat.locator("textarea:focus").wait_for()
        self.person.say(question)
        self.person.press("Enter")

    def answered(self, text):
        """Wait until an answer shows a text, and nothing is being written."""
        self.chat.locator(".jp-chat-rendered-message", has_text=text).last.wait_for()
        self.stopper.and_(self.page.locator("[disabled]")).wait_for()

    def file_of_chat(self):
        """Return the file of the chat that was begun last."""
        return max(self.jupyter.work.glob("*.chat"), key=lambda path: path.stat().st_mtime)

    def code_button(self, name):
        return self.chat.locator(".jp-chat-rendered-message, .jp-chat-message").get_by_label(name).first

    @property
    def stopper(self):
        return self.chat.locator("button.jp-jai-stopButton")

    def attach_cell(self):
        """Attach the selected cell: the agent is sent the notebook's file, as it was saved last."""
        self.person.press("Control+s")
        self.notebook.is_saved()
        self.person.drag(self.page.locator(".jp-Cell.jp-mod-active .jp-InputPrompt"), self.field)
        self.chat.get_by_text("code cell").wait_for()

    def frame(self):
        self.open(FRAME, at=0)
        self.attach_cell()
        self.ask("Which month is odd in sales")
        self.answered("February is odd.")
        assert ODD in self.sent()

    def error(self):
        self.open(FAILS, at=0)
        self.attach_cell()
        self.ask("Why does this fail?")
        self.person.click(self.code_button("Replace selection (active cell)"))
        self.has_source(0, MENDED)
        assert "TypeError" in self.sent()

    def below(self):
        self.open("1", at=0)
        self.ask("Print the sum of 1, 2 and 3")
        self.person.click(self.code_button("Insert below active cell"))
        self.has_source(1, CODE)

    def edit(self):
        person = self.open("1", at=0, asked=["Name a fruit"])
        self.chat.locator(".jp-chat-message").first.hover()
        person.click(self.chat.locator("[title=Edit], [aria-label=Edit]").first)
        self.page.keyboard.press("End")
        person.say(" that is yellow")
        person.press("Enter")
        self.chat.locator(".jp-chat-rendered-message", has_text="that is yellow").wait_for()
        self.ask("Name another fruit")
        self.answered("cherry")
        assert len(self.model.requests) == 1  # the last question's: nobody was asked the edited one
        assert "that is yellow" not in self.sent()
        raise NotPossibleError("an edited message is not answered again, and the model goes on seeing the former one")

    def find(self):
        self.open("1", at=0, asked=["Name a fruit"])
        search = self.chat.locator("input.jp-chat-search-input")
        search.fill("fruit")
        assert search.get_attribute("placeholder") == "Select a chat"
        self.page.locator(".jp-chat-selector-popup").wait_for()
        items = self.page.locator(".jp-chat-selector-popup-item:visible")
        names = [name for name in items.all_inner_texts() if "fruit" in name]
        assert not names, names
        raise NotPossibleError("the search looks at the names of chats, not at what was said")

    def fork(self):
        self.open("1", at=0, asked=["Name a fruit"])
        commands = self.page.evaluate("() => window.jupyterapp.commands.listCommands()")
        assert not [name for name in commands if "chat" in name and re.search("fork|branch|copy", name, re.IGNORECASE)]
        # There is none. What is left is a copy of the chat's file, opened beside it.
        chat = self.file_of_chat()
        shutil.copy(chat, chat.with_name("another-way.chat"))
        self.page.evaluate(
            "filepath => { window.jupyterapp.commands.execute('jupyterlab-chat:open', { filepath }); }",
            "another-way.chat",
        )
        other = self.page.locator("#jp-main-dock-panel .jp-MainAreaWidget:visible")
        other.locator(".jp-chat-rendered-message", has_text="apple").wait_for()
        other.get_by_title("Choose which persona to message").wait_for()
        other.locator("textarea:not([readonly])").fill("Name a third fruit")
        other.locator("textarea:not([readonly])").press("Enter")
        other.locator(".jp-chat-rendered-message", has_text="third").wait_for()
        self.field.fill("Name another fruit")  # in the first chat, to see that the agent is there
        self.field.press("Enter")
        self.answered("cherry")
        assert not [body for body in self.model.requests if "third" in json.dumps(body["messages"][-1])]
        raise NotPossibleError(
            "there is no fork; what is asked in a copy of the chat's file, opened beside it, gets no answer"
        )

    def model_(self):
        person = self.open("1", at=0, asked=["Name a fruit"])
        person.click(self.chat.locator("[title=Model]:visible"))
        person.click(self.page.get_by_text("Other", exact=True))
        self.ask("Name another fruit")
        self.answered("cherry")
        assert self.model.requests[-1]["model"] == "other-model"

    def picture(self):
        (self.jupyter.work / "figure.png").write_bytes(PNG)
        person = self.open("1", at=0)
        person.click(self.chat.locator(".jp-chat-attach-button"))
        person.click(self.page.locator(".jp-Dialog .jp-DirListing-item", has_text="figure.png"))
        person.click(self.page.locator(".jp-Dialog .jp-mod-accept"))
        self.ask("What is in the picture?")
        self.answered("dark")
        assert "image_url" not in self.sent()
        assert "could not read file" in self.sent()
        raise NotPossibleError("a picture that is attached is read as text: the model is sent *could not read file*")

    def stop(self):
        self.open("1", at=0)
        self.gated()
        self.ask("Name a fruit")
        self.chat.locator(".jp-chat-rendered-message", has_text="An").last.wait_for()
        self.person.click(self.stopper)
        assert not self.model.hung_up.wait(5)
        self.model.gate.set()
        self.answered("apple")
        raise NotPossibleError("*Stop generating* leaves Jupyternaut writing: it has no `cancel_response`")

    def share(self):
        person = self.open("1", at=0, asked=["Name a fruit"])
        chat = self.file_of_chat()
        person.press("Control+s")
        self.notebook.is_saved()
        self.hand_over(self.notebook.path.name, chat.name)
        self.open_file()
        person.click(self.page.locator(".jp-SideBar .lm-TabBar-tab[title='Jupyter Chat']"))
        person.click(self.chat.get_by_text(chat.stem, exact=True))
        self.chat.locator(".jp-chat-rendered-message", has_text="apple").wait_for()
        assert not self.model.requests


TASKS = {
    "frame": "ask about a frame",
    "error": "have the last error explained, and apply the fix",
    "below": "put code below",
    "edit": "edit a prompt, and get the earlier answer back",
    "find": "find what was said last week",
    "fork": "fork, and compare",
    "model_": "change the model",
    "picture": "send a picture",
    "stop": "stop, and go on",
    "share": "share, and open as a colleague",
}
OURS = (Panel, Cells)


def main(arguments=None):
    """Return 1 if one of robota_nb's ways fails in a task, or needs more moves than Jupyter AI."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks", description=__doc__)
    parser.add_argument("tasks", metavar="TASK", nargs="*", help=f"one of {', '.join(map(word, TASKS))}")
    parser.add_argument("--no-peers", action="store_true", help="only robota_nb; nothing is installed")
    parser.add_argument("--environments", metavar="DIR", type=Path, default=CACHE, help="where they are; %(default)s")
    options = parser.parse_args(arguments)
    tasks = [task for task in TASKS if not options.tasks or word(task) in options.tasks]
    peers, missing = ([], {}) if options.no_peers else prepare([JUPYTER_AI], options.environments)
    for name, why in missing.items():
        print(f"{name} is not measured: {why}", file=sys.stderr)
    done = {}
    with TemporaryDirectory() as home, sync_playwright() as playwright, FakeOpenAIServer() as model:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        servers = []
        try:
            for kind, python in [(OURS, sys.executable), *(((JupyterAI,), peer.python) for peer in peers)]:
                pair = []
                for _ in ("mine", "my colleague's"):
                    place = Path(home, f"server-{len(servers)}")
                    place.mkdir()
                    servers.append(kind[0].server(place, python, model))
                    pair.append(servers[-1].start())
                for side in kind:
                    way = side(browser, model, *pair)
                    for task in tasks:
                        done[side.name, task] = tried(way, task)
                        print(f"{side.name}, {TASKS[task]}: {done[side.name, task].told}", flush=True)
        finally:
            for server in servers:
                if hasattr(server, "process"):
                    server.stop()
            browser.close()
    names = [*(side.name for side in OURS), *(peer.name for peer in peers)]
    print(f"\n{table(done, tasks, names)}\n\n{versions(peers)}")
    return 0 if all(holds(done, task, side.name) for task in tasks for side in OURS) else 1


class Tried(NamedTuple):
    """What came of a task.

    Parameters
    ----------
    count
        How many moves it took; None if it cannot be done.
    told
        Which, or why not.
    """

    count: int | None
    told: str


def word(task):
    """Return what a task is called on the command line."""
    return task.rstrip("_")


def tried(way, task):
    """Do a task in a way, and say what came of it."""
    try:
        person = way.do(task)
    except NotPossibleError as why:
        return Tried(None, f"not possible: {why}")
    return Tried(len(person.moves), person.told())


def holds(done, task, name):
    """Whether robota_nb needs no more moves for a task than Jupyter AI."""
    ours, theirs = done[name, task], done.get((JupyterAI.name, task), Tried(None, ""))
    return ours.count is not None and (theirs.count is None or ours.count <= theirs.count)


def table(done, tasks, names):
    """Return the figures as a table in Markdown; what is more than Jupyter AI's is bold."""
    lines = [f"| task | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for task in tasks:
        figures = [done[name, task].count for name in names]
        marks = ["**" if name != JupyterAI.name and not holds(done, task, name) else "" for name in names]
        cells = [
            "–" if figure is None else f"{mark}{figure}{mark}" for figure, mark in zip(figures, marks, strict=True)
        ]
        lines.append(f"| {TASKS[task]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def versions(peers):
    """Say what was compared, and when."""
    parts = [f"robota_nb {__version__}", f"jupyterlab {version('jupyterlab')}"]
    for peer in peers:
        parts += [f"{package} {peer.version(package)}" for package in PACKAGES]
    return f"{datetime.now(UTC):%Y-%m-%d}: {', '.join(parts)}"


if __name__ == "__main__":
    sys.exit(main())
