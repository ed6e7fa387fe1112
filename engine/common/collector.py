"""Python's cyclic garbage collector, seldom called for, and off where very many objects are made that all stay.

A command that begins makes some 50,000 objects that stay, of modules, commands and grammars; the collector would look
at them again and again, a sixteenth of the time of `lint`. While a large site is decoded and decided it would look at
hundreds of thousands of objects of which it can free none: that adds a fifth to the decoding of 100,000 users and a
third to deciding on them.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW, _MIDDLE, _OLD = 100_000, 1, 1
"""How many new objects there are when the collector looks at them, and how often it does so before it looks at older
ones: it comes to all objects after 400,000. Python's own are 700, 10 and 10, some 80,000."""


def collect_seldom() -> None:
    """From now on the collector looks only where many objects have come."""
    gc.set_threshold(_NEW, _MIDDLE, _OLD)


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
            # All that is there counts as old from here on, or the next object would have it looked at as new.
            gc.freeze()
            gc.unfreeze()
            gc.enable()
