"""May a call be run, and what does the model hear of it? The questions, what was allowed, and what is never enough."""

import pytest

from robota_nb.core.ports import ToolCall
from robota_nb.errors import ConsentMissing, ToolError
from robota_nb.tools.consent import MOST_SHOWN, Consent, ask, call_words
from robota_nb.tools.function import tool
from robota_nb.tools.toolbox import Stopped, Toolbox

RAN = []


@pytest.fixture(autouse=True)
def nothing_ran():
    RAN.clear()


def drop(table: str) -> str:
    "Drop a table."
    RAN.append(table)
    return f"{table} is gone"


@tool(safe=True)
def look(table: str) -> str:
    "Look at a table."
    RAN.append(table)
    return "a table"


class User:
    """Answers questions, in order."""

    def __init__(self, *answers):
        self.answers, self.questions = list(answers), []

    def __call__(self, question):
        self.questions.append(question)
        return self.answers.pop(0)


def call(name="drop", arguments='{"table": "a"}'):
    return ToolCall(id="1", name=name, arguments=arguments)


def box(user=None, consent=None, *functions, **options):
    return Toolbox(functions or (drop, look), consent or Consent(), read=user, **options)


@pytest.mark.parametrize("answer", ["", "n", "no", "N", "n because"])
def test_whatever_is_no_yes_does_not_run(answer):
    done = box(User(answer)).run(call(), doubted=False)
    assert (done.status, done.by, RAN) == ("denied", "", [])


@pytest.mark.parametrize("answer", ["yes please", "ja", "1", "true", "y n", "\N{FULLWIDTH LATIN SMALL LETTER Y}", "yy"])
def test_what_is_neither_yes_nor_no_is_asked_again(answer):
    user = User(answer, "")
    assert box(user).run(call(), doubted=False).status == "denied"
    assert len(user.questions) == 2


def test_a_yes_is_for_one_call_and_always_for_the_function_as_it_is():
    consent, user = Consent(), User("y", "a")
    one = box(user, consent)
    assert [one.run(call(), doubted=False).by for _ in range(4)] == ["asked", "asked", "allowed", "allowed"]

    def drop(table: str, force: bool = False) -> str:
        "Drop a table."
        return ""

    changed = box(User(""), consent, drop)
    assert changed.run(call(), doubted=False).status == "denied"


def test_stop_runs_nothing():
    with pytest.raises(Stopped):
        box(User("s")).run(call(), doubted=False)
    assert RAN == []


@pytest.mark.parametrize("how", ["safe", "always", "allow", "policy"])
def test_no_way_to_skip_the_question_counts_while_text_of_others_is_sent(how):
    consent = Consent()
    name = "look" if how == "safe" else "drop"
    if how == "always":
        consent.always(tool(drop))
    elif how == "allow":
        consent.say("drop", "allow")
    elif how == "policy":
        consent.policy = "allow"
    assert box(None, consent).run(call(name), doubted=False).status == "ok"
    user = User("")
    assert box(user, consent).run(call(name), doubted=True).status == "denied"
    assert len(user.questions) == 1
    with pytest.raises(ConsentMissing, match="text that is not yours"):
        box(None, consent).check(doubted=True)


def test_who_runs_a_notebook_may_trust_it_and_allow_a_tool_together():
    consent = Consent()
    consent.say("drop", "allow")
    consent.trust("drop")
    assert box(None, consent).run(call(), doubted=True).by == "allowed"
    consent.say("drop", "allow")  # anew, and without the trust
    assert box(None, consent).run(call(), doubted=True).status == "denied"


def test_deny_and_never_are_stronger_than_all_else():
    consent = Consent()
    consent.policy = "allow"
    consent.say("look", "deny")
    assert box(User("y"), consent).run(call("look"), doubted=False).status == "denied"
    consent.policy = "never"
    assert box(User("y"), consent).run(call(), doubted=False).status == "denied"


def test_ask_asks_also_for_what_only_reads():
    consent, user = Consent(), User("y")
    consent.say("look", "ask")
    assert box(user, consent).run(call("look"), doubted=False).by == "asked"


