"""docs/formats.md says what is written and printed: its tables are those of the types, its schemas accept real files
and real output, and nothing in these is left out."""

import copy
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest
from jsonschema import Draft202012Validator

from seatwarden.engine.analysis import hindsight, regret
from seatwarden.engine.audit import answers
from seatwarden.engine.common.seals import seals_in
from seatwarden.engine.decide.class_counts import ClassCounts
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.downgrade import DowngradeStanding
from seatwarden.engine.facts.facts import RecordedFact
from seatwarden.engine.facts.guards import RowState
from seatwarden.engine.facts.notice import NoticeStanding
from seatwarden.engine.facts.standing import HoldInForce, Standing
from seatwarden.engine.log import (
    decision_lines,
    heads,
    journal_lines,
    lines,
    register,
    register_line,
    restore,
    signing_lines,
)
from seatwarden.engine.log.chain import ChainLine, SealLine, erased
from seatwarden.engine.log.writer import Recording, plan_lines
from seatwarden.engine.notice import holds
from seatwarden.engine.notice import lines as notices
from seatwarden.engine.plan import circumstances, guarantees, terms
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.given_back import TakeBackCounts
from seatwarden.engine.plan.plan import make_plan
from seatwarden.engine.plan.records import DecisionJson
from seatwarden.engine.plan.waiting import NoticeCounts
from seatwarden.engine.snapshot.model import Seats, SiteFacts
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.engine.version import FORMAT
from tests.docs.edits import read
from tests.docs.formats import PAGE, SIMPLE, schema_of, tables
from tests.docs.records import (
    TOLD_FIRST,
    approving_site,
    make_approved_record,
    make_downgraded_record,
    make_old_record,
    make_record,
    make_restored_record,
    make_told_record,
    running_site,
    told_by,
)
from tests.docs.schemas import FOLDER, LINES, OUTPUTS, schemas, table_of, text_of
from tests.engine.cli.test_json_of_commands import CALLS
from tests.engine.idle import POLICY, idle_site
from tests.engine.notify.servers import mail_server
from tests.engine.service.sites import write_site
from tests.engine.simulator.test_license_audit import rule_row
from tests.engine.support import checked, day_of, plan_of, snapshot_of
from tests.paths import EXAMPLES, load_json

WRITTEN = {path.name.removesuffix(".schema.json"): schema for path, schema in schemas()}
TYPES: dict[str, Any] = {
    "seal": SealLine,
    "plan": lines.PlanHeader,
    "circumstances": lines.SaltedCircumstances,
    "clocks": circumstances.Clocks,
    "guarantee judged": guarantees.GuaranteeJudged,
    "policy used": lines.PolicyUsed,
    "snapshot used": lines.SnapshotUsed,
    "seats": Seats,
    "site facts": SiteFacts,
    "register head": lines.RegisterHead,
    "policy": lines.PolicyLine,
    "rule used": lines.RuleUsed,
    "finding line": lines.FindingLine,
    "finding part": lines.FindingPart,
    "decision": decision_lines.RecordedDecision,
    "decision part": decision_lines.DecisionPart[RecordedFact],
    "row": RowState,
    "summary line": lines.SummaryLine,
    "summary": lines.Summary,
    "type summary": lines.TypeSummary,
    "class counts": ClassCounts,
    "notice counts": NoticeCounts,
    "taken back counts": TakeBackCounts,
    "apply": journal_lines.ApplyHeader,
    "giving": journal_lines.GivingLine,
    "giving part": journal_lines.GivingPart,
    "given": journal_lines.GivenLine,
    "given part": journal_lines.GivenPart,
    "intent": journal_lines.Intent,
    "intent part": journal_lines.IntentPart,
    "outcome": journal_lines.OutcomeLine,
    "outcome part": journal_lines.OutcomePart,
    "resume": journal_lines.Resume,
    "closed": journal_lines.Closed,
    "restore": restore.RestoreHeader,
    "back": restore.BackLine,
    "back part": restore.BackPart,
    "register part": register_line.RegisterPart,
    "register": register.Opened,
    "planned": register.Planned,
    "planned restore": register.PlannedRestore,
    "begun": register.Begun,
    "closed run": register.ClosedRun,
    "attempt": register.Attempt,
    "override": register.Override,
    "settings": register.Demands,
    "erased": register.ErasedLines,
    "pruned": register.PrunedRuns,
    "heads": register.NotedHeads,
    "signed": signing_lines.SignedFile,
    "approved": signing_lines.ApprovedRun,
    "key": signing_lines.KeyNoted,
    "terms": terms.Terms,
    "known heads": heads.Heads,
    "chain head": heads.ChainHead,
    "holds": holds.OpenedHolds,
    "hold": holds.HoldMade,
    "hold part": holds.HoldPart,
    "ended": holds.HoldEnded,
    "notices": notices.NoticesOpened,
    "notice intent": notices.IntentLine,
    "notice intent part": notices.MessagePart,
    "notice outcome": notices.AnswerLine,
    "notice outcome part": notices.AnswerPart,
    "notice ended": notices.EndedLine,
    "notice ended part": notices.EndedPart,
    "seen": notices.SeenLine,
    "damage accepted": notices.DamageAccepted,
    "damage part": notices.CircumstancesPart,
    "notice standing": NoticeStanding,
    "standing": Standing,
    "downgrade standing": DowngradeStanding,
    "taken back": TakeBack,
    "hold in force": HoldInForce,
    "finding": Finding,
    "printed decision": DecisionJson,
    "audited run": answers.AuditedRun,
    "answer": answers.AuditAnswer,
    "statement": answers.AuditStatement,
    "listing": answers.Listing,
    "entry": answers.AuditEntry,
    "backtested": regret.BacktestRow,
    "past releases": regret.ReleasedCounts,
    "back within": regret.BackWithin,
    "regret difference": regret.RegretDifference,
    "chance": hindsight.SaidChance,
}
LINKS = {"n", "kind", "prev", "person", "of"}


