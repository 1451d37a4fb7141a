"""Whatever was done to a chat: it sends all of its turns, or a summary and the rest, and loses no prompt."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from robota_nb.core.ports import Finish, TextDelta
from support.core import Echo, new_manager

STEPS = st.one_of(
    st.tuples(st.just("send"), st.just(0)),
    st.tuples(st.sampled_from(["edit", "purge", "checkout", "fork", "compact"]), st.integers(0, 5)),
    st.tuples(st.sampled_from(["undo", "redo", "clear", "compact_undo", "back"]), st.just(0)),
)


class Repeating(Echo):
    """A model whose summaries repeat all that they sum up: what was removed is in none that is sent."""

    def stream(self, request):
        self.requests.append(request)
        text = " ".join(str(message["content"]) for message in request.messages)
        yield TextDelta(f"SUMMARY {text}" if request.messages[-1]["content"].startswith("Sum up") else "re")
        yield Finish(reason="stop", model="m")


class History:
    """A session with chats to which things are done at random."""

    def __init__(self):
        self.session = new_manager(providers=Repeating(), max_chats=0).create_session("u", "S")
        self.chat = self.session.create_chat("A")
        self.asked, self.removed = 0, set()

    def do(self, what, at):
        turns = self.chat.turns
        number = at % len(turns) + 1 if turns else 0
        match what:
            case "send":
                self.chat.send(self.prompt())
            case "edit" if turns:
                self.chat.edit(number, self.prompt())
            case "purge" if turns:
                self.removed.add(turns[number - 1].prompt.content)
                self.chat.purge(number)
            case "checkout" if self.chat.branches:
                self.chat.checkout(at % len(self.chat.branches) + 1)
            case "fork":
                self.chat = self.chat.fork(f"F{self.asked}-{len(self.session.chats)}", min(at, len(turns)))
            case "compact":
                self.chat.compact(keep=at % 3)
            case "back":
                self.chat = self.session.switch_to("A")
            case "undo" | "redo" | "clear" | "compact_undo":
                getattr(self.chat, what)()

    def prompt(self):
        self.asked += 1
        return f"<{self.asked}>"

    def check(self):
        prompts = [turn.prompt.content for turn in self.chat.turns if turn.prompt.content]
        preview = self.chat.preview("next")
        sent = [message["content"] for message in preview.request.messages]
        roles = [message["role"] for message in preview.request.messages]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
        assert not [text for text in self.removed - {""} if text in str(sent)]
        if preview.summary is None:
            assert sent == [text for prompt in prompts for text in (prompt, "re")] + ["next"]
            return
        summed = [turn.prompt.content for turn in self.chat.turns[: preview.summary.turns] if turn.prompt.content]
        assert [line.partition("] ")[2] for line in sent[0].split("\n\n")[1:]] == summed
        assert sent[1].endswith(preview.summary.text)
        assert set(re.findall(r"<\d+>", preview.summary.text)) == set(summed)  # it is of what is here
        assert sent[2:-1:2] == prompts[len(summed) :]


@settings(max_examples=100, deadline=None)
@example([("compact", 0), ("edit", 0), ("send", 0), ("send", 0)])
@given(st.lists(STEPS, max_size=25))
def test_all_is_sent_or_a_summary_and_the_rest_and_no_prompt_is_lost(steps):
    history = History()
    for text in range(3):
        history.do("send", text)
    for step in steps:
        history.do(*step)
        history.check()
