"""``robota-nb check``: what is said of cells by the file alone; of notebooks that the real manager has recorded."""

import json
from copy import deepcopy

import nbformat
import pytest

from robota_nb.carriers import file
from robota_nb.cli.check import Finding, check
from robota_nb.core import ask_flow
from robota_nb.core.inside import ledger_of, view_of
from robota_nb.core.record.entries import source_hash
from robota_nb.core.record.snapshot import KEY
from robota_nb.core.rules import history
from robota_nb.core.turn import Turn
from robota_nb.core.users import default_user
from robota_nb.display.render import NotebookRenderer
from robota_nb.errors import ProviderError
from robota_nb.frontends.cells import sources
from robota_nb.magics.cell_text import commands, is_talk
from robota_nb.magics.runner import settings_of
from robota_nb.prompt.cells import attached, choose
from support.core import Echo, new_manager
from support.notebook import command
from support.paths import TESTS

LONG = "\n\n".join(f"Paragraph {number}. " + "word " * 300 for number in range(9))
JSON = '{"a": [1, 2.5, null]}'


class Answers(Echo):
    """Answers with the prompt; fails where that is the prompt."""

    def stream(self, request):
        if request.messages[-1]["content"] == "fail":
            raise ProviderError("the server is away")
        yield from super().stream(request)


class Told(Echo):
    """Answers with what the prompt names."""

    def stream(self, request):
        text = {"long": LONG, "json": JSON}.get(request.messages[-1]["content"], "told")
        for event in super().stream(request):
            yield type(event)(text) if getattr(event, "text", "") == "re: " else event
            if getattr(event, "text", "") == "re: ":
                break
        yield from list(super().stream(request))[-1:]


class Notebook:
    """Runs its cells over a real manager, as the magics do, and keeps what they show."""

    def __init__(self, *sources, providers=None):
        cells = [nbformat.v4.new_code_cell(source, id=f"cell-{at}") for at, source in enumerate(sources)]
        self.content = nbformat.v4.new_notebook(cells=cells)
        self.manager = new_manager(providers=providers or Answers())
        self.page = ledger_of(self.manager).page(default_user())
        for at in range(len(sources)):
            self.run(at)

    def run(self, at):
        self.page.list_cells(
            (cell.id, source_hash(cell.source), tuple(turns(cell)) if cell.outputs else None)
            for cell in self.content.cells
        )
        cell = self.content.cells[at]
        cell.outputs.clear()
        self.page.begin(cell.id, source_hash(cell.source))
        failed = False
        try:
            for written in commands(cell.source):
                self.do(cell, written.command.words, written.command.args)
            if cell.source.startswith("python "):
                self.session().active_chat.send(cell.source)
        except ProviderError:
            failed = True
        self.page.end(failed=failed)
        self.manager.flush()
        self.content.metadata[KEY] = self.manager.snapshot()

    def session(self):
        return self.manager.active_session() or self.manager.create_session()

    def do(self, cell, words, args):
        chat = ask_flow.current_chat(self.manager)
        if words == ("ask",):
            along = choose(args["cells"], sources(self.saved), cell.id, is_talk) if args["cells"] else []
            answer = ask_flow.ask(
                self.manager, args["text"], chat=args["chat"], options=settings_of(args), fresh=args["fresh"],
                once=args["once"], attached=attached(along, outputs=args["outputs"]).attached,
            )  # fmt: skip
            self.show(cell, answer, args)
        elif words == ("chat", "retry"):
            node = history.to_retry(view_of(chat), chat.id)
            self.show(cell, ask_flow.ask_instead(self.manager, chat, node, view_of(chat).record.text(node.user)), args)
        elif words == ("new",):
            self.session().create_chat(args["name"])
        elif words == ("switch",):
            chat.session.switch_to(args["name"])
        elif words == ("chat", "set"):
            chat.configure(**args["set"])
        elif words == ("chat", "undo"):
            chat.undo()

    def show(self, cell, answer, args):
        turn = answer if isinstance(answer, Turn) else answer.result()

        def publish(data, metadata, *_):
            cell.outputs.append(nbformat.v4.new_output("display_data", data=data, metadata=metadata))

        mark = {} if args.get("once") else {"turn": turn.id}
        NotebookRenderer(publish, format=args.get("format") or "markdown").replay(turn.text, turn.finish_reason, mark)

    def save(self, path):
        file.write_notebook(path, self.content)
        return path

    @property
    def saved(self):
        """What stands in its file."""
        return json.loads(nbformat.writes(deepcopy(self.content)))

    def edit(self, at, source):
        self.content.cells[at].source = source

    def insert(self, at, source):
        self.content.cells.insert(at, nbformat.v4.new_code_cell(source, id=f"new-{len(self.content.cells)}"))

    def findings(self):
        return [(one.cell, one.state) for one in check(self.saved).findings]

    def why(self):
        (finding,) = check(self.saved).findings
        return finding.why


