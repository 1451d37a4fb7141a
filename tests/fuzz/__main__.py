"""The long run: ``python -m tests.fuzz`` until something fails or the time is over."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from random import SystemRandom

from .harness import Crash, run
from .targets import TARGETS

PATIENCE = 60
"""Seconds after which a batch of cases is said to hang."""


def fuzz(name, options):
    """Fuzz one target; return what there is to say, and whether all is well."""
    target = TARGETS[name]
    try:
        with target.ready():
            ends = run(target, patience=PATIENCE, **options)
    except Crash as crash:
        return str(crash), False
    return f"{name}: {ends.total():,} cases came to {len(ends):,} different ends", True


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=float, default=600, help="for all of it; 600 if not given")
    parser.add_argument("--cases", type=int, help="of each target, however long they take")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6), help="the same gives the same")
    given = parser.parse_args()
    names, cores = given.targets or list(TARGETS), os.cpu_count() or 1
    if unknown := set(names) - set(TARGETS):
        parser.error(f"there is no target {sorted(unknown)[0]!r}")
    seconds = given.seconds * min(1, cores / len(names))
    options = {"seed": given.seed, "cases": given.cases} if given.cases else {"seed": given.seed, "seconds": seconds}
    print(f"seed {given.seed}")
    all_well = True
    with ProcessPoolExecutor(cores) as pool:
        for done in as_completed(pool.submit(fuzz, name, options) for name in names):
            said, is_well = done.result()
            print(said, flush=True)
            all_well = all_well and is_well
    sys.exit(not all_well)


if __name__ == "__main__":
    main()
