"""What you read on the page is what the model sees: stories of a person with a notebook in JupyterLab.

After each step it is looked at what was sent, what the cells show and how they are marked; and whether the panel,
``%robota``, ``chat log`` and the saved file agree on what is in memory. A turn is written as its prompt and the number
of its answer: of ``A1 B2 C`` the request was that C, after two turns.
"""

import re
import threading
from importlib.util import find_spec

import pytest

from robota_nb.carriers.document import PUSH_CODE
from robota_nb.core.record import snapshot
from robota_nb.core.record.fold import SessionState
from support.notebook import write
from support.page import MODEL, Notebook
from support.require import require
from support.switcher import Switcher

pytestmark = pytest.mark.slow("drives a real application in a browser")

LOAD = "%load_ext robota_nb\n%robota new Main"
PANEL = "#robota-nb-chats .robota-chats-ui:not([inert])"
MARKS = """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')]
    .slice(1).map(cell => cell.dataset.robota ?? '-').join(' ')"""
TURNS = f"""() => [...document.querySelectorAll('{PANEL} .robota-turn')].map(turn =>
    ['.robota-prompt', '.robota-markdown'].map(part => turn.querySelector(part)?.textContent.trim() ?? ''))"""


def ask(prompt, *options):
    return " ".join(["%%robota", *options]) + f"\n{prompt}"


def turn(prompt, answer):
    return prompt + answer.partition(":")[0]


def request(body):
    """What was sent, in short."""
    texts = [message["content"] for message in body["messages"]]
    return " ".join([*map(turn, texts[:-1:2], texts[1::2]), texts[-1]])


class Story(Notebook):
    """A notebook of which the first cell begins a chat, with the panel beside it.

    Parameters
    ----------
    page, jupyter, path
        See `Notebook`.
    server
        The model server.
    """

    def __init__(self, page, jupyter, path, server):
        super().__init__(page, jupyter, path)
        self.server, self.heard = server, 0
        self.panel = Switcher(page, PANEL)
        self.bar = page.locator(f"{PANEL} .robota-notebook")

    def begin(self, *sources, run=True):
        """Open a new notebook with cells below the first one, and run them all."""
        self.heard = 0
        write(self.path, LOAD, *sources)
        self.show(self.path)
        if run:
            self._watch()
            self.run_all()
            self._ran()
        return self

    def after(self, *sent, shown, marks, memory=None, chat="Main", saved=True):
        """Wait until everything is as it should be after a step.

        Parameters
        ----------
        *sent
            The requests since the last time.
        shown
            The answers that stand on the page, from the top.
        marks
            The marks of the cells below the first one; ``-`` for none.
        memory
            The turns in memory of the active chat; those that are shown if it is not given.
        chat
            The active chat.
        saved
            Whether the file is looked at, too.
        """
        memory = shown if memory is None else memory
        assert self.sent() == list(sent)
        self.waits_for(MARKS, marks, "the marks")
        self.waits_for(f"() => ({TURNS})().map(([p, a]) => p + a.split(':')[0]).join(' ')", memory, "the panel")
        assert self.shown() == shown
        turns = memory.split()
        assert re.search(rf"▸ {chat} · .* · (\d+) turn", self.silently("%robota"))[1] == str(len(turns))
        log = re.findall(
            r"^ +\d+  (\S+)(?: · asked outside of cells)?\n +(\d+):", self.silently("%robota chat log"), re.MULTILINE
        )
        assert ["".join(found) for found in log] == turns
        stale = marks.split().count("stale")
        self.waits_for(
            f"() => document.querySelector('{PANEL} .robota-stale')?.textContent.match(/^\\d+/)?.[0] ?? '0'",
            str(stale), "the bar",
        )  # fmt: skip
        if saved:
            self.silently(PUSH_CODE, {"op": "flush"})  # as when the kernel has been idle for a second
            self.save()
            assert self.recorded(chat) == turns

    def waits_for(self, script, wanted, what):
        try:
            self.page.wait_for_function(f"wanted => ({script})() === wanted", arg=wanted)
        except Exception:
            assert (what, self.page.evaluate(script)) == (what, wanted)
            raise

    def sent(self):
        """The requests since the last time."""
        self.heard, since = len(self.server.requests), self.heard
        return list(map(request, self.server.requests[since:]))

    def shown(self):
        """The answers that stand on the page."""
        texts = self.page.evaluate(
            f"""() => [...{MODEL}.cells].filter(cell => cell.type === 'code').flatMap(cell =>
                [...Array(cell.outputs.length).keys()].map(at => cell.outputs.get(at))
                    .filter(({{ metadata }}) => metadata.robota_nb?.turn)
                    .map(({{ data }}) => data['text/markdown']))"""
        )
        # Of an answer that broke off there is not even the prompt in its text.
        return " ".join(turn(found[1] if (found := re.search(r": (\w)$", text)) else "?", text) for text in texts)

    def recorded(self, name):
        """What the file says is in memory of a chat."""
        for sid, entries in snapshot.parse(self.file()["metadata"]["robota_nb"]).items():
            state = SessionState(sid)
            state.apply(entries)
            for chat in state.live_chats():
                if chat.name == name:
                    nodes = state.chat_path(chat.id).nodes
                    return [turn(state.text(node.user), state.text(node.id)) for node in nodes]
        return None


