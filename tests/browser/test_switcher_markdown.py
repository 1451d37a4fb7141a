"""The chat widget's Markdown: what strangers wrote, in the browser that shows it."""

import json
import random
from html.entities import name2codepoint

import pytest

from support.labextension import SOURCE

pytestmark = pytest.mark.slow("drives real applications in a browser")

HELPERS = r"""
const text = (markdown) => markdown.element.textContent;
const brief = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    const inner = [...node.childNodes].map(brief).join('');
    if (node.matches('.robota-code')) {
        const language = node.querySelector('.robota-code-language').textContent;
        return `code[${language}|${node.querySelector('pre').textContent}]`;
    }
    const classes = [...node.classList].map(name => `.${name.replace('robota-', '')}`).join('');
    const start = node.matches('ol[start]') ? `@${node.getAttribute('start')}` : '';
    const href = node.matches('a') ? `@${node.getAttribute('href')}` : '';
    return `${node.localName}${classes}${start}${href}{${inner}}`;
};
const briefly = markdown => [...markdown.element.childNodes].map(brief).join('');
const all = markdown => [...markdown.element.querySelectorAll('*')];
const attributes = markdown => [...new Set(all(markdown).flatMap(e => e.getAttributeNames()))].sort();
const show = (source, services, state) => {
    const markdown = new Markdown(services);
    document.body.replaceChildren(markdown.element);
    markdown.set(source, state);
    return markdown;
};
const later = (ms = 0) => new Promise(done => setTimeout(done, ms));
"""

OWN_ATTRIBUTES = {
    "aria-label", "aria-level", "class", "data-picture", "dir", "href", "rel", "role", "start", "tabindex",
    "target", "title", "type",
}  # fmt: skip
OWN_ELEMENTS = {
    "a", "blockquote", "br", "button", "code", "del", "div", "em", "hr", "li", "ol", "p", "pre", "span", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


@pytest.fixture(scope="module")
def tab(browser, origin):
    """A page, its errors, and its requests to strangers; one for all tests, as most take less time than to open one."""
    context = browser.new_context()
    page = context.new_page()
    errors, strangers = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))

    def route(route):
        url = route.request.url
        if url.startswith((f"{origin}/switcher/", f"{origin}/favicon.ico")) or url == f"{origin}/":
            route.continue_()
        else:
            strangers.append(url)
            route.abort()

    context.route("**/*", route)
    yield page, errors, strangers
    context.close()


@pytest.fixture
def run(tab, origin):
    """Runs JavaScript with the module, and with JSON values, in a new document; no request may leave the server."""
    page, errors, strangers = tab
    page.goto(f"{origin}/")

    def run(body, *values):
        return page.evaluate(
            f"async (values) => {{ const {{ Markdown }} = await import('/switcher/markdown.js'); {HELPERS} {body} }}",
            list(values),
        )

    run.page = page
    yield run
    page.evaluate("new Promise(done => setTimeout(done, 20))")
    assert errors == []
    assert strangers == []


@pytest.fixture
def brief(run):
    return lambda source: run("return briefly(show(values[0]));", source)


# -- What Markdown means

