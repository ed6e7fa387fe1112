"""Approved means exactly that: this plan, by enough people, once, and never more than was shown to them."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.apply.approving import AnswerGiven, approvable
from seatwarden.engine.audit.audit import AuditRequest, audit
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.facts.day import DaySpan
from seatwarden.engine.log.register import read_register
from seatwarden.engine.log.signing_lines import ApprovedRun
from seatwarden.engine.runs.publish import events_of
from seatwarden.policy.errors import InputError
from tests.engine.apply.applying import POLICY, idle
from tests.engine.runs.approving import Approving
from tests.engine.runs.running import Site

LIMITED = "release analyzer when unused for 30 days\nlimit release to 2 per run, longest unused first\n"
REJECT = AnswerGiven("reject", comment="not the sales team")


@pytest.fixture
def site(tmp_path: Path, key_folder: Path, signers: Mapping[str, SigningKey]) -> Approving:
    """A site with three licenses that are due, whose plans the service signs and two of two people approve."""
    return Approving(tmp_path, Site(idle(3)), keys=key_folder, signers=signers)


def _waiting(site: Approving) -> Path:
    """A run whose plan waits; its folder."""
    before = set(site.runs)
    assert site.run().outcome == "waiting"
    assert site.qrs.deletes == []
    (folder,) = set(site.runs) - before
    return folder


def _release_line(folder: Path, site: Approving, n: int = 0) -> int:
    return approvable(folder, site.now).releases[n][0]


def test_what_enough_people_have_approved_is_released_by_the_next_run(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna", AnswerGiven("approve", comment="as agreed"))
    assert site.run().outcome == "waiting"
    assert site.qrs.deletes == []
    site.answer(folder, "bert")
    report = site.run()
    assert report.outcome == "done"  # nothing is due any more: the new plan waits for nobody
    assert sorted(site.qrs.deletes) == ["l1", "l2", "l3"]
    found = site.verified()
    assert (found.faults, found.notes) == ([], [])
    run = next(run for run in found.runs if run.folder == folder)
    assert run.signed_by == ["service"]
    assert [line.split(" on ")[0] for line in run.answers] == ["approved by anna", "approved by bert"]
    assert 'as agreed"' in run.answers[0]
    assert sorted(path.name for path in folder.glob("*.note")) == ["outcomes.note", "plan.note", "runs.note"]
    (event,) = (event for event in events_of(report, site.settings) if event.kind == "releases-done")
    assert "as agreed" in "\n".join(event.lines_for(people=True))
    assert "approved by anna" in "\n".join(event.lines_for(people=False))
    assert "as agreed" not in "\n".join(event.lines_for(people=False))


def test_the_approvers_are_told_of_a_plan_that_waits(site: Approving) -> None:
    report = site.run()
    (event,) = (event for event in events_of(report, site.settings) if event.kind == "approval-wanted")
    assert event.subject.startswith("approval wanted: 3 licenses to release")
    assert any("anna, bert" in line for line in event.lines)


def test_one_key_counts_once_whatever_it_is_called(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna")
    site.now += timedelta(seconds=5)
    site.answer(folder, "anna", AnswerGiven("approve", comment="again"))
    site.run()
    assert site.qrs.deletes == []


def test_who_has_signed_a_plan_does_not_approve_it(site: Approving) -> None:
    site.approvers = ("anna", "service")
    folder = _waiting(site)
    with pytest.raises(PlanRefused, match="has signed this plan"):
        site.answer(folder, "service")
    # Whoever writes the note by other means has no more of it.
    it = approvable(folder, site.now)
    forged = site.answer(folder, "anna").read_text(encoding="utf-8").partition("\n\n")[0] + "\n"
    (folder / "approvals" / "0-service.note").write_bytes(site.signers["service"].sign(forged))
    assert it.terms.approvals == 2
    site.run()
    assert site.qrs.deletes == []


def test_a_stranger_does_not_count(site: Approving) -> None:
    folder = _waiting(site)
    with pytest.raises(PlanRefused, match="may not approve"):
        site.answer(folder, "mallory")
    text = site.answer(folder, "anna").read_text(encoding="utf-8").partition("\n\n")[0] + "\n"
    (folder / "approvals" / "0-mallory.note").write_bytes(site.signers["mallory"].sign(text))
    site.run()
    assert site.qrs.deletes == []
    assert any("0-mallory.note" in str(fault.path) for fault in site.verified().faults)


def test_who_was_taken_out_is_kept_and_nobody_comes_in_their_place(site: Approving) -> None:
    site.policy = LIMITED
    folder = _waiting(site)
    line = _release_line(folder, site)
    chosen = {n: decision.license_id for n, decision in approvable(folder, site.now).releases}
    site.answer(folder, "anna", AnswerGiven("approve", excluded=[line]))
    site.answer(folder, "bert")
    site.run()
    assert chosen[line] not in site.qrs.deletes
    assert len(site.qrs.deletes) <= 2
    (approved,) = read_register(site.state / "runs.jsonl").of_kind(ApprovedRun)  # type: ignore[union-attr]
    assert approved.excluded == [line]


def test_a_smaller_limit_holds_beside_the_plans(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna", AnswerGiven("approve", limits=["2 per run"]))
    site.answer(folder, "bert")
    site.run()
    assert site.qrs.deletes == []
    site.now += timedelta(seconds=5)
    site.answer(folder, "anna", AnswerGiven("approve", limits=["2 per run, longest unused first"]))
    site.run()
    assert len(site.qrs.deletes) == 2


def test_one_no_is_enough_and_stays(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna")
    site.answer(folder, "bert", REJECT)
    site.run()
    assert site.qrs.deletes == []
    assert any("not the sales team" in str(facts.get("why")) for _, _, facts in site.said)
    site.answer(folder, "bert")
    site.run()
    assert site.qrs.deletes == []


def test_a_no_counts_whatever_the_clock_of_who_said_it(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna")
    site.answer(folder, "bert")
    site.now -= timedelta(minutes=4)
    site.answer(folder, "bert", REJECT)
    site.now += timedelta(minutes=4)
    site.run()
    assert site.qrs.deletes == []


def test_what_has_expired_is_over(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna", AnswerGiven("approve", expires=site.now + timedelta(hours=1)))
    site.answer(folder, "bert")
    site.now += timedelta(hours=2)
    site.run()
    assert site.qrs.deletes == []
    site.answer(folder, "anna")
    site.now += timedelta(hours=23)
    site.run()
    assert site.qrs.deletes == []
    with pytest.raises(PlanRefused, match="could be applied until"):
        site.answer(folder, "anna")


def test_under_another_policy_nothing_is_applied(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna")
    site.answer(folder, "bert")
    site.policy = 'keep when user.userId = "u1"\n' + POLICY
    site.run()
    assert site.qrs.deletes == []


def test_a_newer_plan_that_was_approved_ends_an_older_one(site: Approving) -> None:
    site.policy = LIMITED
    older, newer = _waiting(site), _waiting(site)
    for folder in (older, newer):
        site.answer(folder, "anna")
        site.answer(folder, "bert")
    site.run()
    first = list(site.qrs.deletes)
    assert len(first) == 2
    assert (newer / "outcomes.jsonl").exists()
    site.run()
    assert site.qrs.deletes == []
    assert not (older / "outcomes.jsonl").exists()


def test_a_newer_plan_that_only_waits_ends_nothing(site: Approving) -> None:
    older = _waiting(site)
    _waiting(site)
    site.answer(older, "anna")
    site.answer(older, "bert")
    site.run()
    assert len(site.qrs.deletes) == 3


def test_it_is_applied_once(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna")
    site.answer(folder, "bert")
    site.run()
    assert len(site.qrs.deletes) == 3
    site.qrs.site = idle(3)  # all of them have one again
    (folder / "outcomes.jsonl").unlink()
    assert site.run().outcome == "waiting"
    assert site.qrs.deletes == []


def test_killed_in_the_middle_it_is_gone_on_with(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna")
    site.answer(folder, "bert")

    def killed(license_id: str) -> None:
        raise MemoryError

    site.qrs.on_delete = killed
    with pytest.raises(MemoryError):
        site.run()
    site.qrs.on_delete = lambda license_id: None
    site.now += timedelta(minutes=1)
    site.run()
    assert sorted(site.qrs.deletes) == ["l1", "l2", "l3"]
    assert site.verified().faults == []


def test_a_comment_can_be_taken_out(site: Approving) -> None:
    folder = _waiting(site)
    path = site.answer(folder, "anna", AnswerGiven("approve", comment="she asked for it"))
    site.answer(folder, "bert")
    path.with_suffix(".comment").unlink()
    site.run()
    assert len(site.qrs.deletes) == 3
    found = site.verified()
    assert found.faults == []
    assert any("comment" in note.problem for note in found.notes)


def test_a_plan_that_needs_none_cannot_be_approved(site: Approving) -> None:
    site.required = 0
    assert site.run().outcome == "done"
    with pytest.raises(PlanRefused, match="needs no approval"):
        site.answer(site.runs[0], "anna")


def test_what_cannot_be_answered(site: Approving) -> None:
    folder = _waiting(site)
    with pytest.raises(InputError, match="no license in line"):
        site.answer(folder, "anna", AnswerGiven("approve", excluded=[1]))
    with pytest.raises(InputError, match="letters"):
        site.answer(folder, "anna", AnswerGiven("approve", comment="x" * 2_001))
    site.answer(folder, "anna")
    with pytest.raises(InputError, match="is there already"):
        site.answer(folder, "anna")


def test_a_dry_run_is_never_approved(site: Approving) -> None:
    site.run(dry_run=True)
    with pytest.raises(PlanRefused, match="never applied"):
        site.answer(site.runs[0], "anna")


def test_signatures_and_approvals_stay_when_a_run_is_pruned(site: Approving) -> None:
    folder = _waiting(site)
    site.answer(folder, "anna", AnswerGiven("approve", comment="as agreed"))
    site.answer(folder, "bert")
    site.run()
    site.ours += "\nretention: 31d"
    for _ in range(3):
        site.now += timedelta(days=40)
        site.qrs.site_clock = site.now
        site.run()
    assert not folder.exists()
    kept = site.state / "notes" / folder.name
    names = sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file())
    assert [name for name in names if "/" not in name] == ["outcomes.note", "plan.note", "runs.note"]
    assert len(names) == 5
    assert site.verified().faults == []


def test_the_audit_says_who_approved(site: Approving) -> None:
    folder = _waiting(site)
    line = _release_line(folder, site)
    site.answer(folder, "anna", AnswerGiven("approve", excluded=[line], comment="as agreed"))
    site.answer(folder, "bert")
    site.run()
    request = AuditRequest(site.state, DaySpan(), None, None, None)
    answers = audit(request, site.now).answers
    (who,) = (one for one in answers if one.question.startswith("Who ran it"))
    (listing,) = (one for one in who.listings if one.title == "Approved or rejected")
    assert [entry.words for entry in listing.entries] == ['approved; 1 license taken out: "as agreed"', "approved"]
