"""Many threads that click and ask at once: nothing is lost, nothing is done twice, and all views agree."""

import threading
from collections import Counter

from robota_nb.core.inside import runtime_of
from robota_nb.errors import ChatBusy
from support.core import Echo, new_manager
from support.hub import PATIENCE, Reader, agree, hub_of
from support.threads import together

CHATS, THREADS, ROUNDS = 5, 20, 12


def patient(manager, chat, ask):
    """Ask as soon as the chat is free."""
    while True:
        try:
            return ask()
        except ChatBusy:
            with runtime_of(manager).lock:
                assert runtime_of(manager).lock.wait_for(lambda: chat.id not in runtime_of(manager).running, PATIENCE)


def test_20_threads_that_click_and_ask_in_5_chats_while_others_stream_and_use_the_api(hasty):  # noqa: PLR0915
    manager = new_manager()
    session = manager.create_session(name="S")
    chats = [session.create_chat(f"chat {at}") for at in range(CHATS)]
    hub = hub_of(manager)
    views = [Reader(hub), Reader(hub)]
    accepted, refused, made = {}, Counter(), {}
    lock, start = threading.Lock(), threading.Barrier(THREADS + 2)

    def click(n):
        view = views[n % 2]
        for at in range(ROUNDS):
            chat = chats[(n + at) % CHATS]
            view.do("chat.switch", chat=chat.id)
            prompt = f"{n} {at}"
            answer = view.answer(view.ask("ask", chat=chat.id, text=prompt))
            with lock:
                if "turn" in answer:
                    accepted[answer["turn"]] = (chat.id, prompt)
                else:
                    refused[answer["error"].partition("'")[0]] += 1

    def stream():
        for at in range(ROUNDS):
            chat = chats[at % CHATS]

            def whole(chat=chat, at=at):
                live = chat.stream(f"stream {at}")
                text = "".join(live)
                assert live.turn.text == text == f"re: stream {at}"
                return live.turn

            turn = patient(manager, chat, whole)
            with lock:
                made[turn.id] = (chat.id, f"stream {at}")

    def api():
        for at in range(ROUNDS):
            chat = chats[at % CHATS]
            turn = patient(manager, chat, lambda chat=chat, at=at: chat.send(f"api {at}"))
            chat.rename(f"renamed {at}")
            session.create_chat(f"side {at}")
            session.switch_to(chat.id)
            manager.flush()
            with lock:
                made[turn.id] = (chat.id, f"api {at}")

    def work(n):
        start.wait(PATIENCE)
        {THREADS: stream, THREADS + 1: api}.get(n, lambda: click(n))()

    together(work, THREADS + 2)
    agree(manager, *views)
    assert sum(refused.values()) + len(accepted) == THREADS * ROUNDS  # every ask was answered, once
    assert set(refused) <= {"a turn is running in "}
    assert len(made) == 2 * ROUNDS
    assert accepted
    asked = {turn.id: (chat.id, turn.prompt.content) for chat in chats for turn in chat.turns}
    assert asked == accepted | made  # none lost, none without an answer
    assert sum(len(chat.turns) for chat in chats) == len(asked)  # none twice
    assert len(runtime_of(manager).providers.requests) == len(asked)
    for chat in chats:
        prompts = [turn.prompt.content for turn in chat.turns]
        for who in {prompt.split()[0] for prompt in prompts}:
            mine = [int(prompt.split()[1]) for prompt in prompts if prompt.split()[0] == who]
            assert mine == sorted(mine)  # in the order in which each has asked
    for view in views:
        mine = [message["id"] for message in view.of("answer")]
        assert len(mine) == len(set(mine))
    hub.close()


def test_of_many_views_that_ask_the_same_chat_at_once_one_is_answered_and_the_others_are_told_why(hasty):
    meeting = threading.Event()

    class Waiting(Echo):
        def stream(self, request):
            assert meeting.wait(PATIENCE)
            yield from super().stream(request)

    manager = new_manager(providers=Waiting())
    chat = manager.create_session().create_chat()
    hub = hub_of(manager)
    views = [Reader(hub, hello=False) for _ in range(5)]
    for view in views:
        view.heard = views[0].heard  # what one hears, all look at
        view.say(op="hello")
    numbers = [view.ask("ask", chat=chat.id, text=f"view {at}") for at, view in enumerate(views)]

    def refusals():
        return [answer["error"] for view in views for answer in view.answers.values()]

    views[0].until(lambda: len(refusals()) == len(views) - 1)
    assert all("a turn is running in" in error for error in refusals())
    meeting.set()
    answers = [view.answer(number) for view, number in zip(views, numbers, strict=True)]
    assert sum("turn" in answer for answer in answers) == 1
    assert len(chat.turns) == len(runtime_of(manager).providers.requests) == 1
    agree(manager, *views)
    hub.close()


def test_views_that_come_and_go_in_many_threads_leave_nothing_behind(hasty):
    manager = new_manager()
    chat = manager.create_session().create_chat("A")
    hub = hub_of(manager)

    def come_and_go(n):
        for _ in range(10):
            reader = Reader(hub)
            try:
                reader.until(lambda: reader.closed or reader.shown == chat.id)
            finally:
                reader.leave()

    def talk(n):
        for at in range(20):
            patient(manager, chat, lambda at=at: chat.send(f"{n} {at}"))

    together(lambda n: talk(n) if n < 2 else come_and_go(n), 8)
    assert len(chat.turns) == 40
    thread = hub._thread
    if thread:
        thread.join(PATIENCE)
    assert hub._thread is None
    assert hub._views == []
    assert runtime_of(manager)._subscribers == []
    agree(manager, Reader(hub))
    hub.close()


def test_a_click_while_the_last_view_leaves_is_done_and_harms_nobody(hasty):
    manager = new_manager()
    manager.create_session()
    hub = hub_of(manager)

    def work(n):
        for _ in range(10):
            reader = Reader(hub)
            reader.ask("chat.new")
            reader.leave()

    runtime_of(manager).limits.max_chats = 0
    together(work, 4)
    assert len(manager.active_session().chats) == 40
    agree(manager, Reader(hub))
    hub.close()