FEATURES = [
    ("", ""),
    ("a", "p{a}"),
    ("a\nb", "p{a\nb}"),
    ("a\r\nb\rc", "p{a\nb\nc}"),
    ("a\n\nb", "p{a}p{b}"),
    ("a  \nb\\\nc", "p{abr{}bbr{}c}"),
    ("# a", "div.heading.heading-1{a}"),
    ("###### a *b*", "div.heading.heading-6{a em{b}}"),
    ("a\n===\nb\n---", "div.heading.heading-1{a}div.heading.heading-2{b}"),
    ("#a", "p{#a}"),
    ("***", "hr{}"),
    ("*a* _b_ **c** __d__ ~~e~~", "p{em{a} em{b} strong{c} strong{d} del{e}}"),
    ("***a***", "p{em{strong{a}}}"),
    ("a_b_c 2*3*4", "p{a_b_c 2em{3}4}"),
    ("`a`  ``b`c``", "p{code{a}  code{b`c}}"),
    ("`a &amp; <b>`", "p{code{a &amp; <b>}}"),
    ("```python\na\n  b\n```", "code[python|a\n  b]"),
    ("```python title=x\na\n```", "code[python|a]"),
    ("~~~\n```\n~~~", "code[|```]"),
    ("```c++\na", "code[c++|a]"),
    ("```\n```", "code[|]"),
    ('```"><img src=x>\na\n```', "code[|a]"),
    ("```python\"onclick='x'\na\n```", "code[|a]"),
    ("```" + "x" * 33 + "\na\n```", "code[|a]"),
    ("    a\n\n    b", "code[|a\n\nb]"),
    ("- a\n- b", "ul{li{a}li{b}}"),
    ("- a\n\n- b", "ul{li{p{a}}li{p{b}}}"),
    ("1. a\n2. b", "ol{li{a}li{b}}"),
    ("7) a\n8) b", "ol@7{li{a}li{b}}"),
    ("0. a", "ol@0{li{a}}"),
    ("- a\n  - b\n    1. c", "ul{li{aul{li{bol{li{c}}}}}}"),
    ("- a\n\n  b\n\n  ```\n  c\n  ```", "ul{li{p{a}p{b}code[|c]}}"),
    ("- [x] a\n- [ ] *b*", "ul{li.task{☑ a}li.task{☐ em{b}}}"),
    ("- [x] a\n\n- [ ] b", "ul{li.task{p{☑ a}}li.task{p{☐ b}}}"),
    ("> a\nb\n>\n> > c", "blockquote{p{a\nb}blockquote{p{c}}}"),
    ("> - a\n>   # b", "blockquote{ul{li{adiv.heading.heading-1{b}}}}"),
    ("|a|b|c|\n|:-|:-:|-:|\n|1|`2`|*3*|",
     "div.table{table{thead{tr{th.left{a}th.center{b}th.right{c}}}tbody{tr{td.left{1}td.center{code{2}}td.right{em{3}}}}}}"),
    ("|a|\n|-|", "div.table{table{thead{tr{th{a}}}}}"),
    ('[a *b*](https://x.y/z?q=1&amp;r#s "title")', "p{a@https://x.y/z?q=1&r#s{a em{b}}}"),
    ("[a](<http://x.y/b c>)", "p{a@http://x.y/b%20c{a}}"),
    ("[a][b] [b] [c]\n\n[b]: http://x.y", "p{a@http://x.y/{a} a@http://x.y/{b} [c]}"),
    ("<http://x.y/> <a@b.c>", "p{a@http://x.y/{http://x.y/} a@mailto:a@b.c{a@b.c}}"),
    ("see http://x.y/z. Or www.x.y, a@b.c",
     "p{see a@http://x.y/z{http://x.y/z}. Or a@http://www.x.y/{www.x.y}, a@mailto:a@b.c{a@b.c}}"),
    ("<a b> http://x.y\n\nhttp://x.y", "p{<a b> http://x.y}p{a@http://x.y/{http://x.y}}"),
    ("![a *b*](https://x.y/z.png)", "p{a@https://x.y/z.png{Picture: a b}}"),
    ("![](https://x.y/z.png)", "p{a@https://x.y/z.png{Picture: https://x.y/z.png}}"),
    ("![a](z.png) ![b](javascript:alert(1))", "p{Picture: a (z.png) Picture: b (javascript:alert(1))}"),
    ("[![a](https://x.y/z.png)](https://x.y)", "p{a@https://x.y/{Picture: a}}"),
    (r"\*a\* \# \& \< \\ \[a](b)", r"p{*a* # & < \ [a](b)}"),
    ("&amp; &lt;b&gt; &copy; &#65; &#x1F600; &nosuch; &amp &#0; &apos;",
     "p{& <b> © A 😀 &nosuch; &amp \ufffd '}"),
    ("&amp;lt; &#38;lt; &amp;#60;", "p{&lt; &lt; &#60;}"),
    ("a & b < c > d \" e ' f", "p{a & b < c > d \" e ' f}"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "shown"), FEATURES)
def test_markdown_becomes_these_elements(brief, source, shown):
    assert brief(source) == shown


def test_the_character_references_of_html_4_are_known(run):
    names = sorted(name2codepoint)
    shown = run("return text(show(values[0]));", " ".join(f"&{name};." for name in names))
    expected = " ".join(f"{chr(name2codepoint[name])}." for name in names)
    assert shown == expected


def test_headings_have_levels_below_those_of_the_widget(run):
    levels = run(
        "return all(show(values[0])).map(e => [e.localName, e.getAttribute('role'), e.getAttribute('aria-level')]);",
        "# a\n## b\n### c\n#### d\n##### e",
    )
    assert levels == [["div", "heading", level] for level in "34566"]


def test_a_table_scrolls_in_a_region_with_a_name(run):
    region = run(
        "const { parentElement: e } = show(values[0]).element.querySelector('table');"
        "return [e.tabIndex, e.getAttribute('role'), e.getAttribute('aria-label')];",
        "|a|\n|-|\n|b|",
    )
    assert region == [0, "region", "Table"]


def test_text_that_is_written_from_the_right_stands_there(run):
    assert run(
        "return all(show(values[0])).map(e => [e.localName, e.dir, getComputedStyle(e).direction]);",
        "שלום עולם\n\nhello",
    ) == [["p", "auto", "rtl"], ["p", "auto", "ltr"]]


