"""The snapshot: users and licenses of a site at one moment, as QRS has them. `reader.py` reads it.

Unknown fields are ignored. The id of a license must be readable, or the snapshot is refused. A user without a readable
id or directory is left out and keeps all licenses; any other fact that is absent or not of its type becomes *unknown*,
and unknown never releases.
Source of the fields: `GET /qrs/user/full` and `GET /qrs/license/{professional,analyzer}accesstype/full`.
The license rules stay as QRS sends them; `license_rules.py` reads them.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from datetime import date, datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from seatwarden.engine.snapshot.digest import DigestBeside
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType


class Tag(Struct, frozen=True, gc=False):
    """A tag of a user."""

    name: str


class PropertyDefinition(Struct, frozen=True, gc=False):
    """A custom property."""

    name: str


class PropertyValue(Struct, frozen=True, gc=False):
    """One value of a custom property; a user has one row a value."""

    value: str
    definition: PropertyDefinition


class Attribute(Struct, frozen=True, gc=False, rename="camel"):
    """An attribute that was synchronized from the user directory; those of a session are not in the repository."""

    attribute_type: str
    attribute_value: str


class Person(Struct, frozen=True, gc=False, rename="camel"):
    """A user, but for the attributes."""

    id: str
    user_id: str
    user_directory: str
    name: str | None | UnsetType = UNSET
    roles: tuple[str, ...] | None | UnsetType = UNSET
    tags: tuple[Tag, ...] | None | UnsetType = UNSET
    custom_properties: tuple[PropertyValue, ...] | None | UnsetType = UNSET
    inactive: bool | None | UnsetType = UNSET
    blacklisted: bool | None | UnsetType = UNSET
    removed_externally: bool | None | UnsetType = UNSET
    delete_prohibited: bool | None | UnsetType = UNSET
    created_date: str | None | UnsetType = UNSET

    @property
    def directory_and_id(self) -> str:
        """What the field `user` says: the user directory, a backslash, and the user id."""
        return f"{self.user_directory}\\{self.user_id}"


class User(Person, frozen=True, gc=False, rename="camel"):
    """A user. UNSET: the fact is absent from QRS's answer, or not of its type."""

    attributes: tuple[Attribute, ...] | None | UnsetType = UNSET


class UserWithoutAttributes(Person, frozen=True, gc=False, rename="camel"):
    """A user whose attributes nobody asks for: they count as unknown. Reading them takes a fifth of the decoding."""

    attributes: ClassVar[UnsetType] = UNSET


class UserReference(Struct, frozen=True, gc=False, rename="camel"):
    """The user as a license row names it; it has no tags or properties."""

    id: str
    user_id: str | None = None
    user_directory: str | None = None
    name: str | None = None


class ReferenceToKnown(UserReference, frozen=True, gc=False):
    """The user as a license row names it where the user's own row says all but the id: an eighth of the memory that
    rows take. What is not read stands under keys that QRS does not send."""

    user_id: str | None = field(default=None, name="userId, not read")
    user_directory: str | None = field(default=None, name="userDirectory, not read")
    name: str | None = field(default=None, name="name, not read")


class License(Struct, frozen=True, gc=False, rename="camel"):
    """An access allocated to a user. `last_used` may be anything: absent is *never*, unreadable is unknown.

    `user` UNSET: it is not known whose it is.
    """

    id: str
    user: UserReference | None | UnsetType = UNSET
    deleted_user_id: str | None | UnsetType = UNSET
    deleted_user_directory: str | None | UnsetType = UNSET
    last_used: Any = None
    created_date: str | None | UnsetType = UNSET
    quarantined: bool | None | UnsetType = UNSET
    quarantine_end: str | None | UnsetType = UNSET
    excess: bool | None | UnsetType = UNSET


class LicenseOfKnown(License, frozen=True, gc=False, rename="camel"):
    """A license of a user whom the site's users list, or of none."""

    user: ReferenceToKnown | None | UnsetType = UNSET


class Licenses(Struct, frozen=True):
    """The license rows by type; UNSET for a type that QRS was not asked for."""

    professional: list[License] | UnsetType = UNSET
    analyzer: list[License] | UnsetType = UNSET


class SiteLicense(Struct, frozen=True, rename="camel"):
    """The site's own license, of which only one thing is read: whether it is a signed key."""

    signed_key: bool = False
    key: str | None = None

    @property
    def signed(self) -> bool:
        """Whether the site runs on a signed license key, which other sites may share."""
        return self.signed_key or bool(self.key)


