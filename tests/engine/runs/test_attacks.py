"""The attack list: somebody who can write every file of a run and of the state folder, and who has no key.

Each attack wants the license of a person whom the policy protects, or to hide that one was taken. docs/threat-model.md
says by what each is stopped. Where signatures and approvals are demanded, nothing of it is released.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.apply.apply import find_pending
from seatwarden.engine.apply.approving import AnswerGiven, Approvable, answer, approvable
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.log.chain import SealLine
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.register import REGISTER_FILE, Demands, read_register
from seatwarden.engine.log.writer import Recording, seal_plan
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.runs import planning
from tests.engine.apply.applying import idle
from tests.engine.log.forging import Line, relinked
from tests.engine.runs.approving import Approving
from tests.engine.runs.running import Site

PROTECTING = (
    'keep "boss" when user.userId = "user3"\nrelease analyzer when unused for 30 days\nlimit release to 1000 per run\n'
)
PROTECTED = "l3"


@pytest.fixture
def site(tmp_path: Path, key_folder: Path, signers: Mapping[str, SigningKey]) -> Approving:
    """A site on which user3 is protected, and whose plans are signed and approved by two."""
    return Approving(tmp_path, Site(idle(3)), policy=PROTECTING, keys=key_folder, signers=signers)


@pytest.fixture
def folder(site: Approving) -> Path:
    """A plan that two people have approved, and that was not applied yet."""
    assert site.run().outcome == "waiting"
    (folder,) = site.runs
    for name in ("anna", "bert"):
        site.answer(folder, name)
    return folder


def _lines(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _forge(folder: Path, change: Callable[[list[Line]], None], *, register: bool = True) -> None:
    """Writes a plan anew with every digest right, and the register with it."""
    path = folder / "plan.jsonl"
    lines = _lines(path)
    before = lines[-1]["root"]
    change(lines)
    path.write_bytes(relinked(lines, own=False))
    root = _lines(path)[-1]["root"]
    if register:
        beside = folder.parent.parent / REGISTER_FILE
        text = beside.read_text(encoding="utf-8").replace(before, root)
        beside.write_bytes(relinked([json.loads(line) for line in text.splitlines()], own=True))


def _decision(lines: list[Line], license_id: str) -> Line:
    return next(line for line in lines if line["kind"] == "decision" and line["person"]["licenseId"] == license_id)


def _flip_verdict(lines: list[Line]) -> None:
    line = _decision(lines, PROTECTED)
    other = _decision(lines, "l1")
    line |= {"verdict": "release", "because": "release"}
    line["person"] |= {key: other["person"][key] for key in ("rule", "rules", "reason", "at")}
    for summary in (line["summary"] for line in lines if line["kind"] == "summary"):
        summary["release"] += 1
        summary["thisRun"] += 1


def _edit_policy(lines: list[Line]) -> None:
    text = lines[1]["text"].replace('"user3"', '"user9"')
    assert text != lines[1]["text"]
    lines[1]["text"] = text
    lines[1]["rules"][0]["text"] = lines[1]["rules"][0]["text"].replace('"user3"', '"user9"')
    lines[0]["policy"]["canonicalSha256"] = hashlib.sha256(text.encode()).hexdigest()


def _edit_both(lines: list[Line]) -> None:
    _edit_policy(lines)
    _flip_verdict(lines)


def _edit_facts(lines: list[Line]) -> None:
    _flip_verdict(lines)
    line = _decision(lines, PROTECTED)
    line["person"]["facts"] |= {"user.userId": ["user9"]}


ATTACKS: Mapping[str, Callable[[list[Line]], None]] = {
    "verdict flipped": _flip_verdict,
    "policy text edited": _edit_policy,
    "both": _edit_both,
    "facts edited": _edit_facts,
}


@pytest.mark.parametrize("register", [False, True], ids=["plan alone", "re-digested whole"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forged_plan_releases_nobody(site: Approving, folder: Path, attack: str, register: bool) -> None:
    _forge(folder, ATTACKS[attack], register=register)
    site.run()
    assert site.qrs.deletes == []
    assert any(fault.path.name in ("plan.jsonl", "plan.note") for fault in site.verified().faults)


@pytest.mark.parametrize("attack", ["both", "facts edited"])
def test_the_forged_plan_itself_is_without_fault(site: Approving, folder: Path, attack: str) -> None:
    """Nothing in the plan shows it: that is why it is signed."""
    _forge(folder, ATTACKS[attack])
    forged = read_plan(folder)
    assert ("analyzer", PROTECTED) in find_pending(forged, folder, forged.limits).chosen


@pytest.mark.parametrize("attack", ATTACKS)
def test_signed_alone_it_is_found_too(site: Approving, folder: Path, attack: str) -> None:
    """Without approvals, where the service signs: the forged plan is begun by nobody."""
    _forge(folder, ATTACKS[attack])
    shutil.rmtree(folder / "approvals")
    site.required = 0
    site.policy = PROTECTING.replace("30 days", "9999 days")  # the run's own plan releases nobody
    site.run()
    assert site.qrs.deletes == []


def test_a_line_of_another_plan(site: Approving, folder: Path) -> None:
    site.policy = PROTECTING.replace('"user3"', '"user9"')
    site.run()
    other = next(run for run in site.runs if run != folder)
    line = _decision(_lines(other / "plan.jsonl"), PROTECTED)
    site.policy = PROTECTING

    def change(lines: list[Line]) -> None:
        lines[lines.index(_decision(lines, PROTECTED))] = line

    _forge(folder, change)
    site.run()
    assert site.qrs.deletes == []


def test_the_note_of_another_plan(site: Approving, folder: Path) -> None:
    site.run()
    other = next(run for run in site.runs if run != folder)
    shutil.copy(other / "plan.note", folder / "plan.note")
    site.run()
    assert site.qrs.deletes == []
    assert any(fault.path == folder / "plan.note" for fault in site.verified().faults)


def test_an_approval_that_was_copied(site: Approving, folder: Path) -> None:
    site.run()  # applies the first, and makes a plan that releases nobody: the site is as it was
    site.qrs.site = idle(3)
    assert site.run().outcome == "waiting"
    other = next(run for run in reversed(site.runs) if not (run / "approvals").exists())
    shutil.copytree(folder / "approvals", other / "approvals")
    site.run()
    assert site.qrs.deletes == []
    assert any("another plan" in fault.problem for fault in site.verified().faults)


def test_a_key_that_was_replaced_in_the_site_file(site: Approving, folder: Path) -> None:
    """It is another site file then: what was planned under the former is refused, and the register says so."""
    shutil.rmtree(folder / "approvals")
    site.approvers = ("mallory", "carl")
    site.run()
    assert site.qrs.deletes == []
    assert any("the site file has changed" in str(facts.get("why")) for _, _, facts in site.said)
    register = read_register(site.state / REGISTER_FILE)
    assert register is not None
    said = [line.settings["approvals"] for line in register.of_kind(Demands)]
    assert ("anna" in said[0], "mallory" in said[1]) == (True, True)


def test_a_plan_that_lost_its_signature(site: Approving, folder: Path) -> None:
    (folder / "plan.note").unlink()
    site.run()
    assert site.qrs.deletes == []
    assert any("had to be signed" in fault.problem for fault in site.verified().faults)


def _drop_terms(lines: list[Line]) -> None:
    lines[0].pop("terms")


def test_a_plan_that_says_it_needs_nothing(site: Approving, folder: Path) -> None:
    (folder / "plan.note").unlink()
    _forge(folder, _drop_terms)
    site.run()
    assert site.qrs.deletes == []


def _forged_journal(folder: Path, chosen: list[int]) -> None:
    """A journal as an apply leaves it that was killed before its first license."""
    lines = _lines(folder / "plan.jsonl")
    header: Line = {
        "n": 1,
        "kind": "apply",
        "runId": lines[0]["runId"],
        "tool": lines[0]["tool"],
        "format": 2,
        "planRoot": lines[-1]["root"],
        "site": lines[0]["site"],
        "limits": lines[0]["limits"],
        "chosen": chosen,
        "at": lines[0]["now"],
        "clocks": lines[0]["clocks"],
        "prev": "",
        "person": lines[0]["person"],
    }
    (folder / "outcomes.jsonl").write_bytes(relinked([header], own=True))


def test_a_journal_beside_a_plan_that_nobody_has_approved(site: Approving) -> None:
    """As if an apply had begun: a run brings such to their end."""
    site.run()
    (folder,) = site.runs
    lines = _lines(folder / "plan.jsonl")
    _forged_journal(folder, [_decision(lines, "l1")["n"]])
    site.run()
    assert site.qrs.deletes == []
    # Nor with the register's line that it was begun.
    path = site.state / REGISTER_FILE
    register: list[dict[str, Any]] = _lines(path)
    begun = {"n": 0, "kind": "begun", "run": 1, "runId": lines[0]["runId"], "root": lines[-1]["root"]}
    begun |= {"chosen": 1, "resumed": False, "at": lines[0]["now"], "prev": "", "person": register[1]["person"]}
    path.write_bytes(relinked([*register, begun], own=True))
    site.run()
    assert site.qrs.deletes == []


def test_a_journal_that_was_cut_after_its_last_outcome(site: Approving, folder: Path) -> None:
    """Every digest put right, in the register, too: the note on the journal shows it."""
    site.run()
    assert len(site.qrs.deletes) == 2
    assert site.verified().faults == []
    path, register = folder / "outcomes.jsonl", site.state / REGISTER_FILE
    lines = _lines(path)
    cut = [line for line in lines if line["kind"] not in ("closed", "seal")]
    path.write_bytes(relinked(cut, own=True))
    entered = _lines(register)
    closed = next(line for line in entered if line["kind"] == "closed")
    leaf = _lines(path)[-1]["sum"]
    closed |= {"journalLines": len(cut), "journalLeaf": leaf, "journalRoot": None, "settled": False}
    register.write_bytes(relinked(entered, own=True))
    named = {fault.path.name for fault in site.verified().faults}
    assert {"outcomes.note", "runs.note"} <= named


def test_a_register_whose_end_was_cut_off(site: Approving, folder: Path) -> None:
    site.run()
    path = site.state / REGISTER_FILE
    lines = _lines(path)
    end = next(n for n, line in enumerate(lines) if line["kind"] == "closed")
    path.write_bytes(relinked(lines[:end], own=True))
    assert any("cut off" in fault.problem for fault in site.verified().faults if fault.path.name == "runs.note")


def test_an_approval_that_was_taken_away_afterwards(site: Approving, folder: Path) -> None:
    site.run()
    next(iter((folder / "approvals").glob("*.note"))).unlink()
    assert any("lacks the approval" in fault.problem for fault in site.verified().faults)


def _begun(site: Approving, folder: Path, chosen: list[int], *, approved: bool) -> None:
    """As if an apply had begun: the register's lines, with every digest right, and a journal."""
    lines, path = _lines(folder / "plan.jsonl"), site.state / REGISTER_FILE
    register = _lines(path)
    about = {"run": 1, "runId": lines[0]["runId"], "root": lines[-1]["root"]}
    at = {"at": lines[0]["now"], "prev": ""}
    more = [{"n": 0, "kind": "approved", **about, "notes": {}, "excluded": [], **at}] if approved else []
    begun = {"n": 0, "kind": "begun", **about, "chosen": len(chosen), "resumed": False, **at}
    path.write_bytes(relinked([*register, *more, begun | {"person": register[1]["person"]}], own=True))
    _forged_journal(folder, chosen)


