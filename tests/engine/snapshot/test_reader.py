"""Decoding snapshots: strict about whom a row speaks of, lenient about what it says of him."""

import codecs
import json
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import fields

from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.facts.facts import last_use
from seatwarden.engine.snapshot.model import License, User, UserReference
from seatwarden.engine.snapshot.reader import MOST_REMARKS, decode_snapshot, load_snapshot
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.policy.errors import InputError
from tests.engine.support import checked, day_of, decide, license_row, site_of, snapshot_of, user
from tests.strategies import NOW, as_json, sites

SMALL = site_of([user(1, tags=[{"name": "Åsa 😀"}])], [license_row(1)], [license_row(2, user=None)])


@given(sites(nasty=False))
def test_both_ways_of_decoding_agree(site: dict[str, Any]) -> None:
    """One wrong fact sends the whole snapshot the lenient way; all other facts must stay as they are."""
    strict = snapshot_of(site)
    spoiled = deepcopy(site)
    spoiled["users"].append(user(9, tags=5))
    lenient = snapshot_of(spoiled)
    assert lenient.users[:-1] == strict.users
    assert lenient.users[-1].tags is UNSET
    assert lenient.licenses == strict.licenses
    assert (lenient.taken_at, lenient.source) == (strict.taken_at, strict.source)


@given(sites())
def test_no_fact_makes_a_snapshot_unreadable(site: dict[str, Any]) -> None:
    snapshot = snapshot_of(site)
    assert [u.id for u in snapshot.users] == [row["id"] for row in site["users"]]
    assert {t: [r.id for r in rows] for t, rows in snapshot.licenses.items()} == {
        t: [row["id"] for row in rows] for t, rows in site["licenses"].items()
    }


_USER_FACTS = [f.encode_name for f in fields(User) if f.encode_name not in ("id", "userId", "userDirectory")]
_LICENSE_FACTS = [f.encode_name for f in fields(License) if f.encode_name not in ("id", "lastUsed")]


@pytest.mark.parametrize("wrong", [5, {"a": 1}, [[1]]], ids=str)
@pytest.mark.parametrize("key", _USER_FACTS)
def test_a_wrong_fact_of_a_user_is_unknown(key: str, wrong: object) -> None:
    snapshot = snapshot_of(site_of([user(1, **{key: wrong}), user(2)]))
    decoded = {f.encode_name: getattr(snapshot.users[0], f.name) for f in fields(User)}
    assert decoded[key] is UNSET
    others = {f.encode_name: getattr(snapshot.users[1], f.name) for f in fields(User)} | {"id": "u1"}
    identity = ("id", "userId", "name", key)
    assert {k: v for k, v in decoded.items() if k not in identity} == {
        k: v for k, v in others.items() if k not in identity
    }


@pytest.mark.parametrize("wrong", [5, {"a": 1}, [[1]]], ids=str)
@pytest.mark.parametrize("key", _LICENSE_FACTS)
def test_a_wrong_fact_of_a_license_is_unknown(key: str, wrong: object) -> None:
    snapshot = snapshot_of(site_of([user(1)], [license_row(1, **{key: wrong})]))
    (row,) = snapshot.licenses["analyzer"]
    assert {f.encode_name: getattr(row, f.name) for f in fields(License)}[key] is UNSET


@given(sites())
def test_attributes_may_stay_unread(site: dict[str, Any]) -> None:
    """They are unknown then, unless they were read anyhow; all else is as ever."""
    whole, lean = (decode_snapshot(as_json(site), "test", attributes=wanted) for wanted in (True, False))
    assert (lean.licenses, lean.taken_at, lean.digest) == (whole.licenses, whole.taken_at, whole.digest)
    names = [field.name for field in fields(User) if field.name != "attributes"]
    for one, other in zip(lean.users, whole.users, strict=True):
        assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]
        assert one.attributes is UNSET or one.attributes == other.attributes


@pytest.mark.parametrize("fact", ["name", "userId", "userDirectory"])
def test_a_wrong_name_on_a_license_costs_the_name_only(fact: str) -> None:
    row = license_row(1)
    row["user"] |= {"name": "Ann", fact: 5}
    (license_,) = snapshot_of(site_of([user(1)], [row])).licenses["analyzer"]
    assert isinstance(license_.user, UserReference)
    assert {f.encode_name: getattr(license_.user, f.name) for f in fields(UserReference)} == row["user"] | {fact: None}
    (decision,) = decide("release when true", site_of([user(1)], [row]))
    assert (decision.verdict, decision.user, decision.user_name) == ("release", "ACME\\user1", "User 1")


