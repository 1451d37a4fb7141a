"""What models write looks the same in a cell, in the panel, and in a page of nbconvert."""

import json
import os
import subprocess
import sys

import pytest

from robota_nb.display.render import NotebookRenderer
from support.dialect import CASES
from support.notebook import content, write

pytestmark = pytest.mark.slow("drives real applications in a browser")

A_CELL = 20
"""Answers in a cell: JupyterLab shows the first 50 outputs of one."""

SEEN = r"""
// As MathJax looks for them, in each element:
const formulas = /\$\$[^$]+\$\$|\$(?:\\.|[^$])+\$|\\begin\{(\w+)\}[^]*?\\end\{\1\}/g;
const seen = (node, found, isTypeset) => {
    if (node.nodeType === Node.TEXT_NODE) {
        found.text += isTypeset ? node.data : node.data.replace(formulas, () => (found.formulas++, ' '));
    } else if (node.matches('mjx-container, .robota-maths')) {
        found.formulas++;
    } else if (node.matches('.robota-code, code, pre')) {
        found.text += (node.querySelector('pre') ?? node).textContent;
    } else if (!node.matches('.anchor-link, .jp-InternalAnchorLink, robota-answer-line')) {
        node.normalize();
        node.childNodes.forEach(child => seen(child, found, isTypeset));
        found.headings += node.matches('h1, h2, h3, h4, h5, h6, [role=heading]');
    }
    return found;
};
const look = (node, isTypeset) => {
    const found = seen(node, { text: '', formulas: 0, headings: 0 }, isTypeset);
    return [found.text.replace(/\s+/g, ''), found.formulas, found.headings];
};
"""


def notebook_of(path):
    """Write a notebook with the answers in the outputs of cells, as the kernel leaves them, below a heading."""
    write(path, *["'answers'"] * -(-len(CASES) // A_CELL))
    notebook = content(path)
    for number, (source, _) in enumerate(CASES.values()):
        outputs = notebook["cells"][number // A_CELL]["outputs"]
        renderer = NotebookRenderer(
            lambda data, metadata, *_, outputs=outputs: outputs.append(
                {"output_type": "display_data", "data": data, "metadata": metadata}
            )
        )
        renderer.replay(source, "stop", {"turn": "e_" + "0" * 32})
    notebook["cells"].insert(0, {"cell_type": "markdown", "id": "page", "metadata": {}, "source": "# The page's own"})
    path.write_text(json.dumps(notebook))
    return path


def panel(page, extension, source):
    """What the panel shows for a text, before formulas are typeset."""
    return page.evaluate(
        f"""async ([base, source]) => {{
            const {{ Markdown }} = await import(base + '/switcher/markdown.js');
            const markdown = new Markdown({{}});
            markdown.set(source);
            {SEEN}
            return look(markdown.element, true);
        }}""",
        [extension, source],
    )


def test_what_models_write_is_the_same_in_cells_the_panel_and_a_page_of_nbconvert(opened, work, context, origin):
    page = opened(notebook_of(work / "dialect.ipynb"))
    answers = page.page.locator(".jp-OutputArea-child .jp-RenderedMarkdown")
    answers.nth(len(CASES) - 1).wait_for()
    blank = context.new_page()
    blank.goto(f"{origin}/")
    in_panel = [panel(blank, origin, source) for source, _ in CASES.values()]
    blank.close()
    formulas = sum(number for _, number, _ in in_panel)
    page.page.wait_for_function("n => document.querySelectorAll('mjx-container').length >= n", arg=formulas)
    cells = page.page.evaluate(
        f"() => {{ {SEEN} return [...document.querySelectorAll('.jp-OutputArea-child .jp-RenderedMarkdown')]"
        ".map(node => look(node, true)); }"
    )
    page.page.evaluate("window.jupyterapp.shell.activateById('table-of-contents')")
    contents = page.page.locator(".jp-TableOfContents .jp-tocItem-heading")
    contents.first.wait_for()
    assert contents.all_inner_texts() == ["The page's own"]
    out = work / "dialect.html"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(page.path), "--output", str(out)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ)
    tab = context.new_page()
    tab.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    tab.goto(f"file://{out}")
    html = tab.evaluate(
        f"() => {{ {SEEN} return [...document.querySelectorAll('.jp-OutputArea-output.jp-RenderedMarkdown')]"
        ".map(node => look(node, false)); }"
    )
    tab.close()
    differ = {
        name: (cell, shown, exported)
        for name, cell, shown, exported in zip(CASES, cells, in_panel, html, strict=True)
        if not cell == shown == exported
    }
    for name, found in differ.items():
        print(name, *found, sep="\n    ")
    assert differ == {}
