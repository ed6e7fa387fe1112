"""Reading a snapshot, or single rows of it, from JSON as QRS sends it.

One bad fact costs that fact and not the snapshot: where the typed decoder refuses, rows are read one by one, then
field by field, and what cannot be read is unknown. A user who cannot be told is left out, with a remark.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.json_errors import UNREADABLE, is_not_utf8
from seatwarden.engine.snapshot.digest import DigestBeside
from seatwarden.engine.snapshot.doubled import MOST_CHECKED, is_to_be_checked, keys_of
from seatwarden.engine.snapshot.model import (
    NOTHING_SPOILED,
    License,
    Licenses,
    Snapshot,
    SnapshotFile,
    Spoiled,
    User,
    UserReference,
    UserWithoutAttributes,
    kinds_of_rows,
)
from seatwarden.engine.snapshot.other_tools import rewritten_dates, unwrapped
from seatwarden.engine.snapshot.packed import Source, Unpacking, decompressed, is_packed
from seatwarden.engine.snapshot.pieces import decode_in_pieces
from seatwarden.engine.snapshot.surrogates import with_marks
from seatwarden.grammar.ast import LICENSE_TYPES
from seatwarden.grammar.suggest import nearest
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import folder_for_file, refuse_foreign
from seatwarden.policy.files import decode_json_bytes, near_file


class _FileWithoutAttributes(SnapshotFile, frozen=True, rename="camel"):
    users: list[UserWithoutAttributes]  # type: ignore[assignment]


class _RawLicenses(Struct, frozen=True):
    professional: list[Raw] | UnsetType = UNSET
    analyzer: list[Raw] | UnsetType = UNSET


class _RawFile(Struct, frozen=True, rename="camel"):
    users: list[Raw]
    licenses: _RawLicenses
    taken_at: str | None = None
    source: str | None = None
    license: Raw | UnsetType = UNSET
    access_type_overview: Raw | UnsetType = UNSET
    license_rules: Raw | UnsetType = UNSET


class _RawLicensesOnly(Struct, frozen=True):
    licenses: Raw


class _SiteLicense(Struct, frozen=True):
    license: dict[str, Raw] | None | UnsetType = UNSET


class _Identity(Struct, frozen=True):
    id: str


class _Keys(Struct, frozen=True):
    licenses: dict[str, Raw]


SECRET_LICENSE_FIELDS = ("key", "serial", "control", "check")
"""Fields of `GET /qrs/license` that never leave the process."""
MOST_REMARKS = 5
"""Most rows that remarks name one by one."""

_HALF = " has half a character (a surrogate that stands alone)"
_TWICE = " stands twice, or a key within it does"
_AS_WRITTEN = "a snapshot is an object with `users` and `licenses`, as `seatwarden snapshot` writes it"

_FIELDS = {kind: msgspec.structs.fields(kind) for kind in (User, UserReference, License)}
_Row = TypeVar("_Row", User, UserReference, License)


def load_snapshot(path: Path, *, attributes: bool = True, keep: bool = False) -> Snapshot:
    """The snapshot in a file; without `attributes` those of users may be unknown. Raises InputError.

    With `keep` it has the file's bytes, too.
    """
    found = None if keep else _in_pieces(path, attributes=attributes)
    if found is None:
        data = snapshot_data(path)
        found = decode_snapshot(data, f"snapshot `{path}`", attributes=attributes)
        found.data = data if keep else None
    return found


def _in_pieces(path: Path, *, attributes: bool) -> Snapshot | None:
    """The snapshot in a file that is large and as we write it; None for all others, which are to be read as a whole."""
    try:
        if not path.is_file():  # from a pipe nothing can be read twice
            return None
        size = path.stat().st_size
        with path.open("rb") as file:
            packed = is_packed(file.peek())
            if size <= MOST_CHECKED and not packed:
                return None
            with DigestBeside() as digest, collector_off():
                noted = _Noted(file, digest)
                source = Unpacking(noted, size) if packed else noted
                decoded = decode_in_pieces(source, kinds_of_rows(attributes=attributes))
            if decoded is None:
                file.seek(0)  # who opens /dev/stdin again goes on, on some systems, where this ends
    except OSError:  # said by who reads the whole
        return None
    return _snapshot(decoded, digest, NOTHING_SPOILED) if decoded is not None else None


class _Noted(Struct, frozen=True):
    """A file of which each piece that is read goes into its digest, too."""

    file: Source
    digest: DigestBeside

    def read(self, size: int, /) -> bytes:
        """The next piece."""
        piece = self.file.read(size)
        self.digest.take(piece)
        return piece


def snapshot_data(path: Path) -> bytes:
    """The content of a snapshot's file, as far as it is certain that it is none of another kind. Raises InputError."""
    what = f"snapshot `{path}`"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{what} does not exist", near_file(path)) from None
    except OSError as error:
        if path.is_dir():
            raise folder_for_file(path, "snapshot") from None
        raise InputError(f"{what} cannot be read: {error.strerror}") from None
    refuse_foreign(path, data, "snapshot")
    return data


