"""A notebook with conversations, driven as a user drives it, in JupyterLab and in Notebook 7."""

import json
import os
import shutil
import signal
import threading

import nbformat
import pytest

from robota_nb.core.record import snapshot
from support.jupyter import IN_BOTH
from support.notebook import answers, content, outputs, write
from support.page import prompts

pytestmark = [pytest.mark.usefixtures("jupyter", "one_tab"), pytest.mark.slow("drives real applications in a browser")]

LOAD = "%load_ext robota_nb"
TWO_CHATS = [
    LOAD,
    "%robota new Left",
    "%%robota\nl1",
    "%robota new Right",
    "%%robota\nr1",
    "%robota switch Left",
    "%%robota\nl2",
]


@pytest.fixture
def two_chats(work):
    return write(work / "two chats.ipynb", *TWO_CHATS)


@pytest.fixture
def asked(opened, two_chats, server):
    """A notebook that was run and saved."""
    notebook = opened(two_chats)
    notebook.run_all()
    notebook.rests()
    notebook.save()
    assert len(server.requests) == 3
    server.requests.clear()
    return notebook


def test_an_answer_is_seen_arriving(opened, work, server):
    notebook = opened(write(work / "streamed.ipynb", LOAD, "%%robota\nhello"))
    notebook.run(0)
    server.chunks, server.gate = ["**Well**", " met", ", friend"], threading.Event()
    notebook.start(1)
    notebook.cell(1).locator(".jp-OutputArea strong", has_text="Well").wait_for()
    assert "friend" not in notebook.output(1)
    server.gate.set()
    notebook.shows(1, "Well met, friend")
    notebook.holds("hello")


@pytest.mark.long("other tests do it on their way")
def test_two_chats_are_in_the_file_when_it_is_saved(asked):
    asked.says(2, "1: l1")
    asked.says(4, "2: r1")
    asked.says(6, "3: l2")
    asked.run(1)
    value = asked.file()["metadata"]["robota_nb"]
    assert sorted(prompts(value)) == ["l1", "l2", "r1"]
    snapshot.parse(value)
    nbformat.validate(nbformat.read(asked.path, as_version=4))
    assert not [
        o for outs in outputs(asked.path) for o in outs if "sessions" in o.get("metadata", {}).get("robota_nb", {})
    ]


@pytest.mark.long("other tests do it on their way")
def test_status_says_how_far_the_conversations_got(opened, work):
    notebook = opened(write(work / "levels.ipynb", LOAD, "%%robota\nhello", "%robota", "%robota snapshot --save"))
    notebook.run(0, 1, 2)
    notebook.shows(2, "in notebook")
    notebook.save()
    notebook.comes_to_say(2, "saved")  # once the file was looked into


@pytest.mark.long("other tests do it on their way")
def test_a_snapshot_can_save_the_notebook(opened, work):
    notebook = opened(write(work / "saved.ipynb", LOAD, "%%robota\nhello", "%robota snapshot --save", "%robota"))
    notebook.run(0, 1, 2)
    notebook.is_saved()
    assert prompts(content(notebook.path)["metadata"]["robota_nb"]) == ["hello"]


@IN_BOTH
def test_restart_and_run_all_asks_nothing_and_shows_the_same(asked, server):
    before, shown = content(asked.path), answers(asked.path)
    for _ in range(2):
        asked.restart_and_run_all()
        assert server.requests == []
    asked.save()
    assert answers(asked.path) == shown == ["1: l1", "2: r1", "3: l2"]
    assert content(asked.path)["metadata"]["robota_nb"] == before["metadata"]["robota_nb"]
    assert outputs(asked.path) == [cell["outputs"] for cell in before["cells"]]


def test_restart_and_run_all_in_one_go_asks_nothing(asked, server):
    """As fast as a program can: the kernel has not even begun to restart when all cells are sent."""
    asked.page.evaluate(
        """async () => {
            const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.content?.model?.cells);
            const restarted = panel.sessionContext.restartKernel();
            await new Promise(resolve => setTimeout(resolve, 0));
            await Promise.all([restarted, window.jupyterapp.commands.execute('notebook:run-all-cells')]);
        }"""
    )
    asked.idle()
    assert [asked.count(n) for n in (0, 6)] == ["[1]:", "[7]:"]
    assert server.requests == []


