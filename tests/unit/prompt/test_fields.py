"""Prompt variables: what is filled in, what is an error, and what is left exactly as it stands."""

import inspect
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robota_nb.errors import PromptError
from robota_nb.prompt import fields as prompt
from robota_nb.prompt.fields import FILTERS, MAX_BYTES, expand, names


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
    "{{ lines | head(2) }}": "1\n2",
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
    "{{ pandas | describe }}": "count 3\nmean 2.0",
    "{{ pandas | describe | head(1) }}": "count 3",
    "{{ polars | describe }}": "shape: (9, 2)",
    "{{ rows | describe }}": "list, length 9",
    "{{ name | describe }}": "str, length 3",
    "{{ n | describe }}": "int",
    "{{ none | describe }}": "NoneType",
    "{{ nested | describe | json }}": '"dict, length 2"',
    "{{ array | describe }}": "types.SimpleNamespace, shape (3, 4), dtype float64",
    "{{ frame | describe }}": f"{__name__}.Frame",
    "{{ function | source }}": inspect.getsource(json.dumps).rstrip("\n"),
    "{{ json | source }}": inspect.getsource(json).rstrip("\n"),
    "{{ json.JSONEncoder | source | head(1) }}": "class JSONEncoder(object):",
    "{{ json.JSONEncoder.default | source | head(1) }}": "def default(self, o):",
    "`{{ name }}`\r\n\t{{ name }}\n": "`Ada`\r\n\tAda\n",
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
    "f'{{name}}'",
    'f"{{ {name} }}"',
    "'{{}}'.format(name)",
    "{ name }",
    "{name}",
    "{{name}}",
    "{{ name}}",
    "{{name }}",
    "{{  name  }}",
    "{{\nname\n}}",
    "{{{ name }}}",
    "{{{{ name }}}}",
    "{{ name }",
    "{{ }}",
    "{{ 1 }}",
    "{{ 'name' }}",
    "{{ n + 1 }}",
    "{{ name, n }}",
    "{{ name.upper() }}",
    "{{ frame.head(5) }}",
    "{{ rows[1:2] }}",
    "{{ rows[n] }}",
    "{{ not name }}",
    "{{ name if n else rows }}",
    "{{ lambda: 0 }}",
    # nothing private, nothing called
    "{{ name.__class__ }}",
    "{{ obj.attr[0].__init__.__globals__ }}",
    "{{ obj._secret }}",
    "{{ __builtins__ }}",
    "{{ __import__('os') }}",
    # LaTeX
    r"\frac{{a}}{{b}}",
    r"\sqrt{{ \alpha_{1} }}",
    r"$\mathbb{{R}}^{{n}}$ and {{\bf bold}}",
    r"\begin{{tabular}}{{ l | r }}",
    # Jinja
    "{% if name %}{{- name -}}{% endif %}",
    "{% for x in rows %}{{- loop.index }}{% endfor %}",
    '{{ name | default("x") }}',
    "{{ name | upper }}",
    "{{ rows | join(', ') }}",
    "{{ name | head('2') }}",
    "{{ name | json(2) }}",
    "{{ name | e | safe }}",
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
    "{{ name | capitalize }}",
    "<div style={{ color: 'red' }} />",
    "${{ secrets.TOKEN == '' }}",
    "${{ github.event_name != 'push' && true }}",
]


@pytest.mark.parametrize("text", LITERAL)
def test_what_is_not_ours_stays(text):
    assert expand(text, SPACE) == text
    assert expand(text, {}) == text
    assert names(text) == []


@given(st.text() | st.text("{} |.[]()\"'a_0\n"))
def test_text_without_a_field_stays(text):
    if "{{ " not in text:
        assert expand(text, {}) == text


@given(st.text("{} |.[]()\"'ab_0\n").map(lambda inner: f"{{{{ {inner} }}}}"))
def test_anything_between_braces_is_filled_in_or_stays_or_is_a_prompt_error(text):
    try:
        found = expand(text, {})
    except PromptError as error:
        assert names(text)
        assert len(str(error).splitlines()) == 1
    else:
        assert found == text


@given(st.text(), st.text())
def test_what_is_filled_in_is_never_looked_at_again(value, around):
    around = around.replace("{", "").replace("}", "")
    assert expand(around + "{{ x }}" + around, {"x": value}) == around + value + around


ERRORS = {
    "{{ nmae }}": r"no variable 'nmae' for {{ nmae }} \(did you mean 'name'\?\); define it, or use --raw",
    "{{ zzz.a[0] | head(3) }}": r"no variable 'zzz' for {{ zzz.a\[0\] \| head\(3\) }}; define",
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
}


@pytest.mark.parametrize(("text", "says"), ERRORS.items(), ids=list(ERRORS))
def test_errors(text, says):
    with pytest.raises(PromptError, match=says) as raised:
        expand(text, SPACE)
    assert "\n" not in str(raised.value)
    assert "--raw" in str(raised.value)


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
    assert names("{{ b }} {{ a.x[0] | head(3) }} {{ b | nope }} {{ b }} {{ missing }}") == ["b", "a", "missing"]


def test_a_filter_is_a_row(monkeypatch):
    monkeypatch.setattr(prompt, "FILTERS", {**FILTERS, "shout": prompt.Filter(apply=str.upper, help="loud")})
    assert expand("{{ name | shout }}", SPACE) == "ADA"
    assert expand("{{ name | shout(3) }}", SPACE) == "{{ name | shout(3) }}"
    assert all(row.help for row in FILTERS.values())


def test_a_long_text_of_braces_is_quick_to_read():
    for text in ("{{ " * 50_000, "{{ a" + ".b" * 50_000, "{{ a" + " | str" * 20_000, "{{ a[" + "0" * 100_000):
        assert expand(text, {}) == text


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