def site_license_fields(data: bytes) -> set[str]:
    """The names of what a snapshot says of the site's own license. Raises InputError."""
    what = "the snapshot"
    text = decode_json_bytes(decompressed(data, what), what)
    try:
        found = msgspec.json.decode(text, type=_SiteLicense)
    except UNREADABLE as error:
        marked = with_marks(text)
        if marked is None:
            raise _not_json(error, what) from None
        found = msgspec.json.decode(marked, type=_SiteLicense)
    return set(found.license) if found.license is not UNSET and found.license is not None else set()


def without_secrets(data: bytes, what: str) -> bytes:
    """The answer of `GET /qrs/license` without keys and serial numbers; `signedKey` says whether there was a key.

    Raises InputError.
    """
    try:
        fields = msgspec.json.decode(data, type=dict[str, Raw])
    except UNREADABLE as error:
        raise _not_json(error, what) from None
    key = fields.get("key")
    signed = key is not None and bytes(key) not in (b"null", b'""')
    shown = {name: value for name, value in fields.items() if name not in SECRET_LICENSE_FIELDS}
    return msgspec.json.encode({**shown, "signedKey": signed})


def decode_snapshot(data: bytes, what: str, *, attributes: bool = True, early: SnapshotFile | None = None) -> Snapshot:
    """The snapshot in JSON `data`; `what` names it in messages. Raises InputError.

    Without `attributes` those of users may be unknown: for those who do not ask for them. `early` is what of `data` is
    decoded already, all of it.
    """
    digest = DigestBeside.of(data)
    with collector_off():
        kind = SnapshotFile if attributes else _FileWithoutAttributes
        text = decode_json_bytes(decompressed(data, what), what)
        decoded, spoiled = _decode(text, what, kind, early)
    _check_licenses(decoded.licenses, text, what)
    return _snapshot(decoded, digest, spoiled)


def _snapshot(decoded: SnapshotFile, digest: DigestBeside, spoiled: Spoiled) -> Snapshot:
    rewritten = rewritten_dates([row for rows in _rows(decoded) for row in rows])
    if rewritten:
        spoiled = replace(spoiled, remarks=(rewritten, *spoiled.remarks))
    return Snapshot(decoded, digest, spoiled)


def _rows(file: SnapshotFile) -> Iterator[list[License]]:
    for license_type in LICENSE_TYPES:
        rows = getattr(file.licenses, license_type)
        if rows is not UNSET:
            yield rows


def _decode(
    data: bytes, what: str, kind: type[SnapshotFile], early: SnapshotFile | None
) -> tuple[SnapshotFile, Spoiled]:
    try:
        with suppress(msgspec.ValidationError):  # some fact is not of its type: read row by row below
            decoded = early or msgspec.json.decode(data, type=kind)
            twice = _any_twice(data, what)
            return _decode_leniently(data, what, twice=True) if twice else (decoded, NOTHING_SPOILED)
    except UNREADABLE as error:
        marked = with_marks(data)
        if marked is None:
            raise _not_json(error, what) from None
        data = marked
    try:
        return _decode_leniently(data, what, twice=_any_twice(data, what))
    except UNREADABLE as error:
        raise _not_json(error, what) from None


def _any_twice(data: bytes, what: str) -> bool:
    """Whether a key stands twice in any row. Raises InputError where one does that holds the rows."""
    if not is_to_be_checked(data):
        return False
    try:
        keys = keys_of(data)
    except (ValueError, RecursionError):  # what is wrong with the JSON is said by who decodes it
        return False
    twice = next(
        (key for key in ("users", "licenses", "license", "licenseRules", "takenAt") if key in keys.twice), None
    )
    if twice:
        raise _twice(what, twice)
    return bool(keys.doubtful)


