"""One command makes robota_nb known to a repository, another takes it back; what else stands there stays."""

import subprocess
import sys

import pytest

from robota_nb.carriers import file
from support.git import Repository, needs_git, notebook, talk
from support.notebook import command, content, value, write

pytestmark = pytest.mark.usefixtures("needs_git")
_ = needs_git

PLAIN = b"*.ipynb merge=robota-nb diff=robota-nb\n"
WITH_STRIP = b"*.ipynb merge=robota-nb diff=robota-nb filter=robota-nb\n"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """An empty repository, in which this process stands."""
    repository = Repository(tmp_path / "repository")
    for name, setting in repository.environment.items():
        monkeypatch.setenv(name, setting)
    monkeypatch.chdir(repository.root)
    return repository


@pytest.fixture
def attributes(repository):
    return repository.root / ".gitattributes"


def setup(*options):
    result = command("git", "setup", *options)
    assert result.exit_code == 0, result.output
    return result.output


def config(repository):
    return (repository.root / ".git" / "config").read_text(encoding="utf-8")


def test_set_up_twice_is_set_up_once(repository, attributes):
    setup()
    before = config(repository), attributes.read_bytes()
    assert attributes.read_bytes() == PLAIN
    assert "merge as a union" in setup()
    assert (config(repository), attributes.read_bytes()) == before


def test_what_it_has_done_can_be_undone_without_a_trace(repository, attributes):
    before = config(repository)
    for options in ((), ("--strip",)):
        setup(*options)
        setup("--remove")
        assert not attributes.exists()
        assert config(repository) == before
    setup("--remove")
    assert config(repository) == before


OTHERS = {
    "other lines": b"*.txt text\n*.ipynb linguist-language=Python\n",
    "no line break at the end": b"*.txt text",
    "line breaks of Windows": b"*.txt text\r\n*.png binary\r\n",
    "any bytes": b"# \xff\xfe\n",
}


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
def test_other_lines_stay(attributes, others):
    attributes.write_bytes(others)
    end = b"\r\n" if b"\r\n" in others else b"\n"
    ended = others if others.endswith(end) else others + end
    setup()
    assert attributes.read_bytes() == ended + PLAIN.strip() + end
    setup("--strip")
    assert attributes.read_bytes() == ended + WITH_STRIP.strip() + end
    setup("--remove")
    assert attributes.read_bytes() == ended


@pytest.mark.parametrize("line", [b"*.ipynb filter=nbstripout", b"*.ipynb filter=lfs diff=lfs merge=lfs -text"])
def test_a_filter_of_others_stays_at_work(repository, attributes, line):
    attributes.write_bytes(line + b"\n")
    before = config(repository)
    refused = command("git", "setup", "--strip")
    assert refused.exit_code == 1
    assert "begin with 'robota-nb strip - |', and leave out --strip" in refused.output
    assert (attributes.read_bytes(), config(repository)) == (line + b"\n", before)
    setup()
    assert attributes.read_bytes() == line + b"\n" + PLAIN


def test_both_filters_work_as_the_refusal_tells(repository, attributes):
    path = write(repository.root / "a.ipynb", "print(1)", metadata={"robota_nb": {"format": {"major": 1, "minor": 0}}})
    attributes.write_bytes(b"*.ipynb filter=upper\n")
    strip = f"{sys.executable} -P -m robota_nb strip -"
    repository.git("config", "filter.upper.clean", f"{strip} | sed s/print/PRINT/")
    repository.git("add", path.name)
    kept = repository.git("show", f":{path.name}")
    assert "PRINT(1)" in kept
    assert "robota_nb" not in kept


def test_a_line_that_somebody_has_put_after_ours_stays_there(attributes):
    setup()
    attributes.write_bytes(PLAIN + b"big.ipynb -diff\n")
    setup()
    assert attributes.read_bytes() == PLAIN + b"big.ipynb -diff\n"


def test_stripping_stays_on_until_it_is_switched_off(repository, attributes):
    assert "stay out of commits" in setup("--strip")
    assert "stay out of commits" in setup()
    assert attributes.read_bytes() == WITH_STRIP
    setup("--no-strip")
    assert attributes.read_bytes() == PLAIN
    assert "filter" not in config(repository)


def test_what_is_run_stands_in_the_local_configuration_alone_by_the_path_of_this_python(repository, attributes):
    setup()
    driver = repository.git("config", "--local", "merge.robota-nb.driver")
    assert driver.startswith(sys.executable)
    assert sys.executable.encode() not in attributes.read_bytes()
    assert "robota" not in subprocess.run(["git", "config", "--global", "-l"], capture_output=True, text=True).stdout