def test_control_characters_and_marks_that_turn_text_are_not_shown(run):
    marks = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x01\x07\x08\x0b\x0c\x1b\x1f\x7f\x9b"
    source = f"a{marks}b `c{marks}d` <b{marks}> $e{marks}$ &#8238;&#x2066;&#7;f\n\n```\ng{marks}\th\n```\n"
    source += f"\n<div>{marks}\n\n[i{marks}](http://x.y) ![j{marks}](http://x.y)"
    shown = run("return [text(show(values[0])), show(values[0]).element.innerHTML];", source)
    assert shown[0] == "ab cd <b> $e$ fCopy codeg\th<div>i" + " Picture: j"
    assert not set(marks) & set(shown[1])


# -- HTML is off

HTML = [
    "<script>alert(1)</script>",
    "a <script>alert(1)</script> b",
    "<img src=https://evil.example/x.png onerror=alert(1)>",
    "a <img src=x onerror=alert(1)> b",
    "<svg onload=alert(1)><animate onbegin=alert(1)></svg>",
    "<iframe src='https://evil.example/'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>@import '//evil.example/x.css'; * { display: none }</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<object data=https://evil.example/></object><embed src=https://evil.example/>",
    "<video src=https://evil.example/x poster=https://evil.example/y autoplay></video>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea></textarea><img src=x onerror=alert(1)>",
    "<form id=x><input name=attributes></form>",
    "<a href='javascript:alert(1)' id=y name=z>",
    '<button data-commandlinker-command="notebook:run-all-cells" data-commandlinker-args="{}">run</button>',
    "<div class=jp-Cell style='position:fixed;inset:0'>x</div>",
    "<!-- hidden --> shown",
    "a <!-- hidden --> shown",
    "<?php echo 1 ?>",
    "<![CDATA[ x ]]>",
    "<!DOCTYPE html>",
    "<x-y onclick=alert(1)>z</x-y>",
    "<details open ontoggle=alert(1)><summary>a</summary></details>",
]


@pytest.mark.parametrize("source", HTML)
def test_html_is_shown_as_it_is_written(run, source):
    for around in ["{}", "a {} b", "- {}", "> {}", "# {}", "**a** {}", "|a|\n|-|\n|{}|"]:
        shown, elements, names = run(
            "const markdown = show(values[0]); await later(5);"
            "return [text(markdown), all(markdown).map(e => e.localName), attributes(markdown)];",
            around.format(source),
        )
        assert source in shown, around
        assert set(elements) <= OWN_ELEMENTS - {"a", "button", "br", "hr", "code", "span"}, around
        assert set(names) <= {"class", "dir", "role", "aria-level", "aria-label", "tabindex"}, around


def test_all_html_together_leaves_only_our_own_elements_and_attributes(run):
    source = "\n\n".join(
        [*HTML, *(f"a {html} *b* `{html}` [{html}](http://x.y) ![{html}](http://x.y)" for html in HTML)]
    )
    elements, names, globals_ = run(
        "const before = Object.keys(window); const markdown = show(values[0]); await later(100);"
        "return [all(markdown).map(e => e.localName), attributes(markdown),"
        "Object.keys(window).filter(key => !before.includes(key))];",
        source,
    )
    assert set(elements) <= OWN_ELEMENTS
    assert set(names) <= OWN_ATTRIBUTES
    assert globals_ == []


# -- Links

HOSTILE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java&#115;cript:alert(1)",
    "javascript&colon;alert(1)",
    "&#x6A;avascript&#58;alert(1)",
    "java&#9;script:alert(1)",
    "java&#10;script:alert(1)",
    "&#1;javascript:alert(1)",
    "\u202ejavascript:alert(1)",
    r"javascript\:alert(1)",
    "vbscript:x",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "file:///etc/passwd",
    "blob:https://x.y/1",
    "view-source:http://x.y",
    "filesystem:http://x.y",
    "ftp://x.y",
    "ws://x.y",
    "tel:1",
    "about:blank",
    "command:x",
    "//evil.example/x",
    "/api/shutdown",
    "../lab?reset",
    "?reset",
    "#id",
    "api/contents",
    "http://",
    "https://[",
]
FORMS = ["[a]({})", "[a](<{}>)", "[a]({} 'title')", "[a][b]\n\n[b]: {}", "[a][b]\n\n[b]: <{}>", "<{}>", "![a]({})"]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_link_that_leads_elsewhere_than_into_the_web_is_text(run, url):
    for form in FORMS:
        links, shown = run(
            "const markdown = show(values[0]);"
            "return [[...markdown.element.querySelectorAll('a')].map(a => a.href), text(markdown)];",
            form.format(url),
        )
        assert links == [], form
        assert "a" in shown or form == "<{}>"


@pytest.mark.parametrize(
    "url", ["java\tscript:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)", "\x01javascript:a"]
)
def test_white_space_does_not_hide_a_scheme(run, url):
    for form in FORMS:
        assert run("return show(values[0]).element.querySelectorAll('a').length;", form.format(url)) == 0


