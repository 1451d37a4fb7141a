"""What no notebook has saved is in the store, and comes back: by itself into an open document, else by command."""

import nbformat
import pytest

from robota_nb.core.record import entries as make
from robota_nb.errors import StoreError
from robota_nb.frontends.headless import FrontEnd
from robota_nb.sync.unsaved import TERMINAL, Unsaved
from support.kernel import Kernel
from support.notebook import write

LOAD = "%load_ext robota_nb"
SID, OTHER = "s_" + "0" * 32, "s_" + "1" * 32


def entry(number):
    genuine = make.set_entry(n=number, at="2026-01-01T00:00:00Z", chat=None, key="name", value="x")
    return {make.entry_id(genuine): genuine}


# -- the unsaved


@pytest.fixture
def unsaved(monkeypatch):
    for name in ("JPY_SESSION_NAME", "ROBOTA_NB_NOTEBOOK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ROBOTA_NB_STORE", "memory")
    return Unsaved(lambda: None, [].append)


def test_what_belongs_to_no_notebook_is_filed_as_the_terminal_s(unsaved):
    assert unsaved.place == TERMINAL


@pytest.mark.parametrize(
    ("root", "path", "place"),
    [
        (None, "/home/a/nb.ipynb", "/home/a/nb.ipynb"),
        ("/srv/work", "sub/nb.ipynb", "/srv/work/sub/nb.ipynb"),
        ("~/work", "nb.ipynb", "/home/me/work/nb.ipynb"),
        ("https://hub.example/user/me/", "nb.ipynb", "https://hub.example/user/me/nb.ipynb"),
        ("/srv", "s3:bucket/nb.ipynb", "/srv/s3:bucket/nb.ipynb"),
        ("/srv", "", None),
    ],
)
def test_a_document_is_filed_under_its_whole_path(unsaved, monkeypatch, root, path, place):
    monkeypatch.setenv("HOME", "/home/me")
    assert unsaved.locate({"path": path, **({"root": root} if root else {})}) == place


def test_an_application_that_does_not_tell_its_directory_files_under_the_one_jupyter_tells(unsaved, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/srv/work/sub/nb.ipynb")
    said = {"root": "http://127.0.0.1:8888/"}
    assert unsaved.locate({**said, "path": "sub/nb.ipynb"}) == "/srv/work/sub/nb.ipynb"
    # The name that Jupyter has given does not change with the notebook's; the directory has become known.
    assert unsaved.locate({**said, "path": "sub/renamed.ipynb"}) == "/srv/work/sub/renamed.ipynb"


def test_what_was_filed_goes_along_with_a_renamed_document(unsaved):
    unsaved.rename("/a.ipynb")
    unsaved.commit({SID: entry(1)}, {})
    unsaved.rename("/b.ipynb")
    assert unsaved.entries() == {SID: entry(1)}
    assert unsaved.entries("/a.ipynb") == {}


def test_another_notebook_is_found_by_the_end_of_its_path(unsaved):
    for path in ("/x/a.ipynb", "/y/a.ipynb", "/y/b.ipynb"):
        unsaved.store.add(path, {SID: entry(1)})
    assert unsaved.find("b.ipynb") == "/y/b.ipynb"
    assert unsaved.find("y/a.ipynb") == "/y/a.ipynb"
    assert unsaved.find("/x/a.ipynb") == "/x/a.ipynb"
    with pytest.raises(StoreError, match="several notebooks called 'a.ipynb': give more of the path"):
        unsaved.find("a.ipynb")
    with pytest.raises(StoreError, match=r"nothing of '/x/A.ipynb' \(did you mean '/x/a.ipynb'\?\)"):
        unsaved.find("/x/A.ipynb")


# -- kernels


@pytest.fixture
def kernels(tmp_path, server):
    """Starts kernels that share one store, each for a notebook file."""
    running = []

    def start(path=None, front=False, **extra):
        environment = {**server.environment(), "ROBOTA_NB_STORE": str(tmp_path / "store.sqlite"), **extra}
        if path and not front:
            environment["ROBOTA_NB_NOTEBOOK"] = str(path)
        kernel = Kernel(tmp_path, **environment)
        if front:
            kernel.front = FrontEnd(nbformat.read(path, as_version=4), path)
        running.append(kernel)
        return kernel.start()

    yield start
    for kernel in running:
        kernel.close()


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "nb.ipynb", LOAD, "%%robota\none", "%%robota\ntwo")


