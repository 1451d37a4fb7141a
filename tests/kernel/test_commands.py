"""The rest of the magic on a real kernel: history, states, pictures, formats, endpoints, and errors that help."""

import re
import threading

import pytest

from support.patience import PATIENCE

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC"  # one dot


def contents(server, at=-1):
    return [message["content"] for message in server.requests[at]["messages"]]


def test_a_turn_is_edited_retried_and_gone_back_to(kernel, server):
    for number, prompt in enumerate(("one", "two", "three")):
        kernel.ok(f"%%robota\n{prompt}", f"cell-{number}")
    kernel.ok("%robota chat edit 2 TWO", "cell-3")
    assert contents(server) == ["one", "1: one", "TWO"]
    kernel.ok("%robota chat retry", "cell-4")
    assert contents(server) == ["one", "1: one", "TWO"]
    told = kernel.ok("%robota chat branches").text.splitlines()
    assert [line.partition(", e_")[0] for line in told] == [
        "  1  after turn 1: 2 turns",
        "     two",
        "     three",
        "  2  after turn 1: 1 turn",
        "     TWO",
    ]
    assert "goes on after 'three'" in kernel.ok("%robota chat checkout 1").text
    kernel.ok("%%robota\nfour", "cell-5")
    assert contents(server)[::2] == ["one", "two", "three", "four"]


def test_history_goes_back_forth_and_starts_anew(kernel, server):
    kernel.ok("%%robota\none", "cell-0")
    kernel.ok("%%robota\ntwo", "cell-1")
    assert "took back 'two'" in kernel.ok("%robota chat undo").text
    assert "'two' is back" in kernel.ok("%robota chat redo").text
    assert "nothing to redo" in kernel.ok("%robota chat redo").text
    assert "begins anew" in kernel.ok("%robota chat clear").text
    kernel.ok("%%robota\nfresh", "cell-2")
    assert contents(server) == ["fresh"]
    kernel.ok("%robota chat fork --at 1 Side", "cell-3")
    kernel.ok("%%robota\non the side", "cell-4")
    assert contents(server)[::2] == ["fresh", "on the side"]


def test_the_history_of_a_chat_stays_while_a_turn_of_it_runs(kernel, server):
    kernel.ok("%robota ask one", "cell-0")
    server.gate, server.gate_after, begun = threading.Event(), 0, threading.Event()
    server.reply = lambda body: begun.set() or "re: two"
    asked = "threading.Thread(target=get_ipython().run_line_magic, args=('robota', 'ask two'))"
    kernel.ok(f"import threading; running = {asked}; running.start()", "cell-1")
    try:
        assert begun.wait(PATIENCE)
        for command in ("undo", "redo", "clear", "checkout 1"):
            error = kernel.run(f"%robota chat {command}", "cell-2").error
            assert error["ename"] == "ChatBusy", command
    finally:
        server.gate.set()
    kernel.ok("running.join()", "cell-3")
    assert "took back 'two'" in kernel.ok("%robota chat undo", "cell-4").text


def test_a_session_says_what_may_be_done_in_its_state(kernel, server):
    kernel.ok("%robota session open Work\n%robota ask one")
    assert kernel.ok("%robota session pause").text == "Work: paused\n"
    error = kernel.run("%%robota\ntwo").error
    assert error["ename"] == "SessionNotActive"
    assert "%robota session resume lets it go on" in error["evalue"]
    kernel.ok("%robota session archive")
    assert "%robota session restore brings it back" in kernel.run("%robota session resume").error["evalue"]
    kernel.ok("%robota session restore")
    kernel.ok("%robota ask two")
    assert "Work: terminated" in kernel.ok("%robota session terminate").text
    assert "for good" in kernel.run("%robota session restore").error["evalue"]
    assert len(server.requests) == 2


def test_what_was_deleted_is_not_found_until_it_is_opened_again(kernel, server):
    kernel.ok("%robota new A\n%robota ask one")
    kernel.ok("%robota new B\n%robota chat delete B")
    assert "▸ A" in kernel.ok("%robota chat list").text
    assert "B" not in kernel.ok("%robota chat list").text
    assert kernel.run("%robota switch B").error["ename"] == "ChatNotFound"
    assert "▸ B" in kernel.ok("%robota chat open B\n%robota chat list").text