@pytest.fixture(scope="module")
def tab(browser, servers):
    """A tab of the browser with the panel open, for one notebook after the other."""
    lab = servers("lab")
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    page = Notebook(context.new_page(), lab, write(lab.work / "first.ipynb", "1")).open().page
    page.locator(".jp-NotebookPanel:visible .jp-Toolbar [data-command='robota:open-chats']").first.click()
    page.locator("#robota-nb-chats").wait_for()
    yield page
    context.close()


@pytest.fixture
def story(tab, lab, work, server):
    """A notebook that is to begin."""
    if tab.locator(".jp-Dialog").count():
        tab.locator(".jp-Dialog .jp-mod-reject").first.click()  # which a test has left that failed
    yield Story(tab, lab, work / "story.ipynb", server)
    lab.end_kernels()


@pytest.fixture
def abc(story):
    """One that has asked A, B and C."""
    story.begin(ask("A"), ask("B"), ask("C"))
    assert story.sent() == ["A", "A1 B", "A1 B2 C"]
    return story


# -- edited, run again, out of order


@pytest.mark.fast
def test_a_cell_that_is_edited_and_run_alone_makes_those_below_stale(abc):
    abc.edit(2, ask("b"))
    abc.after(shown="A1 B2 C3", marks="asked edited asked")
    abc.run(2)
    abc.after("A1 b", shown="A1 b4 C3", marks="asked asked stale")
    abc.insert(4, ask("D"))
    abc.run(4)
    abc.after("A1 b4 C3 D", shown="A1 b4 C3 D5", marks="asked asked stale asked")
    abc.bar.locator("[data-part=run-stale]").click()
    abc.shows(3, "6: C")
    abc.shows(4, "7: D")
    abc.after("A1 b4 C", "A1 b4 C6 D", shown="A1 b4 C6 D7", marks="asked asked asked asked")
    abc.edit(2, ask("B"))
    abc.run(2)
    abc.after(shown="A1 B2 C6 D7", marks="asked replayed stale stale")
    abc.run(3)
    abc.after(shown="A1 B2 C3 D7", marks="asked replayed replayed stale")


@pytest.mark.fast
def test_a_cell_that_runs_again_replays_and_what_is_asked_at_the_end_sees_all(story):
    story.begin(*map(ask, "ABCD"))
    story.sent()
    story.select(1)
    story._watch(1)
    story.page.keyboard.press("Shift+Enter")
    story._ran()
    story.after(shown="A1 B2 C3 D4", marks="replayed asked asked asked")
    story.insert(5, ask("E"))
    story.run(5)
    assert len(story.server.requests[-1]["messages"]) == 9
    story.after("A1 B2 C3 D4 E", shown="A1 B2 C3 D4 E5", marks="replayed asked asked asked asked")


def test_cells_that_run_out_of_order_see_what_stands_above_them(story):
    story.begin(*map(ask, "ABC"), run=False)
    story.run(0, 1, 3, 2)
    story.after("A", "A1 C", "A1 B", shown="A1 B3 C2", marks="asked asked stale")
    story.edit(1, ask("a"))
    story.run(1)
    story.after("a", shown="a4 B3 C2", marks="asked stale stale")
    story.run(3)
    story.after("a4 B3 C", shown="a4 B3 C5", marks="asked stale asked")
    story.run(2)
    story.after("a4 B", shown="a4 B6 C5", marks="asked asked stale")
    story.run(3)
    story.after("a4 B6 C", shown="a4 B6 C7", marks="asked asked asked")