# The page and the types ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
def test_a_table_is_that_of_its_type(name: str) -> None:
    rows = {row.name: _plain(schema_of(row.type)) for row in tables()[name]}
    fields = {field.encode_name: field for field in msgspec.structs.fields(TYPES[name])}
    assert list(rows) == [field for field in fields if field not in LINKS]
    for field, schema in rows.items():
        kind = fields[field].type
        if _struct(name).__struct_config__.omit_defaults and fields[field].default is None:
            kind = get_args(kind)[0]  # null is left out
        assert schema == _plain(_schema_of_type(kind)), field


def _struct(name: str) -> Any:
    return get_origin(TYPES[name]) or TYPES[name]


def _schema_of_type(kind: Any) -> Any:
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")
    names = {struct.__name__: page for page, struct in TYPES.items()}

    def inlined(part: Any) -> Any:
        match part:
            case {"$ref": str(name)}:
                found = names.get(name)
                return {"$ref": f"#/$defs/{found.replace(' ', '-')}"} if found else inlined(components[name])
            case dict():
                return {key: inlined(value) for key, value in part.items()}
            case list():
                return [inlined(value) for value in part]
        return part

    return inlined(schema)


def _plain(schema: Any) -> Any:
    """A schema without what only one of both sides says: patterns, bounds, words; a fact is a fact."""
    match schema:
        case {"anyOf": list(parts)}:
            plain = [_plain(part) for part in parts]
            listed = {json.dumps(part, sort_keys=True) for part in plain}
            return _plain(SIMPLE["truth"]) if listed == {'{"type": "boolean"}', '{"type": "null"}'} else sorted(listed)
        case {"enum": list(values)}:
            return {"enum": sorted(values, key=str)}
        case {"$ref": str(target)}:
            return {"$ref": target}
        case {"type": "array", "items": items}:
            return {"items": _plain(items)}
        case {"type": "object", "additionalProperties": values}:
            return {"values": _plain(values)}
        case {"type": ["boolean", "null"]}:
            return {"type": "truth"}
        case {"type": kind}:
            return {"type": kind}
    return schema


def test_every_type_of_line_is_on_the_page() -> None:
    kinds = {
        kind
        for module in (lines, register, restore, holds, notices)
        for kind in vars(module).values()
        if _is_line(kind)
    }
    assert kinds <= {*TYPES.values()}


def _is_line(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, ChainLine) and "prev" in kind.__struct_fields__


def test_the_page_speaks_of_this_format() -> None:
    (row,) = [row for row in tables()["plan"] if row.name == "format"]
    assert row.meaning == str(FORMAT)


