"""Where outputs go, and whether an update would find them there: told by a shell that has what IPython's have."""

from types import SimpleNamespace

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher, DisplayPublisher

from robota_nb.display.place import place

ZMQDisplayPublisher = pytest.importorskip("ipykernel.zmqshell").ZMQDisplayPublisher
Output = pytest.importorskip("ipywidgets").Output


def shell(publisher=None, request="m1"):
    if publisher is None:
        publisher = ZMQDisplayPublisher()
        publisher.set_parent({"header": {"msg_id": request}})
    return SimpleNamespace(display_pub=publisher, display_pub_class=ZMQDisplayPublisher)


def test_the_outputs_of_the_request_that_is_executed_follow_updates_and_no_others():
    here = place(shell())
    assert here.follows_updates("m1")
    assert not here.follows_updates("m2")  # a thread of a cell that has ended
    assert not here.follows_updates(None)  # a callback


def test_what_a_widget_catches_stays_as_it_was():
    out = Output()
    out.msg_id = "m1"
    try:
        assert not place(shell()).follows_updates("m1")
        assert place(shell(request="m2")).follows_updates("m2")
        assert place(shell()) != place(shell(request="m2"))
    finally:
        out.close()
    assert place(shell()).follows_updates("m1")


def test_whatever_stands_in_for_the_kernel_s_publisher_keeps_each_update():
    class Keeper(DisplayPublisher):
        pass

    for publisher in (CapturingDisplayPublisher(), Keeper()):
        assert not place(shell(publisher)).follows_updates("")


def test_the_same_place_is_equal_and_another_capture_is_another_place():
    of = shell(CapturingDisplayPublisher())
    assert place(of) == place(of)
    assert place(of) != place(shell(CapturingDisplayPublisher()))
