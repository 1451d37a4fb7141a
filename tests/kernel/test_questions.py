"""Forms of a question in a real kernel: each is asked once, or it is an error; it never becomes IPython's help."""

import os
import subprocess
import sys

import pytest

from support.kernel import isolated

pytestmark = pytest.mark.slow("runs more than a hundred cells")

Q = "What is a closure?"
ASK = f"%robota ask {Q}"

ASKED = [
    ASK, f"%robota ask '{Q}'", f'%robota ask "{Q}"', f"%robota ask -- {Q}", f"%robota ask --raw --fresh {Q}",
    f"%robota  ask  {Q}  ", f"  {ASK}", f"\n\n{ASK}", f"%robota\task {Q}", f"{ASK}\n1", f"x = 1\n{ASK}\nx",
    f"# one (\n{ASK}", f"'''\n{{'''\n{ASK}", f"!echo it's\n{ASK}", f"{ASK}  \n'''\n%robota ask nothing?\n'''",
    f"t = {ASK}", f"t: object = {ASK}", f"t = s = {ASK}", f"t = {{}}\nt['?'] = {ASK}", f"t = \\\n{ASK}",
    "%robota ask What is \\\n a closure?", "t = %robota ask What is \\\n a closure?", f"%robota ask -o t \\\n{Q}",
    f"if True:\n    {ASK}", f"for _ in [0]:\n    t = {ASK}\n", f"def f():\n    {ASK}\nf()",
    f"try:\n    {ASK}\nfinally:\n    pass", f"with __import__('contextlib').suppress():\n    {ASK}",
    f"async def f():\n    {ASK}\nawait f()",
    f"%time {ASK}", f"%time t = {ASK}", f"%timeit -n1 -r1 {ASK}", f"%prun -q {ASK}",
    f"%%time\n{ASK}", f"%%time\nt = {ASK}\n1", f"%%capture\n{ASK}", f"%%prun -q\n{ASK}", f"%%timeit -n1 -r1\n{ASK}",
    f"robota ask {Q}", f"%automagic 0\nrobota ask {Q}\n%automagic 1", f"x = 1\nrobota ask {Q}",
    f"%alias_magic ai robota\n%ai ask {Q}", f"%alias_magic q robota -p ask\n%q {Q}",
    f"%alias_magic a robota\n%alias_magic b a\nt = %b ask {Q}", f"%config RobotaMagics.alias = 'bot'\n%bot ask {Q}",
    f"%alias_magic ai robota\n%time %ai ask {Q}",
    f"get_ipython().run_cell({ASK!r})", f"get_ipython().run_line_magic('robota', 'ask {Q}')",
    f"get_ipython().run_cell('%%robota\\n{Q}')",
    f"%%robota\n{Q}", f"%%robota {Q}", f"%%robota\n\n{Q}\n", f"%%robota --fresh  # note\n{Q}", f"%%robota --raw {Q}",
    f"# a note\n\n%%robota\n{Q}", f"#@title Ask\n%%robota\n#| echo: false\n#@markdown x\n# %% [markdown]\n{Q}",
    f">>> {ASK}", f"In [1]: {ASK}",
]  # fmt: skip

REFUSED = [
    f"x = 1; {ASK}", f"/robota ask {Q}", f"!robota ask {Q}",
    f"if True: {ASK}", f"print({ASK})", f"print({ASK}", f"f(a={ASK}", f"[\n{ASK}\n]",
    f"lambda: {ASK}", f"x = 1\n%%robota\n{Q}", f"%%time {ASK}\n1", f"%nothing {ASK}", f"%%robota --nope\n{Q}",
    "%robota ?", "%%robota  # note", "%%robota\n#| x",
]  # fmt: skip

LOADING = [
    f"%load_ext robota_nb\n{ASK}", f"%load_ext robota_nb\nt = {ASK}\n1", f"%load_ext robota_nb\nif True:\n    {ASK}",
    f"%load_ext robota_nb\nx = 1\nt: object = {ASK}", f"%reload_ext robota_nb\n{ASK}",
    "%load_ext robota_nb\n%robota ask What is \\\n a closure?", f"%load_ext robota_nb\n%time {ASK}",
    f"import robota_nb\nrobota_nb.load_ipython_extension(get_ipython())\n{ASK}",
    f"%load_ext robota_nb\n%alias_magic ai robota\n%ai ask {Q}", f"%%capture\n%load_ext robota_nb\n{ASK}",
    "%load_ext robota_nb\n%robota ask What is (the [answer?\nx = 1\n%robota chat list",
    f"%load_ext robota_nb\ndef f():\n    {ASK}\nf()",
]  # fmt: skip
LOADED_TOO_LATE = [
    f"if True:\n    %load_ext robota_nb\n    {ASK}", f"%%time\n%load_ext robota_nb\n{ASK}",
    f"%load_ext robota_nb\nx = 1; {ASK}",
]  # fmt: skip


def sent(server):
    return [request["messages"][-1]["content"] for request in server.requests]


@pytest.mark.parametrize("code", ASKED)
def test_a_question_is_asked_once(kernel, server, code):
    cell = kernel.run(code)
    assert cell.status == "ok", cell.outputs
    (prompt,) = sent(server)
    assert " ".join(prompt.split()) == Q
    assert cell.reply["payload"] == []  # no help


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_be_asked_is_an_error(kernel, server, code):
    cell = kernel.run(code)
    assert cell.status == "error"
    assert cell.reply["payload"] == []
    assert sent(server) == []