def decode_license(data: bytes, what: str) -> License:
    """One license row. Raises InputError."""
    return _row(_object(data, what), License, what)


def decode_licenses(data: bytes, what: str) -> list[License]:
    """A list of license rows. Raises InputError."""
    try:
        rows = msgspec.json.decode(data, type=list[Raw])
    except UNREADABLE as error:
        raise _not_json(error, what) from None
    return [_row(row, License, f"{what}[{i}]") for i, row in enumerate(rows)]


def decode_user(data: bytes, what: str) -> User:
    """One user. Raises InputError."""
    return _row(_object(data, what), User, what)


def _object(data: bytes, what: str) -> Raw:
    try:
        return msgspec.json.decode(data, type=Raw)
    except UNREADABLE as error:
        raise _not_json(error, what) from None


def _decode_leniently(data: bytes, what: str, *, twice: bool) -> tuple[SnapshotFile, Spoiled]:
    """Row by row, so that one bad fact costs one fact and not the snapshot."""
    try:
        raw = msgspec.json.decode(data, type=_RawFile)
    except msgspec.ValidationError as error:
        place, problem = _place(error)
        raise InputError(f"{what} is not a snapshot: {place}{problem}", unwrapped(problem) or _AS_WRITTEN) from None
    except UNREADABLE as error:
        raise _not_json(error, what) from None
    _check_licenses(raw.licenses, data, what)
    spoils = _Spoils(twice=twice)
    users = [user for i, row in enumerate(raw.users) if (user := spoils.user(row, f"users[{i}]"))]
    if twice:
        _check_types_once(data, what)
    rows: dict[str, list[License] | UnsetType] = {}
    for license_type in LICENSE_TYPES:
        raws = getattr(raw.licenses, license_type)
        place = f"{what}: licenses.{license_type}"
        rows[license_type] = (
            UNSET if raws is UNSET else [_row(row, License, f"{place}[{i}]", spoils) for i, row in enumerate(raws)]
        )
    rest = (raw.taken_at, raw.source, raw.license, raw.access_type_overview, raw.license_rules)
    return SnapshotFile(users, Licenses(**rows), *rest), spoils.told()


def _check_types_once(data: bytes, what: str) -> None:
    twice = keys_of(bytes(msgspec.json.decode(data, type=_RawLicensesOnly).licenses)).twice & set(LICENSE_TYPES)
    if twice:
        raise _twice(what, f"licenses.{min(twice)}")


def _twice(what: str, name: str) -> InputError:
    return InputError(f"{what} has `{name}` twice: it is not known which one is meant", "take it again")


class _Spoils:
    """Collects what cannot be read while rows are; with `twice` it looks in each row for keys that stand twice."""

    def __init__(self, *, twice: bool) -> None:
        self._twice = twice
        self._remarks: list[str] = []
        self._count = 0
        self._users: set[str] = set()

    def doubtful(self, raw: Raw) -> frozenset[str]:
        """The keys of a row whose values cannot be known."""
        return keys_of(bytes(raw)).doubtful if self._twice else frozenset()

    def user(self, raw: Raw, where: str) -> User | None:
        """A user; None, noted, when the row does not say readably who it is."""
        try:
            return _row(raw, User, where, self)
        except InputError as error:
            self._remark(f"{error.message}: a license of this user is kept")
            with suppress(*UNREADABLE):
                self._users.add(msgspec.json.decode(raw, type=_Identity).id)
            return None

    def unknown(self, where: str) -> None:
        """Notes a fact that is lost in a way which nothing else tells of."""
        self._remark(f"{where.rpartition(': ')[2]}: it is not known")

    def _remark(self, remark: str) -> None:
        self._count += 1
        if self._count <= MOST_REMARKS:
            self._remarks.append(remark)

    def told(self) -> Spoiled:
        """All of it; of many remarks the first."""
        left = self._count - MOST_REMARKS
        more = (f"… and {left:,} more like these",) if left > 0 else ()
        return Spoiled((*self._remarks, *more), frozenset(self._users))


