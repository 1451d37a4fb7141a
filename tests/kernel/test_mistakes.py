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


def test_commands_options_and_names_are_completed(kernel):
    kernel.ok("%robota session open Work\n%robota new Debugging\n%robota new Two Words")
    for code, offered in [
        ("%robota sn", "%robota snapshot"),
        ("%robota chat re", "%robota chat rename"),
        ("%robota ask --mo", "%robota ask --model"),
        ("%robota switch De", "%robota switch Debugging"),
        ("%robota chat switch Tw", "%robota chat switch Two\\ Words"),
        ('%robota chat switch "Tw', '%robota chat switch "Two Words"'),
        ("%robota chat switch Two W", "%robota chat switch Two Words"),
        ("%%robota --chat tw", "%%robota --chat Two\\ Words"),
        ("%robota session open W", "%robota session open Work"),
        ("%robota replay st", "%robota replay strict"),
        ("%robota ask --provider off", "%robota ask --provider offline"),
        ("%robota ask --model gpt", "%robota ask --model gpt-4o-mini"),
        ("%%robota --chat De", "%%robota --chat Debugging"),
        ("%%robota --fre", "%%robota --fresh"),
        ("x = 1\n%robota switch De", "x = 1\n%robota switch Debugging"),
    ]:
        assert offered in kernel.complete(code), code
    assert kernel.complete("%%robota\nsome text De") == []
    assert "%robota" in [offer.rstrip() for offer in kernel.complete("%rob")]


def test_completion_in_a_body_is_left_to_ipython(kernel):
    kernel.ok("debugging_value = 1")
    assert "%robota switch debugging_value" not in kernel.complete("%robota switch deb")
    assert "debugging_value" in kernel.complete("debugging_v")


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
