"""The merge driver: what was said on two branches is there after the merge, whatever becomes of the cells."""

import json
import random
import sys

import nbformat
import pytest

from robota_nb.carriers import file
from robota_nb.cli.git import cells
from robota_nb.cli.git.merge import merge
from robota_nb.core.record import snapshot
from robota_nb.core.record.entries import entry_id
from robota_nb.errors import SnapshotError
from support.git import Repository, branched, held, needs_git, notebook, only_chat, restored, save, talk
from support.notebook import command, content, edit, value

pytestmark = pytest.mark.usefixtures("needs_git")
_ = needs_git


@pytest.fixture
def repository(tmp_path):
    """A repository with the driver, made known as users do."""
    repository = Repository(tmp_path / "repository")
    repository.set_up()
    return repository


@pytest.fixture
def sides(tmp_path):
    """Three files of one notebook with one turn: a base, and two copies to change."""
    base = notebook(tmp_path / "base.ipynb", "a = 1", "b = 1", "c = 1", manager=talk("begin"))
    paths = [base, tmp_path / "ours.ipynb", tmp_path / "theirs.ipynb"]
    for path in paths[1:]:
        path.write_bytes(base.read_bytes())
    return paths


def say(path, *texts):
    """Go on with the conversation in a notebook."""
    manager = restored(path)
    for text in texts:
        only_chat(manager).send(text)
    save(manager, path)


def prompts(path):
    """All that was asked in a notebook, also beside the path."""
    return sorted(
        "".join(entry["content"])
        for entry in held(path).values()
        if entry["kind"] == "message" and entry["role"] == "user"
    )


def differ(sides, ours, theirs):
    """Change a cell on each side, given as number and source, and go on with the conversation there."""
    for path, (number, source), text in zip(sides[1:], (ours, theirs), ("one", "two"), strict=True):
        edit(path, number, source)
        say(path, text)


