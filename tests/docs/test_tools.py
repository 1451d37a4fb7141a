"""Other people's tools: docs/tools.md says what they leave of the conversations, and its commands run here."""

import json
import re
import shutil
import subprocess
import sysconfig

import jupytext
import nbformat
import pytest

from robota_nb.carriers import output
from robota_nb.core.record.entries import to_lines
from support.notebook import answers, command, content, edit, plain, run, value, write
from support.paths import ROOT
from support.provider import prompts

pytestmark = pytest.mark.slow("runs notebooks with other people's tools, each in a kernel of its own")

PAGE = ROOT.joinpath("docs", "tools.md").read_text(encoding="utf-8")

LOAD = "%load_ext robota_nb"
PICTURE = r"picture = b'\x89PNG\r\n\x1a\nfake'"
TALK = [
    "x = 0",
    LOAD,
    "%robota new Left",
    "%%robota\nl1",
    PICTURE,
    "%%robota --image picture\nwhat is this?",
    "%robota new Right",
    "%%robota\nr0",
    "%%robota\nand then?",
    "%robota chat fork Aside",
    "%%robota\naside",
    "%robota switch Left",
    "%%robota -o last\nand then?",
    "print(last.text)",
]
"""Two chats and a fork, with a prompt in two of them, so that its source alone does not tell whose it is."""

EDITED = 7


@pytest.fixture(scope="module")
def once():
    """What tests share, by name."""
    return {}


@pytest.fixture
def talk(connected, server, once):
    """A notebook with conversations in its metadata, among them a branch and an answer that broke off."""
    path = connected / "talk.ipynb"
    if "talk" not in once:
        run(parameters(write(path, *TALK)))
        edit(path, EDITED, "%%robota\nr1")
        server.cut(after=1)
        assert command("run", path).exit_code == 1
        run(path)
        once["talk"] = path.read_bytes()
    path.write_bytes(once["talk"])
    server.requests.clear()
    return path


@pytest.fixture
def riding(talk, server, once, monkeypatch):
    """The same notebook after one more question, asked where no extension had it open: that turn rides in an output."""
    if "riding" not in once:
        notebook = nbformat.read(talk, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell("%%robota --chat Right\nand there?", id="more"))
        nbformat.write(notebook, talk)
        with monkeypatch.context() as here:
            here.setenv("ROBOTA_NB_NOTEBOOK", str(talk))
            plain(talk)
        assert len(server.requests) == 1
        once["riding"] = talk.read_bytes()
    talk.write_bytes(once["riding"])
    server.requests.clear()
    return talk


@pytest.fixture
def sides(talk, server, once):
    """Two notebooks that went on from the same one, each in another chat; beside them their base."""
    for name, at, source in (("ours", 14, "%%robota --chat Left\nours"), ("theirs", 9, "%%robota\ntheirs")):
        path = talk.with_name(f"{name}.ipynb")
        if name not in once:
            notebook = nbformat.read(talk, as_version=4)
            notebook.cells.insert(at, nbformat.v4.new_code_cell(source, id=name))
            nbformat.write(notebook, path)
            run(path)
            once[name] = path.read_bytes()
        path.write_bytes(once[name])
    server.requests.clear()
    return talk.rename(talk.with_name("base.ipynb"))


def parameters(path):
    """Tag the first cell as papermill's."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    return path


def shell(line, directory, ok=(0,)):
    """Run a command line as a user does, in a directory; return what it says."""
    path = f"PATH={sysconfig.get_path('scripts')}:$PATH; export PATH; "
    done = subprocess.run(["sh", "-c", path + line], cwd=directory, capture_output=True, text=True)
    assert done.returncode in ok, done.stdout + done.stderr
    return done.stdout + done.stderr


def saved(path):
    """The ids of what a notebook's metadata holds."""
    return {eid for session in output.read(content(path))[0].values() for eid in session}


def rides(path):
    """The ids of what only its outputs hold."""
    return {eid for session in output.read(content(path))[1].values() for eid in session}


def riding_answers(path):
    """The ids of the answers that only its outputs hold."""
    riding = output.read(content(path))[1].values()
    return {eid for session in riding for eid, entry in session.items() if entry.get("role") == "assistant"}


def entries(path):
    """The ids of what it holds, wherever."""
    return saved(path) | rides(path)


def drop_last(path):
    """Delete the last cell."""
    notebook = nbformat.read(path, as_version=4)
    del notebook.cells[-1]
    nbformat.write(notebook, path)


def replays(path, server, shown=None):
    """Whether the notebook runs again without a request; it must show the same answers then."""
    server.requests.clear()
    result = command("run", "--replay", "strict", path)
    assert server.requests == []
    if result.exit_code:
        assert "ReplayMiss" in result.output
        return False
    assert "0 requests" in result.output
    assert shown is None or answers(path) == shown
    return True


