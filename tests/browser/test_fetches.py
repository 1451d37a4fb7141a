"""Answers that name addresses: nothing is fetched before a click, wherever our extension draws them."""

import base64
import json
import os
import subprocess
import sys

import pytest

from robota_nb.core.record.entries import source_hash
from support.core import new_manager
from support.hostile import snap, talk
from support.jupyter import IN_BOTH
from support.notebook import content, write
from support.provider import Parrot
from support.switcher import LOAD, Switcher

pytestmark = pytest.mark.slow("drives real applications in a browser")

OUT = "http://127.0.0.1:9/evil"
IN = "/api/kernels?evil"
KINDS = {
    "picture": f"![x]({OUT}/1)",
    "picture by reference": f"![x][r]\n\n[r]: {OUT}/2",
    "picture by its name": f"![r]\n\n[r]: <{OUT}/3>",
    "picture of any scheme": f"![x]({OUT[5:]}/4)",
    "picture here": f"![x]({IN})",
    "picture in a link": f"[![x]({OUT}/5)]({OUT}/6)",
    "picture in a table": f"|a|\n|-|\n|![x]({OUT}/7)|",
    "img": f"<img src={OUT}/8>",
    "lazy img": f"a <img loading=lazy src={OUT}/9> b",
    "img here": f"<img src={IN}>",
    "img with a set": f"<img srcset='{OUT}/10 1x, {OUT}/11 2x'>",
    "img in math": f"<math><annotation-xml encoding=text/html><img src={OUT}/12></annotation-xml></math>",
    "img in noscript": f"<noscript><img src={OUT}/13></noscript>",
    "img in template": f"<template><img src={OUT}/14></template>",
    "svg": f"<svg><image href={OUT}/15 /><use href={OUT}/16 /></svg>",
    "input": f"<input type=image src={OUT}/17>",
    "video": f"<video poster={OUT}/18 src={OUT}/19 autoplay></video>",
    "audio": f"<audio src={OUT}/20 autoplay><source src={OUT}/21></audio>",
    "picture element": f"<picture><source srcset={OUT}/22><img src={OUT}/23></picture>",
    "object": f"<object data={OUT}/24></object><embed src={OUT}/25><iframe src={OUT}/26></iframe>",
    "background": f"<div style='background: url({OUT}/27)'>a</div>",
    "background image": f"<p style='background-image: url({OUT}/28)'>a</p>",
    "background attribute": f"<table background={OUT}/29><tr><td background={OUT}/30>a</td></tr></table>",
    "list style": f"<ul style='list-style-image: url({OUT}/31)'><li>a</li></ul>",
    "cursor": f"<span style='cursor: url({OUT}/32), auto'>a</span>",
    "escaped style": f"<span style='background: u\\72l({OUT}/33)'>a</span>",
    "style element": f"<style>@import '{OUT}/34'; * {{ background: url({OUT}/35) }}</style>",
    "link element": f"<link rel=stylesheet href={OUT}/36><link rel=prefetch href={OUT}/37>",
    "formula": f"$\\style{{background-image:url({OUT}/38)}}{{x}}$ and $\\bbox[background:url({OUT}/39)]{{y}}$",
    "formula with a token": f"$\\mmlToken{{mi}}[style='background:url({OUT}/40)']{{x}}$",
    "diagram with a theme": (
        f'```mermaid\n%%{{init: {{"themeCSS": "@import url({OUT}/41);"}}}}%%\ngraph TD\n  A --> B\n```'
    ),
    "diagram with a label": f"```mermaid\ngraph TD\n  A[\"<img src='{OUT}/42' width='9' height='9'>\"] --> B\n```",
    "diagram with a node": f'```mermaid\nflowchart TD\n  A@{{ img: "{OUT}/43", label: "x", w: 60, h: 60 }}\n```',
    "diagram with a style": f"```mermaid\ngraph TD\n  A --> B\n  style A fill:url({OUT}/44)\n```",
    "diagram in a list": f"- ~~~mer&#109;aid\n  graph TD\n    A[\"<img src='{OUT}/45'>\"]\n  ~~~",
}
GOOD = (
    "```mermaid\ngraph TD\n  A --> B\n```\n\n![dot](data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=)\n\nthe end"
)
ALL = "\n\n".join([*KINDS.values(), GOOD])
MARK = {"robota_nb": {"turn": "e_" + "0" * 32, "model": "m"}}


@pytest.fixture
def asked(context):
    """The addresses of answers that were asked for."""
    asked = []
    context.on("request", lambda request: asked.append(request.url) if "evil" in request.url else None)
    return asked


def stranger(path):
    """Write a notebook in which somebody else has saved an answer of each kind, and below them a Markdown cell."""
    manager = new_manager(providers=Parrot())
    chat = manager.create_session(name="Work").create_chat("Talk")
    for text in (*KINDS.values(), GOOD):
        chat.send(text)
    write(path, LOAD, *(f"'{name}'" for name in KINDS), "'good'", metadata={"robota_nb": manager.snapshot()})
    notebook = content(path)
    for cell, text in zip(notebook["cells"][1:], [*KINDS.values(), GOOD], strict=True):
        cell["outputs"] = [{"output_type": "display_data", "data": {"text/markdown": text}, "metadata": MARK}]
    notebook["cells"].append(
        {"cell_type": "markdown", "id": "own", "metadata": {}, "source": f"![]({OUT}/of-my-own) <img src={IN}-own>"}
    )
    path.write_text(json.dumps(notebook))
    return path