@pytest.mark.parametrize("approved", [False, True])
def test_an_apply_that_was_never_begun_is_not_gone_on_with(site: Approving, approved: bool) -> None:
    site.run()
    (folder,) = site.runs
    _begun(site, folder, [_decision(_lines(folder / "plan.jsonl"), "l1")["n"]], approved=approved)
    site.run()
    assert site.qrs.deletes == []
    assert any("needs 2" in fault.problem for fault in site.verified().faults)


def test_nor_where_the_plan_has_lost_what_it_needs(site: Approving) -> None:
    site.run()
    (folder,) = site.runs
    (folder / "plan.note").unlink()
    _forge(folder, _drop_terms)
    _begun(site, folder, [_decision(_lines(folder / "plan.jsonl"), "l1")["n"]], approved=True)
    site.run()
    assert site.qrs.deletes == []


def test_nor_with_more_than_was_approved(site: Approving) -> None:
    site.run()
    (folder,) = site.runs
    lines = _lines(folder / "plan.jsonl")
    one, two = (_decision(lines, name)["n"] for name in ("l1", "l2"))
    site.answer(folder, "anna", AnswerGiven("approve", excluded=[two]))
    site.answer(folder, "bert")
    _begun(site, folder, [one, two], approved=True)
    site.run()
    assert "l2" not in site.qrs.deletes