def test_half_a_tag_makes_all_tags_unknown() -> None:
    snapshot = snapshot_of(site_of([user(1, tags=[{"name": "vip"}, {"id": "no name"}])]))
    assert snapshot.users[0].tags is UNSET


def _changed(path: list[str | int], value: object) -> dict[str, Any]:
    site = site_of([user(1), user(2)], [license_row(1), license_row(2)], [license_row(3)])
    at: Any = site
    for step in path[:-1]:
        at = at[step]
    if value is UNSET:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return site


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["licenses", "analyzer", 1, "id"], UNSET, "test: licenses.analyzer[1] has no `id`"),
        (["licenses", "professional", 0, "id"], 7, "test: licenses.professional[0].id: expected text, found a number"),
        (["licenses", "analyzer"], {}, "test is not a snapshot: licenses.analyzer: expected a list, found an object"),
        (["licenses"], UNSET, "test is not a snapshot: there is no `licenses`"),
        (["users"], None, "test is not a snapshot: users: expected a list, found `null`"),
    ],
)
def test_which_license_a_row_speaks_of_must_be_readable(path: list[str | int], value: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        snapshot_of(_changed(path, value))
    assert caught.value.message == message


@pytest.mark.parametrize("path", [["users"], ["licenses", "analyzer"]])
@pytest.mark.parametrize(("value", "help_"), [({"value": [], "Count": 0}, "wrap it in `value`"), (None, "it null")])
def test_lists_that_another_tool_has_unwrapped(path: list[str | int], value: object, help_: str) -> None:
    with pytest.raises(InputError) as caught:
        snapshot_of(_changed(path, value))
    assert caught.value.help is not None
    assert help_ in caught.value.help
    assert "with Qlik-Cli, give it `-raw`" in caught.value.help


UNREADABLE = "undetermined: the user of this license has no readable id or directory"
UNLISTED = "undetermined: the user of this license is not among the site's users"


@pytest.mark.parametrize(
    ("path", "value", "remark", "reason"),
    [
        ([0, "id"], None, "users[0].id: expected text, found `null`", UNLISTED),
        ([0, "userId"], UNSET, "users[0] has no `userId`", UNREADABLE),
        ([0, "userDirectory"], ["X"], "users[0].userDirectory: expected text, found a list", UNREADABLE),
        ([0, "userId"], "a\ud800", "users[0].userId has half a character (a surrogate that stands alone)", UNREADABLE),
        ([0], "ann", "users[0] is not an object: expected an object, found text", UNLISTED),
        ([0], {}, "users[0] has no `id`", UNLISTED),
    ],
)
def test_a_user_who_cannot_be_told_costs_that_user(
    path: list[str | int], value: object, remark: str, reason: str
) -> None:
    site = _changed(["users", *path], value)
    snapshot = snapshot_of(site)
    assert snapshot.remarks == (f"{remark}: a license of this user is kept",)
    assert [one.id for one in snapshot.users] == ["u2"]
    verdicts = {decision.license_id: decision for decision in decide("release when true", site)}
    assert (verdicts["l1"].verdict, verdicts["l1"].reason) == ("keep", reason)
    assert verdicts["l2"].verdict == "release"


def test_a_user_who_can_be_told_once_and_not_again_is_doubled() -> None:
    """What the second row says of him counts as much as the first."""
    site = site_of([user(1), user(1, userDirectory=None)], [license_row(1)])
    (decision,) = decide("release when true", site)
    assert (decision.verdict, decision.reason) == (
        "keep",
        "undetermined: the site's users list this user more than once",
    )


def test_remarks_are_few() -> None:
    snapshot = snapshot_of(site_of([user(n, userId=None) for n in range(MOST_REMARKS + 3)], []))
    assert len(snapshot.remarks) == MOST_REMARKS + 1
    assert snapshot.remarks[-1] == "… and 3 more like these"


@pytest.mark.parametrize("raw", [False, True], ids=["escaped", "in bytes"])
@pytest.mark.parametrize("half", ["\ud83d", "\ud83d\ud83d", "x\udfff\ud83dy"])
def test_half_a_character_costs_the_text_that_it_stands_in(half: str, raw: bool) -> None:
    site = site_of([user(1, name=f"Ann {half}"), user(2, tags=[{"name": half}])], [license_row(1), license_row(2)])
    site["licenses"]["analyzer"][0]["user"]["name"] = half
    site["users"][1]["name"] = "\\ud83d 😀"
    text = json.dumps(site, ensure_ascii=not raw)
    snapshot = decode_snapshot(text.encode("utf-8", "surrogatepass"), "s")
    assert (snapshot.users[0].name, snapshot.users[1].name) == (UNSET, "\\ud83d 😀")
    assert (snapshot.users[0].tags, snapshot.users[1].tags) == ((), UNSET)
    assert [remark.partition(" has half a character")[0] for remark in snapshot.remarks] == [
        "users[0].name",
        "users[1].tags",
        "licenses.analyzer[0].user",
        "licenses.analyzer[0].user.name",
    ]
    (row, _) = snapshot.licenses["analyzer"]
    assert row.user == UserReference("u1", "user1", "ACME", None)


def test_half_a_character_where_a_last_use_belongs_is_never_never() -> None:
    (row,) = decode_snapshot(
        b'{"users": [], "licenses": {"analyzer": [{"id": "a", "lastUsed": "\\ud800"}]}}', "s"
    ).licenses["analyzer"]
    assert isinstance(last_use(row, make_day(NOW, "UTC")), Unknown)


def _doubled(key: str, more: str) -> bytes:
    """A site of two users and licenses, in which one key is written once more, before the first that is there."""
    site = as_json(site_of([user(1), user(2)], [license_row(1), license_row(2)])).decode()
    before, found, after = site.partition(f'"{key}":')
    assert found
    return f'{before}"{key}": {more}, {found}{after}'.encode()


@pytest.mark.parametrize(
    ("key", "more", "remark"),
    [
        ("tags", '[{"name": "vip"}]', "users[0].tags stands twice, or a key within it does: it is not known"),
        ("userDirectory", '"VIP"', "users[0].userDirectory stands twice, or a key within it does: a license of this"),
        ("id", '"u7"', "users[0].id stands twice, or a key within it does: a license of this user is kept"),
        ("lastUsed", '"2026-11-20T00:00:00Z"', "analyzer[0].lastUsed stands twice, or a key within it does: it is"),
        ("quarantined", "true", "analyzer[0].quarantined stands twice, or a key within it does: it is not known"),
        ("user", "null", "analyzer[0].user stands twice, or a key within it does: it is not known"),
    ],
)
def test_a_key_that_stands_twice_costs_what_it_says(key: str, more: str, remark: str) -> None:
    """JSON readers take the last: whether that is meant, nobody knows."""
    policy = checked('keep when user.tags = "x" or user.userDirectory = "x"\nrelease when unused for 30 days')
    for data in (_doubled(key, more), _doubled(key, more).replace(b'"' + key.encode() + b'"', _escaped(key), 1)):
        snapshot = decode_snapshot(data, "s")
        assert [remark in found for found in snapshot.remarks] == [True]
        kept, other = decide_all(policy, snapshot, day_of(policy))
        assert (kept.verdict, other.verdict) == ("keep", "release")


def _escaped(key: str) -> bytes:
    return f'"\\u{ord(key[0]):04x}{key[1:]}"'.encode()


@pytest.mark.parametrize("key", ["users", "licenses", "analyzer"])
def test_rows_that_stand_twice_are_no_snapshot(key: str) -> None:
    """The first of them would go unsaid."""
    with pytest.raises(InputError, match=f"{key}` twice"):
        decode_snapshot(_doubled(key, "{}" if key == "licenses" else "[]"), "s")


@pytest.mark.parametrize(("key", "more"), [("userDirectory", '"ACME"'), ("inactive", "false")])
def test_a_key_that_says_the_same_twice_is_known(key: str, more: str) -> None:
    assert decode_snapshot(_doubled(key, more), "s").remarks == ()


def test_a_key_within_a_fact_that_stands_twice() -> None:
    site = as_json(site_of([user(1, tags=[{"name": "vip"}])], [license_row(1)]))
    snapshot = decode_snapshot(site.replace(b'"name": "vip"', b'"name": "vip", "name": "x"'), "s")
    assert snapshot.users[0].tags is UNSET
    assert snapshot.users[0].user_directory == "ACME"


@pytest.mark.parametrize(
    ("written", "help_"),
    [
        ("2026/08/13 10:47", "Qlik-Cli without `-raw`"),
        ("/Date(1786618020000)/", "ConvertTo-Json"),
        ("13.08.2026 10:47", "QRS writes them otherwise"),
        (1786618020, "QRS writes them otherwise"),
    ],
)
def test_dates_that_another_tool_has_rewritten(written: object, help_: str) -> None:
    rows = [license_row(n, lastUsed=written, createdDate=written) for n in range(4)]
    (remark,) = snapshot_of(site_of([user(1)], [*rows, license_row(9)])).remarks
    assert f"unreadable in the same way, such as `{written}`" in remark
    assert help_ in remark
    assert "seatwarden snapshot" in remark


def test_some_wrong_dates_are_no_tools_hand() -> None:
    rows = [license_row(n, lastUsed="2026/08/13 10:47") for n in range(4)]
    assert snapshot_of(site_of([user(1)], [*rows, *[license_row(n) for n in range(5, 12)]])).remarks == ()
    assert snapshot_of(site_of([user(1)], rows[:2])).remarks == ()


@pytest.mark.parametrize("site", [SMALL, SMALL | {"users": [user(1, tags=5)]}], ids=["right", "one wrong fact"])
def test_cut_off_anywhere(site: Mapping[str, Any]) -> None:
    data = as_json(site)
    decode_snapshot(data, "s")
    for end in range(len(data)):
        with pytest.raises(InputError) as caught:
            decode_snapshot(data[:end], "s")
        assert caught.value.message.startswith("s ")


@given(st.integers(0, 2000), st.integers(0, 255), st.booleans())
def test_any_changed_byte_is_read_or_refused(at: int, byte: int, lenient: bool) -> None:
    data = bytearray(as_json(SMALL | {"users": [user(1, tags=5)]} if lenient else SMALL))
    data[at % len(data)] = byte
    policy = checked("release when user.tags = [] or unused for 1 day")
    with suppress(InputError):
        snapshot = decode_snapshot(bytes(data), "s")
        decisions = list(decide_all(policy, snapshot, day_of(policy)))
        assert len(decisions) == sum(map(len, snapshot.licenses.values()))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "s ends in the middle: it was not written to its end"),
        (b"[]", "s is not a snapshot: expected an object, found a list"),
        (b"<html>", "s is not JSON: invalid character (byte 0)"),
        (b'{"users": [{"id": "\xff"}], "licenses": {}}', "s is not UTF-8 text"),
        (b'{"licenses": {"analyzer": [{"id": "\xff", "excess": 5}]}, "users": []}', "s is not UTF-8 text"),
        (b'{"users": [], "licenses": {}} x', "s is not JSON: trailing characters (byte 31)"),
        (b'{"users": [], "licenses": {"analyzer": [' + b"[" * 100_000, "s is nested too deep"),
    ],
)
def test_no_snapshot_at_all(data: bytes, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_snapshot(data, "s")
    assert caught.value.message.startswith(problem)


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
def test_byte_order_marks(tmp_path: Path, mark: bytes, encoding: str) -> None:
    """PowerShell writes UTF-16 or marks UTF-8."""
    path = tmp_path / "site.json"
    path.write_bytes(mark + json.dumps(SMALL, ensure_ascii=False).encode(encoding))
    snapshot = load_snapshot(path)
    assert snapshot.users == snapshot_of(SMALL).users
    assert snapshot.digest != snapshot_of(SMALL).digest  # of the bytes as they are
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with pytest.raises(InputError):
        load_snapshot(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_snapshot(tmp_path / "none.json")
    with pytest.raises(InputError, match="is a folder"):
        load_snapshot(tmp_path)


def test_types_that_were_not_asked_for_are_told_from_empty_ones() -> None:
    site = site_of([user(1)])
    del site["licenses"]["professional"]
    assert snapshot_of(site).licenses == {"analyzer": []}


@pytest.mark.parametrize(
    ("licenses", "help_"),
    [
        ({"Analyzer": [license_row(1)]}, "it has `Analyzer`: did you mean `analyzer`?"),
        ({"other": [], "profesional": 5}, "it has `profesional`: did you mean `professional`?"),
        ({"tokens": []}, "as `seatwarden snapshot` writes it"),
        ({}, "as `seatwarden snapshot` writes it"),
    ],
)
@pytest.mark.parametrize(
    "facts", [{}, {"tags": 5}, {"name": "\ud800"}], ids=["right", "one wrong fact", "half a character"]
)
def test_a_snapshot_without_licenses_is_none(licenses: dict[str, Any], help_: str, facts: dict[str, Any]) -> None:
    """An empty plan that ends well would say that nothing is to be released."""
    with pytest.raises(InputError) as caught:
        snapshot_of({"users": [user(1, **facts)], "licenses": licenses})
    assert caught.value.message == "test is not a snapshot: `licenses` has neither `professional` nor `analyzer`"
    assert caught.value.help is not None
    assert help_ in caught.value.help


@pytest.mark.parametrize("number", ["1" * 400, "-1e999", "1e999", "0.5", "true", '"\\u00e9"', '{"a": [1]}'])
def test_a_last_use_that_is_no_moment_is_unknown_and_never_never(number: str) -> None:
    """A number that JSON readers refuse must not read as absent: that would mean never used."""
    row = f'{{"id": "a", "lastUsed": {number}, "excess": 5}}'
    data = '{"users": [], "licenses": {"analyzer": [' + row + "]}}"
    (license_,) = decode_snapshot(data.encode(), "s").licenses["analyzer"]
    assert isinstance(last_use(license_, make_day(NOW, "UTC")), Unknown)