@pytest.fixture
def without_nbdime(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbdime", None)


# -- any two branches


def test_any_two_branches_merge_without_a_loss_in_either_order_and_twice(tmp_path, scale):
    merges = scale(fast=4, all=12, long=500)
    repository = Repository(tmp_path / "repository")
    versions = {f"n{seed}": branched(tmp_path, seed) for seed in range(merges)}
    repository.branches(*({stem: three[side] for stem, three in versions.items()} for side in range(3)))
    repository.run("git", "merge", "-q", "theirs")
    conflicts = repository.git("diff", "--name-only", "--diff-filter=U").split()
    print(f"plain git merge: {merges - len(conflicts)} of {merges} clean")
    repository.git("reset", "-q", "--hard")
    repository.set_up()
    repository.git("merge", "-q", "--no-edit", "theirs")
    for stem, (base, ours, theirs) in versions.items():
        path = repository.root / f"{stem}.ipynb"
        merged, found = path.read_bytes(), held(path)
        for side in (ours, theirs):
            path.write_bytes(side)
            for key, entry in held(path).items():
                assert found[key] == entry or found[key]["kind"] == "purged", stem
        path.write_bytes(merged)
        assert command("verify", path).exit_code == 0
        assert restored(path).snapshot("u")["sessions"].keys() == {sid for sid, _ in found}
        for one, other in [(theirs, ours), (merged, ours), (theirs, merged), (merged, merged)]:
            assert merge(base, one, other, stem) == (merged, [])
        assert merge(base, ours, ours, stem) == (ours, [])


def test_what_one_side_has_purged_stays_purged(sides):
    base, ours, theirs = sides
    manager = restored(ours)
    only_chat(manager).purge(1)
    save(manager, ours)
    say(theirs, "more")
    for one, other in [(ours, theirs), (theirs, ours)]:
        data, conflicts = merge(base.read_bytes(), one.read_bytes(), other.read_bytes(), "n")
        assert not conflicts
        assert b"begin" not in data
        assert b"more" in data


@pytest.mark.slow("commits and merges in a real repository, again and again")
def test_a_base_without_a_snapshot_and_a_file_that_both_have_added(tmp_path, repository):
    one, other = (notebook(tmp_path / f"{name}.ipynb", "x", manager=talk(name)).read_bytes() for name in ("one", "two"))
    without = notebook(tmp_path / "without.ipynb", "x").read_bytes()
    repository.branches({"changed": without}, {"changed": one, "added": one}, {"changed": other, "added": other})
    repository.git("merge", "-q", "--no-edit", "theirs")
    for stem in ("changed", "added"):
        path = repository.root / f"{stem}.ipynb"
        assert prompts(path) == ["one", "two"]
        assert len(content(path)["cells"]) == 1
        nbformat.validate(nbformat.read(path, as_version=4))


def test_no_conversations_stay_none(sides):
    for path in sides:
        command("strip", path)
    edit(sides[2], 0, "a = 2")
    assert command("merge", *sides).exit_code == 0
    assert sides[1].read_bytes() == sides[2].read_bytes()


# -- removed on purpose


@pytest.mark.parametrize("swapped", [False, True])
def test_conversations_that_one_side_has_removed_and_the_other_left_alone_are_removed(sides, swapped):
    base, ours, theirs = sides
    command("strip", ours)
    edit(theirs, 0, "a = 2")
    result = command("merge", base, *((theirs, ours) if swapped else (ours, theirs)))
    assert result.exit_code == 0, result.output
    merged = theirs if swapped else ours
    assert value(merged) is None
    assert content(merged)["cells"][0]["source"] == ["a = 2"]


@pytest.mark.parametrize("swapped", [False, True])
def test_conversations_that_one_side_has_removed_and_the_other_added_to_are_kept_and_said(sides, swapped):
    base, ours, theirs = sides
    command("strip", ours)
    say(theirs, "more")
    result = command("merge", base, *((theirs, ours) if swapped else (ours, theirs)))
    assert result.exit_code == 1
    assert "one side has removed the conversations and the other has added to them" in result.output
    assert prompts(theirs if swapped else ours) == ["begin", "more"]


def test_both_sides_have_removed_them(sides):
    for path in sides[1:]:
        command("strip", path)
    assert command("merge", *sides).exit_code == 0
    assert value(sides[1]) is None


def test_an_empty_snapshot_on_both_sides_stays_one(sides):
    for path in sides[1:]:
        notebook_ = content(path)
        notebook_["metadata"]["robota_nb"]["sessions"] = {}
        file.write_notebook(path, notebook_)
    before = sides[1].read_bytes()
    assert command("merge", *sides).exit_code == 0
    assert sides[1].read_bytes() == before


# -- cells


@pytest.mark.parametrize("fixtures", [[], ["without_nbdime"]], ids=["by nbdime", "as text"])
def test_changes_in_different_cells_merge(sides, fixtures, request):
    for name in fixtures:
        request.getfixturevalue(name)
    ours = sides[1]
    differ(sides, (0, "a = 2"), (2, "c = 2"))
    result = command("merge", *sides)
    assert (result.exit_code, result.output) == (0, "")
    assert [cell["source"] for cell in content(ours)["cells"]] == [["a = 2"], ["b = 1"], ["c = 2"]]
    assert prompts(ours) == ["begin", "one", "two"]
    merged = ours.read_bytes()
    nbformat.write(nbformat.read(ours, as_version=4), ours)
    assert ours.read_bytes() == merged


def test_a_conflict_in_a_cell_is_marked_there_and_named(sides, repository):
    differ(sides, (1, "b = 2"), (1, "b = 3"))
    repository.branches(*({"demo": path.read_bytes()} for path in sides))
    said = repository.git("merge", "-q", "--no-edit", "theirs", code=1)
    assert "demo.ipynb: conflicts are left, and marked with <<<<<<<, in cell 2" in said
    assert "CONFLICT (content): Merge conflict in demo.ipynb" in said
    path = repository.root / "demo.ipynb"
    nbformat.validate(nbformat.read(path, as_version=4))
    assert "".join(content(path)["cells"][1]["source"]).splitlines()[1::2] == ["b = 2", "b = 3"]
    assert prompts(path) == ["begin", "one", "two"]


def test_cells_that_both_sides_append_give_a_notebook_with_valid_ids(sides):
    base, ours, theirs = sides
    for path, source in ((ours, "one"), (theirs, "two")):
        changed = nbformat.read(path, as_version=4)
        changed.cells.append(nbformat.v4.new_code_cell(source, id=source))
        nbformat.write(changed, path)
    result = command("merge", *sides)
    assert result.exit_code == 1
    assert "in cell 4" in result.output
    merged = nbformat.read(ours, as_version=4)
    nbformat.validate(merged)
    assert merged.cells[3].id == "one"
    assert {"one", "two"} < set(merged.cells[3].source.splitlines())


def test_conflicts_in_the_metadata_of_the_notebook_are_said(sides):
    for path, version in zip(sides, ("1", "2", "3"), strict=True):
        changed = content(path)
        changed["metadata"]["language_info"] = {"name": "python", "version": version}
        file.write_notebook(path, changed)
    say(sides[1], "one")
    say(sides[2], "two")
    result = command("merge", *sides)
    assert result.exit_code == 1
    assert "nbdime-conflicts" in result.output
    assert "nbdime-conflicts" in content(sides[1])["metadata"]
    assert prompts(sides[1]) == ["begin", "one", "two"]


def test_more_conflicts_than_can_be_listed_are_cut(tmp_path):
    paths = [notebook(tmp_path / f"{n}.ipynb", *(f"x{i} = {n}" for i in range(12))) for n in range(3)]
    result = command("merge", *paths)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "…" in result.output


# -- without nbdime


@pytest.mark.usefixtures("without_nbdime")
def test_without_nbdime_a_conflict_has_gits_markers_and_the_conversations_stand_whole_beside_them(sides):
    ours = sides[1]
    differ(sides, (1, "b = 2"), (1, "b = 3"))
    result = command("merge", *sides)
    assert result.exit_code == 1
    text = ours.read_text(encoding="utf-8")
    line = text.splitlines().index("<<<<<<< ours") + 1
    assert f"ours.ipynb: conflicts are left, and marked with <<<<<<<, in line {line}\n" == result.output
    assert "conflict markers" in command("show", ours).output
    before, _, rest = text.partition("<<<<<<< ours\n")
    chosen, _, rest = rest.partition("=======\n")
    ours.write_text(before + chosen + rest.partition(">>>>>>> theirs\n")[2], encoding="utf-8")
    assert command("verify", ours).exit_code == 0
    assert prompts(ours) == ["begin", "one", "two"]


@pytest.mark.usefixtures("without_nbdime")
def test_without_nbdime_lines_that_go_together_and_are_no_notebook_are_refused():
    with pytest.raises(SnapshotError, match=r"do not merge as text; install robota-nb\[git\]"):
        cells.merge(b"1\n2\n3\n", b"one\n2\n3\n", b"1\n2\nthree\n", name="n")


@pytest.mark.usefixtures("without_nbdime")
def test_without_nbdime_what_git_takes_for_no_text_is_refused():
    with pytest.raises(SnapshotError, match=r"cannot be merged as text; install robota-nb\[git\]"):
        cells.merge(b"\0", b"\0\0", b"\0\0\0", name="n")


@pytest.mark.usefixtures("without_nbdime")
def test_without_nbdime_and_without_git_the_error_says_what_to_install(sides, monkeypatch):
    edit(sides[1], 0, "a = 2")
    edit(sides[2], 2, "c = 2")
    before = sides[1].read_bytes()
    monkeypatch.setenv("PATH", "")
    result = command("merge", *sides)
    assert result.exit_code == 2
    assert "cannot be merged: install git, or robota-nb[git]" in result.output
    assert sides[1].read_bytes() == before


def test_of_cells_that_nbdime_stumbles_over_ours_are_kept_beside_what_both_sides_have_said(sides):
    for path, source, text in zip(sides, (["a"], ["b"], ["c"]), (None, "one", "two"), strict=True):
        if text:
            say(path, text)
        changed = content(path)
        changed["cells"][0].update(source={"odd": source}, cell_type="raw")
        changed["cells"][0].pop("outputs")
        path.write_text(json.dumps(changed), encoding="utf-8")
    before = content(sides[1])["cells"]
    result = command("merge", *sides)
    assert result.exit_code == 1
    assert "nbdime cannot merge the cells" in result.output
    assert content(sides[1])["cells"] == before
    assert prompts(sides[1])[-2:] == ["one", "two"]


# -- what rides in outputs


def riding(path, manager, *, without=()):
    """Move the conversations of a notebook into the metadata of its first cell's output."""
    changed = content(path)
    sessions = manager.snapshot("u")["sessions"]
    for entries in sessions.values():
        for eid in without:
            entries.pop(eid)
    metadata = {"robota_nb": {"turn": "e_1", "sessions": sessions}}
    changed["metadata"].pop("robota_nb", None)
    changed["cells"][0]["outputs"] = [
        {"output_type": "display_data", "data": {"text/plain": ["x"]}, "metadata": metadata}
    ]
    file.write_notebook(path, changed)


def test_what_rides_in_outputs_is_merged_and_goes_where_it_belongs(sides):
    base, ours, theirs = sides
    begun = restored(base)
    riding(base, begun)
    for path, text in ((ours, "one"), (theirs, "two")):
        manager = restored(path)
        only_chat(manager).send(text)
        riding(path, manager)
    result = command("merge", *sides)
    assert (result.exit_code, result.output) == (0, "")
    assert prompts(ours) == ["begin", "one", "two"]
    assert content(ours)["cells"][0]["outputs"][0]["metadata"] == {"robota_nb": {"turn": "e_1"}}


def test_what_rides_in_an_output_and_follows_what_is_missing_is_whole_after_the_merge(sides):
    base, ours, theirs = sides
    manager = restored(base)
    chat = only_chat(manager)
    first = [message.id for message in chat.messages]
    chat.send("later")
    riding(ours, manager, without=first)
    say(theirs, "other")
    assert command("merge", *sides).exit_code == 0
    assert "later" in ours.read_text(encoding="utf-8")
    assert prompts(ours) == ["begin", "later", "other"]  # what it hangs from came with the merge
    assert command("settle", ours).output == "nothing to settle\n"


# -- formats


def with_more(path, minor, **more):
    changed = content(path)
    changed["metadata"]["robota_nb"].update(format={"major": 1, "minor": minor}, **more)
    file.write_notebook(path, changed)


def test_a_later_minor_format_and_unknown_kinds_are_kept_in_either_order(sides):
    base, ours, theirs = sides
    unknown = {"kind": "note", "n": 99, "text": "from later"}
    with_more(ours, 10, extra={"a": [1]}, shared="a")
    with_more(theirs, 9, shared="b")
    changed = content(theirs)
    next(iter(changed["metadata"]["robota_nb"]["sessions"].values()))[entry_id(unknown)] = unknown
    file.write_notebook(theirs, changed)
    merged = {
        merge(base.read_bytes(), *(path.read_bytes() for path in pair), "n")[0] for pair in (sides[1:], sides[:0:-1])
    }
    assert len(merged) == 1
    ours.write_bytes(merged.pop())
    assert command("verify", ours).exit_code == 0
    found = value(ours)
    assert found["format"] == {"major": 1, "minor": 10}
    assert (found["extra"], found["shared"]) == ({"a": [1]}, "b")
    assert unknown in held(ours).values()


def test_what_is_over_a_cap_only_together_is_refused(sides, monkeypatch):
    say(sides[1], "one")
    say(sides[2], "two")
    before = sides[1].read_bytes()
    monkeypatch.setattr(snapshot, "MAX_ENTRIES", max(len(held(path)) for path in sides[1:]))
    result = command("merge", *sides)
    assert result.exit_code == 2
    assert "over the cap" in result.output
    assert sides[1].read_bytes() == before


# -- as git calls it


@pytest.mark.slow("commits and merges in a real repository, again and again")
def test_git_reports_a_conflict_where_nothing_could_be_merged_and_the_other_notebooks_are_merged(sides, repository):
    base, ours, theirs = (path.read_bytes() for path in sides)
    say(sides[1], "one")
    say(sides[2], "two")
    mine, yours = sides[1].read_bytes(), sides[2].read_bytes()
    cut = yours[: len(yours) // 2]
    repository.branches({"cut": base, "fine": base}, {"cut": mine, "fine": mine}, {"cut": cut, "fine": yours})
    said = repository.git("merge", "-q", "--no-edit", "theirs", code=1)
    assert "not merged: cut.ipynb (theirs) is truncated" in said
    assert "CONFLICT (content): Merge conflict in cut.ipynb" in said
    assert "Traceback" not in said
    assert (repository.root / "cut.ipynb").read_bytes() == mine
    assert prompts(repository.root / "fine.ipynb") == ["begin", "one", "two"]
    assert repository.git("diff", "--name-only", "--diff-filter=U").split() == ["cut.ipynb"]


@pytest.mark.slow("commits and merges in a real repository, again and again")
def test_any_path_and_a_repository_full_of_modules_do_not_matter(sides, repository):
    stem = 'a folder/-it\'s "so" $HOME %P; é'
    (repository.root / "a folder").mkdir()
    for module in ("json", "robota_nb", "click", "nbdime"):
        (repository.root / f"{module}.py").write_text("raise SystemExit('a module of the repository ran')")
    differ(sides, (0, "a = 2"), (2, "c = 2"))
    repository.branches(*({stem: path.read_bytes()} for path in sides))
    repository.git("merge", "-q", "--no-edit", "theirs")
    assert prompts(repository.root / f"{stem}.ipynb") == ["begin", "one", "two"]


@pytest.mark.slow("commits and merges in a real repository, again and again")
@pytest.mark.parametrize("how", ["rebase", "cherry-pick"])
def test_a_rebase_and_a_cherry_pick_merge_as_well(sides, repository, how):
    say(sides[1], "one")
    say(sides[2], "two")
    repository.branches(*({"demo": path.read_bytes()} for path in sides))
    repository.git(how, "theirs")
    assert prompts(repository.root / "demo.ipynb") == ["begin", "one", "two"]


def test_many_branches_in_any_order_give_the_same(tmp_path):
    chance = random.Random(7)
    base = notebook(tmp_path / "base.ipynb", "x", manager=talk("begin")).read_bytes()
    versions = []
    for number in range(4):
        path = tmp_path / f"{number}.ipynb"
        path.write_bytes(base)
        say(path, f"t{number}")
        versions.append(path.read_bytes())
    results = set()
    for _ in range(6):
        chance.shuffle(versions)
        merged = versions[0]
        for other in versions[1:]:
            merged, conflicts = merge(base, merged, other, "n")
            assert not conflicts
        results.add(merged)
    assert len(results) == 1


def test_the_conversations_are_not_merged_as_text_however_long_they_are(sides, monkeypatch):
    say(sides[0], "x" * 10_000)
    for path in sides[1:]:
        path.write_bytes(sides[0].read_bytes())
    differ(sides, (0, "a = 2"), (2, "c = 2"))
    merged, sizes = cells.merge, []

    def watched(*texts, name):
        sizes.extend(map(len, texts))
        return merged(*texts, name=name)

    monkeypatch.setattr(cells, "merge", watched)
    data, conflicts = merge(*(path.read_bytes() for path in sides), "n.ipynb")
    assert conflicts == []
    assert max(sizes) < 10_000 < len(data)
    sides[1].write_bytes(data)
    assert prompts(sides[1]) == sorted(["begin", "x" * 10_000, "one", "two"])
