"""What a user mistypes in a real kernel, and what is offered while typing."""

import pytest

# -- errors


MISTAKES = [
    ("%robota chta open X", "CommandError", "chat"),
    ("%robota chat opne X", "CommandError", "chat open"),
    ("%robota ask --modle x hi", "CommandError", "--model"),
    ("%%robota --modle x\nhi", "CommandError", "--model"),
    ("%robota switch Debuging", "ChatNotFound", "Debugging"),
    ("%%robota --chat Debuging\nhi", "ChatNotFound", "Debugging"),
    ("%%robota --provider opena\nhi", "EndpointNotFound", "openai"),
    ("%%robota --session Wrok\nhi", "SessionNotFound", "Work"),
    ("%robota replay strikt", "CommandError", "strict"),
]


@pytest.mark.parametrize(("code", "kind", "meant"), MISTAKES)
def test_what_was_meant_is_offered_for_what_was_mistyped(kernel, server, code, kind, meant):
    kernel.ok("%robota session open Work\n%robota new Debugging")
    cell = kernel.run(code)
    assert cell.status == "error"
    error = cell.error
    assert error["ename"] == kind
    assert f"did you mean {meant!r}" in error["evalue"]
    assert error["traceback"] == [f"{kind}: {error['evalue']}"]
    assert "\n" not in error["evalue"]
    assert len(error["evalue"]) < 1000
    assert server.requests == []


def test_whole_tracebacks_are_there_for_who_wants_them(kernel):
    kernel.ok("%config RobotaMagics.short_errors = False")
    assert len("".join(kernel.run("%robota chta").error["traceback"])) > 1000
    kernel.ok("%config RobotaMagics.short_errors = True")
    assert len("".join(kernel.run("%robota chta").error["traceback"])) < 1000


def test_errors_are_python_exceptions_that_code_can_catch(kernel):
    kernel.ok(
        "from robota_nb.errors import ChatNotFound\n"
        "try:\n    get_ipython().run_line_magic('robota', 'switch Nowhere')\n"
        "except ChatNotFound as error:\n    caught = str(error)"
    )
    assert "Nowhere" in kernel.value("caught")


def test_an_empty_prompt_is_not_sent(kernel, server):
    assert kernel.run("%%robota\n   \n").error["ename"] == "PromptError"
    assert kernel.run("%robota ask").error["ename"] == "CommandError"
    assert server.requests == []


# -- completion

SETTINGS = ("provider", "model", "system")


def test_commands_options_and_names_are_completed(kernel):
    kernel.ok("%robota session open Work\n%robota new Debugging\n%robota new Two Words")
    for code, offered in [
        ("%robota sn", "%robota snapshot"),
        ("%robota chat re", "%robota chat rename"),
        ("%robota ask --mo", "%robota ask --model"),
        ("%robota switch De", "%robota switch Debugging"),
        ("%robota chat switch Tw", '%robota chat switch "Two Words"'),
        ('%robota chat switch "Tw', '%robota chat switch "Two Words"'),
        ("%robota chat switch Two W", "%robota chat switch Two Words"),
        ("%%robota --chat tw", '%%robota --chat "Two Words"'),
        ("%robota session open W", "%robota session open Work"),
        ("%robota replay st", "%robota replay strict"),
        ("%robota ask --provider off", "%robota ask --provider offline"),
        ("%robota ask --model gpt", "%robota ask --model gpt-4o-mini"),
        ("%%robota --chat De", "%%robota --chat Debugging"),
        ("%%robota --fre", "%%robota --fresh"),
        ("x = 1\n%robota switch De", "x = 1\n%robota switch Debugging"),
    ]:
        assert offered in kernel.complete(code), code
    assert kernel.complete("%%robota\nsome text De") == ["%%robota\nsome text De"]  # as it is
    assert "%robota" in [offer.rstrip() for offer in kernel.complete("%rob")]


def test_commands_are_offered_alone_with_what_they_are(kernel):
    offers = kernel.offers("%robota ")
    assert offers[0] == ("%robota ask", "command")
    assert {type_ for _, type_ in offers} == {"command"}
    assert {type_ for _, type_ in kernel.offers("%robota snapshot s")} == {"command"}
    assert kernel.offers("x = %robota chat open a --mod") == [("x = %robota chat open a --model", "option")]
    assert kernel.complete("%robota chat set ")[:3] == [f"%robota chat set {key}=" for key in SETTINGS]


