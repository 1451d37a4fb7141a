"""Work in many threads."""

import threading

from support.patience import PATIENCE


def together(work, count):
    """Run ``work(0)`` … ``work(count - 1)``, each in a thread of its own; none may raise."""
    failures = []

    def guarded(n):
        try:
            work(n)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=[n]) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)
