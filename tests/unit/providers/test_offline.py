"""The offline model."""

import pytest

from robota_nb.core.ports import Finish, Request, Usage
from robota_nb.providers.offline import OfflineProvider
from support.provider import answer, said


class TestOffline:
    def talk(self, *prompts, **params):
        messages = [{"role": "system", "content": "be brief"}]
        for prompt in prompts:
            messages += [{"role": "user", "content": prompt}, {"role": "assistant", "content": "…"}]
        return answer(OfflineProvider(), Request(model="", messages=messages[:-1], params=params))

    def test_it_says_what_it_is_and_how_to_connect_a_model(self):
        text, finish = self.talk("hello there")
        assert "offline model" in text
        assert "OPENAI_API_KEY" in text
        assert "c.RobotaMagics.endpoints" in text
        assert "```text\nhello there\n```" in text
        assert "2 words, no earlier turn of this chat" in text
        words = len(text.split())
        assert finish == Finish(reason="stop", model="offline", usage=Usage(input_tokens=4, output_tokens=words))

    def test_it_is_a_function_of_the_request(self):
        assert self.talk("a", "b") == self.talk("a", "b")
        assert "1 word, 1 earlier turn of" in self.talk("a", "b")[0]
        assert "OPENAI_API_KEY" not in self.talk("a", "b")[0]

    def test_it_remembers_the_first_prompt(self):
        assert "my name is Ada" in self.talk("my name is Ada", "x", "What did I say first?")[0]

    @pytest.mark.parametrize(
        ("prompt", "result"),
        [("2+2", "4"), ("What is (2 + 3) * 4.5 / 7?", "3.21428571428571"), ("-7 * 6 =", "-42"), ("1/4", "0.25")],
    )
    def test_it_can_do_sums(self, prompt, result):
        assert f"is **{result}**" in self.talk(prompt)[0]

    @pytest.mark.parametrize(
        "prompt",
        ["1/0", "((((((1", "9**9**9", "1(2)", "7//2", "1 2", "0777", "1" * 100_000 + "x", "(" * 90 + "1", "9" * 99],
    )
    def test_what_is_no_sum_is_quoted(self, prompt):
        text, _ = self.talk(prompt)
        assert f"```text\n{prompt[:600]}" in text or "is **9" in text

    def test_quoted_text_cannot_break_out(self):
        text, _ = self.talk("a\n```\n<script>\n`````\x1b[2J")
        assert "``````text\na\n```\n<script>\n`````[2J\n``````" in text

    def test_max_tokens_cuts_it(self):
        text, finish = self.talk("hi", max_tokens=3)
        assert (text, finish.reason, finish.usage.output_tokens) == ("You said:\n\n```text", "length", 3)

    def test_pictures_and_nothing(self):
        content = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:"}}]
        assert "look" in said(
            OfflineProvider().stream(Request(model="", messages=[{"role": "user", "content": content}]))
        )
        assert "You said nothing" in self.talk("  ")[0]
