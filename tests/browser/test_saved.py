"""What is called saved is in the file, whatever the server makes of a notebook that it writes."""

import pytest

from support.jupyter import JupyterServer
from support.notebook import content, write
from support.page import Notebook, prompts

pytestmark = pytest.mark.slow("drives a JupyterLab of its own in a browser")

HOOK = """
from pathlib import Path

def scrub(model, contents_manager, **kwargs):
    if model["type"] == "notebook" and Path(contents_manager.root_dir, "scrub").exists():
        model["content"]["metadata"] = {"kernelspec": model["content"]["metadata"].get("kernelspec", {})}

c.ContentsManager.pre_save_hook = scrub
"""
TEXT = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
# %load_ext robota_nb

# %%
# %%robota
# hello

# %%
# %robota
"""
STATUS = 2
NOT_IN_FILE = "this notebook's file does not hold the conversations: "


@pytest.fixture(scope="module")
def cleaning(chromium, model, tmp_path_factory):
    """A running JupyterLab that cleans what it saves, as long as there is a file called scrub."""
    root = tmp_path_factory.mktemp("cleaning")
    (root / "config.py").write_text(HOOK)
    running = JupyterServer(root, "lab", f"--config={root / 'config.py'}", **model.environment()).start()
    yield running
    running.stop()


@pytest.fixture
def scrub(cleaning):
    path = cleaning.work / "scrub"
    path.touch()
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def opened(cleaning, scrub, context, server):
    """Opens a file as a notebook."""
    pages = []

    def open_(path):
        pages.append(Notebook(context.new_page(), cleaning, path).open())
        return pages[-1]

    yield open_
    cleaning.end_kernels()
    assert [page.errors for page in pages] == [[]] * len(pages)


def test_what_a_hook_drops_is_not_called_saved_and_the_next_kernel_asks_nothing(opened, cleaning, server):
    path = write(cleaning.work / "dropped.ipynb", "%load_ext robota_nb", "%%robota\nhello", "%robota")
    notebook = opened(path)
    notebook.run(0, 1)
    notebook.save()
    notebook.notice(NOT_IN_FILE)
    assert "robota_nb" not in content(path)["metadata"]
    notebook.comes_to_say(STATUS, "in notebook")
    notebook.restart()
    notebook.run(0)
    notebook.comes_to_say(STATUS, "in notebook")
    notebook.close()
    cleaning.end_kernels()

    server.requests.clear()
    again = opened(path)
    assert again.value() is None
    again.run(0, 1)
    assert server.requests == []
    again.holds("hello")


def test_a_hook_that_was_mended_leaves_what_is_saved(opened, cleaning, scrub):
    path = write(cleaning.work / "mended.ipynb", "%load_ext robota_nb", "%%robota\nhello", "%robota")
    notebook = opened(path)
    notebook.run(0, 1)
    notebook.save()
    notebook.notice(NOT_IN_FILE)
    scrub.unlink()
    notebook.save()
    notebook.comes_to_say(STATUS, "saved")
    assert prompts(content(path)["metadata"]["robota_nb"]) == ["hello"]


def test_a_notebook_as_text_is_said_to_drop_them_until_its_filter_keeps_them(opened, cleaning, scrub, server):
    scrub.unlink()
    path = cleaning.work / "talk.py"
    path.write_text(TEXT)
    notebook = opened(write(cleaning.work / "other.ipynb"))
    notebook.show(path, "Notebook")
    notebook.run(0, 1)
    notebook.save()
    notebook.notice(NOT_IN_FILE + "jupytext cleans it")
    notebook.comes_to_say(STATUS, "in notebook")
    (cleaning.work / "jupytext.toml").write_text('notebook_metadata_filter = "robota_nb"\n')
    notebook.save()
    notebook.comes_to_say(STATUS, "saved")
    assert "hello" in path.read_text().partition("# ---")[2].partition("# ---")[0]


def test_a_file_is_looked_into_once_for_what_is_new(opened, cleaning, scrub):
    scrub.unlink()
    path = write(cleaning.work / "looked.ipynb", "%load_ext robota_nb", "%%robota\nhello", "%robota", "%%robota\nmore")
    notebook = opened(path)
    notebook.run(0, 1)
    notebook.holds("hello")
    looks = []
    wanted = f"/api/contents/{path.name}"
    notebook.page.on(
        "request", lambda sent: looks.append(sent.url) if wanted in sent.url and "type=notebook" in sent.url else None
    )
    for number in range(3):
        notebook.save()
        notebook.comes_to_say(STATUS, "saved")
        notebook.edit(STATUS, f"%robota\n# {number}")
    assert len(looks) == 1
    notebook.run(3)
    notebook.holds("hello", "more")
    notebook.save()
    notebook.comes_to_say(STATUS, "saved")
    assert len(looks) == 2