def test_purging_says_where_the_text_still_stands(kernel, server):
    kernel.say({"op": "open", "cells": [["cell-0", "x"], ["cell-1", "y"]]})
    kernel.ok("%%robota\nmy secret", "cell-1")
    said = kernel.ok("%robota chat purge 1").text
    assert "turn 1 is gone from this kernel, the store and the notebook's metadata" in said
    assert "code cell 2" in said
    assert "secret" not in kernel.ok("%robota snapshot show").text + kernel.ok("%robota chat log").text
    assert "nothing in this session holds" in kernel.ok("%robota chat search my secret").text
    assert kernel.ok("%robota search --all my secret").text == (
        "nothing in this notebook, nor in others of the store holds 'my secret'\n"
    )
    assert kernel.run("%robota chat purge 9").error["ename"] == "TurnNotFound"


def test_a_whole_chat_or_session_is_purged_and_a_deleted_one_too(kernel, server):
    kernel.say({"op": "open", "cells": [[f"cell-{number}", "x"] for number in range(4)]})
    kernel.ok('%robota session open Private\n%robota chat open Secrets --system "the hidden prompt"', "cell-0")
    kernel.ok("%%robota\nmy secret", "cell-1")
    kernel.ok("%robota new Other\n%robota chat delete Secrets", "cell-2")
    said = kernel.ok("%robota chat purge --all --chat Secrets", "cell-3").text
    assert said.startswith("Secrets: all of it is gone from this kernel, the store and the notebook's metadata\n")
    assert [f"code cell {number}" in said for number in (1, 2, 3)] == [True, True, False]
    everything = "%robota snapshot show\n%robota search --all secret\n%robota session list"
    assert not {"hidden", "Secrets", "my secret"} & set(kernel.ok(everything).text.replace("'secret'", "").split())
    assert "▸ Other" in kernel.ok("%robota chat list").text
    assert kernel.run("%robota chat purge --all --chat Secrets").error["ename"] == "ChatNotFound"
    assert kernel.run("%robota chat purge --all 1").error["ename"] == "CommandError"
    assert kernel.run("%robota chat purge 1 --chat Other").error["ename"] == "CommandError"
    assert "Private: all of it is gone" in kernel.ok("%robota session purge Private").text
    assert "Private" not in kernel.ok("%robota session list\n%robota snapshot show").text
    assert kernel.run("%robota session purge Private").error["ename"] == "SessionNotFound"


def test_search_finds_what_was_said_in_every_session_with_where_when_and_what_became_of_it(kernel, server):
    kernel.ok("%robota session open One\n%robota new A\n%robota ask about closures")
    kernel.ok("%robota chat undo\n%robota new B\n%robota ask CLOSURES again\n%robota chat delete B")
    kernel.ok("%robota session open Two\n%robota ask no closures here")
    said = re.sub(r"\d{4}-\d\d-\d\d", "DAY", kernel.ok("%robota search closures").text)
    assert sorted(said.splitlines()) == [
        "One ▸ A · DAY · undone: about closures",
        "One ▸ B 1 · DAY · deleted: CLOSURES again",
        "Two ▸ Chat 1 1 · DAY: no closures here",
    ]
    assert kernel.ok("%robota search nowhere").text == "nothing in this notebook holds 'nowhere'\n"
    assert kernel.run("%robota search").error["ename"] == "CommandError"
    assert "%robota search --all" in kernel.complete("%robota search --a")


def test_search_preview_and_statistics_tell_what_is_there(kernel, server):
    kernel.ok("%robota chat open Talk --system 'Be brief.' --set temperature=0.5")
    kernel.ok("%%robota\nAbout Closures", "cell-0")
    assert "Talk 1: About Closures" in kernel.ok("%robota chat search closures").text
    assert "nothing in this session holds" in kernel.ok("%robota chat search nowhere").text
    shown = kernel.ok("%robota chat preview And now?").text
    assert "4 messages" in shown
    assert "temperature = 0.5" in shown
    assert "And now?" in shown
    counted = kernel.ok("%robota chat stats").text
    assert "fake-model: 1 turn" in counted
    assert "asked 1 turn" in counted
    assert kernel.ok("%robota session describe All about scopes").text == "All about scopes\n"