def test_a_text_tells_where_a_link_would_have_led(brief):
    assert brief("[click](javascript:alert(1))") == "p{click (javascript:alert(1))}"
    assert brief("[javascript:alert(1)](javascript:alert(1))") == "p{javascript:alert(1)}"
    assert brief("[click]()") == "p{click}"
    assert brief(f"![a](data:image/png;base64,{'x' * 1000})") == f"p{{Picture: a (data:image/png;base64,{'x' * 178}…)}}"


def test_a_link_opens_elsewhere_and_tells_nothing(run):
    assert run(
        "const [a] = show(values[0]).element.querySelectorAll('a');"
        "return Object.fromEntries(a.getAttributeNames().map(name => [name, a.getAttribute(name)]));",
        '[a](HTTPS://X.y/ä" "id=x onclick=alert(1)")',
    ) == {"href": "https://x.y/%C3%A4%22", "target": "_blank", "rel": "noopener noreferrer"}


def test_pictures_are_never_loaded(run):
    source = "![a](https://evil.example/a.png)\n\n![b][c]\n\n<img src=https://evil.example/d.png>\n\n"
    source += "[![e](https://evil.example/e.png)](https://evil.example)\n\n[c]: https://evil.example/c.png"
    assert (
        run("const m = show(values[0]); await later(200); return m.element.querySelectorAll('img').length;", source)
        == 0
    )


# -- Formulas

FORMULAS = [
    ("a $x_1*y$ b", "p{a span.maths{$x_1*y$} b}"),
    ("*a $b*c$ d*", "p{em{a span.maths{$b*c$} d}}"),
    ("$a_b$ and $c_d$", "p{span.maths{$a_b$} and span.maths{$c_d$}}"),
    (r"\(a*b*c\) \[d_e_f\]", r"p{span.maths{\(a*b*c\)} span.maths{\[d_e_f\]}}"),
    ("a $$b$$ c", "p{a span.maths{$$b$$} c}"),
    ("$$b$$", "div.maths{$$b$$}"),
    ("$$\na\n=\nb\n- c\n$$", "div.maths{$$\na\n=\nb\n- c\n$$}"),
    ("a\n$$\nb\n=\nc\n$$\nd", "p{a}div.maths{$$\nb\n=\nc\n$$}p{d}"),
    ("\\[\n\\begin{a}\n1 \\\\\n# 2\n\\end{a}\n\\]", "div.maths{\\[\n\\begin{a}\n1 \\\\\n# 2\n\\end{a}\n\\]}"),
    ("- a\n  $$\n  b\n  $$", "ul{li{adiv.maths{$$\nb\n$$}}}"),
    ("|a|\n|-|\n|$b$|", "div.table{table{thead{tr{th{a}}}tbody{tr{td{span.maths{$b$}}}}}}"),
    ("$a$-b", "p{span.maths{$a$}-b}"),
    (r"$\text{a \$ b}$", r"p{span.maths{$\text{a \$ b}$}}"),
    ("$<img src=x onerror=alert(1)>$", "p{span.maths{$<img src=x onerror=alert(1)>$}}"),
    ("It costs $5 and $6.", "p{It costs $5 and $6.}"),
    ("$5 to 6$7", "p{$5 to 6$7}"),
    ("$ a$ $a $ $ $ $$ $$$$", "p{$ a$ $a $ $ $ $$ $$$$}"),
    ("$a\n\nb$", "p{$a}p{b$}"),
    ("$$a\n\nb$$", "p{$$a}p{b$$}"),
    (r"\$a$", "p{$a$}"),
    ("`$a$` $b`c$d`", "p{code{$a$} $bcode{c$d}}"),
    ("```\n$a$\n```", "code[|$a$]"),
]


@pytest.mark.parametrize(("source", "shown"), FORMULAS)
def test_formulas_are_left_as_they_are(brief, source, shown):
    assert brief(source) == shown


TYPESET = "const seen = []; const typeset = element => { seen.push(element.textContent); };"


def test_formulas_are_typeset_once_in_the_page_when_their_block_is_complete(run):
    assert run(
        "const seen = []; const typeset = e => { seen.push([e.textContent, e.isConnected]); throw new Error('x'); };"
        "const markdown = show('$a$', { typeset }, { done: false }); const counts = [seen.length];"
        "for (const text of ['$a$ b', '$a$ b\\n\\n', '$a$ b\\n\\n$c$', '$a$ b\\n\\n$c$ d']) {"
        "markdown.set(text, { done: false }); counts.push(seen.length); }"
        "markdown.set('$a$ b\\n\\n$c$ d'); markdown.set('$a$ b\\n\\n$c$ d'); await later(); return [counts, seen];"
    ) == [[0, 0, 0, 1, 1], [["$a$", True], ["$c$", True]]]


