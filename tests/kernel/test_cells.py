"""The magics in a real kernel: what a user types, and what is shown."""

import json

import pytest

from support.provider import prompts, sent

HEAVY = ("openai", "ipywidgets", "anywidget", "nbformat", "nbclient")


# -- loading


def test_loading_prints_nothing_and_imports_nothing_heavy(kernel):
    kernel.restart()
    kernel.ok("import sys; before = set(sys.modules)")
    assert kernel.ok("%load_ext robota_nb").outputs == []
    new = kernel.value("sorted({name.partition('.')[0] for name in set(sys.modules) - before})")
    assert "robota_nb" in new
    assert not set(HEAVY) & set(new)


@pytest.mark.parametrize(
    "again", ["%load_ext robota_nb", "%reload_ext robota_nb", "%unload_ext robota_nb\n%load_ext robota_nb"]
)
def test_loading_again_keeps_the_sessions(kernel, server, again):
    kernel.ok("%%robota\nfirst")
    kernel.ok(again)
    kernel.ok("%%robota\nsecond")
    assert prompts(server) == ["first", "second"]


def test_unloading_takes_away_all_that_was_hooked(kernel):
    hooked = """
    def hooked():
        shell = get_ipython()
        return [
            sorted(kind for kind in ("line", "cell") if "robota" in shell.magics_manager.magics[kind]),
            sorted(one for one in shell.magics_manager.registry if "obota" in one),
            [type(one).__name__ for one in shell.configurables if "obota" in type(one).__name__],
            sorted((name, len(found)) for name, found in shell.events.callbacks.items()),
            [len(shell.Completer.custom_matchers), "do_inspect" in vars(shell.kernel)],
            [type(one).__name__ for one in shell.input_transformer_manager.line_transforms],
            sorted(map(str, shell.display_formatter.ipython_display_formatter.type_printers)),
            sorted(map(str, shell.display_formatter.ipython_display_formatter.deferred_printers)),
        ]
    """
    import textwrap

    kernel.restart()
    kernel.ok(textwrap.dedent(hooked))
    before = kernel.value("hooked()")
    kernel.ok("%load_ext robota_nb")
    kernel.ok("%%robota -o turn\nhello")
    kernel.ok("turn")
    loaded = kernel.value("hooked()")
    assert loaded[0] == ["cell", "line"]
    assert "Spelling" in loaded[5]
    kernel.ok("%unload_ext robota_nb")
    assert kernel.value("hooked()") == before
    kernel.ok("%load_ext robota_nb")
    assert kernel.value("hooked()") == [*loaded[:6], *kernel.value("hooked()[6:]")]
    assert kernel.ok("%%robota\nhello").answer


def test_every_setting_is_listed_by_config(kernel):
    text = kernel.ok("%config RobotaMagics").text
    limits = "max_active_sessions max_chats max_messages"
    for setting in f"endpoints provider model alias autosnapshot rerun short_errors {limits}".split():
        assert f"RobotaMagics.{setting}" in text


# -- asking


def test_an_answer_is_one_markdown_output(kernel, server):
    server.chunks = [f"word{n} " for n in range(50)]
    cell = kernel.ok("%%robota\nhello")
    assert cell.answer == "".join(server.chunks)
    assert server.requests[0]["stream"] is True
    kinds = [message["msg_type"] for message in cell.messages if "display" in message["msg_type"]]
    assert kinds[0] == "display_data"
    assert set(kinds[1:]) <= {"update_display_data"}


def test_the_answer_is_shown_while_it_streams(kernel, server):
    import threading

    server.chunks, server.gate = ["first ", "second"], threading.Event()
    running = kernel.begin("%%robota\nhello")
    running.shows("first")
    server.gate.set()
    assert running.finish().answer == "first second"


def test_chats_go_on_where_they_were(kernel, server):
    kernel.ok("%%robota\none")
    kernel.ok("%%robota\ntwo")
    assert sent(server) == [("user", "one"), ("assistant", "1: one"), ("user", "two")]


