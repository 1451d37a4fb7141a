"""Paths are offered as they are typed, where a command takes one."""

from types import SimpleNamespace

import pytest

from robota_nb.magics import completer


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """What is offered for the last word of a line, in a folder with some files."""
    monkeypatch.chdir(tmp_path)
    for name in ("times.csv", "table.csv", ".hidden", "sub folder/data.csv"):
        tmp_path.joinpath(name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath(name).touch()
    host = SimpleNamespace(endpoints=SimpleNamespace(names=list))
    shell = SimpleNamespace(Completer=SimpleNamespace(custom_matchers=[]), user_ns={}, user_ns_hidden={})
    matcher = completer.install(shell, lambda: host, lambda: {"robota": ""})

    def offer(line):
        result = matcher(SimpleNamespace(full_text=line, cursor_line=0, cursor_position=len(line)))
        assert line.endswith(result["matched_fragment"])
        return [one.text for one in result["completions"]]

    return offer


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("%%robota --file t", ["table.csv", "times.csv"]),
        ("%%robota --file ti", ["times.csv"]),
        ("%%robota --file=ti", ["--file=times.csv"]),
        ("%%robota --file .", [".hidden"]),
        ("%%robota --file ./ti", ["./times.csv"]),
        ("%%robota --file no/such", ["no/such"]),
        ("%robota import ti", ["times.csv"]),
        ("%robota ask --file ti", ["times.csv"]),
    ],
)
def test_paths_are_offered_as_they_are_typed(offered, line, found):
    assert offered(line) == found


def test_what_has_spaces_is_offered_in_quotes_and_folders_can_be_entered(offered):
    assert offered('%%robota --file "sub') == ['"sub folder/"']
    assert offered('%%robota --file "sub folder/d') == ['"sub folder/data.csv"']