def turns(cell):
    marks = (output.get("metadata", {}).get(KEY, {}) for output in cell.outputs)
    return [mark["turn"] for mark in marks if "turn" in mark]


ASKS = ["%%robota\nalpha", "x = 1", "%robota ask beta?", "t = %robota ask gamma"]


@pytest.fixture(scope="module")
def asked():
    return Notebook(*ASKS)


@pytest.fixture
def notebook(asked):
    """Three asks in one chat; its cells may be changed."""
    changed = Notebook()
    changed.content = deepcopy(asked.content)
    return changed


# -- what is fresh


def test_what_was_run_from_top_to_bottom_is_fresh(notebook):
    report = check(notebook.saved)
    assert (report.findings, report.asking, report.exit_code) == ([], 3, 0)


def test_moving_a_cell_that_asks_nothing_changes_nothing(notebook):
    notebook.content.cells.append(notebook.content.cells.pop(1))
    assert notebook.findings() == []


def test_cleared_outputs_are_as_good(notebook):
    for cell in notebook.content.cells:
        cell.outputs = []
    assert notebook.findings() == []


def test_commands_are_followed():
    notebook = Notebook(
        "%robota new Left", "%robota ask l1", "%robota new Right", "%robota chat set temperature=0.5",
        "%robota ask r1", "%robota chat undo", "%robota ask r2", "%robota switch Left", "%robota ask l2",
        "%robota chat retry",
    )  # fmt: skip
    assert notebook.findings() == []
    notebook.edit(3, "%robota chat set temperature=0.7")
    assert notebook.findings() == [(4, "edited")]
    assert notebook.why() == "it has not run since it was edited; what it did before counts"
    del notebook.content.cells[3]
    assert notebook.findings() == [(4, "stale"), (6, "stale")]
    assert "temperature is another one now" in str(check(notebook.saved).findings[0])


def test_what_a_command_does_below_the_last_ask_is_no_matter(notebook):
    notebook.insert(4, "%robota new Another")
    assert notebook.findings() == []


@pytest.mark.parametrize("sources", [[], ["1 + 1"], ["%load_ext robota_nb", "%robota chat list", "%robota new A"]])
def test_where_no_cell_asks_there_is_nothing_to_check(sources, tmp_path):
    notebook = Notebook(*sources)
    assert check(notebook.saved).asking == 0
    result = command("check", notebook.save(tmp_path / "a.ipynb"))
    assert (result.exit_code, result.output) == (0, "nothing to check: no cell asks\n")