def test_the_schemas_are_those_of_the_page() -> None:
    found = {path: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert found == {path: text_of(schema) for path, schema in schemas()}, "python -m tests.docs.schemas"


@pytest.mark.parametrize("name", WRITTEN)
def test_each_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(WRITTEN[name])


def test_every_table_is_used() -> None:
    used = {name for schema in WRITTEN.values() for name in schema.get("$defs", {})}
    own = {table for kinds in LINES.values() for table, _ in kinds.values()} | set(map(table_of, OUTPUTS))
    assert {name.replace("-", " ") for name in used} | own | {"snapshot file"} >= set(tables()) - {"license use"}


# Files ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folders of some sites."""
    folder = tmp_path_factory.mktemp("record")
    made = {"new": make_record, "old": make_old_record, "back": make_restored_record, "told": make_told_record}
    made |= {"approved": make_approved_record, "down": make_downgraded_record}
    for name, make in made.items():
        (folder / name).mkdir()
        make(folder / name)
    return folder


def _problems(name: str, value: object, *, closed: bool = False) -> list[str]:
    schema = _closed(WRITTEN[name]) if closed else WRITTEN[name]
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]


def _closed(schema: Any) -> Any:
    """The same schema for objects that have no keys but those it names."""
    schema = copy.deepcopy(schema)
    if isinstance(schema, dict):
        if "properties" in schema and "license_type" not in schema["properties"]:
            schema.setdefault("additionalProperties", False)
        return {key: _closed(value) for key, value in schema.items()}
    return [_closed(value) for value in schema] if isinstance(schema, list) else schema


def test_real_files_are_as_the_page_says(record: Path) -> None:
    files = {"plan": "plan.jsonl", "journal": "outcomes.jsonl", "restore": "restore.jsonl", "register": "runs.jsonl"}
    files |= {"register of holds": "holds.jsonl", "register of notices": "notices.jsonl"}
    for schema, name in files.items():
        seen = set()
        for path in record.rglob(name):
            for row, line in zip(path.read_bytes().splitlines(), read(path), strict=True):
                seen.add(line["kind"])
                written = f"{schema.replace(' ', '-')}-line"
                assert _problems(written, line) == []
                assert _problems(written, json.loads(erased(row))) == []
        assert seen | {"resume"} >= set(LINES[schema])


def test_lines_of_other_plans(record: Path) -> None:
    """With pseudonyms, with facts that are not known, with facts of the site."""
    policy = checked(
        'keep "x" when user.name like "A*"\nkeep "y" when user.@A is empty\nrelease when unused for 3 days'
    )
    site = snapshot_of(load_json(EXAMPLES / "site.json"))
    hidden = make_plan(policy, site, day_of(policy), "test", Pseudonyms(b"k" * 32))
    for plan in (hidden, plan_of(POLICY, idle_site())):
        for row in plan_lines(plan, Recording(b"s" * 32)):
            assert _problems("plan-line", json.loads(row)) == []


@pytest.mark.parametrize("edit", ["more", "less", "both", "neither"])
def test_lines_have_no_other_keys(record: Path, edit: str) -> None:
    line = read(next(record.rglob("plan.jsonl")))[0]
    match edit:
        case "more":
            line["more"] = 1
        case "less":
            del line["mode"]
        case "both":
            line["of"] = "0" * 64
        case _:
            del line["person"]
    assert _problems("plan-line", line)


def test_snapshots(tmp_path: Path) -> None:
    assert _problems("snapshot", load_json(EXAMPLES / "site.json")) == []
    with running_site(tmp_path) as (_, command):
        command(f"snapshot --site SITE -o '{tmp_path / 'site.json'}'")
    assert _problems("snapshot", load_json(tmp_path / "site.json"), closed=True) == []


# Output --------------------------------------------------------------------------------------------------


