"""A believable Qlik Sense site, made up from a seed: its users and who of them holds which license.

The objects look as QRS sends them, so the site can be served by the simulated QRS or written as a snapshot.
A roster of fixed users comes first and shows every situation once; the rest is drawn. About a fifth of the
licenses has not been used for 30 days, the rest is at work. Nobody in it exists.
"""

from __future__ import annotations

import random
import unicodedata
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from seatwarden.engine.demo.names import DEPARTMENTS, FAMILY_NAMES, GIVEN_NAMES, NAMES_IN_OTHER_SCRIPTS

NEVER = "1753-01-01T00:00:00.000Z"
_KEEP_TAG = "License do not release"
_BOTH = ("professional", "analyzer")


class TellingUsers(NamedTuple):
    """Users worth explaining, as `DIRECTORY\\userId`. Every demo site has them."""

    protected: str
    """Long unused, and kept by the tag of Butler's sample configuration."""
    leaver: str
    """Has left, is removed externally, and holds a license still."""
    newcomer: str
    """Got a license ten days ago and has not used it yet."""
    quarantined: str
    """Holds a license that is quarantined already."""


TELLING_USERS = TellingUsers(
    protected="CORP\\kdubois",
    leaver="CORP\\tlindgren",
    newcomer="CORP\\aokonkwo",
    quarantined="CORP\\mrossi",
)


@dataclass(frozen=True)
class _Kind:
    """A situation people are in; the days are counted back from `now`, both ends included."""

    unused: tuple[int, int] | None
    """Days since the license was used; None was never used."""
    allocated: tuple[int, int] = (420, 1500)
    """Days since it was allocated."""
    directory: str = "CORP"
    department: str | None = None
    """None draws one for people in CORP."""
    tag: str | None = None
    license_manage: str | None = None
    roles: tuple[str, ...] = ()
    licenses: tuple[str, ...] | None = None
    """License types held; None draws one of the two."""
    inactive: bool = False
    removed_externally: bool = False
    blacklisted: bool = False
    quarantined: bool = False


_ORDINARY = _Kind(unused=(0, 12))
_DRIFTED = _Kind(unused=(31, 150))
_YEAR_END = _Kind(unused=(302, 333), department="Finance", licenses=("analyzer",))
_LEAVER = _Kind(unused=(45, 400), removed_externally=True)
_CONTRACTOR = _Kind(unused=(0, 40), directory="PARTNER", tag="contractor")
_NEWCOMER = _Kind(unused=None, allocated=(10, 10), licenses=("analyzer",))
_FORGOTTEN = _Kind(unused=None, allocated=(120, 120), licenses=("analyzer",))
_BLOCKED = _Kind(unused=(20, 90), blacklisted=True)
_KEPT_BY_TAG = _Kind(unused=(40, 200), tag=_KEEP_TAG)
_KEPT_BY_PROPERTY = _Kind(unused=(40, 200), license_manage="do-not-release")
_HOLDS_BOTH = _Kind(unused=(0, 12), licenses=_BOTH)
_QUARANTINED = _Kind(unused=(1, 6), quarantined=True)
_UNLICENSED = _Kind(unused=None, licenses=())
_SERVICE = _Kind(unused=(60, 200), directory="INTERNAL", licenses=())
_ADMIN = _Kind(unused=(0, 5), directory="ADMIN", roles=("RootAdmin",), licenses=("professional",))

_SHARES: tuple[tuple[_Kind, float], ...] = (
    (_UNLICENSED, 10.0),
    (replace(_ORDINARY, unused=(13, 29)), 8.0),
    (replace(_ORDINARY, roles=("ContentAdmin",), licenses=("professional",)), 2.0),
    (_DRIFTED, 4.0),
    (_CONTRACTOR, 5.0),
    (_YEAR_END, 2.0),
    (_LEAVER, 1.5),
    (replace(_LEAVER, removed_externally=False, inactive=True), 1.5),
    (_NEWCOMER, 1.5),
    (_FORGOTTEN, 1.5),
    (_BLOCKED, 1.0),
    (_KEPT_BY_TAG, 1.0),
    (_KEPT_BY_PROPERTY, 1.0),
    (_HOLDS_BOTH, 1.0),
    (_QUARANTINED, 1.0),
)
"""The kinds of users beyond the roster, in percent; the rest is ordinary and at work."""