@pytest.mark.parametrize(
    ("ran", "edited"),
    [
        ("%%robota\nALPHA", "%%robota\n#@title Ask\nALPHA"),
        ("%%robota\n#@title Ask\nALPHA", "%%robota\n#@title Ask it\n# %% x\nALPHA"),
        ("%%robota\n#| echo: true\nALPHA", "%%robota\nALPHA"),
        ("%%robota -o a\nALPHA", "# a comment\n\n%%robota -o b\nALPHA"),
        ("%%robota --chat One\nALPHA", "%%robota --chat One\n#@title Ask\nALPHA"),
        ("%%robota --set seed=1\nALPHA", "%%robota --set seed=1\n#@title Ask\nALPHA"),
        ("%robota ask a\n%robota ask b", '# twice\n%robota ask a\n%robota ask "b"'),
    ],
)
def test_what_is_left_out_of_a_prompt_makes_no_cell_edited(ran, edited):
    notebook = Notebook("%robota new One", "%robota new Two", ran, "%robota ask below")
    notebook.edit(2, edited)
    assert notebook.findings() == []


@pytest.mark.parametrize(
    ("ran", "edited"),
    [
        ("%%robota\nALPHA", "%%robota\n#@title Ask\nBETA"),
        ("%%robota\nALPHA", "%%robota --chat One\nALPHA"),
        ("%%robota --chat One\nALPHA", "%%robota --chat Two\nALPHA"),
        ("%%robota --set seed=1\nALPHA", "%%robota --set seed=2\nALPHA"),
        ("%%robota\nALPHA", "%%robota --append\nALPHA"),
        ("%robota ask a\n%robota ask b", "%robota ask b\n%robota ask a"),
        ("%robota ask a\n%robota ask b", "%robota ask a"),
        ("%robota ask a", "if x:\n    %robota ask a"),
    ],
)
def test_a_cell_that_asks_something_else_is_edited(ran, edited):
    notebook = Notebook("%robota new One", "%robota new Two", ran)
    notebook.edit(2, edited)
    assert (3, "edited") in notebook.findings()


def test_a_short_name_that_this_users_kernels_are_configured_with_is_known(tmp_path, monkeypatch):
    notebook = Notebook("%robota ask ALPHA", "%robota ask BETA")
    notebook.content.cells[0].source = "%ai ask ALPHA"
    notebook.content.cells.append(nbformat.v4.new_code_cell("%%ai\nGAMMA", id="new"))
    path = notebook.save(tmp_path / "a.ipynb")
    assert command("check", path).exit_code == 1
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    profile = tmp_path / "profile_default"
    profile.mkdir()
    (profile / "ipython_kernel_config.py").write_text("c.RobotaMagics.alias = 'ai'")
    result = command("check", path)
    assert result.output.splitlines() == ["code cell 3: new: it has no answer yet · GAMMA"]
    (profile / "ipython_config.py").write_text("raise SystemError")
    assert command("check", path).output == result.output


# -- what is not


def test_an_edited_cell_is_said_with_its_prompt_and_what_is_below_is_not_stale_yet(notebook):
    notebook.edit(2, "%robota ask BETA?")
    (finding,) = check(notebook.saved).findings
    assert finding == Finding(
        cell=3, state="edited", why="it has not run since it was edited; its former answer is in memory", prompt="BETA?"
    )
    assert str(finding).startswith("code cell 3: edited: it has not run")
    assert str(finding).endswith(" · BETA?")


def test_what_stands_below_an_answer_that_has_changed_is_stale_and_says_where(asked):
    notebook = Notebook(*ASKS)
    notebook.edit(0, "%%robota\nALPHA")
    notebook.run(0)
    assert notebook.findings() == [(3, "stale"), (4, "stale")]
    assert check(notebook.saved).findings[0].why == "code cell 1 above says something else now"
    for at in (2, 3):
        notebook.run(at)
    assert notebook.findings() == []


def test_a_deleted_cell_leaves_stale_ones(notebook):
    del notebook.content.cells[0]
    assert notebook.findings() == [(2, "stale"), (3, "stale")]


@pytest.mark.parametrize(
    "source",
    ["%%robota\nnew", "\n\n%%robota\nnew", "%robota ask new", "answer = %robota ask new",
     "with a:\n    %robota ask new", "%%time\n%robota ask new", "%%capture\n%%robota\nnew",
     "%robota ask --raw {{ new }}", "%robota chat retry", "%robota chat edit 1 new", "%robota ask new?"],
)  # fmt: skip
def test_a_cell_that_asks_and_has_no_answer_is_new(notebook, source):
    notebook.insert(2, source)
    assert notebook.findings() == [(3, "new")]
    assert check(notebook.saved).exit_code == 1