@pytest.mark.parametrize(
    "command",
    [r"\href{x}", r"\url{x}", r"\cssId{x}", r"\class{x}", r"\style{x}", r"\data{x}", r"\require{x}", r"\unicode{x}",
     r"\includegraphics{x}", r"\htmlId{x}", r"\htmlClass{x}", r"\htmlStyle{x}", r"\htmlData{x}",
     r"\mmlToken{mi}[href=x]",
     r"\bbox[border:0]", r"\def\a{}", r"\newcommand\a{}", r"\renewcommand{\a}{}", r"\let\a\b", r"\label{x}"],
)  # fmt: skip
def test_a_formula_that_reaches_out_of_itself_stays_text(run, command):
    source = f"$$a {command} b$$ $a {command} b$ \\(a {command} b\\)\n\n$$\n{command}\n$$"
    shown, seen = run(f"{TYPESET} const m = show(values[0], {{ typeset }}); return [text(m), seen];", source)
    assert shown == source.replace("\n\n", "")
    assert seen == []


@pytest.mark.parametrize(
    "command", [r"\left(a\right)", r"\hrefs", r"\text{href}", r"\classic", r"\definite", r"\frac12"]
)
def test_other_formulas_are_typeset(run, command):
    assert run(f"{TYPESET} show(values[0], {{ typeset }}); return seen;", f"${command}$") == [f"${command}$"]


def test_a_very_long_formula_stays_text(run):
    long, short = f"$${'x+' * 500}x$$", f"$${'x+' * 490}x$$"
    assert run(f"{TYPESET} show(values[0], {{ typeset }}); return seen;", f"{long}\n\n{short}") == [short]


# -- Code

HIGHLIGHT = """
const seen = [];
const highlight = async (code, language, element) => {
    seen.push([code, language, element.isConnected]);
    await later(10);
    const span = document.createElement('span');
    span.className = 'coloured';
    span.textContent = code;
    element.append(span);
};
"""


def test_code_is_coloured_when_its_block_is_complete_and_once(run):
    assert run(
        f"{HIGHLIGHT} const markdown = show('```python\\na', {{ highlight }}, {{ done: false }});"
        "const coloured = () => markdown.element.querySelectorAll('pre > code > .coloured').length;"
        "const steps = [];"
        "for (const more of ['',"
        "'b\\nc', 'b\\nc\\n```', 'b\\nc\\n```\\n\\n', 'b\\nc\\n```\\n\\nd', 'b\\nc\\n```\\n\\nde']) {"
        "markdown.set('```python\\na' + more, { done: false }); await later(40);"
        "steps.push([markdown.element.querySelector('code').textContent, seen.length, coloured()]); }"
        "markdown.set('```python\\nab\\nc\\n```\\n\\nde'); await later(40); return [steps, seen];"
    ) == [
        [["a", 0, 0], ["ab\nc", 0, 0], ["ab\nc", 0, 0], ["ab\nc", 0, 0], ["ab\nc", 1, 1], ["ab\nc", 1, 1]],
        [["ab\nc", "python", False]],
    ]


def test_code_that_is_the_last_of_a_complete_text_is_coloured(run):
    assert run(f"{HIGHLIGHT} show('```js\\na\\n```', {{ highlight }}); return seen;") == [["a", "js", False]]


def test_code_without_a_name_of_a_language_is_not_coloured(run):
    assert run(f"{HIGHLIGHT} show('```\\na\\n```\\n\\n```a<b\\nb\\n```', {{ highlight }}); return seen;") == []


@pytest.mark.parametrize(
    "body", ["throw new Error('x')", "return Promise.reject(new Error('x'))", "element.append('other')"]
)
def test_code_stays_if_it_cannot_be_coloured(run, body):
    assert (
        run(
            f"const m = show('```js\\na\\n```', {{ highlight(code, language, element) {{ {body}; }} }}); "
            "await later(20); return briefly(m);"
        )
        == "code[js|a]"
    )


def test_code_that_grows_keeps_its_element_and_what_is_selected_of_it(run):
    assert run(
        "const m = show('```js\\nab', {}, { done: false }); const code = m.element.querySelector('code');"
        "getSelection().setBaseAndExtent(code.firstChild, 0, code.firstChild, 2);"
        "m.set('```js\\nabc\\nd', { done: false }); m.set('```js\\nabc\\nd\\n```', { done: false });"
        "return [code === m.element.querySelector('code'), code.textContent, String(getSelection())];"
    ) == [True, "abc\nd", "ab"]