def test_a_console_shows_an_answer_as_plain_text_when_it_is_whole(kernel, server):
    server.chunks = ["**Bo", "ld** ", "and `code`"]
    for asked in ("%%robota\nBe bold", "%robota ask 'Be bold'", "%%robota --format code\nBe bold"):
        execution = kernel.run(asked, console=True)
        assert [output["data"] for output in execution.outputs] == [{"text/plain": "".join(server.chunks)}], asked
        assert not any(message["msg_type"] == "update_display_data" for message in execution.messages)


def test_a_console_shows_json_as_both(kernel, server):
    server.chunks = ['{"a": 1}']
    assert kernel.run("%%robota --format json\nAs JSON", console=True).outputs[0]["data"] == {
        "application/json": {"a": 1},
        "text/plain": '{"a": 1}',
    }


def test_a_turn_can_be_stored_in_a_variable_and_shown_later(kernel):
    kernel.ok("%%robota -o turn\nhello")
    assert kernel.value("(turn.text, str(turn), turn.finish_reason, turn.model)") == (
        "1: hello", "1: hello", "stop", "fake-model",
    )  # fmt: skip
    assert kernel.ok("turn").answer == "1: hello"
    assert kernel.ok("display(turn)").answer == "1: hello"


def test_the_result_of_an_ask_is_not_shown_twice(kernel):
    assert kernel.ok("%robota ask hello").answer == "1: hello"
    assert kernel.ok("turn = %robota ask hello again").answer == "2: hello again"
    assert kernel.value("turn.prompt.content") == "hello again"
    assert kernel.ok("%robota ask -o kept yes\nkept").answer == "3: yes"


def test_variables_are_filled_in_where_the_user_says_so(kernel, server):
    kernel.ok("name, rows = 'Ada', [1, 2, 3]")
    kernel.ok("%%robota\nI am {{ name }} with {{ rows[0] }} of {{ rows | head(2) }}, {name} $name")
    assert prompts(server) == ["I am Ada with 1 of [1, 2], {name} $name"]
    kernel.ok("%robota ask --raw {{ name }}")
    assert prompts(server)[-1] == "{{ name }}"


def test_a_missing_variable_is_named_and_nothing_is_sent(kernel, server):
    error = kernel.run("nearly = 1").outputs or kernel.run("%%robota\nwhat is {{ nearby }}").error
    assert error["ename"] == "PromptError"
    assert "'nearby'" in error["evalue"]
    assert "--raw" in error["evalue"]
    assert server.requests == []


def test_what_is_told_of_a_prompt_is_no_part_of_the_answer_or_the_chat(kernel, server):
    kernel.ok("frame = 'a b'")
    assert kernel.ok("%%robota\n{{frame}}, {{fram}}").answer == "1: a b, {{fram}}"
    assert kernel.ok("%robota").text.splitlines()[-2:] == [
        "{{frame}} was filled in: 'frame' is a variable; --raw sends the braces as they stand",
        "sent as it stands: {{fram}} (did you mean 'frame'?)",
    ]
    assert kernel.ok("%robota chat preview {fram} {frame}").text.splitlines()[-1] == (
        "sent as it stands: {frame}; {{ frame }} would be filled in"
    )
    assert "sent as it stands" not in kernel.ok("%robota chat log").text


def test_what_a_prompt_cannot_do_is_an_error_with_the_nearest_right_form(kernel, server):
    kernel.ok("frame = 'a b'")
    error = kernel.run("%%robota\n{{ frame.head() }}").error
    assert error["evalue"] == (
        "nothing is called in {{ frame.head() }}: write {{ frame | head }}; --raw sends the braces as they stand"
    )
    assert server.requests == []


LITERAL = [
    '{"a": {"b": [1, {}]}, "c": "{d}"}',
    r"\frac{\sqrt{x}}{{y}_{i}} $x$ $$\sum_{i=0}^{n}$$",
    "{% for x in xs %}{{ x }}{% endfor %}{{x}} {{ x|upper }} {# note #}",
    'image: "{{ .Values.image }}:{{ .Values.tag | default "x" }}"\n{{- if .Values.on }}\n{{- end }}',
    "f'{x!r:>{width}}' {{}} {{{ x }}} }} {{ ${HOME} $(ls) `ls` %s !ls ?",
    "  leading spaces\n\n\ttab  \n%magic\n!shell\nline? \\",
    "<b>html</b> & 日本語 🎉 \u202e",
]


