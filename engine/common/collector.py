"""Python's cyclic garbage collector, off where very many objects are made that all stay.

While a large site is decoded and decided, the collector looks again and again at hundreds of thousands of objects of
which it can free none: it adds a fifth to the decoding of 100,000 users and a third to deciding on them.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_off() -> Iterator[None]:
    """A context without collection; reference counting goes on. Other threads are affected too, which does no harm.

    Around a whole function (`@collector_off()`) it is off until the function's objects are gone, too.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