def _row(raw: Raw, kind: type[_Row], where: str, spoils: _Spoils | None = None) -> _Row:
    doubtful = spoils.doubtful(raw) if spoils else frozenset()
    if not doubtful:
        with suppress(*UNREADABLE):  # some fact cannot be read: field by field below
            return msgspec.json.decode(raw, type=kind)
    parts = _parts(raw, where)
    values: dict[str, Any] = {}
    for field in _FIELDS[kind]:
        part = parts.get(field.encode_name)
        if part is None:
            if field.required:
                raise InputError(f"{where} has no `{field.encode_name}`")
            continue
        value, problem = (None, _TWICE) if field.encode_name in doubtful else _value(part, field.type)
        if problem is None:
            values[field.name] = value
            continue
        if field.required:  # it says of whom the row speaks
            raise InputError(f"{where}.{field.encode_name}{problem}")
        if spoils and problem in (_TWICE, _HALF):
            spoils.unknown(f"{where}.{field.encode_name}{problem}")
        if field.name == "last_used":
            # Left out it would mean never used; a number beyond all bounds is no such thing.
            values[field.name] = bytes(part)[:40].decode(errors="replace") if problem is not _TWICE else "two moments"
        elif field.name == "user" and problem is not _TWICE:
            with suppress(InputError):  # without an id it is not known whose license this is
                values[field.name] = _row(part, UserReference, f"{where}.user", spoils)
    return kind(**values)


def _parts(raw: Raw, where: str) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.ValidationError as error:
        raise InputError(f"{where} is not an object: {_place(error)[1]}") from None
    except UNREADABLE as error:
        if not is_not_utf8(error):
            raise
        raise InputError(f"{where}{_HALF}") from None


def _value(part: Raw, kind: Any) -> tuple[Any, str | None]:
    """The value of a field; or what is wrong with it, to be written behind its name."""
    try:
        return msgspec.json.decode(part, type=kind), None
    except msgspec.ValidationError as error:
        place, problem = _place(error)
        return None, f"{'.' if place else ''}{place.rstrip(': ')}: {problem}"
    except UNREADABLE as error:
        if not is_not_utf8(error):
            raise
        return None, _HALF


def _check_licenses(licenses: Licenses | _RawLicenses, data: bytes, what: str) -> None:
    """Raises InputError without licenses of any type: a plan without a single one would look as if all were well."""
    if any(getattr(licenses, license_type) is not UNSET for license_type in LICENSE_TYPES):
        return
    found = msgspec.json.decode(data, type=_Keys).licenses
    near = ((key, meant) for key in found if (meant := nearest(key, LICENSE_TYPES)))
    help_ = next((f"it has `{key[:40]}`: did you mean `{meant}`?" for key, meant in near), _AS_WRITTEN)
    raise InputError(f"{what} is not a snapshot: `licenses` has neither `professional` nor `analyzer`", help_)


def _not_json(error: Exception, what: str) -> InputError:
    problem = str(error).removeprefix("JSON is malformed: ")
    if "truncated" in problem:
        return InputError(f"{what} ends in the middle: it was not written to its end", "take it again")
    if is_not_utf8(error):
        return InputError(f"{what} is not UTF-8 text", "save it as UTF-8")
    if isinstance(error, RecursionError):
        return InputError(f"{what} is nested too deep")
    if isinstance(error, msgspec.ValidationError):
        place, problem = _place(error)
        return InputError(f"{what} is not as QRS sends it: {place}{problem}", "is another service answering there?")
    return InputError(f"{what} is not JSON: {problem[:1].lower()}{problem[1:]}")


def _place(error: msgspec.ValidationError) -> tuple[str, str]:
    """msgspec's message as place and problem, in our words."""
    text = str(error)
    match = re.fullmatch(r"(.*?)(?: - at `\$\.?(.*)`)?", text, re.DOTALL)
    problem, place = match.groups() if match else (text, None)
    problem = problem[:1].lower() + problem[1:]
    problem = (
        problem.replace("`str`", "text")
        .replace("`str | null`", "text")
        .replace("`int`", "a number")
        .replace("`float`", "a number")
    )
    problem = problem.replace("`array`", "a list").replace("`object`", "an object").replace("`bool`", "true or false")
    problem = problem.replace(", got", ", found").replace("object missing required field", "there is no")
    return (f"{place}: " if place else "", problem)