@pytest.mark.parametrize("code", LOADING)
def test_a_question_in_the_cell_that_loads_the_extension_is_asked(kernel, server, code):
    kernel.ok("%unload_ext robota_nb")
    cell = kernel.run(code, "cell-1")
    assert cell.status == "ok", cell.outputs
    (prompt,) = sent(server)
    assert prompt.startswith("What is")
    assert "not found" not in cell.text
    kernel.ok(code, "cell-1")
    assert len(sent(server)) == 1  # what was asked then is that cell's
    kernel.ok("%load_ext robota_nb")  # also where IPython was not told that it is


@pytest.mark.parametrize("code", LOADED_TOO_LATE)
def test_a_question_that_is_lost_as_the_extension_is_loaded_is_an_error(kernel, server, code):
    kernel.ok("%unload_ext robota_nb")
    cell = kernel.run(code)
    assert cell.status == "error"
    assert "put %load_ext robota_nb into a cell above" in cell.text or "line of its own" in str(cell.outputs)
    assert sent(server) == []


@pytest.mark.parametrize("way", ["%run {}.ipy", "%run {}.ipynb"])
def test_a_question_in_a_file_that_is_run_is_asked(kernel, server, way):
    import nbformat

    (kernel.root / "asks.ipy").write_text(f"x = 1\nt = {ASK}\n")
    cells = [nbformat.v4.new_code_cell(f"x = 1\nt = {ASK}")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), kernel.root / "asks.ipynb")
    kernel.ok(way.format("asks"))
    assert sent(server) == [Q]


def test_a_question_of_ipython_in_a_terminal_is_asked(tmp_path, server):
    script = tmp_path / "asks.ipy"
    script.write_text(f"%load_ext robota_nb\n{ASK}\n%robota chat list\n")
    environment = isolated(tmp_path, PYTHONIOENCODING="cp1252", **server.environment())
    for given in (["-c", f"%load_ext robota_nb\n{ASK}"], [str(script)]):
        command = [sys.executable, "-m", "IPython", "--colors=nocolor", *given]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "not found" not in done.stdout.decode("cp1252")
    assert sent(server) == [Q, Q]


@pytest.mark.parametrize("help_", ["%robota?", "%%robota?", "%robota??", "robota?"])
def test_a_question_mark_right_behind_the_name_asks_for_help(kernel, server, help_):
    kernel.ok(help_)
    assert sent(server) == []


# -- other names


def test_the_braces_of_what_is_asked_under_an_alias_are_not_filled_in(kernel, server):
    kernel.ok("x = 3\n%alias_magic ai robota\n%ai ask What is {x} or $x")
    kernel.ok("%ai ask What is {x} or $x?")
    assert "'{x}'" in kernel.run("%%ai -c {x}\nHi").error["evalue"]
    kernel.ok("get_ipython().run_line_magic('ai', 'ask {x}')")
    assert sent(server) == ["What is {x} or $x", "What is {x} or $x?", "{x}"]


@pytest.mark.fast
def test_a_short_name_is_a_name_like_the_long_one(kernel, server):
    kernel.ok("%config RobotaMagics.alias = 'llm'")
    kernel.ok("%llm new Debugging")
    kernel.ok("x = 3\nt = %llm ask What is {x} or $x?")
    assert kernel.ok("%%llm\nAnd $x?", "cell-1").answer == "2: And $x?"
    assert "%llm chat preview" in kernel.complete("%llm chat pre")
    assert "%%llm --chat Debugging" in kernel.complete("%%llm --chat De")
    (page,) = kernel.run("%llm?").reply["payload"]
    assert "%robota help" in page["data"]["text/plain"]
    assert sent(server) == ["What is {x} or $x?", "And $x?"]
    kernel.ok("%config RobotaMagics.alias = ''")
    assert kernel.run("%llm").status == "error"
    assert not any("preview" in offered for offered in kernel.complete("%llm chat pre"))


@pytest.mark.parametrize("name", ["time", "robota", "two words", "1a"])
def test_a_short_name_that_is_none_is_refused(kernel, name):
    kernel.ok(f"%config RobotaMagics.alias = {name!r}")
    assert kernel.value("get_ipython().find_line_magic('time').__self__.__class__.__name__") == "ExecutionMagics"
    assert kernel.ok("%config RobotaMagics.alias").outputs[0]["data"]["text/plain"] == "''"
    kernel.ok("%robota")


# -- lines for other tools


@pytest.mark.fast
def test_a_line_for_another_tool_is_not_sent_and_makes_nothing_stale(kernel, server):
    cell = "# note {0}\n%%robota\n#@title {0}\n# A title\nDescribe it"
    kernel.ok(cell.format(1), "cell-1")
    kernel.ok("%%robota\nAnd then?", "cell-2")
    for number in (2, 3):
        assert kernel.ok(cell.format(number), "cell-1").answer == "1: # A title\nDescribe it"
        assert kernel.ok("%%robota\nAnd then?", "cell-2").answer == "2: And then?"
    assert sent(server) == ["# A title\nDescribe it", "And then?"]


# -- formatters


TAUGHT = [
    f'%robota ask "{Q}"',
    f"t   =  %robota ask '{Q}'",
    f"%%robota {Q}",
    f"%%robota\n{Q}",
    f'%time %robota ask "{Q}"',
]


@pytest.mark.parametrize("code", TAUGHT)
@pytest.mark.parametrize("tool", ["ruff", "black"])
def test_what_is_taught_survives_a_formatter(kernel, server, tmp_path, tool, code):
    import nbformat

    pytest.importorskip(tool)
    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), path)
    words = [tool, "format", "--isolated", "--no-cache"] if tool == "ruff" else [tool, "--quiet"]
    subprocess.run([sys.executable, "-m", *words, path], check=True, capture_output=True, env=dict(os.environ))
    (cell,) = nbformat.read(path, as_version=4).cells
    kernel.ok(cell.source)
    assert sent(server) == [Q]