def test_nor_beyond_the_limit(site: Approving) -> None:
    site.policy = PROTECTING.replace("1000 per run", "1 per run, longest unused first")
    site.run()
    (folder,) = site.runs
    for name in ("anna", "bert"):
        site.answer(folder, name)
    lines = _lines(folder / "plan.jsonl")
    _begun(site, folder, [_decision(lines, name)["n"] for name in ("l1", "l2")], approved=True)
    site.run()
    assert len(site.qrs.deletes) <= 1


def _killed(site: Approving) -> None:
    def killed(license_id: str) -> None:
        raise MemoryError

    site.qrs.on_delete = killed
    with pytest.raises(MemoryError):
        site.run()
    site.qrs.on_delete = lambda license_id: None
    site.now += timedelta(minutes=1)
    site.qrs.events.clear()


@pytest.mark.parametrize("change", ["expired", "other approvers", "rejected"])
def test_an_interrupted_apply_is_asked_again(site: Approving, folder: Path, change: str) -> None:
    _killed(site)
    match change:
        case "expired":
            site.now += timedelta(hours=25)
        case "other approvers":
            site.approvers = ("anna", "carl")
        case _:
            it = approvable_again(folder, site)
            site.now += timedelta(seconds=1)
            answer(it, AnswerGiven("reject"), site.signers["bert"], site.now, lambda size: bytes(size))
    site.run()
    assert site.qrs.deletes == []


