"""A cell that is made of a prompt says exactly that prompt, to exactly that chat."""

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from robota_nb.errors import PromptError
from robota_nb.magics.parser import parse_cell
from robota_nb.prompt.made import ask_cell

PIECES = st.sampled_from([
    "{{ x }}", "{{", "{x}", "$x", "%%robota --chat Other", "--raw", "--chat", "#| echo: false", "# %%", "#@ x", "!ls",
    "?", "'", '"', "\\", "\n", "\n\n", " ", "\t", "%", "`", "```", "日本", "\u202e", "\U0001f600", "#", ";", "=", "-",
    "word", ">>> x", "... y", "...: z", "In [1]: x",
])  # fmt: skip
PROMPTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join))
NAMES = st.one_of(st.text("ab\"'\\-#= {}$%!?/.:한", min_size=1, max_size=12), st.just("Desk")).filter(
    lambda name: name == " ".join(name.split())  # as the names of chats are
)


def read(source):
    """What a cell says, as IPython hands it to the magic, and that reads it."""
    (called,) = ast.parse(TransformerManager().transform_cell(source)).body
    name, line, body = map(ast.literal_eval, called.value.args)
    assert name == "robota"
    return parse_cell(line, body).args


@given(PROMPTS, NAMES, NAMES)
@example("\n\n  #| echo: false\nlast\n\n", 'a "b" \\ c', "-x")
@example("%%robota\n--chat Other", "it's", "--at 0")
@example("why {{ x }}?", "# no comment", "a#b")
@example("hello", "Desk", "--")
@example("hello", "--", "")
def test_a_made_cell_says_the_prompt_and_the_chat_or_is_refused(prompt, chat, session):
    try:
        source = ask_cell(prompt, chat=chat, session=session)
    except PromptError as refused:
        assert "copy the prompt" in str(refused)
        return
    said = read(source)
    assert said["text"] == prompt
    assert (said["chat"], said["session"]) == (chat, session)
    assert said["raw"] == ("{{" in prompt)
    assert {name for name, value in said.items() if value and name not in ("text", "chat", "session", "raw")} == set()


@pytest.mark.parametrize(
    "prompt", ["#| echo: false\nhi", "# %% x", "#@param\nhi", "a\rb", "a\0b", " \n", "", ">>> x", "a\n  \nb"]
)
def test_what_a_cell_cannot_say_is_refused(prompt):
    with pytest.raises(PromptError):
        ask_cell(prompt, chat="Desk")