def test_a_picture_goes_along_and_is_found_again(kernel, server):
    kernel.ok(f"import base64; picture = base64.b64decode({PNG!r})")
    assert kernel.ok("%%robota --image picture\nWhat is this?", "cell-0").answer == "1: What is this?"
    (content,) = contents(server)
    assert [part["type"] for part in content] == ["text", "image_url"]
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    error = kernel.run("%%robota --image pictur\nx").error
    assert error["ename"] == "PromptError"
    assert "picture" in error["evalue"]


def test_an_answer_in_other_formats(kernel, server):
    server.reply = lambda _: "Sure:\n\n```python\nprint(1)\n```\n"
    code = kernel.begin("%%robota --format code\nprint one", "cell-0").finish()
    assert [p["text"] for p in code.reply["payload"] if p["source"] == "set_next_input"] == ["print(1)"]
    assert kernel.ok("%%robota --format text\nagain", "cell-1").outputs[0]["data"].keys() == {"text/plain"}
    server.reply = lambda _: '{"a": [1, 2]}'
    assert kernel.ok("%%robota --format json\nas JSON", "cell-2").outputs[0]["data"]["application/json"] == {
        "a": [1, 2]
    }


def test_the_last_error_stands_for_err(kernel, server):
    kernel.run("1 / 0")
    kernel.ok("%%robota\nWhy? {{ Err }}", "cell-0")
    assert "ZeroDivisionError: division by zero" in contents(server)[0]


def test_endpoints_are_named_listed_and_tested(kernel, server):
    kernel.ok(f"%robota endpoint add lab {server.base_url} --key-env OPENAI_API_KEY --model fake-model")
    listed = kernel.ok("%robota endpoint list").text
    assert "lab · fake-model · takes its key from the environment variable OPENAI_API_KEY" in listed
    assert "127.0.0.1" not in listed
    assert (
        kernel.ok("%robota endpoint test lab").text
        == "lab can be reached, and has 1 model, fake-model is one of them\n"
    )
    assert kernel.ok("%robota chat open Lab --provider lab\n%robota ask hello").shown == ["1: hello"]
    kernel.ok("%robota endpoint add dead http://127.0.0.1:9/v1")
    assert "cannot be reached" in kernel.run("%robota endpoint test dead").error["evalue"]
    assert kernel.run("%robota endpoint add bad http://far.example/v1").error["ename"] == "EndpointError"
    assert kernel.run("%robota endpoint test nobody").error["ename"] == "EndpointNotFound"


def test_a_wrong_endpoint_is_told_when_it_is_set_and_harms_no_other(kernel, server):
    told = kernel.ok(
        f"%config RobotaMagics.endpoints = {{'bad': {{'base_ulr': 'x'}}, 'lab': {{'base_url': '{server.base_url}', "
        "'model': 'm', 'headers': {'X-Team': 'blue'}, 'context_window': 8192, 'price': {'input': 1e6}}}"
    ).text
    assert told == (
        "robota_nb: endpoint 'bad': no setting is called 'base_ulr' (did you mean 'base_url'?): there are base_url, "
        "key_env, model, provider, api, headers, query, body, organization, timeouts, context_window, price, insecure\n"
    )
    assert kernel.ok("%robota chat open Lab --provider lab\n%robota ask hello").shown == ["1: hello"]
    assert server.headers[0]["x-team"] == "blue"
    assert "of 8,192 tokens" in kernel.ok("%robota chat preview").text
    assert "  at lab: about 1.00\n" in kernel.ok("%robota chat stats").text
    assert "cannot be used: endpoint 'bad': no setting" in kernel.ok("%robota endpoint list").text
    assert "did you mean 'base_url'?" in kernel.run("%%robota --provider bad\nhi").error["evalue"]
    assert kernel.ok("%robota endpoint add new http://host.docker.internal:1/v1 --insecure").text.startswith(
        "new can be asked"
    )