def ask(kernel, *prompts):
    kernel.ok(LOAD)
    for number, prompt in enumerate(prompts):
        kernel.ok(f"%%robota\n{prompt}", f"cell-{number + 1}")


def test_an_open_document_gets_what_it_has_not_saved_with_a_notice(kernels, path, server):
    first = kernels(path, front=True)
    ask(first, "one", "two")
    again = kernels(path, front=True)
    server.requests.clear()
    ask(again, "one", "two")
    assert server.requests == []
    assert again.front.notices == ["added what the notebook had not saved: 1 session, 2 turns, 7 entries"]
    again.say({"op": "saved", "seq": again.front.seq})
    third = kernels(path, front=True)
    third.front.notebook.metadata = again.front.notebook.metadata
    ask(third, "one", "two")
    assert third.front.notices == []
    assert server.requests == []


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_without_a_front_end_what_the_cells_of_the_file_have_asked_comes_back(kernels, path, server):
    ask(kernels(path), "one", "two")
    again = kernels(path)
    again.ok(LOAD)
    assert "added what the notebook had not saved: 1 session, 2 turns, 7 entries" in again.ok("%robota").text
    server.requests.clear()
    assert again.ok("%%robota\none", "cell-1").answer == "1: one"
    assert server.requests == []
    assert again.ok("%robota recover").text == "nothing to recover for this notebook\n"


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_what_an_output_has_carried_into_the_file_is_not_offered(kernels, path, server):
    first = kernels(path)
    first.ok(LOAD)
    shown = first.ok("%%robota\none", "cell-1").outputs
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.from_dict(output) for output in shown]
    nbformat.write(notebook, path)
    again = kernels(path)
    again.ok(LOAD)
    assert "recover" not in again.ok("%robota").text
    assert again.ok("%robota recover").text == "nothing to recover for this notebook\n"


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_what_was_saved_once_and_was_lost_since_comes_by_command(kernels, path, server):
    first = kernels(path, front=True)
    ask(first, "one", "two")
    first.say({"op": "saved", "seq": first.front.seq})
    again = kernels(path, front=True)  # of the file as it was before
    again.ok(LOAD)
    assert again.ok("%robota recover").text == "nothing to recover for this notebook\n"
    said = again.ok("%robota recover --saved").text
    assert said.splitlines() == ["added: 1 session, 2 turns, 7 entries", "  one", "  two"]
    server.requests.clear()
    assert again.ok("%%robota\ntwo", "cell-2").answer == "2: two"
    assert server.requests == []
    assert again.ok("%robota recover --saved").text == "nothing to recover for this notebook\n"


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_another_notebook_s_turns_are_listed_and_can_be_added_here(kernels, path, tmp_path, server):
    ask(kernels(path), "one")
    moved = path.rename(tmp_path / "moved.ipynb")
    kernel = kernels(moved)
    kernel.ok(LOAD)
    said = kernel.ok("%robota recover").text.splitlines()
    assert said == [
        "nothing to recover for this notebook",
        "not saved elsewhere; %robota recover PATH adds it here:",
        f"  {path} · 5 entries",
    ]
    assert "  one" in kernel.ok("%robota recover nb.ipynb").text
    assert kernel.ok("%%robota\none", "cell-1").answer == "1: one"
    assert len(server.requests) == 1
    assert "elsewhere" not in kernel.ok("%robota recover").text
    assert kernel.run("%robota recover nothing.ipynb").error["ename"] == "StoreError"


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_what_was_said_in_no_notebook_can_be_added_to_one(kernels, path):
    ask(kernels(), "one")
    kernel = kernels(path)
    kernel.ok(LOAD)
    assert "  terminal · 5 entries" in kernel.ok("%robota recover").text
    assert "  one" in kernel.ok("%robota recover terminal").text


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_what_follows_turns_that_the_notebook_has_lost_stays_in_the_store(kernels, path, server):
    first = kernels(path, front=True)
    ask(first, "one")
    first.say({"op": "saved", "seq": first.front.seq})
    first.ok("%%robota\ntwo", "cell-2")
    again = kernels(path, front=True)  # of a file as it was before both
    again.ok(LOAD)
    said = again.ok("%robota recover").text
    assert "stay in the store: what they follow is not in this notebook any more" in said
    assert again.front.notebook.metadata.get("robota_nb") is None


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_sessions_of_other_notebooks_are_listed_and_open_by_their_id(kernels, path, tmp_path, server):
    first = kernels(path, front=True)
    ask(first, "one")
    first.say({"op": "saved", "seq": first.front.seq})
    kernel = kernels(write(tmp_path / "other.ipynb", LOAD), front=True)
    kernel.ok(LOAD)
    listed = kernel.ok("%robota session list --all").text
    assert f"in {path}:" in listed
    sid = listed.rpartition(" · ")[2].strip()
    kernel.ok(f"%robota session open {sid}")
    assert kernel.ok("%robota ask and now?").shown == ["2: and now?"]
    assert [m["content"] for m in server.requests[-1]["messages"]] == ["one", "1: one", "and now?"]
    assert list(kernel.front.notebook.metadata["robota_nb"]["sessions"]) == [sid]


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_what_a_save_has_dropped_is_not_called_saved_is_said_once_and_comes_back(kernels, path, server):
    (path.parent / "pyproject.toml").write_text("[tool.nbdev]\njupyter_hooks = true\n")
    first = kernels(path, front=True)
    ask(first, "one", "two")
    for _ in range(2):
        first.say({"op": "dropped", "seq": first.front.seq})
        assert level(first) == "in notebook"
    (said,) = first.front.notices
    assert said == (
        "this notebook's file does not hold the conversations: nbdev cleans it, and keeps them with "
        'allowed_metadata_keys = ["robota_nb"] in pyproject.toml; until then they are in the local store only'
    )
    again = kernels(path, front=True)
    server.requests.clear()
    ask(again, "one", "two")
    assert server.requests == []
    again.say({"op": "saved", "seq": again.front.seq})
    assert level(again) == "saved"


