"""What a view offers to choose from, and what comes of it."""

import pytest

from robota_nb.core.events import Notice
from robota_nb.core.inside import runtime_of
from support.core import scripted
from support.hub import Reader, hub_of


@pytest.fixture
def told():
    """A view of a chat with a turn in it, and its host."""
    manager = scripted("the answer is 42", "again", "and again")
    chat = manager.create_session(name="S").create_chat("A")
    chat.send("what is the Question?")
    hub = hub_of(manager)
    yield Reader(hub).fence(), hub._host, chat
    hub.close()


def test_the_settings_of_a_chat_come_with_what_may_be_chosen(told):
    reader, host, chat = told
    chat.configure(model="m-1", system="Be brief.", temperature=0.2)
    host.presets = {"reviewer": {"model": "m-2"}}
    assert reader.do("chat.settings", chat=chat.id)["settings"] == {
        "provider": chat.config.provider, "model": "m-1", "system": "Be brief.", "params": {"temperature": "0.2"},
        "endpoints": ["scripted"], "presets": ["reviewer"],
    }  # fmt: skip


def test_the_models_of_an_endpoint_are_those_that_it_lists_and_nobody_is_asked_where_replay_is_strict(told):
    reader, host, _ = told
    assert reader.do("models", provider="scripted")["models"] == ["m-1", "m-2"]
    runtime_of(host.manager).mode = "strict"
    assert reader.do("models", provider="scripted")["models"] == []


def test_a_preset_is_set_as_what_it_says_and_what_is_given_beside_it_counts(told):
    reader, host, chat = told
    host.presets = {"reviewer": {"model": "m-2", "system": "Judge.", "params": {"temperature": 0.5}}}
    reader.do("chat.set", chat=chat.id, preset="reviewer", system="Judge kindly.", params={"top_p": "0.1"})
    config = chat.config
    assert (config.model, config.system) == ("m-2", "Judge kindly.")
    assert dict(config.params) == {"temperature": "0.5", "top_p": "0.1"}
    reader.do("chat.set", chat=chat.id, params={"temperature": ""})
    assert dict(chat.config.params) == {"top_p": "0.1"}


@pytest.mark.parametrize(
    ("args", "said"),
    [({"preset": "reviewr"}, "no preset 'reviewr'"), ({"params": {"temperature": "hot"}}, "temperature")],
    ids=["preset", "parameter"],
)
def test_what_cannot_be_set_is_refused(told, args, said):
    reader, _, chat = told
    assert said in reader.refused("chat.set", chat=chat.id, **args)


def test_names_are_offered_within_braces_with_what_they_are(told):
    reader, host, _ = told
    host.variables = {"frame": [1, 2], "fruit": 1.5, "other": None}
    offered = reader.do("complete", text="see {{ fr")
    assert offered["word"] == "fr"
    assert offered["offers"] == [
        {"text": "frame", "type": "variable", "about": "list, length 2"},
        {"text": "fruit", "type": "variable", "about": "float"},
    ]
    assert reader.do("complete", text="see fr")["offers"] == []


def test_a_variable_that_cannot_be_asked_is_offered_all_the_same(told):
    class Broken:
        def __len__(self):
            raise RuntimeError("no connection")

    reader, host, _ = told
    host.variables = {"broken": Broken()}
    assert reader.do("complete", text="{{ br")["offers"] == [{"text": "broken", "type": "variable", "about": ""}]


def test_what_would_be_sent_can_be_looked_at_and_nothing_is_asked(told):
    reader, host, chat = told
    host.namespace = {"n": 7}
    draft = reader.do("preview", chat=chat.id, text="see {{ n }}", fields=True)["draft"]
    assert (draft["text"], draft["messages"], draft["pictures"]) == ("see 7", 3, 0)
    assert draft["size"] > len("what is the Question?") + len("the answer is 42") + len("see 7")
    assert len(chat.turns) == 1
    assert reader.do("preview", text="first", fields=True)["draft"]["messages"] == 1


def test_what_was_filled_in_is_what_is_asked_and_recorded(told):
    reader, host, chat = told
    host.namespace = {"n": 7}
    reader.do("ask", chat=chat.id, text="see {{ n }}", fields=True, attached=[{"kind": "variable", "name": "n"}])
    assert chat.turns[-1].prompt.content == "see 7\n\n`n`:\n\nint\n\n7"


def test_variables_that_are_looked_at_while_a_cell_runs_are_told_to_be_as_they_were(told):
    reader, host, chat = told
    host.namespace, host.running_number = {"n": 7}, 3
    heard = []
    runtime_of(host.manager).subscribe(lambda event: heard.append(event) if isinstance(event, Notice) else None)
    reader.do("ask", chat=chat.id, text="no field", fields=True)
    assert heard == []
    reader.do("ask", chat=chat.id, text="see {{ n }}", fields=True)
    assert [str(one) for one in heard] == ["the variables were sent as they were while cell [3] ran"]


def test_a_search_finds_turns_and_says_where_they_are(told):
    reader, _, chat = told
    found = reader.do("search", text="question")
    assert found["more"] == 0
    (hit,) = found["hits"]
    assert (hit["chat"], hit["session"], hit["turn"]) == (chat.id, chat.session.id, chat.turns[0].id)
    assert (hit["name"], hit["number"], hit["deleted"], hit["notebook"]) == ("A", 1, False, "")
    assert "Question" in hit["text"]
    chat.undo()
    assert reader.do("search", text="question")["hits"][0]["number"] == 0


def test_a_chat_without_a_name_is_called_by_its_first_question(told):
    reader, _, chat = told
    unnamed = chat.session.create_chat()
    unnamed.send("**How** do I\ngroup?")
    unnamed.send("and then?")
    row = reader.fence().chats[unnamed.id]
    assert (row["name"], row["title"]) == (unnamed.name, "How do I group?")
    assert reader.chats[chat.id]["title"] == ""
    assert row["at"].startswith("20")


def test_a_fork_says_what_it_came_from(told):
    reader, _, chat = told
    fork = chat.fork("B")
    assert reader.fence().chats[fork.id]["origin"] == chat.id
    assert reader.chats[chat.id]["origin"] == ""