@pytest.mark.long("other tests do it on their way")
def test_a_freshly_opened_notebook_can_be_run_at_once(asked, opened, server):
    asked.close()
    asked.jupyter.end_kernels()
    notebook = opened(asked.path)
    notebook.restart_and_run_all()
    assert server.requests == []
    notebook.says(2, "1: l1")
    notebook.says(4, "2: r1")
    notebook.says(6, "3: l2")


def test_an_edited_cell_is_asked_again_with_those_after_it_in_its_chat(asked, server):
    asked.edit(2, "%%robota\nL1")
    asked.restart_and_run_all()
    assert [[m["content"] for m in body["messages"] if m["role"] == "user"] for body in server.requests] == [
        ["L1"],
        ["L1", "l2"],
    ]
    asked.says(4, "2: r1")


def test_a_page_that_is_reloaded_during_an_answer_gets_the_turn(opened, work, server):
    notebook = opened(write(work / "reloaded.ipynb", LOAD, "%%robota\nfirst", "%%robota\nsecond"))
    notebook.run(0, 1)
    server.gate = threading.Event()
    notebook.start(2)
    notebook.shows(2, "2:")
    notebook.page.on("dialog", lambda dialog: dialog.accept())
    notebook.page.reload()
    notebook.page.wait_for_selector(".jp-Notebook .jp-Cell")
    server.gate.set()
    notebook.holds("first", "second")
    snapshot.parse(notebook.value())
    notebook.idle()
    notebook.save()
    server.requests.clear()
    notebook.restart_and_run_all()
    assert server.requests == []
    notebook.says(2, "2: second")


@IN_BOTH
def test_a_killed_kernel_loses_nothing(opened, work, server):
    notebook = opened(
        write(work / "killed.ipynb", LOAD, "%%robota\none", "%%robota\ntwo", "import os; print(os.getpid())")
    )
    notebook.run()
    server.requests.clear()
    os.kill(int(notebook.output(3)), signal.SIGKILL)
    notebook.page.locator(".jp-Dialog", has_text="Kernel Restarting").wait_for()
    notebook.accept()
    notebook.idle()
    notebook.run(0, 1, 2)
    assert server.requests == []
    assert notebook.prompts() == ["one", "two"]


def test_a_renamed_notebook_goes_on(asked, server):
    asked.menu("File", "Rename")
    asked.page.locator(".jp-Dialog input").fill("renamed.ipynb")
    asked.accept()
    asked.edit(6, "%%robota\nl3")
    asked.run(6)
    assert len(server.requests) == 1
    asked.path = asked.path.with_name("renamed.ipynb")
    asked.save()
    assert sorted(prompts(asked.file()["metadata"]["robota_nb"])) == ["l1", "l2", "l3", "r1"]
    server.requests.clear()
    asked.restart_and_run_all()
    assert server.requests == []


def test_notebooks_side_by_side_know_nothing_of_each_other(asked, opened, server):
    other = opened(write(asked.path.with_name("other.ipynb"), LOAD, "%%robota\nelsewhere", "%robota chat list"))
    other.run()
    asked.edit(6, "%%robota\nl3")
    asked.run(6)
    assert other.prompts() == ["elsewhere"]
    assert asked.prompts() == ["l1", "l2", "l3", "r1"]
    assert [m["content"] for m in server.requests[0]["messages"]] == ["elsewhere"]
    assert "Left" not in other.output(2)


def test_two_tabs_of_one_notebook_both_get_every_turn(opened, work, server):
    path = write(work / "tabs.ipynb", LOAD, "%%robota\none", "%%robota\ntwo")
    one = opened(path)
    one.run(0)
    other = opened(path)
    one.run(1)
    other.run(2)
    for tab in (one, other):
        tab.holds("one", "two")
        snapshot.parse(tab.value())
    assert [[m["content"] for m in body["messages"] if m["role"] == "user"] for body in server.requests] == [
        ["one"],
        ["one", "two"],
    ]
    other.save()
    assert sorted(prompts(other.file()["metadata"]["robota_nb"])) == ["one", "two"]


