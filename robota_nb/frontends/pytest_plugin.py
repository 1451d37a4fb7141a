"""The pytest plugin: under ``pytest --nbval``, a notebook with conversations resumes and replays, strictly.

It plays the front end's part for nbval's kernels. ``ROBOTA_NB_REPLAY`` sets another mode.
"""

from __future__ import annotations

import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from robota_nb.carriers.messages import Open, Sources

_TOLD = pytest.StashKey[object]()
"""The kernel client that was told of its notebook."""


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tell a kernel that nbval has just started of the notebook it is for; and before a cell runs, what goes along."""
    parent: Any = item.parent
    client = getattr(getattr(parent, "kernel", None), "kc", None)
    if client is None or type(item).__name__ != "IPyNbCell":
        return
    if parent.stash.get(_TOLD, None) is not client:
        parent.stash[_TOLD] = client
        _tell(client, _opening(parent))
    cell: Any = getattr(item, "cell", None)
    if cell is not None and (message := _sources(parent, cell)):
        _tell(client, message)


def _opening(parent: Any) -> Open:
    from robota_nb.core.record.snapshot import KEY
    from robota_nb.frontends.headless import FrontEnd

    notebook = deepcopy(parent.nb)  # nbval compares with its own, as it is in the file
    front = FrontEnd(notebook, parent.path)
    front.replay = os.environ.get("ROBOTA_NB_REPLAY") or ("strict" if KEY in notebook.metadata else None)
    message = front.opening()
    del message["path"]  # a test sees the file, and nothing of what this user has left in the store
    return message


def _sources(parent: Any, cell: Any) -> Sources | None:
    from robota_nb.frontends.cells import told_of

    return told_of(parent.nb, cell)  # with the outputs as the file has them: nbval puts its own nowhere


def _tell(client: Any, message: Open | Sources) -> None:
    from robota_nb.frontends.headless import requests

    number = ""
    for request in requests(client.session, message):
        client.shell_channel.send(request)
        number = request["header"]["msg_id"]
    # nbval reads its own answers by their request, and skips ours; this waits until the kernel is ready.
    while client.get_iopub_msg(timeout=60)["parent_header"].get("msg_id") != number:
        pass
