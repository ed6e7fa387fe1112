"""The history of a site at which people join, leave, and are released, for whoever shows when licenses run out."""

import random
from datetime import timedelta
from pathlib import Path

from seatwarden.engine.history.store import History
from tests.engine.history.sites import START, at, license_row, snapshot_of, user_row

FIRST_RELEASE = 150
"""Days before the end."""


def write_past_pool(path: Path, last: int, days: int = 365, *, every: int = 7, seed: int = 6) -> None:
    """A history of analyzer licenses that ends so many days after `START`: somewhat more join than leave, and in its
    last months the longest holders are released."""
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
    holders = {f"p{n}": f"l{n}" for n in range(40)}
    number = 40
    with History(path, write=True) as history:
        for day in range(last - days, last + 1):
            for _ in range(draw.choice((0, 0, 1, 1)) if (day % 7) < 5 else 0):
                holders[f"p{number}"] = f"l{number}"
                number += 1
            if draw.random() < 0.12:
                del holders[draw.choice(sorted(holders))]
            if (last - day) % every == 0:
                rows = [license_row(name, at(day - 1), id=id_) for name, id_ in holders.items()]
                history.add(snapshot_of(day, [user_row(name) for name in holders], rows), "it")
                if day > last - FIRST_RELEASE:
                    taken = list(holders)[:2]
                    moment = START + timedelta(days=day, hours=1)
                    history.note_releases([("analyzer", holders.pop(name), moment) for name in taken])
