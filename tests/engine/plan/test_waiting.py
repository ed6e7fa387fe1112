"""The licenses that wait for a notice, counted in a plan: what is counted adds up, and the text says the same."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.notice import NoticeStanding, NoticeState
from seatwarden.engine.facts.standing import Standing
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.plan.waiting import notice_counts, waiting_lines
from tests.engine.notice.telling import LIMIT, NOTICE, TOLD_FIRST, Telling, people
from tests.engine.support import license_row, plan_of, site_of, user

DUE = "2026-01-01T12:00:00.000Z"


def _plan(count: int, policy: str = TOLD_FIRST) -> Plan:
    numbers = range(1, count + 1)
    return plan_of(policy, site_of([user(n) for n in numbers], [license_row(n, DUE) for n in numbers]))


def test_no_rule_gives_notice() -> None:
    plan = _plan(2, "release analyzer when unused for 30 days\n" + LIMIT)
    assert "notice" not in plan.summary()
    assert "notice" not in plan_text(plan)


def test_a_what_if_says_who_would_be_told() -> None:
    plan = _plan(3)
    assert plan.summary()["notice"] == {
        "waiting": 3, "told": 0, "toTell": 3, "thisRun": 3, "later": 0, "cannotTell": {}, "cameBack": 0,
    }  # fmt: skip
    text = plan_text(plan)
    assert "Due, waiting for notice: 3 licenses" in text
    assert "        3  to be told: in the next run" in text
    assert text.splitlines()[-1] == "0 licenses would be released, and 3 messages sent. Nothing has been released."


def test_as_many_are_told_as_a_run_may_release() -> None:
    """The others wait for the limit; a plan that is over a limit tells nobody."""
    told = "release analyzer when unused for 30 days\n  after notice of 14 days\n"
    plan = _plan(5, told + "limit release to 2 per run\n")
    assert (plan.summary()["notice"]["toTell"], plan.summary()["notice"]["thisRun"]) == (5, 2)
    assert "        5  to be told: 2 in the next run, 3 wait for the limit" in plan_text(plan)
    over = 'release analyzer "now" when user.userId = "user1"\n  and unused for 30 days\n'
    assert _plan(5, over + told + "limit release to 0 per run\n").summary()["notice"]["thisRun"] == 0


def test_the_recorded_plan_says_the_same(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(3))
    site.qrs.site["users"][0]["attributes"] = []
    site.run()
    report = site.run()
    assert report.plan is not None
    assert report.folder is not None
    recorded = read_plan(report.folder)
    assert recorded.summary()["notice"] == report.plan.summary()["notice"]
    assert plan_text(recorded) == plan_text(report.plan)
    assert "        1  cannot be told, so kept: 1 no address" in plan_text(recorded)
    assert "        2  told already" in plan_text(recorded)


def test_a_site_file_without_settings_for_notices(tmp_path: Path) -> None:
    report = Telling(tmp_path, ours="parallel: 1").run()
    assert report.plan is not None
    assert report.plan.summary()["notice"]["cannotTell"] == {"no-settings": 1}
    assert "cannot be told, so kept: 1 the site file has no `notice`" in plan_text(report.plan)


def test_who_came_back_each_time_is_counted(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    for _ in range(3):
        site.days(3)
        site.use(1)
        site.days(31)
    report = site.run()
    assert report.plan is not None
    assert report.plan.summary()["notice"]["cameBack"] == 1
    assert report.plan.decisions[0].reason.endswith(
        "; told 3 times before, came back each time: a longer threshold would spare it"
    )


def test_refused(tmp_path: Path) -> None:
    site = Telling(tmp_path, ours=NOTICE)
    site.post.on_message = lambda message: MessageOutcome("refused", "550 no such user")
    site.run()
    report = site.run()
    assert report.plan is not None
    assert report.plan.summary()["notice"]["cannotTell"] == {"refused": 1}


_STANDINGS: list[NoticeState] = [
    "untold", "told", "postponed", "refused", "unanswered", "former-address", "no-address", "too-soon", "no-day",
    "running",
]  # fmt: skip


@given(st.lists(st.sampled_from(_STANDINGS), max_size=12), st.integers(0, 12))
def test_the_counts_add_up(states: list[NoticeState], room: int) -> None:
    decisions: list[Decision] = [
        structs.replace(decision, standing=Standing(notice=NoticeStanding(state)))
        for decision, state in zip(_plan(len(states)).decisions, states, strict=True)
    ]
    counts = notice_counts(decisions, lambda some: some[:room])
    parts = counts.told + counts.to_tell + counts.later + sum(counts.cannot_tell.values())
    assert parts == counts.waiting == len(states)
    assert counts.this_run <= counts.to_tell
    assert counts.to_tell - counts.this_run == max(states.count("untold") - room, 0)


def test_one_waits_for_the_limit() -> None:
    counts = {"waiting": 2, "told": 0, "toTell": 2, "thisRun": 1, "later": 0, "cannotTell": {}, "cameBack": 0}
    assert waiting_lines(counts)[1].endswith("to be told: 1 in the next run, 1 waits for the limit")