@pytest.mark.parametrize("prompt", LITERAL)
def test_prompts_of_other_languages_arrive_unchanged(kernel, server, prompt):
    kernel.ok(f"%%robota\n{prompt}")
    assert prompts(server) == [prompt]


def test_one_line_asks_are_never_evaluated(kernel, server):
    kernel.ok("x = 1")
    line = """a {x} $x {1+1} "quoted  twice" 'and' \\n -o -x --chat C"""
    kernel.ok(f"%robota ask {line}")
    assert prompts(server) == [line]


def test_two_chats_know_nothing_of_each_other(kernel, server):
    kernel.ok("%robota new A")
    kernel.ok("%%robota\nin a")
    kernel.ok("%robota new B")
    kernel.ok("%%robota\nin b")
    assert prompts(server) == ["in b"]
    kernel.ok("%robota switch A")
    kernel.ok("%%robota\nmore in a")
    assert prompts(server) == ["in a", "more in a"]


def test_naming_a_chat_leaves_the_active_one_active(kernel, server):
    kernel.ok("%robota new A\n%robota new B")
    kernel.ok("%%robota --chat A\nto a")
    kernel.ok("%%robota\nto b")
    assert prompts(server) == ["to b"]
    kernel.ok("%%robota -c a\nto a again")
    assert prompts(server) == ["to a", "to a again"]


def test_naming_a_session_leaves_the_active_one_active(kernel, server):
    kernel.ok("%robota session open Work")
    kernel.ok("%%robota\nin work")
    kernel.ok("%robota session open Play")
    kernel.ok("%%robota\nin play")
    kernel.ok("%%robota --session Work\nmore work")
    assert prompts(server) == ["in work", "more work"]
    kernel.ok("%%robota\nmore play")
    assert prompts(server) == ["in play", "more play"]
    listed = kernel.ok("%robota session list").text
    assert "Work" in listed
    assert "▸ Play" in listed


def test_once_records_nothing(kernel, server):
    kernel.ok("%%robota\none")
    assert kernel.ok("%%robota --once -o turn\naside").answer == "2: aside"
    assert prompts(server) == ["one", "aside"]
    assert kernel.value("turn.id") == ""
    kernel.ok("%%robota\ntwo")
    assert prompts(server) == ["one", "two"]
    assert "aside" not in kernel.ok("%robota chat log").text


def test_fresh_asks_although_an_answer_is_recorded(kernel, server):
    kernel.ok("%%robota\none", "cell-a")
    kernel.ok("%%robota --fresh\none", "cell-b")
    assert len(server.requests) == 2


def test_options_are_for_one_ask_and_reach_the_request(kernel, server):
    kernel.ok(
        """%%robota --model big --set temperature=0.25 --set 'stop=["x","y"]' --set seed=7 --set user=me\nhello"""
    )
    body = server.requests[0]
    assert body["model"] == "big"
    assert {key: body[key] for key in ("temperature", "stop", "seed", "user")} == {
        "temperature": 0.25, "stop": ["x", "y"], "seed": 7, "user": "me",
    }  # fmt: skip
    kernel.ok("%%robota\nagain")
    assert server.requests[1]["model"] == "gpt-4o-mini"
    assert not {"temperature", "stop", "seed", "user"} & set(server.requests[1])


def test_another_provider_for_one_ask(kernel, server):
    answer = kernel.ok("%%robota --provider offline\nhello").answer
    assert "offline" in answer.lower()
    assert server.requests == []
    assert kernel.ok("%%robota\nhello").answer == "1: hello"


def test_a_chat_is_opened_with_its_settings(kernel, server):
    said = kernel.ok('%robota chat open Poems --model big --system "Speak in rhymes." --set temperature=1').text
    assert said == "▸ Poems\n"  # what cells below may change is not said here
    assert "openai/big" in kernel.ok("%robota").text
    kernel.ok("%%robota\nhello")
    assert sent(server) == [("system", "Speak in rhymes."), ("user", "hello")]
    assert (server.requests[0]["model"], server.requests[0]["temperature"]) == ("big", 1)
    kernel.ok("%robota chat set temperature=0.5 model=small")
    kernel.ok("%%robota\nand now")
    assert (server.requests[1]["model"], server.requests[1]["temperature"]) == ("small", 0.5)


