"""Prompt variables: what is filled in, what is an error, and what is left exactly as it stands."""

import inspect
import json
import re
from time import process_time
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from robota_nb.display.hints import HINTS, told
from robota_nb.errors import PromptError
from robota_nb.prompt import fields as prompt
from robota_nb.prompt.fields import FILTERS, MAX_BYTES, names


def expand(text, namespace):
    """The text of a prompt, as it is sent."""
    return prompt.expand(text, namespace).text


def notices(text, namespace):
    """What a notebook's user is told of a prompt."""
    return [notice.in_words(HINTS) for notice in prompt.expand(text, namespace).notices]


class Frame:
    """A stand-in for a data frame: rows by slice, a name that fails, a text."""

    columns = ("a", "b")

    def __init__(self, rows: int = 10) -> None:
        self.rows = rows

    def __getitem__(self, key: slice) -> "Frame":
        return Frame(len(range(self.rows)[key]))

    def __str__(self) -> str:
        return f"<{self.rows} rows>"

    @property
    def broken(self) -> None:
        raise RuntimeError("no\nluck")


class Described(Frame):
    """A stand-in for what has describe(): a frame, whose description has to_string(), or another one."""

    def __init__(self, description: object) -> None:
        self.description = description

    def describe(self) -> object:
        return self.description


class Mute:
    def __str__(self) -> str:
        raise ValueError("nothing to say")


def fail(text: str) -> None:
    raise AssertionError(text)


SPACE = {
    "name": "Ada",
    "lines": "1\n2\n3\n",
    "n": 3,
    "nested": {"a": {"b c": [10, {"x": "deep"}]}, 1: "one"},
    "frame": Frame(),
    "mute": Mute(),
    "braces": "{{ name }} and {{ nested }}",
    "rows": list(range(9)),
    "über": "ü",
    "_": "last",
    "_5": "out five",
    "none": None,
    "é": {"ß": 1.5},
    "pandas": Described(SimpleNamespace(to_string=lambda: "count 3\nmean 2.0")),
    "polars": Described("shape: (9, 2)"),
    "bad": SimpleNamespace(describe=lambda: fail("no numbers")),
    "array": SimpleNamespace(shape=(3, 4), dtype="float64"),
    "json": json,
    "function": json.dumps,
    "obj": SimpleNamespace(attr=[SimpleNamespace(x=1)]),
}

FILLED = {
    "Hello {{ name }}!": "Hello Ada!",
    "{{ name }}{{ n }}": "Ada3",
    "{{ nested['a']['b c'][0] }}": "10",
    '{{ nested["a"]["b c"][-1]["x"] }}': "deep",
    "{{ nested[1] }}": "one",
    "{{ obj.attr[0].x }}": "1",
    "{{ frame.columns[1] }}": "b",
    "{{ frame }}": "<10 rows>",
    "{{ frame | head(3) }}": "<3 rows>",
    "{{ frame | head }}": "<5 rows>",
    "{{ lines | head(2) }}": "```\n1\n2\n```",
    "{{ lines | head(0) }}": "",
    "{{ rows|head(2)|json }}": "[0, 1]",
    "{{ rows | head( 2 ) | json | repr }}": "'[0, 1]'",
    "{{ nested | head(1) | json }}": '{"a": {"b c": [10, {"x": "deep"}]}}',
    "{{ name | repr }}": "'Ada'",
    "{{ é | json }}": '{"ß": 1.5}',
    "{{ none | str }}": "None",
    "{{ über }}": "ü",
    "{{ _ }} {{ _5 }}": "last out five",
    '{"data": {{ rows | head(1) | json }}}': '{"data": [0]}',
    "{{ braces }}": "{{ name }} and {{ nested }}",
    "{{ {{ name }} }}": "{{ Ada }}",
    "{{ pandas | describe }}": "```\ncount 3\nmean 2.0\n```",
    "{{ pandas | describe | head(1) }}": "count 3",
    "{{ polars | describe }}": "shape: (9, 2)",
    "{{ rows | describe }}": "list, length 9",
    "{{ name | describe }}": "str, length 3",
    "{{ n | describe }}": "int",
    "{{ none | describe }}": "NoneType",
    "{{ nested | describe | json }}": '"dict, length 2"',
    "{{ array | describe }}": "types.SimpleNamespace, shape (3, 4), dtype float64",
    "{{ frame | describe }}": f"{__name__}.Frame",
    "`{{ function | source }}`": f"`{inspect.getsource(json.dumps)[:-1]}`",
    "`{{ json | source }}`": f"`{inspect.getsource(json)[:-1]}`",
    "{{ json.JSONEncoder | source | head(1) }}": "class JSONEncoder(object):",
    "{{ json.JSONEncoder.default | source | head(1) }}": "def default(self, o):",
    "`{{ name }}`\r\n\t{{ name }}\n": "`Ada`\r\n\tAda\n",
    # any spaces, or none
    "{{name}}": "Ada",
    "{{ name}}{{name }}{{  name\t}}": "AdaAdaAda",
    "{{rows|head(2)|json}}": "[0, 1]",
    "{{rows | head( 1 )}}": "[0]",
    "{{nested['a']['b c'][0]}}": "10",
    '{"data": {{rows|json}}}': '{"data": [0, 1, 2, 3, 4, 5, 6, 7, 8]}',
    "f'{{name}}'": "f'Ada'",
    "{{_}} {{_5}} {{über}}": "last out five ü",
    "{% if name %}{{name}}{% endif %}": "{% if name %}Ada{% endif %}",
    "```\n{{name}}\n```": "```\nAda\n```",
}