def test_the_question_shows_what_the_function_would_get_and_not_what_the_model_wrote():
    @tool
    def rows(table: str, limit: int = 20) -> str:
        "Count."
        return ""

    user = User("y")
    box(user, None, rows).run(call("rows", '{"limit": "5", "table": "a"}'), doubted=False)
    assert user.questions[0].startswith('rows(table="a", limit=5) · run it?')


def test_a_long_question_counts_only_once_all_of_it_was_seen():
    secret = "x" * MOST_SHOWN + "DROP" + "x" * MOST_SHOWN
    user = User("y", "y")
    done = box(user).run(call(arguments=f'{{"table": "{secret}"}}'), doubted=False)
    assert done.status == "ok"
    assert "DROP" not in user.questions[0]
    assert "DROP" in user.questions[1]


@pytest.mark.parametrize("char", ["\u202e", "\u200b", "\x1b", "\r", "\n", "\u2066", "\x00", "\ufeff"])
def test_what_acts_on_other_text_is_made_visible_in_the_question(char):
    words = call_words("drop", {"table": f"a{char}b"})
    assert char not in words
    assert "\\" in words


def test_keys_are_hidden_in_questions_arguments_and_results():
    def leak(table: str) -> str:
        "Leak."
        return f"key is sk-1 and {table}"

    user = User("y")
    done = box(user, None, leak, hide=lambda text: text.replace("sk-1", "…")).run(
        call("leak", '{"table": "sk-1"}'), doubted=False
    )
    assert "sk-1" not in str(done) + str(user.questions)


def test_keys_are_hidden_in_a_call_that_has_not_returned():
    begun = box(hide=lambda text: text.replace("sk-1", "…")).begun(call(arguments='{"table": "sk-1"}'))
    assert (begun.arguments, begun.status) == ('{"table": "…"}', "interrupted")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{", "Invalid JSON"),
        ("[]", "object"),
        ('{"table": 1}', "string"),
        ("{}", "required"),
        ('{"table": "a", "x": 1}', "x"),
    ],
)
def test_arguments_that_do_not_fit_are_told_and_nothing_is_asked_or_run(arguments, said):
    user = User()
    done = box(user).run(call(arguments=arguments), doubted=False)
    assert (done.status, user.questions, RAN) == ("invalid", [], [])
    assert said in done.result


def test_a_name_that_was_not_offered_is_unknown_whatever_the_process_has():
    done = box().run(call("eval", '{"x": "1"}'), doubted=False)
    assert (done.status, done.result) == ("unknown", "No tool is called 'eval'. There are: drop, look.")


def test_only_a_no_holds_for_the_same_call():
    user = User("n", "y")
    one = box(user)
    assert one.run(call(), doubted=False).status == "denied"
    assert one.run(call(), doubted=False).status == "denied"
    assert one.run(call(arguments='{"table": "b"}'), doubted=False).status == "ok"
    assert len(user.questions) == 2


def test_a_function_that_ends_the_process_does_not():
    def leave(table: str) -> str:
        "Leave."
        raise SystemExit(3)

    done = box(User("y"), None, leave).run(call("leave"), doubted=False)
    assert (done.status, done.result) == ("error", "SystemExit: 3")


def test_an_interrupt_passes():
    def stuck(table: str) -> str:
        "Hang."
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        box(User("y"), None, stuck).run(call("stuck"), doubted=False)


def test_two_tools_of_one_name_are_an_error():
    other = tool(look.function, name="drop")
    with pytest.raises(ToolError, match="two tools are called 'drop'"):
        box(None, None, drop, other)


def test_where_nobody_is_there_only_what_would_ask_is_named():
    with pytest.raises(ConsentMissing, match="before drop runs; nothing was sent"):
        box().check(doubted=False)
    Toolbox([look], Consent()).check(doubted=False)


def test_the_arguments_of_a_question_may_be_no_json():
    @tool
    def when(day: object) -> str:
        "When."
        return ""

    assert ask(when, {"day": {1, 2}}, User("y")).answer == "yes"