GIVEN = f"-p '{EXAMPLES / 'butler.yaml'}' -s '{EXAMPLES / 'site.json'}'"
BUTLER, VIPS = (f"'{EXAMPLES / name}'" for name in ("butler.yaml", "vips.policy"))
ALLOWING = """\
keep "nobody" when user.tags = "x"  # seatwarden: allow SW404 the tag is new
keep "someone" when user.tags = "y"
release when unused for 30 days
"""
ON_RUNS = (f"diff {BUTLER} ALLOWING -s RUN", f"diff {BUTLER} {BUTLER} -s PAST")
UNDER_APPROVALS = ("approve", "log keys")
"""What is called where plans are signed and approved, see below."""
PRINTING = {
    "plan": (
        f"plan {GIVEN}",
        f"plan -p ALLOWING -s '{EXAMPLES / 'site.json'}'",
        "plan --site SITE",
        f"plan -p {BUTLER} -s RUN",
        f"plan -p {BUTLER} -s RULES",
    ),
    "explain": (
        f"explain jdoe {GIVEN}",
        f"explain jdoe {GIVEN} --brief",
        f"explain --releases {GIVEN} --full",
        f"explain jdoe asvensson {GIVEN}",
        "explain user00 --plan RUN",
        f"explain user02 -p {BUTLER} -s RUN --full",
        f"explain jdoe -p {BUTLER} -s PAST --full",
        f"explain --releases -p {BUTLER} -s RULES",
    ),
    "run": ("run --site SITE", "run --site SITE --dry-run", "run --site SITE -p BROKEN", "run --site SITE -p MISSING"),
    "monitor": ("monitor --site SITE", "monitor --site SITE --dry-run"),
    "lint": (f"lint {VIPS}", "lint BROKEN", "lint ALLOWING"),
    "fields": ("fields", "fields user.tags"),
    "test": (f"test '{EXAMPLES / 'butler.test.yaml'}'",),
    "diff": (
        f"diff {BUTLER} {VIPS} -s '{EXAMPLES / 'site.json'}'",
        f"diff {BUTLER} {VIPS}",
        f"diff {VIPS} {VIPS}",
        *ON_RUNS,
    ),
    "frequency": ("frequency 'every 6 hours'", "frequency 'on the 31st day of feb'"),
    "site check": ("site check --site SITE",),
    "fleet check": ("fleet check --fleet FLEET", "fleet check --fleet FLEET --only broken"),
    "fleet plan": ("fleet plan --fleet FLEET", "fleet plan --fleet FLEET --only one"),
    "fleet run": ("fleet run --fleet FLEET --dry-run",),
    "fleet report": ("fleet report --fleet FLEET -o PAGES",),
    "fleet history": ("fleet history --fleet FLEET",),
    "fleet backtest": ("fleet backtest --fleet FLEET", f"fleet backtest -p {BUTLER} --fleet FLEET"),
    "log forget": (
        "log forget user00 --site SITE --reason left --dry-run",
        "log forget user00 --site SITE --reason left --yes",
        "log forget user01 --site SITE --reason request --yes",
    ),
    "log prune": ("log prune --site SITE --keep 31d --dry-run", "log prune --site SITE --keep 31d --yes"),
    "hold list": ("hold list --site SITE --all",),
    "notice send": ("notice send --site TOLD --dry-run", "notice send --site TOLD --yes"),
    "notice list": ("notice list --site TOLD --all",),
    "history list": ("history list --site SITE",),
    "backtest": (f"backtest -p {BUTLER} --site SITE --threshold analyzer=30,60",),
    "log audit": ("log audit RUN", f"log audit STATE --from 2026-01-01 -p {BUTLER}"),
    "log verify": ("log verify RUN", "log verify STATE", "log verify RECEIPT"),
    "log replay": ("log replay RUN",),
    "log list": ("log list STATE",),
    "log show": ("log show STATE", "log show RUN --verdict release"),
}
"""Calls of every command that prints JSON."""
UNTIL = datetime.now(UTC).date() + timedelta(days=30)
HOLD = f"hold user05 --type analyzer --until {UNTIL} --reason 'on leave' --site SITE"