class SiteFacts(Struct, frozen=True, omit_defaults=True):
    """Facts of the site as a whole: the names of the custom properties and the attributes that some user has a value
    of, in order."""

    properties: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


NO_SITE_FACTS = SiteFacts()


class Seats(Struct, frozen=True):
    """The licenses of one type at the site, as QRS's `accesstypeoverview` counts them; None where it says nothing."""

    total: int | None = None
    allocated: int | None = None
    available: int | None = None
    quarantined: int | None = None
    excess: int | None = None


class SnapshotFile(Struct, frozen=True, rename="camel"):
    """A snapshot as it is written."""

    users: list[User]
    licenses: Licenses
    taken_at: str | None = None
    source: str | None = None
    license: Raw | UnsetType = UNSET
    access_type_overview: Raw | UnsetType = UNSET
    license_rules: Raw | UnsetType = UNSET


def kinds_of_rows(*, attributes: bool) -> dict[str, Any]:
    """The types of the lists of users, with their `attributes` or without, and of licenses by the names of types."""
    return {
        "users": list[User] if attributes else list[UserWithoutAttributes],
        **dict.fromkeys(LICENSE_TYPES, list[License]),
    }


def with_rows(around: SnapshotFile, rows: Mapping[str, list[Any]]) -> SnapshotFile:
    """A snapshot without rows, with those that were decoded apart: users, and licenses by the names of their types."""
    licenses = {name: found for name, found in rows.items() if name != "users"}
    return msgspec.structs.replace(around, users=rows["users"], licenses=Licenses(**licenses))


class Spoiled(Struct, frozen=True):
    """What of a snapshot could not be read: in words, and the ids of users whose rows say not who they are."""

    remarks: tuple[str, ...] = ()
    users: frozenset[str] = frozenset()


NOTHING_SPOILED = Spoiled()


RELEASES_NOT_TOLD = "a snapshot does not say whose licenses were released; with --site the journals of its runs do"
RELEASES_HIDDEN = "behind pseudonyms nobody is looked up in the journals of the site's runs"


