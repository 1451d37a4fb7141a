"""All targets, by name."""

from . import cells, pages, snapshots, streams

TARGETS = {target.name: target for module in (streams, snapshots, cells, pages) for target in module.TARGETS}
