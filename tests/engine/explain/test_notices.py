"""What is explained of a license that waits for its notice, in every state, in 80 columns."""

from datetime import date

import pytest
from msgspec import structs

from seatwarden.engine.cli.views.explanation import print_explanations
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.standing import due_reason, due_ruling, ruled
from seatwarden.engine.explain.explanation import explain, explanation_to_json
from seatwarden.engine.facts.notice import NO_SETTINGS, NoticeStanding
from seatwarden.engine.facts.standing import HoldInForce, Standing
from seatwarden.engine.plan.plan import Plan
from tests.engine.notice.telling import REMINDED
from tests.engine.support import license_row, plan_of, site_of, user

TOLD = NoticeStanding("told", "2026-11-11", "2026-11-25", alive=10)
LATE = NoticeStanding("told", "2026-11-01", "2026-11-15", alive=20)
CASES = {
    "untold": (NoticeStanding("untold", announced="2026-12-05"), "to be told in the next run", "2026-12-05"),
    "told": (TOLD, "told on 2026-11-11, to be released on 2026-11-25 unless used", "2026-11-25"),
    "not reminded": (LATE, "told on 2026-11-01; waits: no reminder was accepted yet", "2026-11-24"),
    "reminder refused": (
        structs.replace(LATE, why="the reminder is refused since 2026-11-12", to="manager"),
        "told on 2026-11-01 through the manager; waits: the reminder is refused since 2026-11-12",
        "Until the address takes the reminder, the license is kept.",
    ),
    "came back": (structs.replace(TOLD, times=3), "came back each time: a longer threshold would spare it", "11-25"),
    "postponed": (structs.replace(TOLD, state="postponed"), "announced for 2026-11-25; waits: by the policy", ""),
    "refused": (
        NoticeStanding("refused", told="2026-11-18", why="550 5.1.1 no such user here"),
        "has refused our message since 2026-11-18: kept (550 5.1.1 no such user here)",
        "Until the address takes our message, the license is kept; each day a run tries again.",
    ),
    "former address": (
        NoticeStanding("former-address", told="2026-11-18"), "told at a former address on 2026-11-18", ""
    ),
    "no address": (
        NoticeStanding("no-address", why="`user.attributes.email` has no value"),
        "no address: kept (`user.attributes.email` has no value)",
        "Until the user has an address where `notice` in the site file looks for it, the license is kept.",
    ),
    "no settings": (
        NoticeStanding("no-address", why=NO_SETTINGS),
        "the site file has no `notice`",
        "Until the site file has `notice`, nobody is told, and the license is kept.",
    ),
}  # fmt: skip


def _waiting(standing: Standing) -> tuple[Plan, Decision]:
    site = site_of([user(1, name="Anna Berg")], [license_row(1, "2026-09-01T00:00:00Z")])
    plan = plan_of(REMINDED, site)
    (decision,) = plan.decisions
    ruling, reason = ruled(due_ruling(decision.ruling), due_reason(decision), standing, plan.day)
    return plan, structs.replace(decision, ruling=ruling, reason=reason, standing=standing)


@pytest.mark.parametrize(("notice", "headline", "advice"), CASES.values(), ids=list(CASES))
def test_every_state_in_80_columns(
    notice: NoticeStanding,
    headline: str,
    advice: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    plan, decision = _waiting(Standing(notice=notice))
    explained = explain(decision, plan.policy, plan.day)
    print_explanations([explained], "default", plan.policy, plan.day)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    said = " ".join(out.split())
    assert headline in said
    assert advice in said
    assert explained.status == "notice"
    assert explanation_to_json(explained)["notice"]["state"] == notice.state


def test_held_too() -> None:
    """Whoever is held is not told; the explanation says the hold."""
    hold = HoldInForce("2026-12-24", "on leave", "CORP\\boss", "2026-11-01")
    plan, decision = _waiting(Standing(hold=hold, notice=TOLD))
    explained = explain(decision, plan.policy, plan.day)
    assert explained.status == "held"
    assert any(line.startswith("Would be released without the hold") for line in explained.advice)


def test_no_day_is_said_before_a_reminder_can_have_run() -> None:
    plan, decision = _waiting(Standing(notice=LATE))
    assert explain(decision, plan.policy, plan.day).due == date(2026, 11, 24)
    refused = structs.replace(LATE, why="the reminder is refused since 2026-11-12")
    plan, decision = _waiting(Standing(notice=refused))
    assert explain(decision, plan.policy, plan.day).due is None