_ROSTER: tuple[tuple[str, str, _Kind], ...] = (
    ("sa_repository", "sa_repository", replace(_SERVICE, roles=("RootAdmin",))),
    ("sa_api", "sa_api", replace(_SERVICE, licenses=("professional",))),
    ("sa_scheduler", "sa_scheduler", _SERVICE),
    ("qadmin", "Qlik Administrator", replace(_ADMIN, unused=(75, 75))),
    ("hvirtanen", "Hanna Virtanen", _ADMIN),
    ("jdoe", "Jane Doe", replace(_ADMIN, unused=(81, 81), licenses=("analyzer",))),
    ("kdubois", "Käthe Dubois", replace(_KEPT_BY_TAG, unused=(143, 143), department="Finance")),
    ("tlindgren", "Torbjörn Lindgren", replace(_LEAVER, unused=(212, 212), inactive=True)),
    ("aokonkwo", "Adaeze Okonkwo", _NEWCOMER),
    ("mrossi", "Matteo Rossi", replace(_QUARANTINED, unused=(4, 4))),
    ("ysato", "佐藤 陽子", _ORDINARY),
    ("pnguyen", "Phương Nguyễn", _DRIFTED),
    ("efernandez", "Elena Fernández", _YEAR_END),
    ("smueller", "Sören Müller", _CONTRACTOR),
    ("rcohen", "Ruth Cohen", _FORGOTTEN),
    ("dkaya", "Deniz Kaya", _BLOCKED),
    ("lnovak", "Lucie Nováková", _KEPT_BY_PROPERTY),
    ("gpatel", "Gita Patel", _HOLDS_BOTH),
)

SMALLEST_SITE = len(_ROSTER)
"""The fewest users that `demo_site` makes: its fixed ones."""


def demo_site(*, seed: int, now: datetime, users: int = 200) -> dict[str, Any]:
    """Make up a site of so many users, in the snapshot format and taken at `now`.

    The same arguments give the same site, ids included. Days are counted in UTC. Raises `ValueError` for
    fewer users than `SMALLEST_SITE` and for a `now` without a time zone.
    """
    if users < SMALLEST_SITE:
        raise ValueError(f"a demo site has at least {SMALLEST_SITE} users")
    if now.tzinfo is None:
        raise ValueError("`now` needs a time zone")
    site = _Site(seed, now.astimezone(UTC))
    for user_id, name, kind in _ROSTER:
        site.add(user_id, name, kind)
    site.add_quarantined_without_user("bhansen", "CORP")
    for kind in site.shuffled_kinds(users - len(_ROSTER)):
        site.add(*site.new_person(), kind)
    return {
        "takenAt": _text(site.now),
        "source": "https://qlik.example.com:4242",
        "users": site.users,
        "licenses": site.licenses,
    }