def test_an_endpoint_of_the_user_has_its_own_key(kernel, server):
    endpoint = {"base_url": server.base_url, "key_env": "LAB_KEY", "model": "lab-model"}
    kernel.ok(f"%config RobotaMagics.endpoints = {{'lab': {endpoint!r}}}")
    kernel.ok("import os; os.environ['LAB_KEY'] = 'the-lab-key-itself'")
    kernel.ok("%robota chat open Lab --provider lab")
    kernel.ok("%%robota\nhello")
    assert server.headers[0]["authorization"] == "Bearer the-lab-key-itself"
    assert server.requests[0]["model"] == "lab-model"
    kernel.ok("%%robota --provider openai\nhello")
    assert server.headers[1]["authorization"] == f"Bearer {server.api_key}"
    kernel.ok("%config RobotaMagics.endpoints = {}")
    error = kernel.run("%%robota\nhello").error
    assert error["ename"] == "EndpointNotFound"
    assert "c.RobotaMagics.endpoints" in error["evalue"]


# -- commands


def test_undo_takes_the_last_turn_out_of_the_requests(kernel, server):
    kernel.ok("%%robota\none")
    kernel.ok("%%robota\ntwo")
    assert "'two'" in kernel.ok("%robota chat undo").text
    kernel.ok("%%robota\nthree")
    assert prompts(server) == ["one", "three"]


def test_chats_are_renamed_listed_and_logged(kernel):
    kernel.ok("%robota new First")
    kernel.ok("%%robota\nhello")
    kernel.ok("%robota chat rename Second")
    kernel.ok("%robota new Third")
    listed = kernel.ok("%robota chat list").text.splitlines()
    assert [line.split(" · ")[0].strip() for line in listed] == ["Second", "▸ Third"]
    assert "1 turn" in listed[0]
    kernel.ok("%robota switch First")  # its former name
    log = kernel.ok("%robota chat log").text
    assert log.startswith("Second\n")
    assert "hello" in log
    assert "1: hello" in log


def test_status_says_where_one_is(kernel):
    assert "openai/gpt-4o-mini" in kernel.ok("%robota").text
    kernel.ok("%robota session open Work\n%robota new Debugging")
    kernel.ok("%%robota\nhello you")
    status = kernel.ok("%robota").text
    for part in ("Work ▸ Debugging", "openai/gpt-4o-mini", "1 turn", "tokens", "in the cells' outputs"):
        assert part in status
    assert "OPENAI_API_KEY" not in status


def test_without_a_key_the_offline_model_answers_and_says_how_to_connect_one(kernel, server):
    kernel.ok("import os; key = os.environ.pop('OPENAI_API_KEY')")
    try:
        assert "OPENAI_API_KEY" in kernel.ok("%robota").text
        assert "offline" in kernel.ok("%%robota\nhello").answer.lower()
        assert "OPENAI_API_KEY" in kernel.ok("%robota").text
        error = kernel.run("%%robota --provider openai\nhello").error
        assert error["ename"] == "KeyMissing"
        assert "OPENAI_API_KEY" in error["evalue"]
    finally:
        kernel.ok(f"os.environ['OPENAI_API_KEY'] = {server.api_key!r}")
    assert server.requests == []


def test_help_tells_each_command(kernel):
    assert "chat      open, list" in kernel.ok("%robota help").text
    assert "--system" in kernel.ok("%robota help chat open").text


def test_a_snapshot_is_saved_into_a_file_and_resumed(kernel, tmp_path, server):
    import nbformat

    path = tmp_path / "copy of it.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    kernel.ok("%%robota\nhello", "cell-a")
    assert "saved in copy of it.ipynb" in kernel.ok(f'%robota snapshot --to "{path}"').text
    assert json.loads(path.read_text())["metadata"]["robota_nb"]["format"] == {"major": 1, "minor": 1}
    kernel.restart()
    kernel.ok("%load_ext robota_nb")
    assert "1 turn" in kernel.ok(f'%robota resume "{path}"').text
    assert kernel.ok("%%robota\nhello", "cell-a").answer == "1: hello"
    assert len(server.requests) == 1
    assert "verified" in kernel.ok("%robota snapshot verify").text
    assert "hello" in kernel.ok("%robota snapshot show").text