def table(head):
    """The rows of the page's table with that head; a row begins with a command."""
    block = PAGE.split(f"| command | {head} |\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()[1:]]
    return [(first.strip("`"), *rest) for first, *rest in rows]


def block(language):
    """The page's only block in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


IN_PLACE = table("conversations in the metadata | what rides in the outputs | runs again without a request")
LEAVING = table("of the snapshot")
MERGES = table("turns of both sides")


def test_the_notebook_has_all_that_can_be_lost(talk, server):
    shown = command("show", talk).output
    for part in ("Left", "Right", "Aside", "⎇ from the start", "r1 · error"):
        assert part in shown
    assert '"image/png"' in json.dumps(value(talk))
    assert replays(talk, server)


# -- the tables


@pytest.mark.parametrize("row", IN_PLACE, ids=[row[0] for row in IN_PLACE])
def test_what_a_tool_that_changes_a_notebook_leaves(row, riding, server):
    line, metadata, outputs, again = row
    before, carried, shown = saved(riding), riding_answers(riding), answers(riding)
    shell(line, riding.parent)
    assert before & saved(riding) == {"kept": before, "lost": set()}[metadata]
    assert carried & entries(riding) == {"kept": carried, "lost": set()}[outputs]
    if outputs == "lost":
        drop_last(riding)
        shown.pop()
    else:
        assert server.requests == []
    assert replays(riding, server, shown) is {"yes": True, "no": False}[again]


@pytest.mark.parametrize(("line", "holds"), LEAVING, ids=[row[0] for row in LEAVING])
def test_what_leaves_the_notebook(line, holds, talk):
    said = shell(line, talk.parent)
    written = (path for path in talk.parent.glob("talk.*") if path.suffix != ".ipynb")
    text = said + "".join(path.read_text(encoding="utf-8") for path in written)
    assert "l1" in text
    names = {*saved(talk), *value(talk)["sessions"]}
    assert {name for name in names if name in text} == {"nothing": set(), "all": names}[holds]


@pytest.mark.parametrize(("line", "turns"), MERGES, ids=[row[0] for row in MERGES])
def test_what_nbmerge_makes_of_two_sides(line, turns, sides, server):
    shell(line, sides.parent)
    merged = sides.with_name("talk.ipynb")
    both = saved(sides.with_name("ours.ipynb")) | saved(sides.with_name("theirs.ipynb"))
    assert saved(merged) == {"kept": both, "lost": saved(sides)}[turns]
    assert "verified" in command("verify", merged).output
    assert replays(merged, server) is (turns == "kept")


# -- cell ids, and the forms that a notebook is saved in


def without_ids(notebook):
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        del cell["id"]


def upgraded(notebook):
    without_ids(notebook)
    notebook.update(nbformat.v4.upgrade(nbformat.from_dict(notebook)))


def all_alike(notebook):
    for cell in notebook["cells"]:
        cell["id"] = "same"


def by_vs_code(notebook):
    """As VS Code saves one that it did not make: format 4.2, and what it adds to cells."""
    without_ids(notebook)
    notebook["nbformat_minor"] = 2
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.11.0"}
    for cell in notebook["cells"]:
        cell["metadata"] = {"vscode": {"languageId": "markdown"}}


FORMS = [upgraded, all_alike, by_vs_code]


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_in_whatever_form_a_notebook_is_saved_it_replays(form, talk, server):
    before, shown, notebook = value(talk), answers(talk), content(talk)
    form(notebook)
    talk.write_text(json.dumps(notebook))
    assert value(talk) == before
    nbformat.validate(nbformat.read(talk, as_version=4))
    assert replays(talk, server, shown)


def test_a_cell_edited_after_nbstripout_is_asked_in_its_place(talk, server):
    shell("nbstripout talk.ipynb", talk.parent)
    assert content(talk)["cells"][EDITED]["id"] == str(EDITED)
    edit(talk, EDITED, "%%robota\nR1")
    run(talk)
    asked = [prompts(server, number) for number in range(len(server.requests))]
    assert asked == [["R1"], ["R1", "and then?"], ["R1", "and then?", "aside"]]


# -- nbstripout and git


def test_as_a_git_filter_nbstripout_commits_conversations_without_outputs(talk, server, git):
    shown = answers(talk)
    git("git init -q && nbstripout --install && git add talk.ipynb && git commit -qm talk && git clone -q . clone")
    clone = talk.parent / "clone" / "talk.ipynb"
    assert answers(clone) == []
    assert answers(talk) == shown
    assert value(clone) == value(talk)
    assert replays(clone, server, shown)


def test_extra_keys_keep_conversations_out_of_git_and_in_the_working_copy(talk, git):
    git("git init -q && nbstripout --install")
    (line,) = re.findall(r"`(git config filter[^`]+)`", PAGE)
    git(f"{line} && git add talk.ipynb && git commit -qm talk && git clone -q . clone")
    assert value(talk.parent / "clone" / "talk.ipynb") is None
    assert value(talk) is not None


@pytest.fixture
def git(alone, monkeypatch):
    """Runs command lines where git knows who commits."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "somebody@example.org")
    return lambda line, ok=(0,): shell(line, alone, ok)


def test_the_hooks_for_pre_commit_settle_before_outputs_are_cleared(riding, server, git):
    (riding.parent / ".pre-commit-config.yaml").write_text(block("yaml"))
    shown, held = answers(riding), entries(riding)
    git("git init -q && git add -A")
    git("pre-commit run --all-files", ok=(1,))  # it has changed files
    git("git add -A && pre-commit run --all-files")
    assert answers(riding) == []
    assert saved(riding) == held
    assert replays(riding, server, shown)


# -- outputs that are cleared too early


def test_verify_says_what_rides_in_the_outputs_and_how_to_keep_it(riding):
    assert "1 turn in the outputs, gone when these are cleared: 'robota-nb settle'" in command("verify", riding).output
    command("settle", riding)
    assert "outputs" not in command("verify", riding).output


def test_several_notebooks_are_settled_and_verified_also_if_one_is_broken(riding):
    broken, again = riding.with_name("broken.ipynb"), riding.with_name("again.ipynb")
    broken.write_text("{")
    shutil.copy(riding, again)
    settled = command("settle", riding, broken, again)
    assert settled.exit_code == 1
    said = re.findall(r"(\w+\.ipynb): (\w+)", settled.output)
    assert sorted(said) == [("again.ipynb", "settled"), ("broken.ipynb", "Error"), ("talk.ipynb", "settled")]
    assert command("verify", riding, broken, again).output.count(": verified: 1 session") == 2


def test_what_was_cleared_too_early_is_in_the_store(connected, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_STORE", str(connected / "store.sqlite"))
    path = write(connected / "cleared.ipynb", LOAD, "", "%%robota\none", "%%robota\ntwo")
    plain(path)
    shown = answers(path)
    shell("jupyter nbconvert --clear-output --inplace cleared.ipynb", connected)
    assert entries(path) == set()
    edit(path, 1, "%robota recover terminal")
    assert replays(path, server, shown)


# -- papermill


def test_the_cell_that_papermill_adds_moves_nothing(talk, server):
    held, shown = value(talk), answers(talk)
    shell("ROBOTA_NB_NOTEBOOK=talk.ipynb papermill talk.ipynb out.ipynb -p x 5", talk.parent)
    out = talk.with_name("out.ipynb")
    added = [cell for cell in content(out)["cells"] if "injected-parameters" in cell["metadata"].get("tags", ())]
    assert len(added) == 1
    assert server.requests == []
    assert value(out) == held
    assert answers(out) == shown
    assert replays(out, server, shown)


# -- jupytext


def sync(directory, text, config):
    """Pair talk.ipynb with a text, have the notebook run meanwhile, edit the text, and sync."""
    notebook = directory / "talk.ipynb"
    newest = notebook.read_bytes()
    before = content(notebook)
    (sessions,) = before["metadata"]["robota_nb"]["sessions"].values()
    last = max(sessions, key=lambda eid: sessions[eid].get("n", 0))
    del sessions[last]
    notebook.write_text(json.dumps(before))
    (directory / "jupytext.toml").write_text(config)
    shell(f"jupytext --sync {text}", directory)
    notebook.write_bytes(newest)
    edited = directory / "talk.py"
    edited.write_text(edited.read_text().replace("x = 0", "x = 1"))
    shell("touch talk.py && jupytext --sync talk.py", directory)
    assert content(notebook)["cells"][0]["source"] == ["x = 1"]
    return last


def test_a_paired_notebook_keeps_what_was_asked_before_its_text_was_edited(talk, server):
    held, shown = value(talk), answers(talk)
    sync(talk.parent, "talk.ipynb", 'formats = "ipynb,py:percent"\n')
    assert value(talk) == held
    assert "robota_nb:" not in talk.with_suffix(".py").read_text()
    assert replays(talk, server, shown)


def test_a_paired_notebook_with_the_filter_loses_it(talk):
    last = sync(talk.parent, "talk.ipynb", 'formats = "ipynb,py:percent"\n' + block("toml"))
    assert last not in saved(talk)


def test_a_text_alone_keeps_conversations_by_its_configuration(talk):
    held = value(talk)
    (talk.parent / "jupytext.toml").write_text(block("toml"))
    shell("jupytext --to md talk.ipynb && rm talk.ipynb && jupytext --to ipynb talk.md", talk.parent)
    assert value(talk) == held


ODD = {
    "heading": "# A heading\n\nand a paragraph\n\n\n\n- an item",
    "fence": "mend\n\n```python\nx = 1\n```\n\nplease",
    "indent": "\n  two\n\ttab",
    "quotes": "\"\"\"one\"\"\" and '''two'''",
    "yaml": "yes: no\n--- \n...\n? - : {a: [1]}",
    "region": "<!-- #region -->\nx\n<!-- #endregion -->\n# %load",
    "marker": "one\n# %% two",
    "feed": "a\x0cb",
    "lines": "a\u2028b\x85c\rd",
    "bell": "a\x07b",
    "values": "true\n1e3\n \n2026-11-22\né😀",
    "end": "line\n\n",
}
"""Prompts that a text format may stumble over."""

CHANGED = {
    "py:percent": {"marker", "feed", "lines", "end"},
    "py:light": {"feed", "lines"},
    "md": {"feed", "lines"},
}
"""Those that it brings back as something else."""


@pytest.mark.parametrize("form", CHANGED)
def test_whatever_was_said_comes_back_from_a_text_and_few_prompts_do_not(form, talk):
    notebook = nbformat.read(talk, as_version=4)
    notebook.metadata["jupytext"] = {"notebook_metadata_filter": "robota_nb"}
    odd = {name: {"content": to_lines(prompt)} for name, prompt in ODD.items()}
    notebook.metadata["robota_nb"]["sessions"]["s_odd"] = odd
    there = jupytext.reads(jupytext.writes(notebook, form), form)
    assert there.metadata["robota_nb"] == notebook.metadata["robota_nb"]
    changed = set()
    for name, prompt in ODD.items():
        cell = nbformat.v4.new_code_cell(f"%%robota\n{prompt}")
        one = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": notebook.metadata.kernelspec})
        if [back.source for back in jupytext.reads(jupytext.writes(one, form), form).cells] != [cell.source]:
            changed.add(name)
    assert changed == CHANGED[form]


# -- formatters


def test_ruff_formats_code_and_leaves_prompts_alone(talk):
    edit(talk, 0, "x=0")
    prompt = "%%robota\nx=0;  y = [1,\n 2]\nimport   os"
    edit(talk, 3, prompt)
    shell("ruff format talk.ipynb", talk.parent)
    cells = ["".join(cell["source"]) for cell in content(talk)["cells"]]
    assert cells[0] == "x = 0"
    assert cells[3] == prompt


# -- nbdime


def test_nbdiff_shows_new_entries_unless_it_is_told_not_to_and_merges_them_all_the_same(sides):
    line = "nbdiff --no-color base.ipynb ours.ipynb"
    assert "added /metadata/robota_nb/sessions/" in shell(line, sides.parent)
    (sides.parent / "nbdime_config.json").write_text(block("json"))
    said = shell(line, sides.parent)
    assert "/metadata/robota_nb" not in said
    assert "%%robota --chat Left" in said
    shell(MERGES[0][0], sides.parent)
    assert saved(sides.with_name("talk.ipynb")) > saved(sides.with_name("ours.ipynb"))


def test_of_two_sides_that_both_began_to_talk_nbmerge_keeps_neither_and_resume_adds_the_other(sides, server):
    base = content(sides)
    del base["metadata"]["robota_nb"]
    sides.write_text(json.dumps(base))
    ours, theirs = sides.with_name("ours.ipynb"), sides.with_name("theirs.ipynb")
    shell(MERGES[0][0], sides.parent, ok=(1,))
    assert value(sides.with_name("talk.ipynb")) is None
    both = saved(ours) | saved(theirs)
    edit(ours, 4, "%robota resume theirs.ipynb")
    edit(ours, 5, "")
    run(ours)
    assert both - saved(ours) == set()


# -- nbval


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        pytest.param("", True, marks=pytest.mark.long("as where outputs are kept")),
        ("--keep-output --keep-count", True),
        ("--keep-output", False),
    ],
)
def test_after_nbstripout_nbval_passes_with_all_of_the_outputs_or_nothing_of_them(options, passes, talk, server):
    shell(f"nbstripout {options} talk.ipynb", talk.parent)
    words = "python -m pytest -q -p no:cacheprovider --nbval talk.ipynb"
    said = shell(words, talk.parent, ok=(0,) if passes else (1,))
    assert server.requests == []
    if options:
        assert ("Unrun reference cell has outputs" in said) is not passes
        return
    edit(talk, EDITED, "%%robota\nanother")
    assert "ReplayMiss" in shell(words, talk.parent, ok=(1,))
