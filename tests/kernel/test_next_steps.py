"""What an error tells its user to do can be done: each step that is a command is run, in a real kernel."""

import re

import pytest

FAULTS = {
    "too long": (400, "maximum context length is 8 tokens"),
    "quota": (402, "Insufficient Balance"),
    "a long answer": (400, "max_tokens is too large: 5000"),
    "model": (404, "The model `m` does not exist"),
    "pictures": (400, "m is not a multimodal model"),
}
COMMAND = re.compile(
    r"(?:%robota|or) ((?:chat|endpoint|session) [a-z]+(?: --?[a-z]+| [A-Z]+\b| \d+| [a-z_]+=[A-Za-z]+)*)"
)
WORDS = {
    "NAME": "copy",
    "max_tokens=NUMBER": "max_tokens=9",
    "model=NAME": "model=m",
    "provider=NAME": "provider=openai",
}
WHOLE = {"chat fork --at": "chat fork copy --at 1"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="


def commands(text):
    """The commands in a text, as a user would fill them in."""
    for found in COMMAND.finditer(text):
        said = WHOLE.get(found.group(1), found.group(1))
        yield "%robota " + " ".join(WORDS.get(word, word) for word in said.split())


@pytest.mark.parametrize("fault", FAULTS)
def test_each_step_that_is_a_command_can_be_run(kernel, server, fault):
    status, message = FAULTS[fault]
    kernel.ok(f"%robota new {fault!r}")
    kernel.ok("%%robota\none")
    if fault == "pictures":
        kernel.ok(f"from base64 import b64decode\npicture = b64decode({PNG!r})")
        kernel.ok("%%robota --image picture\nwhat is it?")
    server.fail(status, {"error": {"message": message}})
    told = kernel.run("%%robota\ntwo").error["evalue"]
    steps = list(commands(told.partition(" (it said:")[0]))
    assert steps
    assert len(told) < 500
    assert message in told
    for step in steps:
        kernel.ok(step)
        kernel.ok(f"%robota switch {fault!r}")


def test_a_setting_that_a_model_does_not_take_is_told_beside_the_answer(kernel, server):
    kernel.ok("%robota new spare")
    server.fail(400, {"error": {"message": "'temperature' is not supported with this model", "param": "temperature"}})
    cell = kernel.ok("%%robota --set temperature=0.2\nhi")
    assert "temperature" not in "".join(cell.shown)
    assert "takes no temperature: asked again without it" in kernel.ok("%robota").text
