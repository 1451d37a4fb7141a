"""What the headless client hears and says beside the cells it runs."""

import pytest

from robota_nb.errors import SnapshotError
from robota_nb.frontends import headless
from support.notebook import answers, command, limited, outputs, run, write

pytestmark = pytest.mark.slow("starts a kernel for each test, and lets cells take too long")

LOAD = "%load_ext robota_nb"
LONG = "word " * 20_000
"""An answer whose entry comes in parts, half a second apart, while the next cells run."""

UNTIL_IDLE = "import threading; threading.Event().wait(2)"


def test_a_long_answer_is_heard_while_another_cell_runs(connected, server):
    server.chunks = [LONG]
    path = write(connected / "long.ipynb", LOAD, "%%robota\none", UNTIL_IDLE, "%%robota\ntwo")
    run(path)
    assert "verified: 1 session, 2 turns" in command("verify", path).output


def test_after_a_cell_that_took_too_long_the_kernel_is_heard_out(connected, server):
    path = write(connected / "slow.ipynb", LOAD, "%%robota\none", "import threading; threading.Event().wait(600)")
    with pytest.raises(headless.Failure, match="longer than 2 s") as failed:
        headless.run(path, timeout_func=limited(2, "wait(600)"))
    assert failed.value.front.requests == 1
    assert outputs(path)[2][0]["ename"] == "KeyboardInterrupt"


STAY_ABORTING = """
kernel = get_ipython().kernel
kernel.stop_on_error_timeout = 60.0  # of old kernels
kernel._post_dummy_stop_aborting_message = lambda *_: None  # of new ones
"""
"""After an error a kernel aborts the requests that wait; this has it go on with that."""


def test_a_kernel_that_aborts_requests_after_a_failure_is_heard_out(connected, server):
    path = write(connected / "fails.ipynb", LOAD, "%%robota\none", STAY_ABORTING, "1 / 0")
    with pytest.raises(headless.Failure, match="ZeroDivisionError") as failed:
        run(path)
    assert failed.value.front.requests == 1


def test_an_answer_that_took_too_long_is_kept_as_far_as_it_came(connected, server):
    import threading

    server.chunks, server.gate = ["begun ", "never said"], threading.Event()
    path = write(connected / "slow.ipynb", LOAD, "%%robota\none")
    with pytest.raises(headless.Failure, match="longer than 10 s"):
        headless.run(path, timeout_func=limited(10, "one"))  # within which a busy machine, too, has begun
    server.gate.set()
    assert "1 turn" in command("verify", path).output
    assert "begun" in answers(path)[0]


def test_a_kernel_whose_notebook_cannot_be_written_ends_all_the_same(connected, server, monkeypatch):
    ended = []
    cleanup = headless.NotebookClient._async_cleanup_kernel

    async def note(client):
        manager = client.km
        await cleanup(client)
        ended.append(not await manager.is_alive())

    monkeypatch.setattr(headless.NotebookClient, "_async_cleanup_kernel", note)
    (connected / "there").mkdir()
    path = write(connected / "there" / "gone.ipynb", LOAD, "import shutil, os; shutil.rmtree(os.getcwd())")
    with pytest.raises(headless.SnapshotError):
        run(path)
    assert ended == [True]


def test_after_a_run_that_could_not_be_written_ctrl_c_works_as_before(connected, server, monkeypatch):
    import signal

    before = signal.getsignal(signal.SIGINT)
    path = write(connected / "gone.ipynb", LOAD)
    monkeypatch.setattr(headless.file, "write_notebook", lambda *_: (_ for _ in ()).throw(SnapshotError("disk full")))
    with pytest.raises(SnapshotError, match="disk full"):
        run(path)
    assert signal.getsignal(signal.SIGINT) is before


DIES_AT_FIRST = """
import os, pathlib, sys
if "ipykernel_launcher" in " ".join(sys.orig_argv) and len(list(pathlib.Path(os.environ["DEATHS"]).iterdir())) < {}:
    pathlib.Path(os.environ["DEATHS"], str(os.getpid())).touch()
    os._exit(1)
"""
"""As when another process has taken a port that the kernel was told to listen on."""


@pytest.mark.parametrize("deaths", [2, 3])
def test_a_kernel_that_dies_before_its_first_word_is_started_again_but_not_for_ever(
    connected, server, monkeypatch, deaths
):
    for name in ("site", "deaths"):
        (connected / name).mkdir()
    (connected / "site" / "sitecustomize.py").write_text(DIES_AT_FIRST.format(deaths))
    monkeypatch.setenv("PYTHONPATH", str(connected / "site"))
    monkeypatch.setenv("DEATHS", str(connected / "deaths"))
    path = write(connected / "n.ipynb", LOAD, "%%robota\none")
    before = path.read_bytes()
    if deaths < headless.STARTS:
        run(path)
        assert len(answers(path)) == 1
    else:
        with pytest.raises(headless.Failure, match="the kernel died as it started"):
            run(path)
        assert path.read_bytes() == before
    assert len(list((connected / "deaths").iterdir())) == min(deaths, headless.STARTS)
