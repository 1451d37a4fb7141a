"""A question about the last error, in a real kernel: where no front end has a button for it."""


def put_below(kernel, code, cell):
    """What a cell says, and the cells that it puts below."""
    said = kernel.begin(code, cell).finish()
    return said.text, [p["text"] for p in said.reply["payload"] if p["source"] == "set_next_input"]


def test_fix_puts_a_cell_below_that_asks_about_the_last_error(kernel, server):
    said, cells = put_below(kernel, "%robota fix", "cell-0")
    assert "there is no error to ask about" in said
    assert cells == []

    kernel.ok("total, nothing = 7, 0", "cell-1")
    fails = "%matplotlib --list\nhalf = total / nothing"
    assert kernel.run(fails, "cell-2").error["ename"] == "ZeroDivisionError"
    _, (cell,) = put_below(kernel, "%robota fix", "cell-3")
    assert f"```python\n{fails}\n```" in cell
    assert cell.endswith("total: {{ total | describe }}\n\nnothing: {{ nothing | describe }}")
    assert server.requests == []

    kernel.ok(cell, "cell-4")
    sent = server.requests[-1]["messages"][-1]["content"]
    assert "ZeroDivisionError: division by zero" in sent
    assert "total: int" in sent

    assert kernel.run("x = (", "cell-5").error["ename"] == "SyntaxError"
    _, (cell,) = put_below(kernel, "%robota fix", "cell-6")
    assert "```python\nx = (\n```" in cell

    assert kernel.run("%robota chat open", "cell-7").error["ename"] == "CommandError"
    said, cells = put_below(kernel, "%robota fix", "cell-8")
    assert "there is no error to ask about" in said
    assert cells == []
