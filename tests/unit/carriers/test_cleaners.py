"""The tool that takes the conversations out of a notebook is named by the settings that stand around it."""

import pytest

from robota_nb.carriers.cleaners import near

NBMETACLEAN = "repos:\n  - repo: https://github.com/ayasyrev/nbmetaclean\n    hooks:\n      - id: nbmetaclean\n"
NBSTRIPOUT = "      - id: nbstripout\n        args: [--extra-keys, metadata.robota_nb]\n"
SET_UP = {
    "nbdev": ("pyproject.toml", '[project]\nname = "x"\n\n[tool.nbdev]\n', 'allowed_metadata_keys = ["robota_nb"]'),
    "nbdev of old": ("settings.ini", "[DEFAULT]\nnbs_path = nbs\n", "allowed_metadata_keys = robota_nb"),
    "databooks": ("pyproject.toml", "[tool.databooks.meta]\nrm-outs = true\n", 'nb-meta-keep = ["robota_nb"]'),
    "nbmetaclean": (".pre-commit-config.yaml", NBMETACLEAN, "--nb_metadata_preserve_mask robota_nb"),
    "nbstripout": (".pre-commit-config.yaml", NBSTRIPOUT, "--keep-metadata-keys metadata.robota_nb"),
    "nbstripout in git": (
        ".git/config",
        '[filter "nbstripout"]\n\textrakeys = metadata.x metadata.robota_nb\n',
        "keepmetadatakeys = metadata.robota_nb",
    ),
}


@pytest.fixture
def notebook(tmp_path):
    """A notebook two directories down in a repository."""
    (tmp_path / "repository/.git").mkdir(parents=True)
    (tmp_path / "repository/nbs/more").mkdir(parents=True)
    path = tmp_path / "repository/nbs/more/a.ipynb"
    path.write_text("{}")
    return path


@pytest.mark.parametrize(("name", "file", "text", "keep"), [(name, *rest) for name, rest in SET_UP.items()], ids=SET_UP)
def test_a_tool_that_is_set_up_is_found_and_what_keeps_the_conversations(notebook, name, file, text, keep):
    settings = notebook.parents[2] / file
    settings.write_text(text)
    found = near(notebook)
    assert (found.name, found.where, found.keep) == (name.split()[0], file, keep)
    settings.write_text(f"{text}{keep}\n")
    assert near(notebook) is None


def test_what_stands_outside_of_the_repository_is_no_reason(notebook):
    (notebook.parents[3] / "settings.ini").write_text("nbs_path = .\n")
    assert near(notebook) is None


def test_a_tool_that_only_takes_outputs_is_no_reason(notebook):
    (notebook.parent / ".pre-commit-config.yaml").write_text("      - id: nbstripout\n")
    assert near(notebook) is None


@pytest.mark.parametrize("name", ["talk.py", "talk.md", "talk.Rmd"])
def test_a_notebook_as_text_is_written_by_jupytext(notebook, name):
    found = near(notebook.with_name(name))
    assert (found.name, found.keep) == ("jupytext", 'notebook_metadata_filter = "robota_nb"')


def test_of_a_file_elsewhere_nothing_is_known(notebook):
    (notebook.parent / "settings.ini").write_text("nbs_path = .\n")
    assert near(notebook.with_name("b.ipynb")) is None
    assert near(None) is None


def test_settings_that_cannot_be_read_are_no_reason(notebook):
    (notebook.parent / "pyproject.toml").mkdir()
    (notebook.parent / "settings.ini").write_bytes(b"\xff\xfe\x00")
    assert near(notebook) is None