def test_every_command_that_prints_json_is_called() -> None:
    assert {*PRINTING, *UNDER_APPROVALS} == set(OUTPUTS) == set(CALLS)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What the commands print on a site with runs, the first of which is old."""
    folder = tmp_path_factory.mktemp("printing")
    (folder / "allowing.policy").write_text(ALLOWING, encoding="utf-8")
    (folder / "broken.policy").write_text('keep when user.tag = "x"\nrelease\n', encoding="utf-8")
    files = {word: f"'{folder / word.lower()}.policy'" for word in ("ALLOWING", "BROKEN", "MISSING")}
    receipt = folder / "receipt.json"
    files["RECEIPT"] = f"'{receipt}'"
    files["PAST"] = f"'{folder / 'past'}'"
    ruled = load_json(EXAMPLES / "site.json") | {"licenseRules": [rule_row(1, '((user.name like "*"))')]}
    (folder / "ruled.json").write_text(json.dumps(ruled), encoding="utf-8")
    files["RULES"] = f"'{folder / 'ruled.json'}'"
    (folder / "told").mkdir()
    with mail_server() as box, running_site(folder, ours="keepSnapshot: true") as (qrs, command):
        files["TOLD"] = f"'{write_site(folder / 'told', qrs.port, policy=TOLD_FIRST, ours=told_by(box.port))}'"
        broken = "{site: told/site.yaml, policy: broken.policy}"
        (folder / "fleet.yaml").write_text(f"sites:\n  one: site.yaml\n  broken: {broken}\n", encoding="utf-8")
        files |= {"FLEET": f"'{folder / 'fleet.yaml'}'", "PAGES": f"'{folder / 'pages'}'"}
        command(f"plan {GIVEN} -o {files['PAST']}")
        command(HOLD)
        command("run --site SITE --dry-run")
        command.ahead = timedelta(days=40)
        command("run --site SITE")
        command(f"log receipt RUN user05 -o '{receipt}'")

        def output(call: str) -> Any:
            named = re.sub("|".join(files), lambda word: files[word[0]], call)
            text = command(f"{named} --format json")
            start = re.search(r"^[{[]", text, re.MULTILINE)
            assert start is not None, text
            return json.JSONDecoder().raw_decode(text, start.start())[0]

        printed = {name: [output(call) for call in calls] for name, calls in PRINTING.items()}
    more = _printed_under_approvals(tmp_path_factory.mktemp("approving"))
    return {name: [*printed.get(name, ()), *more.get(name, ())] for name in {*printed, *more}}


def _printed_under_approvals(folder: Path) -> dict[str, list[Any]]:
    with approving_site(folder) as command:
        command("run --site SITE")
        decoder = json.JSONDecoder()
        answer = "approve RUN --key anna.key --yes --passphrase-env PASS --format json"
        texts = {
            "approve": command(f"{answer} --exclude user01"),
            "log keys": command("log keys --site SITE --format json"),
        }
        texts |= {"log list": command("log list RUN --format json"), "log show": command("log show RUN --format json")}
        return {name: [decoder.raw_decode(text, text.index("{"))[0]] for name, text in texts.items()}


@pytest.mark.parametrize("command", OUTPUTS)
def test_output_is_as_the_page_says(printed: dict[str, list[Any]], command: str) -> None:
    for output in printed[command]:
        assert _problems(command.replace(" ", "-"), output, closed=True) == []


@pytest.mark.parametrize("command", OUTPUTS)
def test_nothing_is_described_that_is_never_printed(printed: dict[str, list[Any]], command: str) -> None:
    """All keys of the object itself are met; in `log verify` only of a single run."""
    objects = [one for output in printed[command] for one in (output if isinstance(output, list) else [output])]
    assert {row.name for row in tables()[table_of(command)]} == {key for one in objects for key in one}


def test_the_seal_that_a_run_prints(printed: dict[str, list[Any]]) -> None:
    (seal,) = seals_in(printed["run"][0]["seal"])
    assert seal.journal is not None
    (shown,) = re.findall("^seal of register ID .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert re.fullmatch(re.sub(r"[A-Z]{2,}", r"\\w+", shown), printed["run"][0]["seal"])


def test_the_answers_of_an_erased_record(printed: dict[str, list[Any]]) -> None:
    """The calls above are such that the lists of what they print are not all empty."""
    (would, did, _), (old, pruned), (_, state, _) = (
        printed[name] for name in ("log forget", "log prune", "log verify")
    )
    assert (would["dryRun"], would["done"], did["done"]) == (True, False, True)
    assert would["files"] == did["files"] != {}
    assert [len(answer["runs"]) for answer in (old, pruned)] == [1, 1]
    assert state["faults"] == []
    assert sum(run["erasedLines"] for run in state["runs"]) > sum(run["erased"] for run in state["runs"]) > 0