@pytest.mark.slow("starts a kernel, kills it, and starts another")
@pytest.mark.parametrize("front", [True, False])
def test_what_was_saved_and_is_gone_from_the_file_is_said_where_its_cells_still_stand(kernels, path, server, front):
    first = kernels(path, front=True)
    ask(first, "one", "two")
    first.say({"op": "saved", "seq": first.front.seq})
    again = kernels(path, front=front)
    ask(again)
    said = again.ok("%robota").text + "".join(again.front.notices if front else ())
    assert "gone from this notebook's file: 1 session, 2 turns, 7 entries; %robota recover --saved adds them" in said
    again.ok("%robota recover --saved")
    server.requests.clear()
    ask(again, "one", "two")
    assert server.requests == []

    write(path, LOAD, "%%robota\nsomething else")
    other = kernels(path, front=front)
    ask(other)
    assert "gone" not in other.ok("%robota").text + "".join(other.front.notices if front else ())


def level(kernel):
    return kernel.ok("%robota").text.splitlines()[0].rpartition(" · ")[2]


@pytest.mark.slow("starts a kernel, kills it, and starts another")
def test_a_new_session_s_name_is_not_looked_for_in_the_store(kernels, path):
    kernel = kernels(path)
    kernel.ok(LOAD)
    kernel.ok("%robota")
    kernel.ok(
        "from robota_nb.stores.sqlite import SqliteStore\n"
        "read = []\n"
        "SqliteStore.entries = lambda self, document: read.append(document) or {}\n"
        "SqliteStore.documents = lambda self: ['other.ipynb']\n"
    )
    kernel.ok("%robota session open A new one")
    assert kernel.value("read") == []
    kernel.ok(f"%robota session open {SID}")
    assert kernel.value("read") == ["other.ipynb"]