def test_a_copy_of_a_notebook_goes_its_own_way(asked, opened, server):
    copy = opened(shutil.copy(asked.path, asked.path.with_name("two chats-Copy1.ipynb")))
    copy.path = asked.path.with_name("two chats-Copy1.ipynb")
    copy.restart_and_run_all()
    assert server.requests == []
    copy.edit(6, "%%robota\nin the copy")
    copy.run(6)
    asked.edit(6, "%%robota\nin the original")
    asked.run(6)
    assert [[m["content"] for m in body["messages"] if m["role"] == "user"] for body in server.requests] == [
        ["l1", "in the copy"],
        ["l1", "in the original"],
    ]
    assert copy.prompts() == ["in the copy", "l1", "l2", "r1"]
    assert asked.prompts() == ["in the original", "l1", "l2", "r1"]


@IN_BOTH
def test_a_notebook_that_was_never_saved_is_recovered(opened, work, server):
    path = write(work / "unsaved.ipynb", LOAD, "%%robota\nhello", "%robota")
    notebook = opened(path)
    notebook.run(0, 1)
    notebook.close()
    notebook.jupyter.end_kernels()
    assert "robota_nb" not in content(path)["metadata"]
    server.requests.clear()
    again = opened(path)
    again.run()
    again.notice("added what the notebook had not saved")
    assert server.requests == []
    again.says(1, "1: hello")
    assert again.prompts() == ["hello"]
    again.save()
    again.restart()
    again.dismiss_notices()
    again.run()
    assert again.page.evaluate("() => [...window.toasts]") == []


def test_what_others_take_out_of_the_document_is_put_back(asked):
    asked.page.evaluate(
        """() => {
            const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.content?.model?.cells);
            panel.content.model.deleteMetadata('robota_nb');
        }"""
    )
    asked.holds("l1", "l2", "r1")
    snapshot.parse(asked.value())


def test_a_page_of_another_version_is_told_to_be_reloaded(opened, work, context):
    context.route("**/version.js", lambda route: route.fulfill(
        body="export const VERSION = '0.0.1';", content_type="text/javascript"))  # fmt: skip
    notebook = opened(write(work / "old.ipynb", LOAD, "%robota"))
    notebook.run()
    notebook.notice("this page has robota_nb 0.0.1")


@pytest.mark.usefixtures("context")  # a tab of its own: each asks once which kernels there are
def test_a_kernel_of_another_language_is_told_nothing(opened, work, jupyter):
    spec = jupyter.work.parent / "data" / "kernels" / "other"
    spec.mkdir(parents=True, exist_ok=True)
    argv = ["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "julia"}))
    kernelspec = {"kernelspec": {"name": "other", "display_name": "Other", "language": "julia"}}
    notebook = opened(write(work / "other.ipynb", LOAD, "%%robota\nhello", "%robota", metadata=kernelspec))
    notebook.run()
    assert notebook.value() is None
    notebook.shows(2, "in the cells' outputs")


def test_a_notebook_without_conversations_is_left_in_peace(opened, work):
    notebook = opened(write(work / "plain.ipynb", "1", "2"))
    notebook.page.evaluate(
        """() => {
            const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.content?.model?.cells);
            window.pushed = [];
            panel.sessionContext.session.kernel.anyMessage.connect((_, { msg, direction }) => {
                if (direction === 'send' && msg.metadata?.robota_nb) window.pushed.push(msg.metadata.robota_nb.text);
            });
        }"""
    )
    notebook.edit(1, "3")
    notebook.run(0, 1)
    assert notebook.page.evaluate("() => window.pushed") == []
    notebook.edit(0, "%load_ext robota_nb")
    notebook.run(0)
    (message,) = notebook.page.evaluate("() => window.pushed")
    assert json.loads(message)["op"] == "cells"