class _Site:
    """The site while it grows. All is drawn from one generator, in one order: that makes it repeatable."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
        self.now = now
        self.users: list[dict[str, Any]] = []
        self.licenses: dict[str, list[dict[str, Any]]] = {"professional": [], "analyzer": []}
        self._taken = {user_id: 1 for user_id, _, _ in _ROSTER}
        self._tags = {name: {"id": self._id(), "name": name} for name in (_KEEP_TAG, "contractor")}
        self._definitions = {
            name: {"id": self._id(), "name": name, "valueType": "Text"} for name in ("Department", "LicenseManage")
        }

    def shuffled_kinds(self, count: int) -> list[_Kind]:
        """Deal out so many situations by their shares, so that every seed gives the same mixture."""
        kinds = [kind for kind, percent in _SHARES for _ in range(round(count * percent / 100))]
        kinds = (kinds + [_ORDINARY] * count)[:count]
        self.random.shuffle(kinds)
        return kinds

    def new_person(self) -> tuple[str, str]:
        """Draw a user id nobody has yet, and a name."""
        if self.random.random() < 0.04:
            name, user_id = self.random.choice(NAMES_IN_OTHER_SCRIPTS)
        else:
            given, family = self.random.choice(GIVEN_NAMES), self.random.choice(FAMILY_NAMES)
            name, user_id = f"{given} {family}", _login(given)[:1] + _login(family)
        count = self._taken[user_id] = self._taken.get(user_id, 0) + 1
        return (user_id if count == 1 else f"{user_id}{count}"), name

    def add(self, user_id: str, name: str, kind: _Kind) -> None:
        """Add a user in this situation, with the licenses that go with it."""
        allocated = self._drawn_day(kind.allocated)
        department = kind.department
        if department is None and kind.directory == "CORP":
            names, shares = zip(*DEPARTMENTS, strict=True)
            department = self.random.choices(names, shares)[0]
        created = allocated - timedelta(days=self.random.randint(0, 300), minutes=self.random.randint(1, 600))
        user = {
            "id": self._id(),
            "createdDate": _text(created),
            "modifiedDate": self._timestamp(self._drawn_day((0, 1))),
            "userId": user_id,
            "userDirectory": kind.directory,
            "name": name,
            "roles": list(kind.roles),
            "attributes": self._attributes(user_id, kind.directory, department),
            "inactive": kind.inactive,
            "blacklisted": kind.blacklisted,
            "removedExternally": kind.removed_externally,
            "deleteProhibited": user_id == "sa_repository",
            "tags": [] if kind.tag is None else [dict(self._tags[kind.tag])],
            "customProperties": self._properties(Department=department, LicenseManage=kind.license_manage),
        }
        self.users.append(user)
        held = kind.licenses
        if held is None:
            held = ("professional",) if self.random.random() < 0.25 else ("analyzer",)
        for license_type in held:
            # Who holds both works with the Professional one; the Analyzer one is left over.
            unused = (60, 300) if held == _BOTH and license_type == "analyzer" else kind.unused
            row = self._license(allocated, unused, quarantined=kind.quarantined)
            row["user"] = {key: user[key] for key in ("id", "userId", "userDirectory", "name")}
            self.licenses[license_type].append(row)

    def add_quarantined_without_user(self, user_id: str, directory: str) -> None:
        """Add the license of a user who was deleted a few days ago; QRS keeps it until quarantine ends."""
        row = self._license(self._drawn_day((420, 900)), (2, 5), quarantined=True)
        row |= {"deletedUserId": user_id, "deletedUserDirectory": directory}
        self.licenses["analyzer"].append(row)

    def _license(self, allocated: datetime, unused: tuple[int, int] | None, *, quarantined: bool) -> dict[str, Any]:
        created = self._timestamp(allocated)
        end = self.now + timedelta(days=self.random.randint(1, 6), hours=3)
        return {
            "id": self._id(),
            "createdDate": created,
            "modifiedDate": created,
            "user": None,
            "deletedUserId": "",
            "deletedUserDirectory": "",
            "lastUsed": NEVER if unused is None else self._timestamp(self._drawn_day(unused)),
            "excess": False,
            "quarantined": quarantined,
            "quarantineEnd": _text(end) if quarantined else NEVER,
        }

    def _attributes(self, user_id: str, directory: str, department: str | None) -> list[dict[str, str]]:
        if directory == "INTERNAL":
            return []  # Qlik's own accounts come from no directory
        values = [("email", f"{user_id}@{directory.lower()}.example.com"), ("group", f"{directory} Everyone")]
        if department is not None:
            values.append(("group", f"{directory} {department}"))
        return [
            {"id": self._id(), "attributeType": kind, "attributeValue": value, "externalId": ""}
            for kind, value in values
        ]

    def _properties(self, **values: str | None) -> list[dict[str, Any]]:
        return [
            {"id": self._id(), "value": value, "definition": dict(self._definitions[name])}
            for name, value in values.items()
            if value is not None
        ]

    def _drawn_day(self, days_ago: tuple[int, int]) -> datetime:
        """Draw a day so long ago and a moment of it, at working hours; today's moments are already over."""
        days = self.random.randint(*days_ago)
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        if days == 0:
            return midnight + (self.now - midnight) * self.random.random()
        return midnight - timedelta(days=days) + timedelta(seconds=self.random.uniform(6 * 3600, 19 * 3600))

    def _timestamp(self, instant: datetime) -> str:
        """Write a timestamp; a few have no fraction or seven digits of it, as in every grown site."""
        drawn = self.random.random()
        if drawn < 0.03:
            return f"{instant:%Y-%m-%dT%H:%M:%S}Z"
        if drawn < 0.06:
            return f"{instant:%Y-%m-%dT%H:%M:%S.%f}0Z"
        return _text(instant)

    def _id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _login(name: str) -> str:
    """Spell a Latin name in lower-case ASCII letters, as directories do for user ids."""
    plain = name.translate(str.maketrans("łøŁØÞ", "loLOT")).replace("ß", "ss")
    letters = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return "".join(letter for letter in letters.lower() if letter.isalpha())