def test_it_works_from_a_folder_and_in_a_second_work_tree(repository, attributes, monkeypatch, tmp_path):
    (repository.root / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(repository.root / "deep" / "er")
    setup()
    assert attributes.read_bytes() == PLAIN
    repository.commit()
    repository.git("worktree", "add", "-q", "-b", "second", tmp_path / "second")
    monkeypatch.chdir(tmp_path / "second")
    setup("--strip")
    assert (tmp_path / "second" / ".gitattributes").read_bytes() == WITH_STRIP


@pytest.mark.parametrize("where", ["no repository", "a bare repository", "inside .git"])
def test_where_there_is_no_work_tree_the_error_says_so(repository, where, monkeypatch, tmp_path):
    place = {
        "no repository": tmp_path,
        "a bare repository": tmp_path / "bare",
        "inside .git": repository.root / ".git",
    }[where]
    place.mkdir(exist_ok=True)
    if where == "a bare repository":
        repository.git("init", "-q", "--bare", place)
    monkeypatch.chdir(place)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for options in ((), ("--remove",)):
        result = command("git", "setup", *options)
        assert result.exit_code == 1
        assert result.output == (
            "Error: git finds no repository with a work tree here; go to one, or make one with 'git init'\n"
        )


def test_without_git_the_error_says_what_to_do(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    result = command("git", "setup")
    assert result.exit_code == 1
    assert "git cannot be run; install it" in result.output


def test_a_configuration_that_git_cannot_write_is_told_in_one_line(repository, attributes):
    (repository.root / ".git" / "config.lock").touch()
    result = command("git", "setup")
    assert result.exit_code == 1
    assert "git config has failed" in result.output
    assert result.output.count("\n") == 1
    assert not attributes.exists()


def test_without_nbdime_it_says_what_would_be_better(repository, monkeypatch):
    assert "robota-nb[git]" not in setup()
    monkeypatch.setitem(sys.modules, "nbdime", None)
    assert "robota-nb[git]" in setup()


def test_a_clone_in_which_nothing_is_set_up_works_as_without(repository, tmp_path):
    setup("--strip")
    repository.commit(demo=notebook(tmp_path / "demo.ipynb", "x", manager=talk("hi")).read_bytes())
    clone = Repository(tmp_path / "clone")
    clone.git("pull", "-q", repository.root, "main")
    path = notebook(clone.root / "demo.ipynb", "y", manager=talk("more"))
    clone.commit()
    assert "more" in clone.git("show")
    assert "more" in str(value(path))


# -- the clean filter


def test_conversations_stay_out_of_commits_and_in_the_file(repository):
    setup("--strip")
    path = notebook(repository.root / "demo.ipynb", "x = 1", manager=talk("a secret"))
    before = path.read_bytes()
    repository.commit()
    assert path.read_bytes() == before
    assert "secret" not in repository.git("log", "-p")
    assert '"x = 1"' in repository.git("show", "HEAD:demo.ipynb")
    assert repository.git("status", "--short") == ""
    path.unlink()
    repository.git("checkout", "demo.ipynb")
    assert value(path) is None


def test_what_cannot_be_read_is_not_added(repository):
    setup("--strip")
    path = notebook(repository.root / "demo.ipynb", "x = 1", manager=talk("a secret"))
    path.write_bytes(path.read_bytes()[:-20])
    said = repository.git("add", "demo.ipynb", code=128)
    assert "the input is truncated" in said
    assert repository.git("ls-files") == ""


def strip_filter(data, *words):
    return subprocess.run([sys.executable, "-m", "robota_nb", "strip", *words], input=data, capture_output=True)


@pytest.mark.parametrize("words", [(), ("-",)], ids=["no argument", "a dash"])
def test_the_filter_writes_the_notebook_without_conversations_and_nothing_if_it_cannot(tmp_path, words):
    with_ = notebook(tmp_path / "with.ipynb", "é = 1", manager=talk("hi")).read_bytes()
    without = notebook(tmp_path / "without.ipynb", "é = 1").read_bytes()
    assert strip_filter(with_, *words).stdout == without
    failed = strip_filter(with_[:-20], *words)
    assert (failed.returncode, failed.stdout) == (1, b"")
    assert failed.stderr.startswith(b"Error: the input is truncated")


def test_a_notebook_without_conversations_goes_through_the_filter_byte_for_byte(tmp_path):
    unusual = notebook(tmp_path / "n.ipynb", "x").read_bytes().replace(b"\n ", b"\r\n\t")
    assert strip_filter(unusual).stdout == unusual


def test_strip_takes_out_what_stands_in_the_metadata_and_in_outputs_and_nothing_else(tmp_path):
    one = notebook(tmp_path / "one.ipynb", "x", manager=talk("hi"))
    changed = content(one)
    changed["metadata"]["other"] = {"robota_nb": "mine"}
    metadata = {"robota_nb": {"turn": "e_1", "sessions": {}}, "isolated": True}
    changed["cells"][0]["outputs"] = [
        {"output_type": "display_data", "data": {}, "metadata": metadata},
        {"output_type": "stream", "name": "stdout", "text": ["hi\n"]},
    ]
    file.write_notebook(one, changed)
    two = notebook(tmp_path / "two.ipynb", "x")
    before = two.read_bytes()
    result = command("strip", one, two)
    assert result.output == "one.ipynb: stripped\ntwo.ipynb: there are no conversations\n"
    assert two.read_bytes() == before
    assert value(one) is None
    assert content(one)["metadata"]["other"] == {"robota_nb": "mine"}
    assert content(one)["cells"][0]["outputs"][0]["metadata"] == {"isolated": True}
    assert content(one)["cells"][0]["outputs"][1]["text"] == ["hi\n"]


def test_a_missing_file_is_said_and_what_came_before_it_is_stripped(tmp_path):
    one = notebook(tmp_path / "one.ipynb", "x", manager=talk("hi"))
    result = command("strip", one, tmp_path / "on.ipynb")
    assert result.exit_code == 1
    assert "there is no file 'on.ipynb' (did you mean 'one.ipynb'?)" in result.output
    assert value(one) is None