class Snapshot:
    """Users and licenses of a site at one moment.

    `licenses` holds, for each type that QRS was asked for, its rows in QRS's order; `taken_at` is QRS's time as written
    (may be None), `source` where it came from. `remarks` says what could not be read, `unreadable_users` has the ids of
    users who were left out, as far as those could be. `site_clock` is what QRS's clock said, `data` the bytes that all
    this was read from: both only where somebody asked for them. `last_released` has the day on which our runs last
    released a license of each user (`DIRECTORY\\id`), or why that is not known. `standings` has what the registers
    beside the site say of licenses, by type and id: the `Standing` of `engine.facts`, a room above this one.
    `license_rules` are the site's license rules as JSON, UNSET where the snapshot does not have them; `take_backs` is
    what asks them, the `TakeBacks` of `engine.take_back`, another room above, once somebody has asked.
    """

    def __init__(
        self,
        file: SnapshotFile,
        digest: DigestBeside | None,
        spoiled: Spoiled = NOTHING_SPOILED,
        site_facts: SiteFacts | None = None,
    ) -> None:
        self._site_facts = site_facts
        self.users = file.users
        self.taken_at = file.taken_at
        self.source = file.source
        self.remarks = spoiled.remarks
        self.unreadable_users = spoiled.users
        self._digest = digest
        self.signed_key = _signed_key(file.license)
        self.overview = seats_in(file.access_type_overview)
        self.license_rules = file.license_rules
        self.take_backs: Any = None
        self.site_clock: datetime | None = None
        self.data: bytes | None = None
        self.last_released: Mapping[str, date] | str = RELEASES_NOT_TOLD
        self.standings: Mapping[tuple[LicenseType, str], Any] = {}
        self.licenses: dict[LicenseType, list[License]] = {}
        for license_type in LICENSE_TYPES:
            rows = getattr(file.licenses, license_type)
            if rows is not UNSET:
                self.licenses[license_type] = rows

    @classmethod
    def of(
        cls, users: list[User], licenses: Mapping[LicenseType, list[License]], site_facts: SiteFacts | None = None
    ) -> "Snapshot":
        """A snapshot of rows read one by one: what they do not tell of the whole site must be given."""
        rows = Licenses(licenses.get("professional", UNSET), licenses.get("analyzer", UNSET))
        return cls(SnapshotFile(users, rows), None, NOTHING_SPOILED, site_facts)

    def with_releases(self, last_released: Mapping[str, date] | str) -> "Snapshot":
        """The same rows, with another answer to whose licenses our runs released, or to why that is not known."""
        other = copy(self)
        other.last_released = last_released
        return other

    def with_standings(self, standings: Mapping[tuple[LicenseType, str], Any]) -> "Snapshot":
        """The same rows, with what the registers say of their licenses."""
        other = copy(self)
        other.standings = standings
        return other

    def with_rows(self, users: list[User], licenses: Mapping[LicenseType, list[License]]) -> "Snapshot":
        """The same site with other rows: what was read of them is as it was sent no more, and its digest is."""
        other = copy(self)
        other.users, other.licenses, other.take_backs = users, dict(licenses), None
        for name in ("users_by_id", "doubled_users", "doubled_licenses", "unclaimed_licenses", "held_by_nobody"):
            other.__dict__.pop(name, None)
        other.__dict__.pop("licenses_of", None)
        return other

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the bytes it was decoded from; empty when it was put together from rows."""
        return self._digest.hexadecimal if self._digest else ""

    @cached_property
    def site_facts(self) -> SiteFacts:
        """The facts of the site as a whole."""
        if self._site_facts is not None:
            return self._site_facts
        properties = {row.definition.name for user in self.users for row in as_rows(user.custom_properties)}
        attributes = {row.attribute_type for user in self.users for row in as_rows(user.attributes)}
        return SiteFacts(tuple(sorted(properties)), tuple(sorted(attributes)))

    @cached_property
    def users_by_id(self) -> dict[str, User]:
        """Users by QRS id."""
        return {user.id: user for user in self.users}

    @cached_property
    def doubled_users(self) -> frozenset[str]:
        """Ids that more than one user row has: which of them counts cannot be known."""
        left_out_too = self.unreadable_users & self.users_by_id.keys()
        if len(self.users_by_id) == len(self.users):
            return left_out_too
        return _doubled([user.id for user in self.users]) | left_out_too

    @cached_property
    def doubled_licenses(self) -> dict[LicenseType, frozenset[str]]:
        """Ids of licenses that are listed more than once."""
        return {license_type: _doubled([row.id for row in rows]) for license_type, rows in self.licenses.items()}

    @cached_property
    def unclaimed_licenses(self) -> tuple[License, ...]:
        """License rows that do not say whose they are, readably: not even null, as QRS writes for a deleted user."""
        return tuple(row for rows in self.licenses.values() for row in rows if row.user is UNSET)

    @cached_property
    def held_by_nobody(self) -> int:
        """The number of licenses whose user was deleted and that are not in quarantine."""
        without = [row for rows in self.licenses.values() for row in rows if row.user is None]
        return sum(bool(row.deleted_user_id) and row.quarantined is False for row in without)

    @cached_property
    def licenses_of(self) -> dict[str, list[tuple[LicenseType, License]]]:
        """All licenses of a user, by the user's QRS id."""
        found: dict[str, list[tuple[LicenseType, License]]] = {}
        for license_type, rows in self.licenses.items():
            for row in rows:
                if isinstance(row.user, UserReference):
                    found.setdefault(row.user.id, []).append((license_type, row))
        return found


_Row = TypeVar("_Row")


def as_rows(rows: tuple[_Row, ...] | None | UnsetType) -> tuple[_Row, ...]:
    """A list of a row, as far as there is one."""
    return rows if isinstance(rows, tuple) else ()


def _signed_key(site_license: Raw | UnsetType) -> bool | None:
    """Whether the site runs on a signed key; None when the snapshot does not tell."""
    if site_license is UNSET:
        return None
    try:
        found = msgspec.json.decode(site_license, type=SiteLicense | None)
    except msgspec.ValidationError:
        return None
    return found.signed if found is not None else None


def seats_in(overview: Raw | UnsetType) -> dict[LicenseType, Seats]:
    """The seats by type in an answer of `GET /qrs/license/accesstypeoverview`, of which every part is optional."""
    try:
        blocks = msgspec.json.decode(overview, type=dict[str, Raw]) if overview is not UNSET else {}
    except msgspec.DecodeError:
        return {}
    found: dict[LicenseType, Seats] = {}
    for license_type in LICENSE_TYPES:
        with suppress(KeyError, msgspec.DecodeError):
            block = msgspec.json.decode(blocks[f"{license_type}Access"], type=dict[str, Any])
            if block.get("enabled") is True:
                numbers = {name: block.get(name) for name in Seats.__struct_fields__}
                found[license_type] = Seats(**{name: n for name, n in numbers.items() if type(n) is int})
    return found


def _doubled(ids: list[str]) -> frozenset[str]:
    if len(set(ids)) == len(ids):  # nearly always, and three times as fast as counting
        return frozenset()
    return frozenset(i for i, count in Counter(ids).items() if count > 1)