@pytest.mark.parametrize(
    "source",
    ["# %robota ask no", '"""\n%robota ask no\n"""', "%%bash\n%robota ask no", "x = 1\n%%robota\nno",
     "%robota chat log", "print('robota')", "%robota help ask", "robota(", "%%writefile a.py\n%robota ask no"],
)  # fmt: skip
def test_a_cell_that_does_not_ask_is_left_alone(notebook, source):
    notebook.insert(2, source)
    assert notebook.findings() == []


def test_a_retry_that_has_nothing_above_asks_nothing(notebook):
    notebook.insert(0, "%robota chat retry")
    assert notebook.findings() == []


def test_a_pasted_copy_is_new_though_it_shows_an_answer(notebook):
    copy = deepcopy(notebook.content.cells[0])
    copy.id = "copy"
    notebook.content.cells.append(copy)
    assert notebook.findings() == [(5, "new")]
    saved = notebook.saved
    saved["cells"][-1]["id"] = saved["cells"][0]["id"]  # as a tool may leave it
    assert [(one.cell, one.state) for one in check(saved).findings] == [(5, "new")]


def test_a_notebook_without_its_conversations_has_new_cells(notebook):
    del notebook.content.metadata[KEY]
    assert notebook.findings() == [(1, "new"), (3, "new"), (4, "new")]


def test_an_ask_that_failed_has_no_answer():
    notebook = Notebook("%robota ask one", "%robota ask fail")
    assert notebook.findings() == [(2, "failed")]
    assert notebook.why() == "its last run failed, so there is no answer to see"


def test_a_cell_that_asks_more_than_is_recorded_is_new(notebook):
    notebook = Notebook("%robota ask one\n%robota ask two")
    sessions = notebook.content.metadata[KEY]["sessions"]
    (entries,) = sessions.values()
    gone = {eid for eid, entry in entries.items() if "two" in "".join(entry.get("content", ()))}
    assert len(gone) == 2
    for eid in {*gone, *(eid for eid, entry in entries.items() if entry["kind"] == "head")}:
        del entries[eid]
    notebook.content.cells[0].outputs.pop()
    assert notebook.findings() == [(1, "new")]
    assert notebook.why() == "not all that it asks has an answer yet"


def test_a_purged_answer_would_be_asked_again_and_what_it_shows_is_not_compared(notebook):
    notebook = Notebook("%robota ask secret")
    chat = notebook.session().active_chat
    chat.purge(1)
    notebook.content.metadata[KEY] = notebook.manager.snapshot()
    assert notebook.findings() == [(1, "purged")]


# -- what an output shows


@pytest.fixture(scope="module")
def formats():
    return Notebook(
        "%%robota\nlong", "%%robota --format json\njson", "%%robota --format text\nlong", "%%robota -f json\nelse",
        providers=Told(),
    )  # fmt: skip


def test_answers_of_several_outputs_and_of_all_formats_are_known_again(formats):
    assert [len(cell.outputs) for cell in formats.content.cells][0] > 1
    assert "application/json" in formats.content.cells[1].outputs[0].data
    assert formats.findings() == []


@pytest.mark.parametrize(("cell", "kind"), [(0, "text/markdown"), (2, "text/plain"), (1, "text/plain")])
def test_an_altered_text_is_found_in_each_output(formats, cell, kind):
    for at in range(len(formats.content.cells[cell].outputs)):
        changed = deepcopy(formats.saved)
        changed["cells"][cell]["outputs"][at]["data"][kind] = ["something ", "else"]
        (finding,) = check(changed).findings
        assert (finding.cell, finding.state) == (cell + 1, "differs")
        assert finding.why == "the text that it shows is not the recorded answer"


