"""Files that go along with the prompts of cells, in real kernels: sent, recorded, replayed without them, refused."""

import pytest

from robota_nb.cli.git.readable import readable
from robota_nb.core.record.attachments import MAX_IMAGE_BYTES
from robota_nb.frontends import headless
from support.notebook import answers, command, content, edit, run, value, write

LOAD = "%load_ext robota_nb"
ASK = "%%robota --file sub/data.csv --file notes.pdf\nWhat is in it?"
PDF = b"%PDF-1.7 notes"
FENCED = "What is in it?\n\nFile data.csv:\n```csv\na,b\n1,2\n```"


def contents(server, at=-1):
    return [message["content"] for message in server.requests[at]["messages"]]


@pytest.fixture
def folder(connected):
    (connected / "sub").mkdir()
    (connected / "sub" / "data.csv").write_bytes(b"a,b\n1,2\n")
    (connected / "notes.pdf").write_bytes(PDF)
    return connected


@pytest.mark.slow("runs a notebook in four kernels")
def test_a_notebook_replays_without_its_files_and_asks_again_where_one_has_changed(folder, server):
    path = write(folder / "files.ipynb", LOAD, ASK, "%%robota\nAnd now?")
    front = run(path)
    assert (front.requests, front.notices) == (2, [])
    text, pdf = contents(server, 0)[0]
    assert text == {"type": "text", "text": FENCED}
    assert pdf["file"]["filename"] == "notes.pdf"
    assert contents(server)[0] == [text, pdf]  # sent again as sent
    assert str(folder) not in str(content(path))
    first = answers(path)

    (folder / "notes.pdf").write_bytes(PDF + b" changed")
    with pytest.raises(headless.Failure, match="the file 'notes.pdf' differs from what is recorded"):
        run(path, folder / "copy.ipynb", replay="strict")

    (folder / "sub" / "data.csv").unlink()
    (folder / "notes.pdf").unlink()
    front = run(path, replay="strict")
    assert (front.requests, answers(path)) == (0, first)
    assert [notice for notice in front.notices if "is not here" in notice] == [
        f"the file {name!r} is not here: what was recorded of it stands in its place"
        for name in ("data.csv", "notes.pdf")
    ]

    assert "What is in it? + data.csv + notes.pdf\n" in command("show", path).output
    assert b"> What is in it?\n+ data.csv, 8 bytes\n+ notes.pdf, 14 bytes\n" in readable(path.read_bytes())
    assert "verified" in command("verify", path).output
    assert "what the file holds that goes with it is known only when it runs" in command("check", path).output
    assert "a,b" in str(value(path))

    edit(path, 1, f"{ASK} Really?")
    with pytest.raises(headless.Failure, match=r"no file 'sub/data.csv': check its path, or name a variable"):
        run(path)


@pytest.mark.slow("runs a notebook in four kernels")
def test_a_large_file_stays_on_the_machine_and_a_colleague_is_told_what_is_missing(folder, server, monkeypatch):
    monkeypatch.setenv("ROBOTA_NB_STORE", str(folder / "mine" / "store.sqlite"))
    (folder / "big.pdf").write_bytes(PDF + bytes(MAX_IMAGE_BYTES))
    path = write(folder / "large.ipynb", LOAD, "%%robota --file big.pdf\nWhat is in it?", "1 + 1")
    run(path)
    first = answers(path)
    assert path.stat().st_size < 20_000
    (folder / "big.pdf").unlink()
    edit(path, 2, "%%robota\nAnd now?")
    run(path)  # the next kernel of this machine sends it again
    assert [part.get("type") for part in contents(server)[0]] == ["text", "file"]

    monkeypatch.setenv("ROBOTA_NB_STORE", str(folder / "a colleague" / "store.sqlite"))
    edit(path, 2, "%%robota\nAnd then?")
    asked = len(server.requests)
    with pytest.raises(headless.Failure, match=r"the file 'big.pdf' of turn 1 \(2,000,014 bytes\) was too large"):
        run(path)
    assert answers(path)[:1] == first
    assert len(server.requests) == asked


def test_files_of_variables_go_along_and_a_guess_is_told(kernel, server):
    kernel.ok("rows, raw = 'a\\n```\\nb', 'Grüße'.encode('latin-1')")
    kernel.ok("%%robota --file rows --file raw\nlook", "cell-0")
    assert contents(server) == ["look\n\nFile rows:\n````\na\n```\nb\n````\n\nFile raw:\n```\nGrüße\n```"]
    assert "'raw' is not in UTF-8" in kernel.ok("%robota").text
    assert "data.csv" not in kernel.ok("%robota chat preview").text
    error = kernel.run("%%robota --file rwos\nx").error
    assert (error["ename"], error["evalue"]) == (
        "PromptError", "no file and no variable 'rwos' (did you mean 'rows'?): check its path, or name a variable",
    )  # fmt: skip
    kernel.ok("%robota chat purge 1")
    assert "```" not in kernel.ok("%robota chat preview x").text


def test_a_stored_notebook_reads_nothing_by_itself(kernel, server):
    """Only the cell that runs reads a file: what is recorded names none that is opened."""
    (kernel.root / "secret.txt").write_text("secret")
    kernel.ok("%%robota --file secret.txt\nlook", "cell-0")
    (kernel.root / "secret.txt").write_text("changed since")
    kernel.ok("%robota chat retry", "cell-1")
    assert "secret\n" in contents(server)[0]
    kernel.ok("%%robota\nnext", "cell-2")
    assert "changed since" not in str(contents(server))
