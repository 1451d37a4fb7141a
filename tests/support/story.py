"""Reads the stories, and tells one to a world (a manager, or a real notebook under a real kernel)."""

import re
from dataclasses import dataclass, field
from typing import Protocol

from support.paths import TESTS

TEXT = TESTS / "replay" / "stories.txt"


@dataclass
class Cell:
    """A cell of the notebook: its lines, and what it shows."""

    id: str
    lines: list[str]
    shows: list[str] = field(default_factory=list)


class Failed(Exception):
    """A cell of the story failed, as the story wants it."""


class World(Protocol):
    """What a story needs to happen."""

    cells: list[Cell]
    live: int  # requests since the kernel started

    def set_up(self, *, ids: bool, listed: bool, rerun: str) -> None: ...
    def run(self, cell: Cell) -> None: ...
    def restart(self, *, strict: bool = False) -> None: ...
    def written(self) -> object: ...
    def click_chat(self, name: str) -> None: ...
    def click_set(self, key: str, value: str) -> None: ...
    def send(self, text: str) -> None: ...
    def next_answer(self, how: str) -> None: ...
    def paths(self) -> dict[str, str]: ...


def load() -> dict[str, list[str]]:
    """Title → steps."""
    stories: dict[str, list[str]] = {}
    for line in TEXT.read_text().splitlines():
        if line.startswith("## "):
            steps = stories.setdefault(line[3:], [])
        elif line and not line.startswith("#"):
            steps.append(line)
    return stories


class Story:
    """Tells the steps of one story to a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rerun = "replace"
        self.next_id = 0

    def tell(self, steps: list[str]) -> None:
        for step in steps:
            word = step.split(":")[0].split()[0].rstrip("s") if not step.startswith("replays") else "replays"
            getattr(self, f"_{word}")(step)

    def _cell(self, step: str) -> None:
        for at, source in enumerate(step.removeprefix("cells: ").split(" | ")):
            self._put(at, source)
        self.world.set_up(ids=True, listed=True, rerun="replace")

    def _kernel(self, step: str) -> None:
        self.world.set_up(
            ids="no ids" not in step, listed="no list" not in step, rerun="append" if "append" in step else "replace"
        )

    def _put(self, at: int, source: str) -> None:
        self.world.cells.insert(at, Cell(f"id-{self.next_id}", source.split("; ")))
        self.next_id += 1

    def _edit(self, step: str) -> None:
        at, source = re.fullmatch(r"edit (\d+): (.*)", step).groups()
        self.world.cells[int(at) - 1].lines = source.split("; ")

    def _insert(self, step: str) -> None:
        at, source = re.fullmatch(r"insert (\d+): (.*)", step).groups()
        self._put(int(at) - 1, source)

    def _delete(self, step: str) -> None:
        del self.world.cells[int(step.split()[1]) - 1]

    def _move(self, step: str) -> None:
        start, end = map(int, re.fullmatch(r"move (\d+) to (\d+)", step).groups())
        self.world.cells.insert(end - 1, self.world.cells.pop(start - 1))

    def _renumber(self, step: str) -> None:
        for n, cell in enumerate(self.world.cells):
            cell.id = str(n)

    def _run(self, step: str) -> None:
        which = step.split()[1:]
        cells = self.world.cells if which == ["all"] else [self.world.cells[int(n) - 1] for n in which]
        for cell in cells:
            cell.shows = []
            try:
                self.world.run(cell)
            except Failed as failure:
                cell.shows.append(f"!{failure}")
                break

    def _restart(self, step: str) -> None:
        if "replace" in step:
            self.world.set_up(ids=True, listed=True, rerun="replace")
        self.world.restart()

    def _click(self, step: str) -> None:
        _, what, value = step.split()
        if what == "chat":
            self.world.click_chat(value)
        else:
            self.world.click_set(*value.split("="))

    def _send(self, step: str) -> None:
        self.world.send(step.split()[1])

    def _next(self, step: str) -> None:
        self.world.next_answer(step.split(": ")[1])

    def _shown(self) -> str:
        return " ".join(text for cell in self.world.cells for text in cell.shows)

    def _expect(self, step: str) -> None:
        paths = self.world.paths()
        for claim in step.split("): ", 1)[1].split("; "):
            if claim.endswith(" live"):
                assert self.world.live == int(claim.split()[0]), step
            elif claim.startswith("shows "):
                assert self._shown() == claim.removeprefix("shows "), step
            else:
                chat, path = claim.split(" is ")
                assert paths[chat] == path.replace("-", ""), step

    def _replays(self, step: str) -> None:
        shown, paths = self._shown(), self.world.paths()
        self.world.restart(strict=True)
        before = self.world.written()
        self._run("run all")
        assert self.world.live == 0
        assert self._shown() == shown
        assert self.world.paths() == paths
        assert self.world.written() == before