@pytest.mark.parametrize(
    "change",
    [
        lambda output: output["data"].update({"text/html": "<b>else</b>"}),
        lambda output: output["data"].update({"application/json": {"a": 1}}),
        lambda output: output["data"].clear(),
    ],
)
def test_other_data_beside_or_in_place_of_the_answer_is_found(formats, change):
    changed = deepcopy(formats.saved)
    change(changed["cells"][1]["outputs"][0])
    assert [(one.cell, one.state) for one in check(changed).findings] == [(2, "differs")]


def test_an_output_with_the_answer_of_another_cell_is_found():
    notebook = Notebook("%robota new A\n%robota ask one", "%robota new B\n%robota ask two")
    first, second = notebook.content.cells
    second.outputs = deepcopy(first.outputs)
    assert notebook.findings() == [(2, "differs")]
    assert notebook.why() == "the answer that it shows is recorded, but not as that of this cell"


def test_an_output_whose_answer_is_nowhere_is_found(notebook):
    notebook.content.cells[0].outputs[0].metadata[KEY]["turn"] = "e_" + "0" * 40
    assert notebook.findings() == [(1, "differs")]
    assert notebook.why() == "the answer that it shows is not recorded in this notebook"


def test_other_outputs_in_between_are_no_matter(notebook):
    outputs = notebook.content.cells[0].outputs
    outputs.insert(0, nbformat.v4.new_output("stream", text="a note"))
    outputs.append(nbformat.v4.new_output("display_data", data={"text/plain": "a figure"}))
    assert notebook.findings() == []


# -- what takes a run to tell


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("%%robota\nwhat is {{ x }}?", "what {{ x }} stands for"),
        ("%robota ask --image figure what?", "which picture goes with it"),
        ("%robota ask --fresh hello", "it asks each time that it runs (--fresh)"),
    ],
)
def test_a_prompt_that_only_a_run_can_tell(source, says):
    notebook = Notebook(source)
    assert notebook.findings() == [(1, "cannot tell")]
    assert says in notebook.why()
    assert check(notebook.saved).exit_code == 2
    notebook.insert(1, "%robota ask new")
    assert check(notebook.saved).exit_code == 1


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("%robota ask --once hello", "it asks each time that it runs (--once)"),
        ("if x:\n    %robota ask hello", "whether it asks anything"),
        ("for x in y:\n    %robota ask hello", "whether it asks anything"),
        ("%robota import chat.md", "what the file holds"),
        ("%robota resume other.ipynb", "what the other notebook holds"),
        ("%robota recover", "what the store of this machine holds"),
        ("%robota replay off", "all below is asked each time"),
        ("%robota new Elsewhere", "what %robota new does is not recorded here"),
        ("%robota aks hello", "a command in it cannot be read: no command 'aks' (did you mean 'ask'?)"),
    ],
)
def test_a_cell_whose_effect_only_a_run_can_tell(notebook, source, says):
    notebook.insert(0, source)
    assert notebook.findings() == [(1, "cannot tell")]
    assert says in notebook.why()


def test_commands_that_have_not_run_leave_nothing_stale_below_that_they_may_make_fresh():
    notebook = Notebook("%robota new Left", "%robota ask l1", "%robota chat set temperature=0.5", "%robota ask l2")
    (entries,) = notebook.content.metadata[KEY]["sessions"].values()
    for eid in [eid for eid, entry in entries.items() if entry["kind"] == "effects"]:  # as in format 1.0
        del entries[eid]
    assert notebook.findings() == [(1, "cannot tell"), (3, "cannot tell")]


def test_an_ask_from_python_takes_a_run():
    notebook = Notebook("%robota ask one", "python asks this")
    assert notebook.findings() == [(2, "cannot tell")]
    assert notebook.why() == "it asks from Python, and what is known only when it runs"


# -- the command


