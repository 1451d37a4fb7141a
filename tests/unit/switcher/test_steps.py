"""What views are told of the tools that a model has called."""

from robota_nb.core.inside import runtime_of
from robota_nb.core.ports import Call, Finish, ToolCall, ToolSpec
from robota_nb.switcher import rows
from support.core import scripted


class Box:
    specs = (ToolSpec(name="rows"),)
    sources = {}

    def is_safe(self, name):
        return True

    def check(self, *, doubted):
        """Anybody may be asked."""

    def begun(self, call):
        return Call(id=call.id, name=call.name, arguments=call.arguments)

    def run(self, call, *, doubted):
        return Call(id=call.id, name=call.name, arguments=call.arguments, result="x" * 5000, status="ok", by="safe")


def test_a_turn_s_row_has_its_steps_with_long_texts_cut():
    call = ToolCall(id="a", name="rows", arguments='{"table": "x"}')
    manager = scripted(["Let me look.", call, Finish(reason="stop")], ["Done.", Finish(reason="stop")], ["plain"])
    runtime_of(manager).make_toolbox = lambda _: Box()
    chat = manager.create_session("u").create_chat("A")
    chat.send("go", tools=[print])
    chat.send("and now?")
    with_steps, plain = [rows.turn(chat.session, shown) for shown in rows.path(chat)]
    assert with_steps["reply"] == "Done."
    assert with_steps["steps"] == [
        {
            "text": "Let me look.",
            "calls": [{"name": "rows", "arguments": '{"table": "x"}', "status": "ok", "result": "x" * rows.CALL}],
            "problem": "",
        }
    ]
    assert "steps" not in plain
