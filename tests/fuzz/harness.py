"""A small fuzzer: changes seeds, checks what comes of them, and goes on from what led somewhere new.

The same seed gives the same cases. A case is bytes, so that each can be a file of the corpus.
"""

import hashlib
import signal
import tempfile
import traceback
from collections import Counter
from contextlib import contextmanager, nullcontext
from pathlib import Path
from random import Random
from time import monotonic

from . import mutations

CORPUS = Path(__file__).with_name("corpus")
BATCH = 100
"""Cases that are checked at once."""
REFUSED = "refused"
"""With this begins what came of a case that is none of what is wanted: what is made of it would be none, either."""
POOL = 2000
"""Cases that others are made of, at most."""
TRIES = 2000
"""Smaller cases that are tried to make a failure small."""


class Target:
    """What is fuzzed: how one case is made of others, and what must hold for each.

    Parameters
    ----------
    name
        Also of its directory in the corpus.
    mutate
        Makes a case: takes a source of choices, and two cases.
    check
        Raises whatever it likes if something is wrong; else returns in a few words what came of the case. A case
        that came to something new is a seed from then on, unless it was `REFUSED`.
    smaller
        Yields cases that are smaller than a case.
    """

    def __init__(self, name, *, mutate, check, smaller=mutations.shorter):
        self.name, self.mutate, self.check, self.smaller = name, mutate, check, smaller

    def check_all(self, cases):
        """Check some cases, and return what came of each."""
        return [self.check(case) for case in cases]

    def ready(self):
        """Have all that is needed for the block."""
        return nullcontext()

    def seeds(self):
        """The committed cases."""
        return [path.read_bytes() for path in sorted((CORPUS / self.name).iterdir())]


class Crash(Exception):
    """A case for which something does not hold."""

    def __init__(self, target, case, error):
        self.case = case
        file = Path(tempfile.gettempdir()) / f"fuzz-{target.name}-{hashlib.sha256(case).hexdigest()[:8]}"
        file.write_bytes(case)
        report = "".join(traceback.format_exception(error))
        super().__init__(f"{target.name}: {case[:500]!r}\n{report}\nto keep it: cp {file} {CORPUS / target.name}")


def run(target, *, seed=0, cases=None, seconds=None, patience=None):
    """Fuzz until there were so many cases, or so many seconds have passed; return how often what came of them.

    Parameters
    ----------
    patience
        Seconds after which a batch of cases is said to hang; None for never.

    Raises
    ------
    Crash
        For the first case that fails, made small.
    """
    rng = Random(f"{target.name} {seed}")
    pool, ends, end = target.seeds(), Counter(), seconds and monotonic() + seconds
    batch = pool[:cases]
    while batch:
        for case, came_to in zip(batch, _checked(target, batch, patience), strict=True):
            if came_to not in ends and not came_to.startswith(REFUSED) and len(pool) < POOL:
                pool.append(case)
            ends[came_to] += 1
        left = BATCH if cases is None else min(BATCH, cases - ends.total())
        left = 0 if end and monotonic() > end else left
        batch = [target.mutate(rng, rng.choice(pool), rng.choice(pool)) for _ in range(left)]
    return ends


def _checked(target, batch, patience):
    came_to, whole = _tried(target, batch, patience)
    if whole is None:
        return came_to
    case = next((case for case in batch if _failure(target, case, patience)), None)
    if case is None:
        raise Crash(target, batch[-1], whole)  # only all of them together
    if not isinstance(whole, TimeoutError):  # to try what hangs would take for ever
        case = smallest(target, case, patience)
    raise Crash(target, case, _failure(target, case, patience))


def smallest(target, case, patience=None):
    """Return a case that fails as this one does, and is as small as it easily gets."""
    wanted, tries = _kind(_failure(target, case, patience)), TRIES
    candidates = target.smaller(case)
    while tries and (candidate := next(candidates, None)) is not None:
        tries -= 1
        if len(candidate) < len(case) and _kind(_failure(target, candidate, patience)) == wanted:
            case, candidates = candidate, target.smaller(candidate)
    return case


def _failure(target, case, patience):
    """Return what a case raises; of a case that does not fail, None."""
    return _tried(target, [case], patience and patience / 4)[1]


def _tried(target, cases, patience):
    """Return what came of the cases, and what they raise instead."""
    try:
        with _limited(patience):
            return target.check_all(cases), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return [], error


def _kind(error):
    """Return what tells one failure from another: the error's type, and the line that raised it."""
    if error is None:
        return None
    last = traceback.extract_tb(error.__traceback__)[-1]
    return type(error), last.filename, last.lineno


@contextmanager
def _limited(seconds):
    def give_up(*_):
        raise TimeoutError(f"it hangs: not done after {seconds} seconds")

    if not seconds:
        yield
        return
    former = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