def test_the_command_says_each_cell_in_a_line_and_changes_nothing(notebook, tmp_path):
    notebook.edit(0, "%%robota\nALPHA")
    notebook.insert(4, "%robota ask \x1b[31mnew")
    path = notebook.save(tmp_path / "a.ipynb")
    before = path.read_bytes()
    result = command("check", path)
    assert result.exit_code == 1
    edited, new = result.output.splitlines()
    assert edited == ("code cell 1: edited: it has not run since it was edited; its former answer is in memory · ALPHA")
    assert new.startswith("code cell 5: new: it has no answer yet · ")
    assert "\x1b" not in result.output
    assert path.read_bytes() == before


def test_several_notebooks_are_named_and_the_worst_counts(asked, tmp_path):
    fresh = asked.save(tmp_path / "fresh.ipynb")
    unknown = Notebook("%robota ask {{ x }}").save(tmp_path / "unknown.ipynb")
    new = tmp_path / "new.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%robota ask x")]), new)
    result = command("check", fresh, unknown)
    assert result.exit_code == 2
    assert result.output.splitlines()[0] == f"{fresh}: fresh: 3 asking cells"
    assert result.output.splitlines()[1].startswith(f"{unknown}: code cell 1: cannot tell: ")
    assert command("check", unknown, new).exit_code == 1
    assert command("check", fresh).output == "fresh: 3 asking cells\n"


def test_a_notebook_without_ids_of_cells_is_checked_too(tmp_path):
    cells = [nbformat.v4.new_code_cell("%robota ask x")]
    del cells[0]["id"]
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
    result = command("check", path)
    assert (result.exit_code, result.output) == (1, "code cell 1: new: it has no answer yet · x\n")


# -- cells that go along


ALONG = ["x = 1", "%%robota\nfirst", "y = 2", "%%robota --cells above\nlook", "z = 3", "%%robota\nnext"]


def test_what_goes_along_is_looked_at_in_the_file(tmp_path):
    notebook = Notebook(*ALONG)
    assert notebook.findings() == []
    notebook.edit(4, "z = 4")
    notebook.insert(2, "%robota chat log")
    notebook.insert(2, "  ")
    assert notebook.findings() == []  # below it, a prompt, and nothing at all
    notebook.insert(0, "new = 1")
    assert notebook.findings() == [(7, "stale")]
    assert notebook.why() == "cell 1, which goes along with it, was edited, or is new"
    del notebook.content.cells[0]
    notebook.content.cells.insert(0, nbformat.v4.new_markdown_cell("# Title"))
    assert notebook.why() == "cell 1, which goes along with it, was edited, or is new"
    notebook.content.cells[0] = notebook.content.cells.pop(1)
    assert notebook.findings() == []
    notebook.edit(0, "x = 2")
    assert notebook.findings() == [(6, "stale")]
    assert notebook.why() == "cell 1, which went along with it, was edited or is gone"
    result = command("check", notebook.save(tmp_path / "a.ipynb"))
    assert (result.exit_code, "cell 1, which went along" in result.output) == (1, True)


def test_the_order_of_what_goes_along_and_its_names_are_looked_at_too():
    notebook = Notebook(*ALONG)
    cells = notebook.content.cells
    cells[0], cells[2] = cells[2], cells[0]
    assert notebook.why() == "other cells go along with it now, or in another order"
    named = Notebook("x = 1")
    named.content.cells[0].metadata["tags"] = ["load"]
    named.insert(1, "%%robota --cells load --outputs\nlook")
    named.run(1)
    assert named.findings() == []
    named.content.cells[0].metadata["tags"] = []
    assert named.findings() == [(2, "stale")]
    assert named.why().startswith("no cell is named or tagged 'load'")


@pytest.mark.parametrize("name", ["tools", "values"])
def test_of_tools_and_types_only_a_run_can_tell_and_what_is_shown_is_what_is_recorded(name):
    done = command("check", TESTS.parent / "notebooks" / f"{name}.ipynb")
    assert done.exit_code == 2
    assert "what the functions and types are that it names is known only when it runs" in done.output
    assert "that it shows" not in done.output