@pytest.mark.parametrize(("text", "expected"), FILLED.items(), ids=list(FILLED))
def test_what_is_filled_in(text, expected):
    assert expand(text, SPACE) == expected


LITERAL = [
    "",
    "no braces",
    # JSON and Python
    '{"a": {"b": 1}}',
    '{"a":{"b":{}}}',
    json.dumps({"a": {"b": {"c": [{}]}}}, indent=1),
    "d = {{}}",
    "x = {{1, 2}, {3}}",
    'f"{{{name}}}"',
    'f"{{ {name} }}"',
    "'{{}}'.format(name)",
    "{ name }",
    "{name}",
    "{{\nname\n}}",
    "{{name\n}}",
    "{{{name}}}",
    "{{name}",
    "{{ name, n }}",
    "{{ name: n }}",
    "{{ name ? n : rows }}",
    "{{ name!r }} {{ n:.2f }}",
    "{{{ name }}}",
    "{{{{ name }}}}",
    "{{ name }",
    "{{ }}",
    "{{ 1 }}",
    "{{ 'name' }}",
    "{{ not name }}",
    "{{ lambda: 0 }}",
    # nothing private, nothing called
    "{{ __builtins__ }}",
    "{{ __import__('os') }}",
    # LaTeX
    r"\frac{{a}}{{b}}",
    r"\sqrt{{ \alpha_{1} }}",
    r"$\mathbb{{R}}^{{n}}$ and {{\bf bold}}",
    r"\begin{{tabular}}{{ l | r }}",
    r"\frac{{name \over n}}{{n \choose 2}} {{name^2}}",
    # BibTeX
    "title = {{name of the Rose}}, year = {{n (2nd ed.)}}, note = {{name is all you need}}",
    # what a name of ours begins, in a text of another language
    '{% if name %}{{ name | default("x") }}{% endif %}',
    "{# note #} {{ name.upper() }} {{ n + 1 }} {{ rows | join(', ') }}",
    "{{ _('Sign in') }} {{ name | upper }}",
    "{{- .Values.x }} {{ name | quote }} {{ name | indent 4 }}",
    # Jinja
    "{% if name %}{{- name -}}{% endif %}",
    "{% for x in rows %}{{- loop.index }}{% endfor %}",
    "{{ super() }}",
    "{{ name ~ n }}",
    "{# {{ comment | x }} #}",
    # Helm, Go
    "{{ .Values.image.tag }}",
    "{{ .Values.image.tag | quote }}",
    '{{ include "chart.name" . }}',
    '{{ include "chart.labels" . | nindent 4 }}',
    "{{- if .Values.ingress.enabled -}}",
    "{{ range $key, $value := .Values.env }}",
    '{{ printf "%s" $name }}',
    "{{ $name }}",
    "{{ toYaml .Values.resources | indent 8 }}",
    # Handlebars, Vue, JSX, GitHub Actions
    "{{#each rows}}{{/each}}",
    "{{> partial }}",
    "<div style={{ color: 'red' }} />",
    "${{ secrets.TOKEN == '' }}",
    "${{ github.event_name != 'push' && true }}",
]


