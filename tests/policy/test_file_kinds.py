"""What a file is by its content, whatever its name says."""

import json
import zipfile
from pathlib import Path

import pytest

from seatwarden.policy import file_kinds as kinds
from seatwarden.policy.butler.schema import butler_schema
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import HEAD, FileKind, is_run_folder, kind_of, kind_of_data, refuse_foreign
from tests.paths import DATA, EXAMPLES

TEXTS: list[tuple[FileKind | None, str]] = [
    (kinds.POLICY, 'keep "a" when user.inactive\n'),
    (kinds.POLICY, "# about\n\n  # more\nRelease analyzer when unused for 30 days\n"),
    (kinds.POLICY, 'let days = 5\n'),
    (kinds.POLICY, 'set vips from "vips.txt"\n'),
    (kinds.POLICY, "limit release to 5 per run\n"),
    (kinds.POLICY, 'timezone "UTC"\n'),
    (kinds.BUTLER, "---\n# Butler\nButler:\n  configQRS: {}\n"),
    (kinds.BUTLER, '{"Butler": {"qlikSenseLicense": {}}}'),
    (kinds.RULES, "licenseType:\n  analyzer: {enable: true}\n"),
    (kinds.RULES, "configQRS: {host: q}\nlicenseRelease: {}\n"),
    (kinds.SITE, "configQRS:\n  host: q\n"),
    (kinds.SITE, "seatwarden: {policy: p.policy}\n"),
    (kinds.TEST, "policy: p.policy\ncases:\n  - {name: a}\n"),
    (kinds.TEST, "policy: p.policy\nsnapshot: s.json\nexpect: []\n"),
    (kinds.SNAPSHOT, '{"users": [], "licenses": {"analyzer": []}}'),
    (kinds.PRINTED, '{"run": {}, "decisions": [], "summary": {}}'),
    (kinds.JSON_POLICY, '{"seatwarden": 1, "statements": []}'),
    (kinds.SCHEMA, json.dumps(butler_schema())),
    (kinds.KEY, "0123456789abcdef" * 4 + "\n"),
    (kinds.CSV, 'user,name,license\n"a, b",x,y\nc,d,e\n'),
    (kinds.CSV, "user;name;license\r\na;x;y\r\n"),
    (kinds.HTML, "<!DOCTYPE html>\n<html><body>Sign in</body></html>"),
    (kinds.HTML, "<html>"),
    (kinds.JUNIT, '<?xml version="1.0"?>\n<testsuites><testsuite/></testsuites>'),
    (kinds.TESTED, "a.test.yaml: 3 passed\nb.test.yaml: 1,002 passed, 1 failed\n"),
    (kinds.CERTIFICATE, "subject=x\n-----BEGIN CERTIFICATE-----\nMII\n"),
    (kinds.PRIVATE_KEY, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII\n"),
    (kinds.EMPTY, ""),
    (kinds.EMPTY, " \r\n\t\n"),
    (None, "call Ann\n"),
    (None, "Keep in mind that Ann is away.\n"),
    (None, "release notes\n"),
    (None, "CORP\\jdoe\nCORP\\asmith\n"),
    (None, "a, b\nc, d\n"),
    (None, "Dear Ann, Bob, and Carl,\nthis is a letter, with commas, to all of you, as you see.\n"),
    (None, "[]"),
    (None, '{"licenses": {}}'),
    (None, "services:\n  web: {image: x}\n"),
    (None, "# only a comment\n"),
    (None, "0123456789abcdef\n"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), TEXTS)
def test_texts(kind: FileKind | None, text: str) -> None:
    assert kind_of_data(text.encode()) is kind
    assert kind_of_data(b"\xef\xbb\xbf" + text.encode()) is kind, "with a mark"
    assert kind_of_data(b"\xff\xfe" + text.encode("utf-16-le")) is kind, "as PowerShell writes it"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (kinds.PDF, b"%PDF-1.7\n%\xe2\xe3"),
        (kinds.PARQUET, b"PAR1\x15\0"),
        (kinds.GZIP, b"\x1f\x8b\x08\0"),
        (kinds.SNAPSHOT, b"\x28\xb5\x2f\xfd\x04\0"),
        (kinds.PFX, b"\x30\x82\x09\xf0\x02\x01\x03\x30"),
        (kinds.IMAGE, b"\x89PNG\r\n\x1a\n"),
        (kinds.OFFICE, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        (kinds.PROGRAM, b"MZ\x90\x00\x03"),
        (kinds.UTF16, '{"users": []}'.encode("utf-16-le")),
        (kinds.UTF16, '{"users": []}'.encode("utf-16-be")),
        (None, bytes(range(256))),
        (None, b"\x30\x82\x09\xf0\x02\x01\x00"),
    ],
)
def test_others(kind: FileKind | None, data: bytes) -> None:
    assert kind_of_data(data) is kind


@pytest.mark.parametrize(("kind", "inner"), [(kinds.EXCEL, "xl/w.xml"), (kinds.WORD, "word/d.xml"), (kinds.ZIP, "a")])
def test_archives(kind: FileKind, inner: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        archive.writestr(inner, "x")
    assert kind_of(tmp_path / "x") is kind


def test_files_of_ours() -> None:
    assert {kind_of(path) for path in EXAMPLES.glob("*.policy")} == {kinds.POLICY}
    assert {kind_of(path) for path in EXAMPLES.glob("*.test.yaml")} == {kinds.TEST}
    assert kind_of(EXAMPLES / "butler.yaml") is kinds.BUTLER
    assert kind_of(EXAMPLES / "site.json") is kinds.SNAPSHOT
    assert kind_of(EXAMPLES / "vips.txt") is None
    assert kind_of(DATA / "log" / "plan.jsonl") is kinds.PLAN
    assert kind_of(DATA / "log" / "outcomes.jsonl") is kinds.JOURNAL
    assert is_run_folder(DATA / "log")
    assert not is_run_folder(EXAMPLES)


def test_a_long_snapshot_is_known_by_both_ends(tmp_path: Path) -> None:
    users = [{"id": f"{n:032}", "name": "Åsa" * 10} for n in range(5_000)]
    for order in (["users", "licenses"], ["licenses", "users"]):
        content = {key: {"users": users, "licenses": {"analyzer": []}}[key] for key in order}
        (tmp_path / "s.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        assert (tmp_path / "s.json").stat().st_size > 3 * HEAD
        assert kind_of(tmp_path / "s.json") is kinds.SNAPSHOT
        assert kind_of_data((tmp_path / "s.json").read_bytes()) is kinds.SNAPSHOT


def test_what_is_not_there_or_a_folder_is_no_kind(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "x") is None
    assert kind_of(tmp_path) is None
    assert kind_of(Path("a\0b")) is None


def test_what_is_said(tmp_path: Path) -> None:
    plan = Path("runs/x/plan.jsonl")
    with pytest.raises(InputError) as caught:
        refuse_foreign(plan, (DATA / "log" / "plan.jsonl").read_bytes(), "policy")
    assert caught.value.message == f"`{plan}` is the log of a plan, not a policy"
    assert caught.value.help == f"name its folder: {plan.parent}"
    for wanted in ("policy", "list file", "site file"):
        refuse_foreign(Path("x"), b"a,b\n", wanted)
    refuse_foreign(Path("x"), b"", "policy")
    with pytest.raises(InputError, match="site file `x` is empty"):
        refuse_foreign(Path("x"), b"", "site file")
