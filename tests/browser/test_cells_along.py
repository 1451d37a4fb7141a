"""Cells that go along with what is asked in JupyterLab: by a cell, and by the switch in the panel."""

import nbformat
import pytest

from support.page import MODEL
from support.switcher import Switcher, prompts_of

pytestmark = [pytest.mark.usefixtures("lab"), pytest.mark.slow("drives real applications in a browser")]

SHOW = "rows = [3, 1]\nprint('{{ rows }}', sorted(rows))"
ASK = "%%robota --cells above\nWhat is shown?"


@pytest.fixture
def page(opened, work):
    """A notebook with Markdown, code and two prompts, of which one goes with the cells above it."""
    new, prose = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    cells = [
        new("%load_ext robota_nb"),
        prose("# Sorting"),
        new(SHOW),
        new("%%robota\nhello"),
        new(ASK),
        new("late = 1"),
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = work / "along.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), path)
    return opened(path)


def test_what_goes_along_is_what_stands_above_and_an_edit_of_it_is_seen(page, server):
    page.run(0, 2, 3, 4)
    sent = prompts_of(server.requests[-1])[-1]
    cells = f"Cell 2:\n```markdown\n# Sorting\n```\n\nCell 3:\n```python\n{SHOW}\n```"
    assert sent == f"What is shown?\n\n{cells}"
    page.run(4)
    assert len(server.requests) == 2

    page.page.evaluate(f"() => {MODEL}.cells.get(1).sharedModel.setSource('# Sorting lists')")
    page.run(3)  # whatever runs, the kernel is told
    page.cell(4).get_by_text("cell 2, which went along with it, was edited or is gone").first.wait_for()
    page.run(4)
    assert "# Sorting lists" in prompts_of(server.requests[-1])[-1]
    assert len(server.requests) == 3

    page.edit(4, ASK + "\nAnd why?")
    page.edit(4, ASK.replace("above", "above --outputs"))
    page.run(4)
    assert "Output of cell 3:\n```\n{{ rows }} [1, 3]\n```" in prompts_of(server.requests[-1])[-1]
    asked = len(server.requests)
    page.restart_and_run_all()  # the outputs are not there when all are sent, and nothing needs them
    assert len(server.requests) == asked
    page.edit(2, SHOW + "\n1 + 1")
    page.run_all()
    page.cell(4).get_by_text("cell 3 was still to run when this was sent").first.wait_for()
    assert len(server.requests) == asked


def test_the_switch_in_the_panel_sends_the_cells_down_to_the_selected_one(page, server):
    page.run(0, 2, 3)
    server.requests.clear()
    page.page.keyboard.press("Control+Shift+Y")
    switcher = Switcher(page.page, within="#robota-nb-chats").ready()
    page.select(2)
    switcher.part("cells-above").check()
    switcher.part("with-outputs").check()
    switcher.part("draft").fill("Look at {{ rows }}")
    switcher.menu(switcher.part("attach"), "See what is sent")
    shown = switcher.part("preview").locator("pre").inner_text()
    switcher.part("draft").press("Enter")
    switcher.turn("Look at [3, 1]").wait_for()
    switcher.rests()
    (request,) = server.requests
    sent = prompts_of(request)[-1]
    assert sent.startswith(f"Look at [3, 1]\n\nCell 2:\n```markdown\n# Sorting\n```\n\nCell 3:\n```python\n{SHOW}\n```")
    assert sent.endswith("Output of cell 3:\n```\n{{ rows }} [1, 3]\n```")
    assert shown == sent
    switcher.turn("Look at [3, 1]").get_by_text("output of cell 3", exact=True).wait_for()
    switcher.part("cells-above").uncheck()
    switcher.send("and now?")
    assert prompts_of(server.requests[-1])[-1] == "and now?"
