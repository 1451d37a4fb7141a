"""Runs of notebooks that cannot be, or that are odd: one line, or as if nothing were."""

import nbformat
import pytest

from support.notebook import answers, command, run, write

pytestmark = pytest.mark.slow("runs notebooks, each in a kernel of its own")

# -- what cannot be


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kernel", "nosuch"], "no kernel 'nosuch'"),
        (["-o", "no/such/place.ipynb"], "cannot be written"),
        (["--timeout", "1"], "longer than 1 s"),
    ],
)
def test_a_run_that_cannot_be_is_one_line(connected, server, words, said):
    path = write(connected / "slow.ipynb", "%load_ext robota_nb", "import threading; threading.Event().wait(60)")
    result = command("run", path, *words)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output
    assert result.output.count("Error:") == 1


def test_a_mode_that_is_none_asks_nothing(connected, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_REPLAY", "Strict")
    path = write(connected / "typo.ipynb", "%load_ext robota_nb", "%%robota\nhello")
    result = command("run", path)
    assert result.exit_code == 1
    assert "did you mean 'strict'" in result.output
    assert server.requests == []


def test_a_file_with_a_byte_order_mark_or_no_value_is_run(connected, server):
    path = write(connected / "mark.ipynb", "%load_ext robota_nb", "%%robota\nhello", metadata={"robota_nb": None})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    run(path)
    assert answers(path) == ["1: hello"]
    run(path, replay="strict")


def test_another_notebook_s_conversation_goes_on_here(connected, server):
    other = write(connected / "other.ipynb", "%load_ext robota_nb", "%robota new A", "%%robota\none", "%%robota\ntwo")
    notebook = nbformat.read(other, as_version=4)
    for cell in notebook.cells:
        cell.id = f"other-{cell.id}"
    nbformat.write(notebook, other)
    run(other)
    server.requests.clear()
    here = write(connected / "here.ipynb", "%load_ext robota_nb", "%robota resume other.ipynb", "%%robota\nthree")
    run(here)
    assert [m["content"] for m in server.requests[0]["messages"] if m["role"] == "user"] == ["one", "two", "three"]
    run(here, replay="strict")