def test_a_cell_that_is_edited_back_is_as_it_was(abc):
    abc.edit(2, ask("b"))
    abc.after(shown="A1 B2 C3", marks="asked edited asked")
    abc.edit(2, ask("B"))
    abc.after(shown="A1 B2 C3", marks="asked asked asked")


# -- cells come, go, and move


def test_cells_are_inserted_at_the_top_in_the_middle_and_at_the_end(abc):
    abc.insert(1, ask("T"))
    abc.after(shown="A1 B2 C3", marks="- asked asked asked")
    abc.run(1)
    abc.after("T", shown="T4 A1 B2 C3", marks="asked stale stale stale")
    abc.insert(4, ask("M"))
    abc.run(4)
    abc.after("T4 A1 B2 M", shown="T4 A1 B2 M5 C3", marks="asked stale stale asked stale")
    abc.insert(6, ask("E"))
    abc.run(6)
    abc.after(
        "T4 A1 B2 M5 C3 E", shown="T4 A1 B2 M5 C3 E6", marks="asked stale stale asked stale asked"
    )  # fmt: skip


def test_a_cell_is_deleted_and_the_deletion_undone(abc):
    abc.delete(2)
    abc.after(shown="A1 C3", marks="asked stale")
    abc.undo(cells=1)
    abc.after(shown="A1 B2 C3", marks="asked asked asked")
    abc.delete(2)
    abc.run(2)
    abc.after("A1 C", shown="A1 C4", marks="asked asked")
    abc.undo(cells=1)
    abc.after(shown="A1 B2 C4", marks="asked asked stale")


def test_a_cell_is_moved_by_keys(abc):
    abc.move(2, 1)
    abc.after(shown="A1 C3 B2", marks="asked stale stale")
    abc.move(3, -1)
    abc.after(shown="A1 B2 C3", marks="asked asked asked")
    abc.move(1, 2)
    abc.run_all()
    abc.after("B", "B4 C", "B4 C5 A", shown="B4 C5 A6", marks="asked asked asked")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_a_cell_is_dragged(abc):
    abc.drag(3, onto=2)
    abc.after(shown="A1 C3 B2", marks="asked stale stale")
    abc.run(2)
    abc.after("A1 C", shown="A1 C4 B2", marks="asked asked stale")


def test_a_copy_is_new_until_it_runs(abc):
    abc.copy(2, below=3)
    abc.after(shown="A1 B2 C3 B2", memory="A1 B2 C3", marks="asked asked asked -")
    abc.run_all()
    abc.after("A1 B2 C3 B", shown="A1 B2 C3 B4", marks="replayed replayed replayed asked")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_a_copy_that_did_not_run_is_new_in_the_next_kernel_too(abc):
    abc.copy(1, below=1)
    abc.after(shown="A1 A1 B2 C3", memory="A1 B2 C3", marks="asked - asked asked")
    abc.restart()
    abc.run(0)
    abc.after(shown="A1 A1 B2 C3", memory="A1 B2 C3", marks="recorded - recorded recorded")
    abc.run(4)
    abc.after(shown="A1 A1 B2 C3", memory="A1 B2 C3", marks="recorded - recorded replayed")


def test_a_cell_is_cut_and_pasted(abc):
    abc.cut(3, below=1)
    abc.after(shown="A1 C3 B2", marks="asked stale stale")
    abc.cut(2, below=2)
    abc.after(shown="A1 B2 C3", marks="asked asked asked")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_a_cell_is_duplicated(abc):
    abc.duplicate(1)
    abc.after(shown="A1 A1 B2 C3", memory="A1 B2 C3", marks="asked - asked asked")
    abc.run(2)
    abc.after("A1 A", shown="A1 A4 B2 C3", marks="asked asked stale stale")


def test_cells_are_merged_and_split_without_a_request(story):
    story.begin("%robota ask A", "%robota ask B", ask("C"))
    story.sent()
    story.merge(1)
    story.run(1)
    story.after(shown="A1 B2 C3", marks="replayed asked")
    story.split(1, line=1)
    story.run(1, 2)
    story.after(shown="A1 B2 C3", marks="replayed replayed asked")