@pytest.mark.parametrize("clipboard", [True, False], ids=["clipboard", "selection"])
def test_code_is_copied_and_the_button_tells_so_for_a_while(run, origin, clipboard):
    run.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
    run(
        "if (!values[1]) Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true });"
        "show(values[0]);",
        "```js\na <b>\n\tc\n```",
        clipboard,
    )
    button = run.page.get_by_role("button", name="Copy code")
    assert button.get_attribute("title") == "Copy code"
    box = button.bounding_box()
    run(
        "self.real = setTimeout; self.setTimeout = (call, ms, ...args) => {"
        "self.after = { ms, call: () => call(...args) }; };"
    )
    button.click()
    copied = run.page.get_by_role("button", name="Copied")
    copied.wait_for()
    assert [copied.text_content(), copied.bounding_box()] == ["Copied", box]
    assert run.page.evaluate("[document.activeElement.className, document.querySelector('textarea')]") == [
        "robota-copy",
        None,
    ]
    assert run("self.setTimeout = real; after.call(); return after.ms;") == 2000
    assert button.text_content() == "Copy code"
    run("delete navigator.clipboard;")
    assert run.page.evaluate("navigator.clipboard.readText()") == "a <b>\n\tc"


# -- Growing text

LONG = "\n\n".join([
    "First *block* with $x$.",
    *(source for source, _ in FEATURES if "]: " not in source and not source.startswith(("    ", "```c++"))),
    *(source for source, _ in FORMULAS),
    *HTML[:3],
    "Last block.",
])  # fmt: skip

GROW = """
performance.now = () => 0; // what takes long on a busy machine is looked at less often
const [source, ends] = values;
const growing = new Markdown();
document.body.replaceChildren(growing.element);
let first = null;
const wrong = [];
for (const [i, end] of ends.entries()) {
    const part = source.slice(0, end);
    growing.set(part, { done: false });
    const whole = new Markdown();
    whole.set(part);
    if (briefly(growing) !== briefly(whole)) wrong.push([end, briefly(growing), briefly(whole)]);
    if (growing.element.children.length > 2) first ??= growing.element.firstChild;
}
growing.set(source);
const whole = new Markdown();
whole.set(source);
return [wrong.slice(0, 1), growing.element.innerHTML === whole.element.innerHTML, first === growing.element.firstChild];
"""


@pytest.mark.parametrize("seed", range(12))
def test_a_text_that_grows_looks_as_if_it_came_at_once(run, seed):
    chance = random.Random(seed)
    blocks = LONG.split("\n\n")
    chance.shuffle(blocks)
    source = "First *block*.\n\n" + chance.choice(["\n\n", "\n", "\n\n\n"]).join(blocks)
    ends, end = [], 0
    while end < len(source):
        end += chance.choice([1, 2, 3, 10, 50])
        ends.append(min(end, len(source)))
    assert run(GROW, source, ends) == [[], True, True]


def test_each_character_of_a_text_may_come_alone(run):
    source = "a\n\n" + "\n\n".join(source for source, _ in [*FEATURES[:30], *FORMULAS[:12]])
    assert run(GROW, source, list(range(1, len(source) + 1))) == [[], True, True]


def test_a_definition_that_comes_late_makes_links_of_what_was_said_before(run):
    source = "a [b]\n\nc\n\nd\n\n[b]: http://x.y\n\ne\n\n[b]: http://z\n\nf [c]\n\n[c]: http://x.y/c"
    wrong, same, _ = run(GROW, source, list(range(1, len(source) + 1)))
    assert [wrong, same] == [[], True]


def test_a_text_that_changes_is_shown_anew_from_there_on(run):
    assert run(
        "const m = show('a\\n\\nb\\n\\nc'); const [a, b] = m.element.children; m.set('a\\n\\nx\\n\\nc');"
        "const kept = [m.element.children[0] === a, m.element.children[1] === b, briefly(m)]; m.set(''); m.set('z');"
        "return [...kept, briefly(m)];"
    ) == [True, False, "p{a}p{x}p{c}", "p{z}"]


def test_a_long_text_that_grows_is_not_read_anew_each_time(run):
    lengths, shown = run(
        "const { Lexer } = await import('/switcher/marked.js'); const lengths = [];"
        "const { blockTokens } = Lexer.prototype;"
        "Lexer.prototype.blockTokens = function (text, ...rest) {"
        "lengths.push(text.length); return blockTokens.call(this, text, ...rest); };"
        "performance.now = () => 0; let source = 'The *quick* brown `fox`, and $x$.\\n\\n'.repeat(6000);"
        "const m = show(source, {}, { done: false });"
        "for (let i = 0; i < 20; i++) { source += 'word '; m.set(source, { done: false }); }"
        "Lexer.prototype.blockTokens = blockTokens; return [lengths, m.element.lastChild.textContent];"
    )
    assert shown.strip() == ("word " * 20).strip()
    assert lengths[0] == 35 * 6000
    assert len(lengths) == 21
    assert max(lengths[1:]) < 500


# -- Texts that are made to be too much

