"""Whoever is handed a file of another kind says what it is, in two lines, and where such a file belongs."""

import json
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run
from tests.paths import DATA, EXAMPLES

pytestmark = pytest.mark.usefixtures("quick")

KINDS: dict[str, str] = {
    "season.policy": "a policy",
    "site.json": "a snapshot",
    "season.test.yaml": "a policy test",
    "log/plan.jsonl": "the log of a plan",
    "log/outcomes.jsonl": "the journal of a run",
    "key.txt": "a key for pseudonyms",
    "table.csv": "a table (CSV)",
    "book.xlsx": "an Excel workbook",
    "paper.pdf": "a PDF",
    "client.pem": "a certificate (PEM)",
    "client.pfx": "a certificate with its key (PFX)",
    "printed.json": "what `plan --format json` prints",
}
"""Files by name, and what they are."""
OPERANDS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "plan --policy": (("plan", "-s", "site.json", "-p", "FILE"), {"season.policy"}),
    "plan --snapshot": (("plan", "-p", "season.policy", "-s", "FILE"), {"site.json"}),
    "plan --site": (("plan", "-p", "season.policy", "--site", "FILE"), set()),
    "plan --pseudonymize": (("plan", "-p", "season.policy", "-s", "site.json", "--pseudonymize", "FILE"), {"key.txt"}),
    "explain --policy": (("explain", "jdoe", "-s", "site.json", "-p", "FILE"), {"season.policy"}),
    "explain --plan": (("explain", "jdoe", "--plan", "FILE"), {"log/plan.jsonl"}),
    "apply": (("apply", "FILE", "--site", "site.yaml"), {"log/plan.jsonl"}),
    "run --site": (("run", "-p", "season.policy", "--site", "FILE"), set()),
    "run --policy": (("run", "--site", "site.yaml", "-p", "FILE"), {"season.policy"}),
    "serve": (("serve", "--site", "FILE"), set()),
    "monitor": (("monitor", "--site", "FILE"), set()),
    "report": (("report", "FILE"), {"log/plan.jsonl"}),
    "convert": (("convert", "FILE", "--to", "json"), {"season.policy"}),
    "test": (("test", "FILE"), {"season.test.yaml"}),
    "diff": (("diff", "FILE", "season.policy", "-s", "site.json"), {"season.policy"}),
    "snapshot": (("snapshot", "-o", "new.json", "--site", "FILE"), set()),
    "site check": (("site", "check", "--site", "FILE"), set()),
    "fleet check": (("fleet", "check", "--fleet", "FILE"), set()),
    "log verify": (("log", "verify", "FILE"), {"log/plan.jsonl"}),
    "log replay": (("log", "replay", "FILE"), {"log/plan.jsonl"}),
    "log list": (("log", "list", "FILE"), set()),
    "log show": (("log", "show", "FILE"), set()),
    "init --butler": (("init", "new", "--butler", "FILE"), set()),
    "lint": (("lint", "FILE"), {"season.policy", "season.test.yaml"}),
}
"""Every place where a command takes a file, and which of the files above belong there."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("season.policy", "season.test.yaml", "site.json"):
        Path(name).write_bytes((EXAMPLES / name).read_bytes())
    Path("log").mkdir()
    for name in ("plan.jsonl", "outcomes.jsonl"):
        Path("log", name).write_bytes((DATA / "log" / name).read_bytes())
    Path("site.yaml").write_text("configQRS: {host: localhost}\n", encoding="utf-8")
    Path("key.txt").write_text("0123456789abcdef" * 4, encoding="utf-8")
    Path("table.csv").write_text("user,name,license\na,b,c\n", encoding="utf-8")
    Path("book.xlsx").write_bytes(b"PK\x03\x04....xl/workbook.xml")
    Path("paper.pdf").write_bytes(b"%PDF-1.7\n")
    Path("client.pem").write_text("-----BEGIN CERTIFICATE-----\nMII\n", encoding="utf-8")
    Path("client.pfx").write_bytes(b"\x30\x82\x09\xf0\x02\x01\x03\x30")
    Path("printed.json").write_text('{"run": {}, "decisions": [], "summary": {}}', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("operand", OPERANDS)
def test_each_place_names_what_it_is_handed(operand: str, here: Path, run: Run) -> None:
    words, fitting = OPERANDS[operand]
    for name, noun in KINDS.items():
        if name in fitting:
            continue
        ran = run(*(name if word == "FILE" else word for word in words))
        assert (ran.code, ran.out) == (2, ""), (name, ran)
        assert f"error: `{Path(name)}` is {noun}, not " in ran.err
        assert len(ran.err.splitlines()) == 2, ran.err
        assert max(map(len, ran.err.splitlines())) < 150


def test_the_folder_of_a_plan_is_named(here: Path, run: Run) -> None:
    ran = run("apply", "log/plan.jsonl", "--site", "site.yaml")
    assert ran.err.splitlines() == [
        f"error: `{Path('log/plan.jsonl')}` is the log of a plan: apply takes its folder",
        "  = help: seatwarden apply log",
    ]


@pytest.mark.parametrize("place", ["nofolder", "log/nothing"])
def test_no_plan_is_there(place: str, here: Path, run: Run) -> None:
    for words in (("apply", place, "--site", "site.yaml"), ("report", place), ("log", "verify", place)):
        ran = run(*words)
        assert (ran.code, f"there is no plan: `{Path(place)}` does not exist" in ran.err) == (2, True)
    Path("nofolder").mkdir(exist_ok=True)
    ran = run("apply", "nofolder", "--site", "site.yaml")
    assert (ran.code, "`nofolder` holds no plan" in ran.err) == (2, True)


def test_a_folder_where_a_file_belongs(here: Path, run: Run) -> None:
    for words in (
        ("plan", "-p", "log", "-s", "site.json"),
        ("monitor", "--site", "log"),
        ("plan", "-p", "season.policy", "-s", "site.json", "--pseudonymize", "log"),
    ):
        ran = run(*words)
        assert (ran.code, "`log` is the folder of a run, not a file" in ran.err) == (2, True)


# What messages quote -------------------------------------------------------------------------------------


def test_no_message_pastes_a_file(here: Path, run: Run) -> None:
    long = "x" * 5_000
    for name, text in {
        "long.yaml": f'licenseType: {{analyzer: {{enable: "{long}", releaseThresholdDays: 30}}}}\n',
        "long.policy": f'keep "a" when user.tags = {long}\n',
        "key.yaml": f"licenseType: {{}}\n{long}: 1\n",
    }.items():
        Path(name).write_text(text, encoding="utf-8")
        ran = run("plan", "-p", name, "-s", "site.json")
        assert ran.code == 2
        assert long[:161] not in ran.err, name
        assert len(ran.err) < 1_000


def test_of_one_kind_five_are_listed(here: Path, run: Run) -> None:
    rules = "".join(f'keep "{n}" when user.nothing{n} = "x"\n' for n in range(12))
    Path("many.policy").write_text(rules + 'keep "z" when user.tags < 5\n', encoding="utf-8")
    ran = run("plan", "-p", "many.policy", "-s", "site.json")
    assert (ran.code, ran.err.count("error[SW101]")) == (2, 5)
    assert ran.err.count("error[SW103]") + ran.err.count("error[SW105]") == 1
    assert ran.err.splitlines()[-1] == "  and 7 more SW101; `seatwarden lint` lists those of a policy"
    assert run("lint", "many.policy").out.count("error[SW101]") == 12


# Commands ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["release", "relase", "deallocate", "revoke", "reclaim"])
def test_there_is_no_command_that_only_releases(word: str, run: Run) -> None:
    ran = run(word, "CORP\\jdoe")
    assert ran.code == 2
    assert f"No such command '{word}'. `plan` says what would be released, `apply` releases what a plan" in ran.err


@pytest.mark.parametrize("word", ["undo", "reinstate", "give-back"])
def test_what_gives_back_is_named(word: str, run: Run) -> None:
    ran = run(word, "plans/today")
    assert ran.code == 2
    assert f"No such command '{word}'. `restore` gives back what a run has released." in ran.err


def test_commands_of_groups_are_found(run: Run) -> None:
    assert "Did you mean 'seatwarden log verify'?" in run("verify", "x").err
    assert "Did you mean 'apply'?" in run("aply").err


# Folders of policies -------------------------------------------------------------------------------------


def test_lint_of_a_folder(here: Path, run: Run) -> None:
    for name in ("policies", "policies/.old", "policies/run"):
        Path(name).mkdir()
    folder = Path("policies")
    (folder / "a.policy").write_text('keep "a" when user.nothing = "x"\n', encoding="utf-8")
    (folder / "broken.policy").write_text("what is this\n", encoding="utf-8")
    (folder / "b.yaml").write_text("licenseType: {analyzer: {enable: true, releaseThresholdDays: 0}}\n", "utf-8")
    (folder / "b.test.yaml").write_text("policy: b.yaml\ncases: [{nam: x}]\n", encoding="utf-8")
    (folder / "site.yaml").write_text("configQRS: {host: q}\n", encoding="utf-8")
    (folder / "snapshot.json").write_bytes(Path("site.json").read_bytes())
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    (folder / ".old" / "x.policy").write_text("what is this\n", encoding="utf-8")
    for name in ("plan.jsonl", "policy.policy"):
        (folder / "run" / name).write_text("what is this\n", encoding="utf-8")
    ran = run("lint", "policies", "--format", "json")
    assert ran.code == 1
    found = {(Path(finding["file"]).name, finding["code"]) for finding in json.loads(ran.out)["findings"]}
    assert {name for name, _ in found} == {"a.policy", "broken.policy", "b.yaml", "b.test.yaml"}
    assert {("a.policy", "SW101"), ("b.yaml", "SW312"), ("b.test.yaml", "SW203")} <= found
    assert run("lint", "policies/b.test.yaml").code == 1


def test_a_folder_with_nothing_to_check(here: Path, run: Run) -> None:
    Path("empty").mkdir()
    ran = run("lint", "empty")
    assert (ran.code, "nothing to check in `empty`" in ran.err) == (2, True)
    assert run("lint", EXAMPLES).code == 0


# The site file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["clientCert", "clientCertKey", "clientCertCA", "clientCertPassphrase"])
def test_certificates_under_the_wrong_section(key: str, here: Path, run: Run) -> None:
    Path("site.yaml").write_text(f"configQRS:\n  host: q\n  {key}: HIDDEN\n", encoding="utf-8")
    for words in (("site", "check"), ("plan", "-p", "season.policy"), ("monitor",)):
        ran = run(*words, "--site", "site.yaml")
        assert (ran.code, ran.err.count("error[")) == (2, 1)
        assert f"`{key}` does not belong to `configQRS`" in ran.err
        assert "it stands under `cert:`, beside `configQRS`" in ran.err
        assert ("HIDDEN" in ran.err) == (key != "clientCertPassphrase")
    Path("site.yaml").write_text(f"configQRS:\n  host: q\n  cert:\n    {key}: HIDDEN\n", encoding="utf-8")
    ran = run("site", "check", "--site", "site.yaml")
    assert (ran.code, "move it to the left, beside `configQRS`" in ran.err, "HIDDEN" in ran.err) == (2, True, False)


def test_paths_and_users_as_windows_writes_them(here: Path, run: Run) -> None:
    Path("site.yaml").write_text('configQRS: {host: q}\ncert: {clientCert: "C:\\Qlik certs\\c.pem"}\n', "utf-8")
    ran = run("site", "check", "--site", "site.yaml")
    assert (ran.code, "write paths in single quotes" in ran.err) == (2, True)
    Path("site.yaml").write_text("configQRS: {host: q, headers: {X-Qlik-User: INTERNAL\\sa_api}}\n", encoding="utf-8")
    ran = run("site", "check", "--site", "site.yaml")
    assert (ran.code, "`DIRECTORY\\id` is not its form" in ran.err) == (2, True)