def test_model_servers_of_this_machine_are_looked_for_when_asked_to(kernel, server):
    kernel.ok(
        "from robota_nb.providers import finder\n"
        f"finder.find.__defaults__ = ({{{server.base_url.split(':')[2].removesuffix('/v1')}: 'desk'}}, None)"
    )
    shown = kernel.ok("%robota endpoint find").text.splitlines()
    assert shown[0].startswith(f"desk at {server.base_url}: fake-model")
    kernel.ok(shown[1].strip())
    assert kernel.ok("%robota chat open Desk --provider desk\n%robota ask hello").shown == ["1: hello"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("chat set temprature=0.2", "did you mean 'temperature'?"),
        ("chat set temperature=hot", "temperature is a number"),
        ("chat open Typo --provider openia", "did you mean 'openai'?"),
    ],
)
def test_what_is_misspelt_is_told_before_anything_is_sent(kernel, server, line, words):
    kernel.ok("%robota chat open Work")
    assert words in kernel.run(f"%robota {line}").error["evalue"]
    assert "Typo" not in kernel.ok("%robota chat list").text
    assert server.requests == []


SCRIPTED = "from robota_nb.testing import ScriptedProvider\nmine = [ScriptedProvider(['of mine', 'of mine, too'])]"


def test_an_object_of_the_namespace_is_a_provider_in_this_kernel(kernel, server):
    kernel.ok(SCRIPTED)
    assert kernel.ok("%robota endpoint add toy --object mine[0]").text == (
        "toy can be asked in this kernel: %robota chat open NAME --provider toy\n"
    )
    assert "toy · a provider object of this kernel" in kernel.ok("%robota endpoint list").text.splitlines()
    assert kernel.complete("%robota chat open Play --provider t") == ["%robota chat open Play --provider toy"]
    kernel.ok("%robota chat open Play --provider toy")
    assert kernel.ok("%%robota\nhello").answer == "of mine"
    kernel.ok("%config RobotaMagics.max_chats = 60\n%reload_ext robota_nb")
    assert kernel.ok("%%robota\nhello again").answer == "of mine, too"
    assert kernel.ok("%robota endpoint test toy").text == "toy is no server: there is nothing to test\n"
    assert "is an object of this kernel" in kernel.run("%robota endpoint key toy").error["evalue"]
    assert server.requests == []
    kernel.ok(f"%robota endpoint add toy {server.base_url} --model m")  # which takes the place of the object
    assert kernel.ok("%%robota\nand now").answer == "1: and now"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("add toy --object nothing", "no variable 'nothing'"),
        ("add toy --object ScriptedProvider", "is the class ScriptedProvider, not a provider: make an object of it"),
        ("add toy --object mine", "toy is an object of type list, not a provider"),
        ("add toy --object mine[7]", "'mine[7]' failed (IndexError"),
        ("add toy --object mine.pop()", "'mine.pop()' cannot be looked up"),
        ("add offline --object mine[0]", "cannot be named 'offline'"),
        ("add toy", "takes a URL with its options, or --object EXPR: give one of them"),
        ("add toy http://localhost:1/v1 --object mine[0]", "give one of them"),
        ("add toy --object mine[0] --model m", "give one of them"),
    ],
)
def test_what_cannot_be_added_as_a_provider_is_said(kernel, line, words):
    kernel.ok(SCRIPTED)
    assert words in kernel.run(f"%robota endpoint {line}").error["evalue"]
    assert "toy" not in kernel.ok("%robota endpoint list").text


def test_an_answer_that_never_comes_can_be_cancelled_from_another_thread(kernel, server):
    server.gate = threading.Event()
    kernel.ok(
        "import threading\n"
        "from robota_nb import SessionManager\n"
        "chat = SessionManager().create_session().create_chat(provider='openai')\n"
        "turns = []\n"
        "thread = threading.Thread(target=lambda: turns.append(chat.send('hello')))\n"
        "arrived = threading.Event()\n"
        "chat.session.manager.subscribe(lambda e: type(e).__name__ == 'TextArrived' and arrived.set())\n"
        "thread.start()\n"
        f"assert arrived.wait({PATIENCE})\n"
        "assert chat.cancel()\n"
        f"thread.join({PATIENCE})\n"
        "assert not thread.is_alive()\n"
    )
    assert kernel.value("[(t.text, t.finish_reason) for t in turns]") == [("1: ", "interrupted")]
    assert kernel.value("chat.cancel()") is False


@pytest.mark.parametrize("words", ["chat edit", "session pause", "endpoint add", "export"])
def test_help_is_the_same_in_both_forms(kernel, words):
    told = kernel.ok(f"%robota help {words}").text
    assert told == kernel.ok(f"%robota {words} --help").text
    assert told.startswith(f"%robota {words}")