TOO_MUCH = {
    "quotes": ">" * 10_000,
    "spaced quotes": "> " * 10_000 + "a\nb\n> c",
    "brackets": "[" * 10_000,
    "bracket pairs": "[" * 10_000 + "a" + "]" * 10_000,
    "links in links": "[" * 5_000 + "a" + "](http://x.y)" * 5_000,
    "pictures": "![" * 10_000,
    "list items in a line": "- " * 10_000 + "x\ny\nz",
    "few list items in a line": "- " * 19 + "x\n" + "y\n" * 100_000,
    "a list item of many lines": "- x\n" + "y\n" * 500_000,
    "a list item of many lines in many paragraphs": "- x\n\n" + ("  y\n" + "z\n" * 5_000 + "\n") * 50,
    "nested lists": "\n".join("  " * depth + "- a" for depth in range(1_000)),
    "nested numbers": "\n".join("   " * depth + "1. a" for depth in range(1_000)),
    "lazy quotes": "> " * 19 + "a\nb\n> c\nd\n> > e\nf",
    "many lazy quotes": "> a\nb\n" * 100_000,
    "lists in lazy quotes": "> - a\nb\n" * 100_000,
    "stars": "*" * 20_000 + "a",
    "emphasis": "*a **b " * 3_000,
    "mixed emphasis": "_a*b_c*" * 3_000,
    "mixed emphasis in many paragraphs": ("_a*b_c*" * 2_500 + "\n\n") * 50,
    "strikes": "~a ~~b " * 3_000,
    "backticks": " ".join("`" * i for i in range(200)),
    "angles": "<" * 20_000,
    "tags": "<a b=" * 4_000,
    "comments": "a <!-- " * 3_000,
    "mail": "a" * 20_000 + "@",
    "mail in many paragraphs": ("a" * 19_990 + "@\n\n") * 50,
    "dollars": "$a " * 6_000,
    "two dollars": "$$a " * 6_000,
    "dollars in many paragraphs": ("$a " * 6_000 + "\n\n") * 50,
    "opened formulas": r"\(a " * 5_000,
    "backslashes": "\\" * 20_000,
    "references": "&" * 500_000 + "&#x" * 100_000,
    "a wide table": "a|" * 100_000 + "\n" + "-|" * 100_000 + "\n" + "|\n" * 1_000,
    "a long table": "|a|\n|-|\n" + "|b|\n" * 250_000,
    "definitions": "[a]: b\n" * 100_000,
    "a title without an end": '[a]: b "\n' * 2_000,
    "headings": "a\n# b\n" * 150_000,
    "lines": "a\n" * 500_000 + "=",
    "blank lines": "\n" * 1_000_000 + "a",
    "spaces": "a" + " " * 1_000_000 + "b",
    "a word": "a" * 1_000_000,
    "words": "word " * 200_000,
    "emphasis in many paragraphs": ("*a* " * 4_000 + "\n\n") * 60,
    "paragraphs": "The *quick* brown `fox`.\n\n" * 40_000,
    "a long list": "- a\n" * 250_000,
    "code": "```\n" + "a\n" * 500_000,
    "code in one line": "```\n" + "a" * 1_000_000,
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_shown_soon(run, name):
    took, length, depth = run(
        "const start = performance.now(); const m = show(values[0]); const took = performance.now() - start;"
        "let depth = 0; for (let e = m.element; e; e = e.lastElementChild) depth++;"
        "return [took, text(m).length, depth];",
        TOO_MUCH[name],
    )
    assert took < 15_000  # two seconds on an idle machine; without the limits minutes, or for ever
    assert depth < 200
    assert length > 0 or name.startswith(("definitions", "a title"))


def test_a_text_makes_no_more_elements_than_a_browser_can_bear(run):
    source = ("*a* " * 4_000 + "\n\n") * 60
    elements, length = run(
        "performance.now = () => 0; const m = show(values[0]); return [all(m).length, text(m).match(/a/g).length];",
        source,
    )
    assert elements < 60_000
    assert length == 4_000 * 60


ON_AND_ON = {  # what it begins with, what it repeats, and which elements it becomes
    "list": ("", "- a\n", "ul > li"),
    "rows": ("|c|d|\n|-|-|\n", "|a|b|\n", "table td"),
    "code": ("```python\n", "a = 1\n", ".robota-code pre"),
    "formulas": ("", "\\(a\\) ", "p > .robota-maths"),
}


@pytest.mark.parametrize("name", ON_AND_ON)
def test_the_rest_of_a_long_answer_becomes_elements_as_it_comes_near_and_goes_on_as_it_began(run, name):
    beginning, piece, kind = ON_AND_ON[name]
    source = beginning + piece * (600_000 // len(piece))
    run(
        """
        const { Answer } = await import('/switcher/answer.js');
        const answer = new Answer();
        answer.set(values[0]);
        window.list = document.createElement('div');
        list.className = 'robota-transcript';
        list.style.cssText = 'height: 300px; overflow-y: auto';
        list.append(answer.element);
        document.body.replaceChildren(list);
        window.told = () => list.textContent.split('a').length - 1;
        window.last = () => [...list.querySelectorAll('.robota-piece')].at(-1);
        window.seen = new Set();  // how much of it was there when a timer of the page ran
        setInterval(() => seen.add(list.textContent.length));
        const { now } = performance;
        let slices = 0;
        performance.now = () => 1000 * slices++;  // so that there is time for one thing in each slice
        window.calm = () => { performance.now = now; };
        list.querySelector('[data-part=show-all]').click();
        """,
        source,
    )
    run.page.wait_for_function("count => told() >= count", arg=source.count("a"))
    assert run("calm(); return seen.size;") > 2
    assert run("return all({ element: list }).length;") < 10_000
    run.page.wait_for_function(
        "kind => { list.scrollTop = list.scrollHeight; return last().querySelector(kind); }", arg=kind
    )
    assert run("return all({ element: list }).length;") < 10_000
    assert run("return told();") >= source.count("a")


def test_what_completes_blocks_leaves_no_timers_behind(run):
    typeset, waiting = run(
        """
        const waiting = new Set(), { setTimeout: begin, clearTimeout: end } = window;
        window.setTimeout = (job, delay = 0) => {
            const timer = begin(() => { waiting.delete(timer); job(); }, delay);
            waiting.add(timer);
            return timer;
        };
        window.clearTimeout = timer => { waiting.delete(timer); end(timer); };
        let typeset = 0;
        show(values[0], { typeset: async () => { typeset++; } });
        while (typeset < 100) await new Promise(done => begin(done));
        return [typeset, waiting.size];
        """,
        "$a$ " * 100,
    )
    assert typeset == 100
    assert not waiting


def test_what_is_nested_too_deeply_is_text(brief):
    source = "\n".join("  " * depth + f"- *{depth}*" for depth in range(50))
    shown = brief(source)
    assert shown.count("ul{") == 40
    assert "em{38}ul{li{div.plain{*39*\n- *40*\n" in shown
    assert "- *49*}" in shown


def test_the_rest_of_a_text_that_takes_too_long_is_text(run):
    source = "# a\n\n*b*\n\n" + "- " * 100 + "c\nd"
    assert run("return briefly(show(values[0]));", source) == (
        "div.heading.heading-1{a}p{em{b}}div.plain{" + "- " * 100 + "c\nd}"
    )


def test_a_text_that_takes_long_is_not_read_again_for_each_word(run):
    took, shown, last = run(
        "let source = 'start\\n\\n' + '_a*b_c*'.repeat(2700); const m = show(source, {}, { done: false });"
        "const start = performance.now();"
        "for (let i = 0; i < 20; i++) { source += ' <x>'; m.set(source, { done: false }); }"
        "const took = performance.now() - start; const shown = text(m).endsWith(' <x>'.repeat(20));"
        "m.set(source); return [took, shown, m.element.lastChild.localName];"
    )
    assert took < 15_000
    assert [shown, last] == [True, "p"]


# -- Its place


def test_nothing_is_wider_than_a_narrow_widget(run):
    source = "\n\n".join([
        "w" * 500, "`" + "c" * 500 + "`", "```python\n" + "x" * 500 + "\n```", "http://x.y/" + "z" * 500,
        "# " + "h" * 500,
        "|" + "a b|" * 60 + "\n|" + "-|" * 60, "- " * 6 + "l" * 500, "> " + "q" * 500, "$" + "m" * 500 + "$",
        "$$" + "m" * 500 + "$$", "<" + "t" * 500 + ">", "<div>" + "d" * 500,
    ])  # fmt: skip
    assert run(
        "const m = show(values[0]); m.element.style.width = '320px'; return [m.element.scrollWidth,"
        "[...m.element.children].filter(e => e.getBoundingClientRect().right >"
        "m.element.getBoundingClientRect().right + 1).map(e => e.outerHTML.slice(0, 80))];",
        source,
    ) == [320, []]


def test_the_files_name_no_way_to_make_elements_of_text():
    ways = ["innerHTML", "outerHTML", "insertAdjacentHTML", "DOMParser", "createContextualFragment", "document.write"]
    for name in ["markdown", "blocks", "codeblock", "lexer", "maths", "entities", "visible", "dom"]:
        source = (SOURCE / f"switcher/{name}.js").read_text()
        source = "\n".join(line for line in source.splitlines() if not line.startswith("//"))
        assert [way for way in ways if way in source] == [], name


def test_the_vendored_marked_is_unchanged_and_licensed():
    source = (SOURCE / "switcher/marked.js").read_text()
    assert json.dumps("marked v18.2.1 - a markdown parser").strip('"') in source[:200]
    assert "sourceMappingURL" not in source
    assert "MIT" in source[:300]
    assert "Permission is hereby granted" in (SOURCE / "switcher/marked.LICENSE.txt").read_text()
