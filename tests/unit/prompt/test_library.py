"""The library of prompts: which files are found, which are refused, and what fills their fields."""

import os
from pathlib import Path

import pytest

from robota_nb.errors import PromptError
from robota_nb.prompt.library import find, listed


class Table:
    rows = 3


NAMESPACE = {"df": "1,2", "table": Table(), "secret": "do not send"}


def put(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_bytes(text.encode())


@pytest.fixture
def repository(alone):
    """A repository with a notebook's folder in it, which is the working directory."""
    root = alone / "repository"
    (root / ".git").mkdir(parents=True)
    here = root / "notebooks"
    here.mkdir()
    os.chdir(here)
    return root


@pytest.fixture
def own(alone):
    return Path(os.environ["JUPYTER_CONFIG_DIR"], "robota_nb", "prompts")


def test_the_nearest_one_comes_first_and_the_user_s_own_last(repository, own):
    near, far = repository / "notebooks" / ".robota" / "prompts", repository / ".robota" / "prompts"
    put(near, "both", "near")
    put(far, "both", "far")
    put(far, "shared", "# Shared\n\nfar")
    put(own, "shared", "own")
    put(own, "mine", "\ufeff\r\n\r\nown {{ x }}\r\n")
    put(repository.parent / ".robota" / "prompts", "outside", "above the repository")
    assert [(name, find(name).text, find(name).own) for name in ("both", "shared", "mine")] == [
        ("both", "near", False), ("shared", "# Shared\n\nfar", False), ("mine", "own {{ x }}", True),
    ]  # fmt: skip
    assert find("outside") is None
    assert [(one.name, one.own, one.about) for one in listed()] == [
        ("both", False, "near"), ("mine", True, "own {{ x }}"), ("shared", False, "Shared"),
    ]  # fmt: skip


def test_without_a_repository_only_the_working_directory_counts(alone):
    (alone / "below").mkdir()
    put(alone / ".robota" / "prompts", "above", "text")
    assert find("above")
    os.chdir(alone / "below")
    assert find("above") is None


@pytest.mark.parametrize("name", ["../secret", "a/b", "a.b", "", "..", "a b", "x" * 65, "a\n"])
def test_a_name_is_no_path(repository, name):
    put(repository / ".robota", "secret", "text")
    assert find(name) is None


def test_links_are_refused_wherever_they_stand(repository, own):
    put(repository.parent, "secret", "text")
    prompts = repository / ".robota" / "prompts"
    put(prompts, "fine", "text")
    put(own, "fine", "text")
    for folder in (prompts, own):
        (folder / "link.md").symlink_to(repository.parent / "secret.md")
        (folder / "dangling.md").symlink_to(repository / "nowhere")
    for name in ("link", "dangling"):
        with pytest.raises(PromptError, match=f"the prompt '{name}' is a link"):
            find(name)
    assert "link" in {one.name: one.about for one in listed()}["link"]
    prompts.rename(repository.parent / "elsewhere")
    prompts.symlink_to(repository.parent / "elsewhere")
    with pytest.raises(PromptError, match="is in one"):
        find("fine")


@pytest.mark.parametrize(("data", "says"), [(b"\xff\xfe\xfa", "cannot be read"), (b"x" * 1_000_001, "no text file")])
def test_what_is_no_text_is_refused(repository, data, says):
    put(repository / ".robota" / "prompts", "odd", "")
    (repository / ".robota" / "prompts" / "odd.md").write_bytes(data)
    with pytest.raises(PromptError, match=says):
        find("odd")


def test_a_folder_or_a_pipe_of_that_name_is_refused(repository):
    folder = repository / ".robota" / "prompts"
    (folder / "folder.md").mkdir(parents=True)
    names = ["folder"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.md")
        names.append("pipe")
    for name in names:
        with pytest.raises(PromptError, match="no text file|cannot be read"):
            find(name)


def test_a_repository_s_prompt_gets_only_what_the_cell_gives(repository):
    put(repository / ".robota" / "prompts", "describe", "See {{ table }} with {{ rows }} rows.")
    prompt = find("describe")
    assert prompt.filled({"table": "df", "rows": "table.rows"}, NAMESPACE).text == "See 1,2 with 3 rows."
    with pytest.raises(PromptError, match=r"say what 'table' is, as in --prompt describe table=VARIABLE"):
        prompt.filled({"rows": "df"}, NAMESPACE)
    put(repository / ".robota" / "prompts", "steal", "{{ secret }}{{df}}")
    with pytest.raises(PromptError, match="gets only what the cell gives"):
        find("steal").filled({}, NAMESPACE)
    put(repository / ".robota" / "prompts", "steal", "{{secret}}")
    assert find("steal").filled({}, NAMESPACE).text == "{{secret}}"


def test_the_user_s_own_prompt_is_filled_with_variables_and_what_the_cell_gives(alone, own):
    put(own, "describe", "See {{ df }} with {{ rows }} rows.")
    assert find("describe").filled({"rows": "table.rows"}, NAMESPACE).text == "See 1,2 with 3 rows."
    with pytest.raises(PromptError, match="no variable 'rows'"):
        find("describe").filled({}, NAMESPACE)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tabel": "df"}, r"no field 'tabel' \(did you mean 'table'\?\): there are table"),
        ({"table": "no"}, "no variable 'no'"),
        ({"table": "df()"}, "cannot be looked up"),
    ],
)
def test_what_is_given_wrongly_is_said(repository, given, says):
    put(repository / ".robota" / "prompts", "describe", "See {{ table }}.")
    with pytest.raises(PromptError, match=says):
        find("describe").filled(given, NAMESPACE)


def test_what_is_filled_in_is_not_filled_again(repository):
    put(repository / ".robota" / "prompts", "describe", "See {{ table }}.")
    assert find("describe").filled({"table": "text"}, {**NAMESPACE, "text": "{{ secret }}"}).text == "See {{ secret }}."
