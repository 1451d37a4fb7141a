"""A shell without a kernel that keeps what is displayed: so ploomber-engine and execnb run notebooks."""

import io
from contextlib import redirect_stderr, redirect_stdout

from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from robota_nb import unload_ipython_extension


class _Publisher(DisplayPublisher):
    def publish(self, data, metadata=None, **_):
        self.shell.outputs.append((data, metadata or {}))


class ToolShell(InteractiveShell):
    """Runs cells, and keeps what they display; as a context manager it goes again with all that was hooked."""

    def __init__(self):
        self.outputs = []
        super().__init__(display_pub_class=_Publisher)

    def __enter__(self):
        self._former, InteractiveShell._instance = InteractiveShell._instance, self
        return self

    def __exit__(self, *_):
        InteractiveShell._instance = self._former
        unload_ipython_extension(self)

    def run(self, *cells):
        """Run cells, and return what they have printed and displayed as Markdown; an error is raised."""
        self.outputs.clear()
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            for cell in cells:
                self.run_cell(cell, store_history=True).raise_error()
        return printed.getvalue(), [data["text/markdown"] for data, _ in self.outputs if "text/markdown" in data]
