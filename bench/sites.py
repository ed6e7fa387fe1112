"""Sites of any size, made up from a seed: each user holds one license; rows are as QRS sends them, with all its fields.

A user takes about 1.5 KB and a license 0.4 KB, as on real sites with a user directory connector. Of the licenses
about a fifth lies unused, and some of their users are protected by what Butler's sample settings name, so that a plan
keeps and releases for every reason there is.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from seatwarden.engine.demo.names import DEPARTMENTS, FAMILY_NAMES, GIVEN_NAMES

SEED = 2026
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
"""The moment at which a site is taken and decided on."""
UNUSED = 0.2
"""Share of the licenses that has not been used for 30 days."""

_NEVER = "1753-01-01T00:00:00.000Z"
_ADMIN = "INTERNAL\\sa_repository"
_DIRECTORIES = ("CORP", "PARTNER", "CONTRACTOR", "ADMIN")
_ROLES = ("ContentAdmin", "AuditAdmin", "SecurityAdmin", "DeploymentAdmin")


class Site:
    """The rows of a site, user by user, always the same for the same arguments."""

    def __init__(self, users: int, *, unused: float = UNUSED, seed: int = SEED) -> None:
        self._users = users
        self._unused = unused
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
        names = ("License do not release", "contractor", "external", "training")
        self._tags = [{"id": self._id(), "name": name, "privileges": None} for name in names]
        properties = ("LicenseManage", "Department", "CostCenter")
        self._definitions = {name: self._definition(name) for name in properties}

    def rows(self) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
        """Each user with the type and row of the license; the same each time."""
        self._random.seed(self._seed)
        for number in range(self._users):
            user = self._user(number)
            license_type = "professional" if self._random.random() < 0.25 else "analyzer"
            yield user, license_type, self._license(user)

    def as_snapshot(self) -> dict[str, Any]:
        """The whole site in the snapshot format; small sites only."""
        licenses: dict[str, list[dict[str, Any]]] = {"professional": [], "analyzer": []}
        users = []
        for user, license_type, row in self.rows():
            users.append(user)
            licenses[license_type].append(row)
        return {"takenAt": _text(NOW), "source": "bench", "users": users, "licenses": licenses}

    def write(self, path: Path) -> None:
        """Writes the site as a snapshot; only the licenses are held in memory."""
        encode = msgspec.json.Encoder().encode
        licenses: dict[str, list[bytes]] = {"professional": [], "analyzer": []}
        with path.open("wb") as file:
            file.write(b'{"takenAt":"%s","source":"bench","users":[' % _text(NOW).encode())
            for number, (user, license_type, row) in enumerate(self.rows()):
                file.write((b"," if number else b"") + encode(user))
                licenses[license_type].append(encode(row))
            for number, (license_type, rows) in enumerate(licenses.items()):
                file.write(b'],"licenses":{' if number == 0 else b"],")
                file.write(b'"%s":[' % license_type.encode())
                file.write(b",".join(rows))
            file.write(b"]}}")

    def in_file(self, folder: Path) -> Path:
        """Its snapshot in a folder, written if it is not there yet."""
        path = folder / f"site-{self._users}.json"
        if not path.exists():
            self.write(path)
        return path

    def _user(self, number: int) -> dict[str, Any]:
        draw = self._random.random
        given, family = self._random.choice(GIVEN_NAMES), self._random.choice(FAMILY_NAMES)
        directory = self._random.choices(_DIRECTORIES, (85, 10, 4.5, 0.5))[0]
        user_id = f"{given[:1]}{family}{number}".lower()
        department = self._random.choice(DEPARTMENTS)[0]
        created = _text(self._instant(400, 2000))
        values = {"Department": department}
        if draw() < 0.6:
            values["CostCenter"] = f"CC-{self._random.randrange(10_000):05}"
        if draw() < 0.01:
            values["LicenseManage"] = "do-not-release"
        attributes = {"email": f"{user_id}@{directory.lower()}.example.com", "group": f"{directory} {department}"}
        return {
            "id": self._id(),
            "createdDate": created,
            "modifiedDate": _text(self._instant(0, 1)),
            "modifiedByUserName": _ADMIN,
            "customProperties": [
                {
                    **self._entity(created),
                    "value": value,
                    "definition": self._definitions[name],
                    "schemaPath": "CustomPropertyValue",
                }
                for name, value in values.items()
            ],
            "userId": user_id,
            "userDirectory": directory,
            "userDirectoryConnectorName": directory,
            "name": f"{given} {family}",
            "roles": [self._random.choice(_ROLES)] if draw() < 0.02 else [],
            "attributes": [
                {**self._entity(created), "attributeType": kind, "attributeValue": value, "externalId": ""}
                for kind, value in attributes.items()
            ],
            "inactive": draw() < 0.02,
            "removedExternally": draw() < 0.02,
            "blacklisted": draw() < 0.01,
            "deleteProhibited": False,
            "tags": [self._random.choices(self._tags, (1, 4, 4, 4))[0]] if draw() < 0.12 else [],
            "privileges": None,
            "schemaPath": "User",
        }

    def _license(self, user: dict[str, Any]) -> dict[str, Any]:
        created = _text(self._instant(120, 1500))
        if self._random.random() < self._unused:
            used = _NEVER if self._random.random() < 0.1 else _text(self._instant(31, 400))
        else:
            used = _text(self._instant(0, 29))
        quarantined = self._random.random() < 0.005 and self._unused < 1
        return {
            "id": self._id(),
            "createdDate": created,
            "modifiedDate": created,
            "modifiedByUserName": _ADMIN,
            "user": {name: user[name] for name in ("id", "userId", "userDirectory", "name", "privileges")},
            "deletedUserId": "",
            "deletedUserDirectory": "",
            "lastUsed": used,
            "excess": False,
            "quarantined": quarantined,
            "quarantineEnd": _text(NOW + timedelta(days=3)) if quarantined else _NEVER,
            "privileges": None,
        }

    def _entity(self, created: str) -> dict[str, Any]:
        return {"id": self._id(), "createdDate": created, "modifiedDate": created}

    def _definition(self, name: str) -> dict[str, Any]:
        return {"id": self._id(), "name": name, "valueType": "Text", "choiceValues": [], "privileges": None}

    def _instant(self, first: int, last: int) -> datetime:
        """A moment from `first` to `last` days before NOW."""
        days = self._random.randint(first, last)
        return NOW - timedelta(days=days, milliseconds=self._random.randrange(86_400_000))

    def _id(self) -> str:
        number = f"{self._random.getrandbits(128):032x}"
        return "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