def test_fields_and_expressions_are_completed_with_the_user_s_variables(kernel):
    kernel.ok("frame, fruit, fig, _hidden = {}, 'pear', b'', 1")
    for code in ("%%robota\nsee {{ fr", "%robota ask see {{ fr", "x = 1\n%robota ask see {{ fr"):
        assert kernel.offers(code) == [(code + "ame", "variable"), (code + "uit", "variable")]
    assert kernel.offers("%%robota\n{{ frame | he") == [("%%robota\n{{ frame | head", "filter")]
    assert ("%%robota\n{{ frame.keys", "attribute") in kernel.offers("%%robota\n{{ frame.ke")
    assert kernel.offers("%%robota --image fi") == [("%%robota --image fig", "variable")]
    offered = kernel.complete("%%robota\n{{ ")
    assert "%%robota\n{{ frame" in offered
    assert not any("hidden" in text or "get_ipython" in text for text in offered)


def test_prose_is_completed_with_nothing(kernel):
    kernel.ok("debugging_value = 1")
    for code in ("%%robota\nan im", "%robota ask an im", "%robota switch deb", "%robota chat rename debug"):
        assert kernel.complete(code) == [code]
    assert kernel.complete("%%robota\nan ") == ["%%robota\nan "]
    assert "%%robota" in kernel.complete("%robota")  # that is IPython's
    kernel.ok("%config IPCompleter.use_jedi = False")  # which takes long to load
    assert "debugging_value" in kernel.complete("debugging_v")
    kernel.ok("%config IPCompleter.use_jedi = True")


def test_the_models_that_a_tested_server_has_told_of_are_offered(kernel, server):
    assert "%robota ask --model fake-model" not in kernel.complete("%robota ask --model ")
    kernel.ok("%robota endpoint test openai")
    assert "%robota ask --model fake-model" in kernel.complete("%robota ask --model ")


def test_the_help_of_the_command_at_the_cursor_is_shown(kernel):
    for code, shown in [
        ("%robota chat fork", "%robota chat fork [--at N] NAME"),
        ("%robota chat open X --format", "%robota chat open NAME"),
        ("%%robota --format", "%%robota [--chat C]"),
        ("x = 1\nt = %robota ask why", "%robota ask [--chat C]"),
        ("%robota ", "%robota COMMAND"),
    ]:
        assert shown in kernel.inspect(code), code
        assert "built-in" not in kernel.inspect(code)
    assert kernel.inspect("%%robota\nmake it a format") == ""
    assert "abs" in kernel.inspect("abs")
    kernel.ok("%unload_ext robota_nb")
    assert "%robota chat fork" not in kernel.inspect("%robota chat fork")
    assert "abs" in kernel.inspect("abs")


def test_the_name_of_a_command_and_a_question_mark_print_its_help(kernel, server):
    assert kernel.ok("%robota chat fork?").text == kernel.ok("%robota help chat fork").text
    assert "%robota chat open" in kernel.ok("%robota chat?").text
    assert kernel.run("%robota chat frok?").status == "error"
    assert server.requests == []


def test_an_apostrophe_in_a_name_needs_no_quotes(kernel):
    kernel.ok("%robota new O'Brien")
    assert "O'Brien" in kernel.ok("%robota chat list").text


@pytest.mark.parametrize("code", ["%robota What is a closure?", "%robota explain closures"])
def test_a_text_without_its_command_is_told_how_it_is_asked(kernel, server, code):
    text = code.removeprefix("%robota ")
    assert f"as in %robota ask {text!r}" in kernel.run(code).error["evalue"]
    assert server.requests == []


# -- questions


@pytest.mark.parametrize(
    "line", ["%robota ask What's a closure?", "t = %robota ask Why {{ x }}?", "%robota ask -o t one?\n1"]
)
def test_a_line_may_end_in_a_question_mark(kernel, server, line):
    kernel.ok("x = 3")
    kernel.ok(line)
    assert len(server.requests) == 1
    assert server.requests[0]["messages"][-1]["content"].endswith("?")


def test_a_question_mark_alone_asks_for_help(kernel, server):
    kernel.ok("%robota?")
    assert server.requests == []


# -- settings that are none


@pytest.mark.parametrize("setting", ["api_key=sk-canary", "base_url=http://x", "messages=[]", "stream=false"])
def test_what_is_no_setting_of_a_chat_is_refused(kernel, setting):
    kernel.ok("%robota new A")
    answer = kernel.run(f"%robota chat set {setting}")
    assert answer.status == "error"
    assert "sk-canary" not in str(answer.outputs)


def test_a_parameter_can_be_unset(kernel, server):
    kernel.ok("%robota new A\n%robota chat set temperature=0.5\n%robota chat set temperature=")
    kernel.ok("%%robota\nhello")
    assert "temperature" not in server.requests[0]


def test_a_command_that_only_looks_makes_no_chat(kernel):
    assert kernel.run("%robota chat log").error["ename"] == "ChatNotFound"
    assert "no session yet" in kernel.ok("%robota session list").text
