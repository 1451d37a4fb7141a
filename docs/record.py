"""Record notebooks anew: ``python docs/record.py notebooks/errors.ipynb …`` (needs the extra ``test``).

Their conversations and outputs are made again from the cells as they stand, where nothing of this user is seen. The
answers in ``docs/answers.toml`` were written by hand, and say so by the name of their model.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import nbformat

from robota_nb.core.ports import Finish, TextDelta, Usage
from robota_nb.core.record.snapshot import KEY
from robota_nb.providers.offline import OfflineProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robota_nb.core.ports import Request, StreamEvent

ROOT = Path(__file__).parent.parent
MODEL = "handwritten"
STARTUP = "from record import answer_by_hand as _answer_by_hand; _answer_by_hand()"
"""What the kernels run first."""
KEPT = ("kernelspec", "language_info", KEY)
"""The metadata that stays: not the state of widgets, whose kernel is gone."""


def main() -> None:
    """Record the notebooks that the command line names."""
    for path in map(Path, sys.argv[1:]):
        write(path, forget(nbformat.read(path, as_version=4)))
        with TemporaryDirectory() as home:
            for _ in range(2):  # what lists shows what there is, also of cells below: after the second run it is so
                run(path, home)
        write(path, nbformat.read(path, as_version=4))


def forget(notebook: Any) -> Any:
    """Take the conversations and the outputs out of a notebook."""
    notebook.metadata.pop(KEY, None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def run(path: Path, home: str) -> None:
    """Run a notebook in an environment of its own."""
    from support.kernel import isolated

    startup = Path(home, "ipython", "profile_default", "startup", "by_hand.py")
    startup.parent.mkdir(parents=True, exist_ok=True)
    startup.write_text(STARTUP, encoding="utf-8")
    imports = os.pathsep.join([str(ROOT), str(ROOT / "docs")])
    command = [sys.executable, "-m", "robota_nb", "run", path.name, "--replay", "auto"]
    subprocess.run(command, cwd=path.absolute().parent, env=isolated(home, PYTHONPATH=imports), check=True)


def write(path: Path, notebook: Any) -> None:
    """Write a notebook with the metadata that it should have."""
    notebook.metadata = {name: value for name, value in notebook.metadata.items() if name in KEPT}
    nbformat.write(notebook, path)


def by_hand() -> list[dict[str, str]]:
    """Return the answers that were written by hand: to which words, and the text."""
    with ROOT.joinpath("docs", "answers.toml").open("rb") as file:
        answers: list[dict[str, str]] = tomllib.load(file)["answer"]
    return answers


def answer_by_hand() -> None:
    """Have the embedded model give the answers that were written by hand."""
    itself, answers = OfflineProvider.stream, by_hand()

    def stream(provider: OfflineProvider, request: Request) -> Iterator[StreamEvent]:
        prompt = text_of(request.messages[-1]["content"])
        text = next((answer["text"].strip("\n") for answer in answers if answer["to"] in prompt), None)
        if text is None:
            yield from itself(provider, request)
            return
        words = sum(len(text_of(message["content"]).split()) for message in request.messages)
        yield TextDelta(text)
        yield Finish(reason="stop", model=MODEL, usage=Usage(input_tokens=words, output_tokens=len(text.split())))

    OfflineProvider.stream = stream  # type: ignore[method-assign] # in this process alone


def text_of(content: Any) -> str:
    """Return the text of a message, which may be in parts."""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))  # the tests' own ways of being alone
    main()
