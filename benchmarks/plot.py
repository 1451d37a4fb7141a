"""The picture of the results: the long answer as bars, and the long conversation as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compare import ANSWER, CHUNKS, COLUMNS, CONVERSATION, TOTAL, TRAFFIC
from benchmarks.contenders import BARE, CONTENDERS, OURS, PEERS, RAW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.table import Table

INK = "#24292f"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B8A900", "#8a8a8a", INK)
"""Told apart with any colour vision (Okabe and Ito); the marks tell lines apart without any."""
MARKS = "os^vDPX*."
NAMES = (*(contender.name for contender in CONTENDERS), RAW.name)
LABELS = {name: name for name in NAMES} | {peer.name: f"{peer.name} *" for peer in PEERS if not peer.streams}
STYLES = dict(zip(NAMES, zip(COLOURS, MARKS, strict=True), strict=True))


def draw(path: Path, tables: Iterable[Table]) -> None:
    """Write a picture, on white so that it can be read on any page; the file's ending says in which format."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    by_title = {table.title: table for table in tables}
    answer, conversation = by_title[ANSWER.format(CHUNKS[-1])], by_title[CONVERSATION]
    style = {"font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK}
    style |= {"ytick.color": INK, "svg.fonttype": "none", "svg.hashsalt": "robota_nb", "axes.spines.top": False}
    style |= {"axes.spines.right": False}
    with rc_context(style):
        figure = Figure(figsize=(11, 3.6), facecolor="white", layout="constrained")
        *sides, right = figure.subplots(1, 3, width_ratios=(3, 3, 4))
        for axes, column in zip(sides, (TOTAL, TRAFFIC), strict=True):
            names = [name for name in reversed(answer.names) if answer.values(name, column)]
            values = [answer.median(name, column) for name in names]
            shown = axes.barh([LABELS[name] for name in names], values, color=[STYLES[name][0] for name in names])
            axes.bar_label(shown, [f"{value:,.3g}" if value < 100 else f"{value:,.0f}" for value in values], padding=3)
            axes.set_xscale("log")
            axes.minorticks_off()
            axes.set_xlim(right=max(values) * 8)
            axes.set_title(f"{answer.title}:\n{column}", fontsize=9)
        sides[0].set_xlabel("* does not stream: in one piece, at the end")
        sides[1].set_yticklabels([])
        for name in conversation.names:
            measured = {size: column for size, column in COLUMNS.items() if conversation.values(name, column)}
            right.plot(
                [*measured],
                [conversation.median(name, column) for column in measured.values()],
                label=name,
                color=STYLES[name][0],
                marker=STYLES[name][1],
                linestyle="-" if name in (OURS.name, BARE.name) else "--",
                linewidth=2.5 if name == OURS.name else 1.2,
            )
        right.set(xscale="log", yscale="log", xlabel="messages", ylabel="ms")
        right.minorticks_off()
        right.set_title(f"{conversation.title}, ms", fontsize=9)
        right.legend(fontsize=7, frameon=False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