@pytest.mark.parametrize("text", LITERAL)
def test_what_is_not_ours_stays(text):
    assert expand(text, SPACE) == text
    assert expand(text, {}) == text


@given(st.text() | st.text("{} |.[]()\"'a_0\n$\\`^"), st.sampled_from([{}, {"b": 1}]))
def test_text_without_a_name_of_ours_in_double_braces_stays(text, space):
    if "{{ " not in text and "b" not in text:
        assert expand(text, space) == text


@given(st.text("{} |.[]()\"'ab_0\n").map(lambda inner: f"{{{{ {inner} }}}}"))
def test_anything_between_braces_is_filled_in_or_stays_or_is_a_prompt_error(text):
    try:
        found = expand(text, {})
    except PromptError as error:
        assert names(text)
        assert len(str(error).splitlines()) == 1
    else:
        assert found == text


@given(st.text() | st.sampled_from(["{{ x }}", "{{y}}", "{{ nobody }}", "{{ y.z() }}", "$", "`"]), st.text())
def test_what_is_filled_in_is_never_looked_at_again(value, around):
    around = around.replace("{", "").replace("}", "")
    space = {"x": value, "y": "filled twice"}
    made = expand(f"{around}{{{{ x }}}}{around}", space)
    if len(value.strip("\r\n").splitlines()) > 1:
        assert value.removesuffix("\n") in made or around[-1:] in (" ", "\t")
        assert "filled twice" not in made
    else:
        assert made == around + value + around


ERRORS = {
    "{{ nmae }}": r"no variable 'nmae' for {{ nmae }} \(did you mean 'name'\?\): define it; --raw sends",
    "{{ zzz.a[0] | head(3) }}": r"no variable 'zzz' for {{ zzz.a\[0\] \| head\(3\) }}: define",
    "{{ name.nope }}": r"'name.nope' failed for {{ name.nope }} \(AttributeError: .*'nope'\); mend it",
    "{{ nested.a }}": "'nested.a' failed .*AttributeError",
    "{{ nested['x'] }}": "failed .*KeyError: 'x'",
    "{{ rows[99] }}": r"'rows\[99\]' failed .*IndexError",
    "{{ n[0] }}": "TypeError: 'int' object is not subscriptable",
    "{{ frame.broken.x }}": r"'frame.broken' failed .*\(RuntimeError: no luck\)",
    "{{ n | head(2) }}": r"'n \| head\(2\)' failed",
    "{{ frame | json }}": r"'frame \| json' failed .*not JSON serializable",
    "{{ n | source }}": r"'n \| source' failed for {{ n \| source }} \(TypeError: ",
    "{{ rows.append | source }}": "failed .*TypeError",
    "{{ bad | describe }}": r"'bad \| describe' failed .*AssertionError: no numbers",
    "{{ mute }}": r"'mute' failed for {{ mute }} \(ValueError: nothing to say\)",
    "fine {{ name }} {{ gone }}": "no variable 'gone'",
    # a filter that is none
    "{{ frame | haed }}": r"no filter 'haed' for {{ frame \| haed }} \(did you mean 'head'\?\): there are describe, ",
    "{{frame|haed(3)}}": r"no filter 'haed' for {{frame\|haed\(3\)}} \(did you mean 'head'",
    '{{ name | default("x") }}': "no filter 'default'",
    "{{ name | head | upper }}": "no filter 'upper'",
    "{{ name | head('2') }}": r"'head' takes a number or nothing, as in \| head\(20\), not what {{ name \| head",
    "{{ name | json(2) }}": "'json' takes nothing",
    "{{ rows | join(', ') }}": "no filter 'join'",
    # a call
    "{{ frame.head() }}": r"nothing is called in {{ frame.head\(\) }}: write {{ frame \| head }};",
    "{{frame.head( 3 )}}": r"write {{ frame \| head\(3\) }};",
    "{{ nested['a'].head(2) | json }}": r"write {{ nested\['a'\] \| head\(2\) \| json }};",
    "{{ frame.describe(include='all') }}": r"write {{ frame \| describe }};",
    "{{ name.upper() }}": r"nothing is called .*: do it in a cell, as in result = name.upper\(\), and",
    "{{ frame.head().to_string() }}": r"result = frame.head\(\).to_string\(\), and",
    "{{ function(n) }}": r"nothing is called in {{ function\(n\) }}",
    "{{ box['x'](1) }} {{ function({'a': 1}) }} {{ function(1) }}": "nothing is called in {{ function",
    # an operator
    "{{ n + 1 }}": r"nothing is computed in {{ n \+ 1 }}: do it in a cell, .* result = n \+ 1, and write {{ result }}",
    "{{n*2}}": "nothing is computed",
    "{{ n == 3 }}": "nothing is computed",
    "{{ rows | head > 3 }}": "nothing is computed",
    "{{ n or none }}": "nothing is computed",
    "{{ n not in rows }}": "nothing is computed",
    "{{ name if n else rows }}": "nothing is computed",
    "{{ n || none }}": "nothing is computed",
    # another index, something private
    "{{ rows[1:2] }}": r"only a number or a name in quotes .*: do it in a cell, as in result = rows\[1:2\]",
    "{{ rows[:2] }}": r"write {{ rows \| head\(2\) }};",
    "{{ rows[n] }}": "only a number or a name in quotes",
    "{{ name.__class__ }}": "names that begin with _ are not looked up in {{ name.__class__ }}",
    "{{ obj.attr[0].__init__.__globals__ }}": "names that begin with _",
    "{{ obj._secret }}": "names that begin with _",
}


