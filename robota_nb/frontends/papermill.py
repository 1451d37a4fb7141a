"""The papermill engine: under ``papermill --engine robota_nb``, conversations resume, replay, and are kept.

The snapshot of the input resumes before the first cell, and what happened is in the output, also if a cell fails.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from papermill.iorw import LocalHandler, papermill_io
from papermill.log import logger

from robota_nb.carriers import output
from robota_nb.errors import SnapshotError
from robota_nb.frontends.headless import FrontEnd, RobotaClient

if TYPE_CHECKING:
    from nbformat import NotebookNode


class RobotaEngine(NBClientEngine):  # type: ignore[misc] # papermill has no types
    """Runs a notebook as papermill's own engine does, with the front end's part played."""

    @classmethod
    def execute_notebook(cls, nb: NotebookNode, *args: Any, **kwargs: Any) -> Any:
        """Run a notebook; what rides in its outputs is settled first, because papermill clears them."""
        with suppress(SnapshotError):  # the kernel will say what is wrong with it
            output.settle(nb)
        return super().execute_notebook(nb, *args, **kwargs)

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        timeout: int | None = None,
        **options: Any,
    ) -> Any:
        """Run the cells; the parameters are those of papermill's own engine."""
        for ignored in ("input_path", "startup_timeout"):  # as there
            options.pop(ignored, None)
        options |= {"kernel_name": kernel_name, "log": logger}
        return _Client(nb_man, **options, startup_timeout=start_timeout, timeout=execution_timeout or timeout).execute()


class _Client(RobotaClient, PapermillNotebookClient):  # type: ignore[misc] # papermill has no types
    """Papermill's client, whose conversations resume and are kept."""

    def __init__(self, nb_man: Any, **options: Any) -> None:
        PapermillNotebookClient.__init__(self, nb_man, **options)  # with papermill's defaults, not with ours
        front = FrontEnd(nb_man.nb, _local(nb_man.output_path))
        self._stand_for(front, nb_man.save if nb_man.output_path else None)


def _local(path: str | None) -> Path | None:
    """Return where on this machine papermill writes a path; None for what is not a file here, such as ``s3://``."""
    handler = papermill_io.get_handler(path)
    if not path or not isinstance(handler, LocalHandler):
        return None
    return Path(handler._cwd or "", path)  # noqa: SLF001 - with `cwd` papermill is elsewhere by now
