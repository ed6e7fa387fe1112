"""An office of people as they are, with their habits, for those who would find them in a log."""

import random
from datetime import timedelta
from typing import Any

from tests.engine.support import license_row, site_of, user
from tests.strategies import NOW

PEOPLE = 184
DEPARTMENTS = ("Finance", "Sales", "Production", "IT", "Legal", "Logistics")
POLICY = """\
keep "by hand" when user.tags = ["vip", "works council"]
keep "finance" when user.@Department = "Finance" and not user.removedExternally
keep "guests" when user.userDirectory = "EXTERN"
release analyzer when unused for 30 days
release professional "long away" when unused for 60 days
limit release to 100% of analyzer per run
limit release to 100% of professional per run
"""


def office(days_later: int = 0) -> dict[str, Any]:
    """The site on a day; whoever is at work goes on using what she has, the others do not come back."""
    chance = random.Random(184)  # noqa: S311 - nothing secret
    users, rows = [], {"analyzer": [], "professional": []}  # type: ignore[var-annotated]
    for number in range(1, PEOPLE + 1):
        away = chance.choice((0, 0, 1, 2, 3, 5, 8, 13, chance.randint(14, 59), chance.randint(30, 400)))
        tags = chance.choices(((), ("vip",), ("works council",), ("night shift",)), (80, 6, 4, 10))[0]
        users.append(
            user(
                number,
                userDirectory=chance.choices(("CORP", "EXTERN"), (85, 15))[0],
                tags=[{"name": tag} for tag in tags],
                customProperties=[{"value": chance.choice(DEPARTMENTS), "definition": {"name": "Department"}}],
                removedExternally=chance.random() < 0.05,
            )
        )
        used = NOW - timedelta(days=away + (days_later if away > 13 else 0), minutes=chance.randint(0, 600))
        moment = (used + timedelta(days=days_later)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        created = (NOW - timedelta(days=chance.randint(400, 2000))).strftime("%Y-%m-%dT08:00:00.000Z")
        kind = chance.choices(("analyzer", "professional"), (75, 25))[0]
        rows[kind].append(license_row(number, moment, createdDate=created))
    return site_of(users, rows["analyzer"], rows["professional"])