@pytest.mark.parametrize(("text", "says"), ERRORS.items(), ids=list(ERRORS))
def test_errors(text, says):
    with pytest.raises(PromptError) as raised:
        expand(text, SPACE)
    assert re.search(says, told(raised.value))
    assert "\n" not in str(raised.value)
    assert told(raised.value).endswith("; --raw sends the braces as they stand")
    assert "--" not in str(raised.value)


def test_a_key_with_quotes_of_the_other_kind_in_it_is_one_key():
    space = {"box": {"": Described("private"), "'].describe": "found", '"].x["': "found, too"}}
    assert expand("""{{ box["'].describe"] }}""", space) == "found"
    assert expand("""{{ box['"].x["'] }}""", space) == "found, too"


def test_an_interrupt_is_no_prompt_error():
    class Slow:
        def __str__(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        expand("{{ x }}", {"x": Slow()})


def test_hidden_variables_are_not_suggested():
    with pytest.raises(PromptError) as raised:
        expand("{{ secre }}", {"_secret": 1})
    assert "did you mean" not in str(raised.value)


def test_a_prompt_over_the_cap_names_the_largest_field():
    assert len(expand("{{ x }}", {"x": "x" * MAX_BYTES})) == MAX_BYTES
    with pytest.raises(PromptError, match=r"1,000,004 bytes, over the cap of 1,000,000; fill in less than {{ big }}"):
        expand("{{ small }}{{ big }}", {"small": "ab", "big": "é" * 500_001})
    with pytest.raises(PromptError, match="over the cap"):
        expand("{{ x }}" * 11, {"x": "x" * 100_000})
    assert len(expand("x" * (MAX_BYTES + 1), {})) == MAX_BYTES + 1  # the cap on messages is not ours


def test_lone_surrogates_are_left_to_the_snapshot():
    assert expand("{{ x }}\udcff", {"x": "\ud800"}) == "\ud800\udcff"


def test_a_class_is_described_as_one():
    assert expand("{{ x | describe }}", {"x": Described}) == "type"


def test_what_is_looked_up_in_a_variable():
    for expression, value in {"name": "Ada", "nested['a']['b c'][0]": 10, "obj.attr[0].x": 1}.items():
        assert prompt.find(prompt.EXPRESSION.fullmatch(expression), SPACE) == value
    for expression in ("", "1", "name.upper()", "obj.__class__", "__name__", "rows[1:2]", " name", "name | str", "a b"):
        assert prompt.EXPRESSION.fullmatch(expression) is None
    with pytest.raises(PromptError, match=r"^'name.nope' failed \(AttributeError: .*\); mend it$"):
        prompt.find(prompt.EXPRESSION.fullmatch("name.nope"), SPACE)


def test_names():
    assert names("{{ b }} {{a.x[0]|head(3)}} {{ b | nope }} {{ b }} {{  missing  }}") == ["b", "a", "missing"]
    assert names("x_{{a}} $y^{{b}}$ {{ d() }} {{{e}}} {f} _{{ g }}") == ["g"]


def test_a_filter_is_a_row(monkeypatch):
    monkeypatch.setattr(prompt, "FILTERS", {**FILTERS, "shout": prompt.Filter(apply=str.upper, help="loud")})
    assert expand("{{ name | shout }}", SPACE) == "ADA"
    assert expand("{{name|shout}}", SPACE) == "ADA"
    with pytest.raises(PromptError, match="the filter 'shout' takes nothing"):
        expand("{{ name | shout(3) }}", SPACE)
    assert all(row.help for row in FILTERS.values())


def test_a_long_text_of_braces_is_quick_to_read():
    for text in ("{{ " * 50_000, "{{ a" + ".b" * 50_000, "{{ a" + " | str" * 20_000, "{{ a[" + "0" * 100_000):
        assert expand(text, {}) == text


HOSTILE = [
    "{", "$", "{{a ", "{{a", "{a", "{{ a", "`", "$a", "$$", "\\(", "\\[\\(", "\\", "~~~\n", "```\n", "\n", " \n",
    "``` ", "$`", '{{a["', "{{a['", "{{a|", "{{a.b", "{{a(", "{{b}} ", "{{b, }}", "_{{a}}", "$_{{a}}$ ", "{a}",
    "> - `", "{% ", "-}}",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_text_takes_time_in_proportion_to_its_length(piece):
    def seconds(size):
        text = piece * size + "{{z"
        started = process_time()
        assert expand(text, {"a": ""} if piece.startswith(("_", "$_", "{a}")) else {"b.": 1}) == text
        return process_time() - started

    seconds(100)
    assert seconds(40_000) < 50 * seconds(4_000) + 0.5


@pytest.mark.parametrize(
    "text", ["{{ a", "{{a.b" + ".b" * 200_000, "{{a" + "|b" * 200_000, "{a" + ".b" * 200_000, "{{" + " " * 500_000]
)
def test_one_field_that_never_ends_is_quick_to_read(text):
    started = process_time()
    assert expand(text, {"a": 1}) == text
    assert process_time() - started < 3


@pytest.mark.parametrize(
    "template",
    [
        "{{ if .Values.on }}\nx: {{ name }}\n{{ end }}",
        "{% for row in rows %}{{ row }}{% endfor %}",
        '{{- include "x" . }} {{ name }}',
        "{{ range .Items }}{{ . }}{{ else }}none{{ end }}",
    ],
)
def test_in_a_template_of_another_language_unknown_names_are_its_own(template):
    assert expand(template, {"mine": 1}) == template


def test_in_a_template_of_another_language_known_names_are_filled_in():
    assert expand("{% if x %}{{ mine }}{{ theirs }}{% endif %}", {"mine": 1}) == "{% if x %}1{{ theirs }}{% endif %}"


# -- formulas


FORMULAS = [
    "x^{{n}} and x_{{name}}",
    "x^{{n+1}} x_{{ n + 1 }} x_{{name.upper()}}",
    "$\\frac{{n}}{{name}}$",
    "$ x$ $a + {{n}}$",
    "$a\n+ {{n}}$",
    "$a \\$ {{n}}$",
    "$$\n{{n}} + 1\n$$",
    r"\({{n}}\) and \[ {{n + 1}} \]",
    "```\n$\n```\n${{n}}$",
    "`$` ${{n}}$",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_in_formulas_and_behind_their_marks_braces_stay(text):
    assert expand(text, SPACE) == text
    assert names(text) == []


@pytest.mark.parametrize("text", ["x^{{ n }}", "file_{{ n }}.csv", "$a + {{ n }}$", "$${{ n }}$$", r"\({{ n }}\)"])
def test_the_exact_form_is_filled_in_also_there(text):
    assert expand(text, SPACE) == text.replace("{{ n }}", "3")
    with pytest.raises(PromptError, match="no variable 'nobody'"):
        expand(text.replace(" n ", " nobody "), SPACE)


NO_FORMULAS = [
    "costs $5 and {{n}} $6",
    "from $5 to {{n}}$6",
    "$ {{n}}$",
    "${HOME} {{n}} $",
    r"\$a {{n}} b$",
    "$a \n\n {{n}}$",
    "$a \n \t\n {{n}}$",
    "`$a` {{n}} b$",
    "`a` $`{{n}}`",
    "```sh\necho $A{{n}}$B\n```",
    "~~~\n$${{n}}$$\n~~~",
    "$$\n\n{{n}}\n\n$$",
    r"\( {{n}}",
    r"\\({{n}}\\)",
    "$a$ {{n}} $b$",
    "`` ` `` {{n}}",
]


@pytest.mark.parametrize("text", NO_FORMULAS)
def test_prices_shells_and_code_are_no_formulas(text):
    assert expand(text, SPACE) == text.replace("{{n}}", "3")


# -- values of several lines


TABLE = "a b\n1 2"
FENCED = "```\na b\n1 2\n```"

LAID_OUT = {
    "{{ t }}": FENCED,
    "See:\n\n{{ t }}\n\nWhy?": f"See:\n\n{FENCED}\n\nWhy?",
    "Why is {{ t }} so?": f"Why is \n{FENCED}\n so?",
    "{{ t }}.": f"{FENCED}\n.",
    "{{ t }}{{ t }}": f"{FENCED}\n\n{FENCED}",
    "- one\n  {{ t }}  \n- two": "- one\n  ```\n  a b\n  1 2\n  ```  \n- two",
    "{{ t }}\r\nnext": f"{FENCED}\r\nnext",
    # where it is code already
    "```\n{{ t }}\n```": f"```\n{TABLE}\n```",
    "~~~text\n# {{ t }}": f"~~~text\n# {TABLE}",
    "- ```py\n  {{ t }}\n  ```": f"- ```py\n  {TABLE}\n  ```",
    "````\n```\n````\n{{ t }}": f"````\n```\n````\n{FENCED}",
    "`{{ t }}` and {{ t }}": f"`{TABLE}` and \n{FENCED}",
    "``` {{ t }} ```": f"``` {TABLE} ```",
    # no code
    "```\n```\n{{ t }}\n```\n```": f"```\n```\n{FENCED}\n```\n```",
    "`open\n\n{{ t }}`": f"`open\n\n{FENCED}\n`",
    # no lines but one
    "{{ t | json }}": json.dumps(TABLE),
    "{{ t | head(1) }}": "a b",
    "({{ one }})": "(a b\n)",
}


@pytest.mark.parametrize(("text", "expected"), LAID_OUT.items(), ids=list(LAID_OUT))
def test_what_has_several_lines_stands_in_a_fence_once(text, expected):
    assert expand(text, {"t": TABLE, "one": "a b\n"}) == expected


@given(st.text("`~ab\n ") | st.text())
@example("```\nx\n```")
@example("a\n`````\n``")
def test_no_value_ends_its_fence(value):
    made = expand("{{ x }}", {"x": value})
    if made != value:
        first, *body, last = made.split("\n")
        assert first == last == "`" * len(first)
        assert "\n".join(body) == value.removesuffix("\n")
        assert len(first) > max(map(len, re.findall("`+", value)), default=2)


# -- what has no text


class Plain:
    def method(self):
        yield


def test_of_what_is_shown_as_an_address_the_type_is_sent():
    space = {"x": Plain(), "f": fail, "g": Plain().method(), "m": Plain().method, "l": lambda: 0}
    assert expand("{{ x }}", space) == f"{__name__}.Plain"
    assert expand("{{ f }} {{ l }} {{ g }} {{ m }}", space) == "function function generator method"
    (said,) = notices("{{ x }}, {{ f }}", space)
    assert said.startswith(f"only the type is sent of {{{{ x }}}} ({__name__}.Plain), {{{{ f }}}} (function): ")


def test_texts_and_containers_with_an_address_are_sent_as_they_are():
    space = {"items": [Plain()], "text": repr(Plain()), "box": SimpleNamespace(x=Plain()), "c": Items([Plain()])}
    for name, value in space.items():
        assert expand(f"{{{{ {name} }}}}", space) == str(value)
        assert notices(f"{{{{ {name} }}}}", space) == [
            f"an address, new in each kernel, is in {{{{ {name} }}}}: it cannot be replayed there"
        ]
    assert expand("{{ x | repr }}", {"x": (value := Plain())}) == repr(value)
    assert notices("{{ x }}", {"x": "at 0x10, <b>bold</b>"}) == []


class Items(list):
    def __repr__(self):
        return f"<Items {super().__repr__()} at 0x1>"


# -- what is told


WAS = "was filled in: {!r} is a variable; --raw sends the braces as they stand"

TOLD = {
    "{{ name }} {{  n  }} plain": [],
    "{{n}} and {{name}} and {{n}}": ["{{n}} " + WAS.format("n")],
    "{{ n}}": ["{{ n}} " + WAS.format("n")],
    "{{fram}}": ["sent as it stands: {{fram}} (did you mean 'frame'?)"],
    "{{fram}} {{  fram  }} {{fram}}": ["sent as it stands: {{fram}}, {{ fram }} (did you mean 'frame'?)"],
    "{{zzz}} {{yyy.x}} {{xxx|nope}} {{www}}": ["sent as it stands: {{zzz}}, {{yyy.x}}, {{xxx|nope}} and 1 more"],
    "{{ fram.head() }}": ["sent as it stands: {{ fram.head() }} (did you mean 'frame'?)"],
    "{frame} and {nobody}": ["sent as it stands: {frame}; {{ frame }} would be filled in"],
    "{rows[0]}": ["sent as it stands: {rows[0]}; {{ rows[0] }} would be filled in"],
    "report_{{name}}.csv": ["sent as it stands: {{name}}; {{ name }} would be filled in"],
    "$A/{{name|head}}/$B": ["sent as it stands: {{name|head}}; {{ name|head }} would be filled in"],
    '{% if x %}{{ name | default("y") }}': ['sent as it stands: {{ name | default("y") }}'],
    "{{ name, n }}": ["sent as it stands: {{ name, n }}"],
    "{{ name }}{{user}}": ["sent as it stands: {{user}}"],
    # what belongs to other languages is nobody's variable
    r"\frac{{a}}{{b}} $x_{{n}}^{{name}}$ \mathbf{n} x_{n} ${name} f{n} {}{name}": [],
    "{% for x in xs %}{{x}} {name}{% endfor %}": [],
    "`{name}`\n```py\nf'{name}'\n```": [],
    "```\n{{fram}}\n```": ["sent as it stands: {{fram}} (did you mean 'frame'?)"],
    '{"a": {"b": 1}} {{ if .Values.on }} {{ "x" }} {{super() }} {{not name }} {_} {{ }} {{}}': [],
    "{{name}} {{user}}": ["{{name}} " + WAS.format("name"), "sent as it stands: {{user}}"],
}


@pytest.mark.parametrize(("text", "expected"), TOLD.items(), ids=list(TOLD))
def test_what_is_told(text, expected):
    assert notices(text, SPACE) == expected


def test_what_is_told_is_one_short_line():
    space = {"a": 1}
    long = "{{ " + "b" * 500 + ".c | d(3)}} {{ a \r, }} {{a}}"
    assert all(len(said.splitlines()) == 1 and len(said) < 250 for said in notices(long, space))
    assert len(notices(long, space)) == 2