def test_cleared_outputs_count(abc):
    abc.select(2)
    abc.menu("Edit", "Clear Cell Output")
    abc.after(shown="A1 C3", memory="A1 B2 C3", marks="asked - asked")
    abc.menu("Edit", "Clear Outputs of All Cells")
    abc.insert(4, ask("D"))
    abc.run(4)
    abc.after("A1 B2 C3 D", shown="D4", memory="A1 B2 C3 D4", marks="- - - asked")
    abc.run_all()
    abc.after(shown="A1 B2 C3 D4", marks="replayed replayed replayed replayed")


# -- kernels, tabs, files


def test_run_all_twice_asks_nothing_the_second_time(abc):
    for _ in range(2):
        abc.run_all()
        abc.after(shown="A1 B2 C3", marks="replayed replayed replayed")


@pytest.mark.fast
def test_a_restart_changes_nothing(abc):
    abc.edit(1, ask("a"))
    abc.run(1)
    abc.after("a", shown="a4 B2 C3", marks="asked stale stale")
    abc.restart()
    abc.run(0)
    abc.after(shown="a4 B2 C3", marks="recorded stale stale")
    abc.restart_and_run_all()
    abc.after("a4 B", "a4 B5 C", shown="a4 B5 C6", marks="replayed asked asked")
    abc.restart_and_run_all()
    abc.after(shown="a4 B5 C6", marks="replayed replayed replayed")


def test_what_is_accepted_is_fresh_after_a_restart_too(abc):
    abc.edit(1, ask("a"))
    abc.run(1)
    abc.after("a", shown="a4 B2 C3", marks="asked stale stale")
    abc.bar.locator("[data-part=accept]").click()
    abc.after(shown="a4 B2 C3", marks="asked asked asked")
    abc.restart_and_run_all()
    abc.after(shown="a4 B2 C3", marks="replayed replayed replayed")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_a_page_that_is_loaded_again_says_the_same(abc):
    abc.edit(1, ask("a"))
    abc.run(1)
    abc.after("a", shown="a4 B2 C3", marks="asked stale stale")
    abc.reload()
    abc.panel.ready()
    abc.after(shown="a4 B2 C3", marks="asked stale stale")
    abc.insert(4, ask("D"))
    abc.run(4)
    abc.after("a4 B2 C3 D", shown="a4 B2 C3 D5", marks="asked stale stale asked")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_two_tabs_of_one_notebook(abc, context):
    abc.after(shown="A1 B2 C3", marks="asked asked asked")
    other = Story(context.new_page(), abc.jupyter, abc.path, abc.server).open()
    other.heard = abc.heard
    other.page.locator(".jp-NotebookPanel:visible .jp-Toolbar [data-command='robota:open-chats']").first.click()
    other.run(0)
    other.after(shown="A1 B2 C3", marks="asked asked asked")
    other.edit(2, ask("b"))
    other.run(2)
    other.after("A1 b", shown="A1 b4 C3", marks="asked asked stale")
    other.insert(2, ask("X"))
    other.run(2)
    other.after("A1 X", shown="A1 X5 b4 C3", marks="asked asked stale stale")
    abc.sent()
    abc.insert(4, ask("D"))  # this tab knows nothing of the other's cell
    abc.run(4)
    seen = {"shown": "A1 B2 C3 D6", "memory": "A1 b4 C3 D6", "marks": "asked edited stale asked"}
    abc.after("A1 b4 C3 D", **seen, saved=False)  # the application would ask which of the two files is to stay
    other.close()


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_a_notebook_is_renamed(abc):
    abc.after(shown="A1 B2 C3", marks="asked asked asked")
    abc.menu("File", "Rename")
    abc.page.locator(".jp-Dialog input").fill("renamed.ipynb")
    abc.accept()
    abc.path = abc.path.with_name("renamed.ipynb")
    abc.edit(3, ask("c"))
    abc.run(3)
    abc.after("A1 B2 c", shown="A1 B2 c4", marks="asked asked asked")
    abc.restart_and_run_all()
    abc.after(shown="A1 B2 c4", marks="replayed replayed replayed")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_a_file_is_the_same_with_marks_and_without(abc):
    abc.edit(1, ask("a"))
    abc.run(1)
    abc.after("a", shown="a4 B2 C3", marks="asked stale stale")
    before = abc.path.read_bytes()
    for cell in (1, 2, 3):
        abc.cell(cell).locator("robota-answer-line", has_text="Main·fake-model·").wait_for()
    abc.jupyter.end_kernels()
    abc.waits_for(MARKS, "- - -", "the marks")
    abc.page.evaluate(f"() => {{ {MODEL}.dirty = true; }}")
    abc.save()
    assert abc.path.read_bytes() == before


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_serious_for_anybody(abc, theme):
    require("browser", find_spec("axe_playwright_python"), "pip install '.[test]'")
    from axe_playwright_python.sync_playwright import Axe

    abc.dress(theme)
    abc.edit(2, ask("b"))
    abc.run(2)
    abc.edit(1, ask("a"))
    abc.after("A1 b", shown="A1 b4 C3", marks="edited asked stale")
    found = [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for context in ("#robota-nb-chats", ".jp-Notebook")
        for rule in Axe().run(abc.page, context=context).response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
        if "robota" in node["html"]
    ]
    abc.dress("JupyterLab Light")  # the application remembers it
    assert found == []


