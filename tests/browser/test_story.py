"""One story in a real JupyterLab, which the fast suite has, too: ask, look around, save, come back, ask nothing."""

from support.notebook import answers
from support.switcher import Switcher, notebook

ASKS = ["%robota new Left", "%%robota\nl1", "%robota new Right", "%%robota\nr1"]


def test_what_was_asked_and_saved_replays_after_a_restart_and_the_switcher_shows_it(opened, work, server):
    page = opened(notebook(work, *ASKS))
    page.run()
    switcher = Switcher(page.page).ready()
    switcher.lists("Right", "Left")
    switcher.says("r1", "2: r1")
    switcher.choose("Left")
    switcher.says("l1", "1: l1")
    page.save()
    page.close()
    page.jupyter.end_kernels()
    server.requests.clear()
    page = opened(page.path)
    page.restart_and_run_all()
    Switcher(page.page).ready().says("r1", "2: r1")
    page.save()
    assert answers(page.path) == ["1: l1", "2: r1"]
    assert server.requests == []