def scroll(page):
    """Bring each cell into view, down to the last: what is not in view is not drawn."""
    for number in range(page.page.locator(".jp-Notebook .jp-Cell").count()):
        page.cell(number).scroll_into_view_if_needed()
        page.page.evaluate("() => new Promise(requestAnimationFrame)")


def drawn(page, answer):
    """Wait until what takes longest in an answer is there: a diagram without addresses, which may be drawn."""
    answer.locator(".jp-RenderedMermaid img, .jp-RenderedMermaid svg").first.wait_for()
    assert answer.locator("img[alt=dot]").count() == 1


def fetched(page, address):
    """Wait until an address was asked for."""
    page.page.wait_for_function(
        "address => performance.getEntriesByType('resource').some(({ name }) => name === address)", arg=address
    )


@pytest.mark.usefixtures("jupyter")
def test_a_notebook_of_a_stranger_that_was_only_opened_fetches_nothing(opened, work, asked):
    page = opened(stranger(work / "stranger.ipynb"))
    scroll(page)
    drawn(page, page.cell(len(KINDS) + 1))
    fetched(page, f"{OUT}/of-my-own")  # the reader's own Markdown is as ever
    assert {url for url in asked if "own" not in url} == set()
    link = page.cell(1).locator("a", has_text="Picture: x")
    assert (link.get_attribute("href"), link.get_attribute("title")) == (f"{OUT}/1", f"{OUT}/1")
    link.click(modifiers=["Control"])  # as any other link
    page.page.wait_for_function("() => document.hasFocus()")
    assert link.count() == 1


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_a_click_on_the_link_of_a_picture_shows_it_there_in_cells_and_in_the_panel(opened, work, server, context):
    loaded = []

    def picture(route):
        loaded.append(route.request.headers.get("referer"))
        route.fulfill(body=base64.b64decode(PIXEL), content_type="image/png")

    context.route("http://127.0.0.1:9/**", picture)
    page = opened(write(work / "click.ipynb", LOAD, "%%robota\nlive", "%robota ui", metadata={}))
    server.reply = lambda body: [f"![a plot]({OUT}/1) and ![there]({IN}) and [no picture]({OUT}/2)"]
    page.run()
    switcher = Switcher(page.page).ready()
    for where in (page.cell(1).locator(".jp-OutputArea"), switcher.root):
        link = where.locator("a", has_text="Picture: a plot")
        assert link.get_attribute("title") == f"{OUT}/1"
        assert where.locator("img").count() == 0
        link.click()
        shown = where.locator("img[alt='Picture: a plot']")
        shown.wait_for()
        assert shown.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 1
    assert set(loaded) == {None}  # the second may come from the browser's memory
    other = page.cell(1).locator("a", has_text="no picture")
    with context.expect_page() as opening:
        other.click()
    opening.value.close()


@IN_BOTH
@pytest.mark.usefixtures("jupyter")
def test_an_answer_fetches_nothing_live_replayed_in_the_panel_or_in_a_page_of_nbconvert(
    opened, work, server, asked, context
):
    source = "%%robota\nasked"
    forged = talk(prompt="asked", answer=ALL, cell=["cell-1", 0, source_hash(source)])
    page = opened(
        write(work / "own.ipynb", LOAD, source, "%%robota\nlive", "%robota ui", metadata={"robota_nb": snap(forged)})
    )
    server.reply = lambda body: [ALL[at : at + 50] for at in range(0, len(ALL), 50)]
    page.run()
    for number in (1, 2):
        page.cell(number).scroll_into_view_if_needed()
        page.cell(number).get_by_text("the end", exact=True).wait_for()
        drawn(page, page.cell(number))
    switcher = Switcher(page.page).ready()
    switcher.root.get_by_text("the end", exact=True).first.wait_for()
    assert asked == []
    page.save()
    out = work / "own.html"
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", str(page.path), "--output", str(out)],
        check=True, capture_output=True, env=os.environ,
    )  # fmt: skip
    tab = context.new_page()
    tab.route(lambda url: not url.startswith(("file:", "data:")), lambda route: route.abort())
    tab.goto(out.as_uri())
    tab.get_by_text("the end", exact=True).first.wait_for()
    assert asked == []


PUBLIC = "https://evil.example.org/a.png"


def test_who_wants_pictures_of_public_servers_gets_those_alone(opened, work, server, asked):
    config = "%config RobotaMagics.remote_pictures = True"
    page = opened(write(work / "pictures.ipynb", LOAD, config, "%%robota\nlive", metadata={}))
    text = f"![x]({PUBLIC})\n\n{ALL}"
    server.reply = lambda body: [text]
    page.run()
    page.cell(2).scroll_into_view_if_needed()
    drawn(page, page.cell(2))
    page.page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(({ name }) => name.includes('a.png'))"
    )
    assert set(asked) == {PUBLIC}