# -- commands


COMMANDS = {  # what the cell below sends, what is in memory, the marks, and what is in memory without the command
    "%robota chat undo": ("A1 C", "A1 C3", "asked out - asked", "A1 B2 C3"),
    "%robota chat clear": ("C", "C3", "out out - asked", "A1 B2 C3"),
    "%robota chat fork Other": ("A1 B2 C", "A1 B2 C3", "asked asked - asked", "C3"),
    "%robota new Other": ("C", "C3", "asked asked - asked", "C3"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_an_effect_of_its_cell(story, command):
    sent, memory, marks, without = COMMANDS[command]
    chat = "Other" if "Other" in command else "Main"
    story.begin(ask("A"), ask("B"), command, ask("C"))
    story.after("A", "A1 B", sent, shown="A1 B2 C3", memory=memory, marks=marks, chat=chat)
    for again in (story.run_all, story.restart_and_run_all):
        again()
        replayed = marks.replace("asked", "replayed")
        story.after(shown="A1 B2 C3", memory=memory, marks=replayed, chat=chat)
    story.delete(3)
    story.after(shown="A1 B2 C3", memory=without, marks="replayed replayed stale", chat=chat)


def test_a_branch_is_checked_out_in_its_cell(story):
    story.begin(ask("A"), ask("B"), "%robota chat undo", ask("C"), "%robota chat checkout 1", ask("D"))
    whole = {"shown": "A1 B2 C3 D4", "memory": "A1 B2 D4"}
    story.after("A", "A1 B", "A1 C", "A1 B2 D", **whole, marks="asked asked - out - asked")
    for again in (story.run_all, story.restart_and_run_all):
        again()
        story.after(**whole, marks="replayed replayed - out - replayed")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_fresh_asks_each_time(story):
    story.begin(ask("A"), ask("B", "--fresh"), ask("C"))
    story.after("A", "A1 B", "A1 B2 C", shown="A1 B2 C3", marks="asked asked asked")
    story.run(2)
    story.after("A1 B", shown="A1 B4 C3", marks="asked asked stale")
    story.run_all()
    story.after("A1 B", "A1 B5 C", shown="A1 B5 C6", marks="replayed asked asked")


def test_an_answer_is_asked_again_at_its_line(abc):
    abc.cell(1).locator("robota-answer-line [data-part=again]").click()
    abc.shows(1, "4: A")
    abc.after("A", shown="A4 B2 C3", marks="asked stale stale")
    abc.restart_and_run_all()
    abc.after("A4 B", "A4 B5 C", shown="A4 B5 C6", marks="replayed asked asked")
    abc.server.reply = lambda _: "4: A"
    abc.cell(1).locator("robota-answer-line [data-part=again]").click()
    abc.waits_for(MARKS, "asked asked asked", "the marks")  # as it reads the same
    abc.after("A", shown="A4 B5 C6", marks="asked asked asked")


# -- the panel


def test_a_click_on_a_chat_is_for_what_is_new(abc):
    abc.panel.part("drawer").click()
    abc.panel.create("Other")
    abc.panel.part("drawer").click()
    abc.run(2)
    abc.after(shown="A1 B2 C3", memory="", marks="asked replayed asked", chat="Other")
    abc.insert(4, ask("D"))
    abc.run(4)
    abc.after("D", shown="A1 B2 C3 D4", memory="D4", marks="asked replayed asked asked", chat="Other")
    abc.insert(5, ask("E"))
    abc.run(5)
    abc.after("D4 E", shown="A1 B2 C3 D4 E5", memory="D4 E5", marks="asked replayed asked asked asked", chat="Other")


def test_a_click_on_a_model_goes_into_the_next_ask(abc):
    abc.server.model = "other-model"  # which it lists
    abc.panel.part("drawer").click()
    abc.panel.chat_menu("Main", "Model and settings…")
    abc.panel.part("settings").get_by_text("to choose from").wait_for()
    abc.panel.part("model").fill("other-model")
    abc.panel.part("model").press("Enter")
    abc.panel.part("settings").wait_for(state="detached")
    abc.panel.part("drawer").click()
    abc.after(shown="A1 B2 C3", marks="stale stale stale")  # each of them, if it was the next one that runs
    abc.run(2)
    assert abc.server.requests[-1]["model"] == "other-model"
    abc.cell(2).locator("robota-answer-line", has_text="by hand").wait_for()
    abc.after("A1 B", shown="A1 B4 C3", marks="asked asked stale")
    abc.restart_and_run_all()
    assert abc.server.requests[-1]["model"] == "other-model"
    abc.after("A1 B4 C", shown="A1 B4 C5", marks="replayed replayed asked")


def test_a_turn_of_the_panel_stands_after_the_cell_that_was_last(story):
    story.begin(ask("A"), ask("B"))
    story.panel.send("P")
    story.after("A", "A1 B", "A1 B2 P", shown="A1 B2", memory="A1 B2 P3", marks="asked asked")
    story.insert(3, ask("C"))
    story.run(3)
    story.after("A1 B2 P3 C", shown="A1 B2 C4", memory="A1 B2 P3 C4", marks="asked asked asked")
    story.delete(2)
    story.after(shown="A1 C4", memory="A1 P3 C4", marks="asked stale")
    story.restart()
    story.run(0)
    story.after(shown="A1 C4", memory="A1 P3 C4", marks="recorded stale")


# -- strict, interrupted, failing


def test_a_strict_notebook_asks_nothing(abc):
    abc.bar.get_by_label("Strict").check()
    abc.idle()
    abc.insert(4, ask("D"))
    abc.run(4)
    abc.shows(4, "ReplayMiss")
    abc.after(shown="A1 B2 C3", marks="asked asked asked -")
    abc.run(1, 2, 3)
    abc.after(shown="A1 B2 C3", marks="replayed replayed replayed -")
    abc.edit(2, ask("b"))
    abc.run(2)
    abc.shows(2, "ReplayMiss")
    abc.after(shown="A1 C3", memory="A1 B2 C3", marks="replayed edited replayed -")
    abc.bar.get_by_label("Strict").uncheck()
    abc.idle()
    abc.run(2, 4)
    abc.after("A1 b", "A1 b4 C3 D", shown="A1 b4 C3 D5", marks="replayed asked stale asked")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_an_answer_is_interrupted(story):
    story.begin(ask("A"), ask("B"), ask("C"), run=False)
    story.run(0, 1)
    story.server.gate = threading.Event()
    story.start(2)
    story.shows(2, "2:")
    story.menu("Kernel", "Interrupt Kernel")
    story.idle()
    story.server.gate.set()
    story.server.gate = None
    story.after("A", "A1 B", shown="A1 ?2", memory="A1 B2", marks="asked cut -")
    story.run(3)
    story.after("A1 B2 C", shown="A1 ?2 C3", memory="A1 B2 C3", marks="asked cut asked")
    story.restart_and_run_all()
    story.after(shown="A1 ?2 C3", memory="A1 B2 C3", marks="replayed replayed replayed")


@pytest.mark.long("another story of this page has the like, and tests/replay the rule")
def test_an_answer_fails(story):
    story.begin(ask("A"), ask("B"), ask("C"), run=False)
    story.run(0, 1)
    story.server.fail(400)
    story.run(2)
    story.after("A", "A1 B", shown="A1", marks="asked failed -")
    story.run(3)
    story.after("A1 C", shown="A1 C3", marks="asked failed asked")
    story.run(2)
    story.after("A1 B", shown="A1 B4 C3", marks="asked asked stale")
    story.server.fail(400)
    story.edit(2, ask("b"))
    story.run(2)
    story.after("A1 b", shown="A1 C3", marks="asked failed asked")