def approvable_again(folder: Path, site: Approving) -> Approvable:
    """As somebody answers who looked at the plan before it was begun."""
    journal = folder / "outcomes.jsonl"
    aside = journal.rename(folder / "aside")
    try:
        return approvable(folder, site.now)
    finally:
        aside.rename(journal)


@pytest.mark.parametrize("kind", ["folder", "loop", "large", "bytes", "many"])
def test_strange_things_among_the_approvals(site: Approving, folder: Path, kind: str) -> None:
    path = folder / "approvals" / "z.note"
    match kind:
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path.name)
        case "large":
            path.write_bytes(b"x" * 300_000)
        case "bytes":
            path.write_bytes(bytes(range(256)))
        case _:
            for n in range(2_000):
                (folder / "approvals" / f"z{n}.note").write_bytes(b"x")
    site.run()
    assert len(site.qrs.deletes) == 2  # those who approved have done so all the same
    faults = [fault for fault in site.verified().faults if fault.path.name.startswith("z")]
    assert faults or kind == "loop"


def test_the_plan_that_is_signed_is_the_one_that_was_made(site: Approving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody exchanges it between the disk and the signature."""
    site.required = 0
    whole = seal_plan

    def exchanged(plan: Plan, folder: Path, summary: str, recording: Recording) -> SealLine | None:
        seal = whole(plan, folder, summary, recording)
        _forge(folder, _edit_both, register=False)
        return seal

    monkeypatch.setattr(planning, "seal_plan", exchanged)
    assert site.run().outcome == "refused"
    assert site.qrs.deletes == []
