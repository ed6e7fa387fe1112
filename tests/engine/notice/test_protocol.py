"""Told before it happens: each rule of the protocol, with the case that broke the plain reading of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.errors import UntrustedRecord
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notice.register import NOTICES_FILE
from tests.engine.notice.telling import LIMIT, NOTICE, REMINDED, TOLD_FIRST, Telling, people, person
from tests.engine.support import license_row


def test_told_and_released_when_the_period_has_run(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    reports = site.days(16)
    words = [report.plan.decisions[0].reason for report in reports[:15] if report.plan]
    assert words[0] == "due; to be told in the next run"
    assert words[1:14] == ["due; told on 2026-11-21, to be released on 2026-12-05 unless used"] * 13
    assert words[14].endswith("; told on 2026-11-21")
    assert site.post.told() == [(site.on(0), "user1@example.org", "notice")]
    assert site.released == [(site.on(14), "l1")]


def test_a_reminder_goes_out_before(tmp_path: Path) -> None:
    site = Telling(tmp_path, policy=REMINDED)
    site.days(20)
    assert [(day, kind) for day, _, kind in site.post.told()] == [(site.on(0), "notice"), (site.on(11), "reminder")]
    assert site.released == [(site.on(14), "l1")]


def test_whoever_comes_back_keeps_the_license(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(5)
    site.use(1)
    site.days(20)
    assert site.released == []
    assert [one.ended for one in site.notices] == ["used"]


def test_a_use_while_nobody_looked_counts(tmp_path: Path) -> None:
    """The license was used and lay unused again for long enough, between two runs."""
    site = Telling(tmp_path)
    site.run()
    site.use(1, site.now + timedelta(days=3))
    site.now += timedelta(days=40)
    site.days(1)
    assert site.released == []
    assert [one.ended for one in site.notices][:1] == ["used"]
    assert site.post.told()[-1][0] == site.on(40)


def test_a_rule_without_notice_takes_over(tmp_path: Path) -> None:
    """Nobody loses a license before the day that they were told, whatever the policy says by then."""
    site = Telling(tmp_path)
    site.days(3)
    site.policy = "release analyzer when unused for 30 days\n" + LIMIT
    site.days(20)
    assert site.released == [(site.on(14), "l1")]


def test_plan_then_hold_then_run(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(10)
    with site.holding() as holds:
        holds.hold("ACME\\user1", None, site.on(12), "parental leave", site.now.date())
    site.days(10)
    assert site.released == []  # told anew once the hold was over, with the whole period
    assert [one.ended for one in site.notices][:1] == ["held"]


def test_a_hold_added_and_ended_between_two_runs_ends_the_notice(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(10)
    with site.holding() as holds:
        holds.hold("ACME\\user1", None, site.on(40), "parental leave", site.now.date())
        (hold,) = holds.state.in_force(site.now.date())
        holds.end(hold, "", site.now.date())
    site.days(10)
    assert site.released == []
    assert [one.ended for one in site.notices][:1] == ["held"]


def test_a_redirected_message_never_counts(tmp_path: Path) -> None:
    site = Telling(tmp_path, ours=NOTICE + "  redirectTo: me@example.org\n")
    site.days(20)
    assert [(to, kind) for _, to, kind in site.post.told()] == [("me@example.org", "notice")]
    assert site.released == []
    site.ours = NOTICE
    site.days(13)
    assert site.post.told()[-1] == (site.on(20), "user1@example.org", "notice")
    assert site.released == []
    site.days(5)
    assert site.released == [(site.on(34), "l1")]


def test_accepted_without_an_answer_twice(tmp_path: Path) -> None:
    """Nobody knows whether the message arrived: it goes out again, as the same message, and the period begins late."""
    site = Telling(tmp_path)
    site.post.on_message = lambda message: MessageOutcome("no-answer", "cut")
    site.days(2)
    site.post.on_message = lambda message: None
    site.days(20)
    assert len({message.id for _, message, _ in site.post.messages}) == 1
    assert site.released == [(site.on(16), "l1")]


def test_a_late_reminder_makes_a_later_day(tmp_path: Path) -> None:
    site = Telling(tmp_path, policy=REMINDED)
    site.days(8)
    site.now += timedelta(days=5)  # nobody looks from the 8th to the 13th day
    site.days(12)
    reminded = [day for day, _, kind in site.post.told() if kind == "reminder"]
    assert reminded == [site.on(13)]
    assert [one.facts.announced for _, one, _ in site.post.messages if one.facts.reminder] == [site.on(16)]
    (released,) = [day for day, _ in site.released]
    assert released >= site.on(16)


def test_a_reminder_that_is_refused_keeps(tmp_path: Path) -> None:
    site = Telling(tmp_path, policy=REMINDED)
    site.post.on_message = lambda m: MessageOutcome("refused", "550 no") if m.facts.reminder else None
    reports = site.days(20)
    assert site.released == []
    assert reports[-1].plan is not None
    assert reports[-1].plan.decisions[0].reason == (
        f"due; told on 2026-11-21; waits: the reminder is refused since {site.on(11)}"
    )
    tries = [day for day, message, _ in site.post.messages if message.facts.reminder]
    assert len(tries) == len(set(tries))


@pytest.mark.parametrize("when", ['weekday = "Friday"', "month = 12"])
def test_calendar_rules_are_announced_for_a_day_on_which_they_release(tmp_path: Path, when: str) -> None:
    policy = f"release analyzer when unused for 30 days and {when}\n  after notice of 14 days\n" + LIMIT
    site = Telling(tmp_path, policy=policy)
    site.days(45)
    (message,) = {message.id: message for _, message, _ in site.post.messages}.values()
    assert [day for day, _ in site.released] == [message.facts.announced]


def test_an_unreadable_fact_for_a_day_postpones(tmp_path: Path) -> None:
    policy = 'keep when user.tags = "VIP"\n' + TOLD_FIRST
    site = Telling(tmp_path, policy=policy)
    site.days(13)
    del site.qrs.site["users"][0]["tags"]
    site.days(3)
    assert site.released == []
    site.qrs.site["users"][0]["tags"] = []
    site.days(2)
    assert site.released == [(site.on(16), "l1")]
    assert len(site.post.messages) == 1


def test_another_address_is_told_anew(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(10)
    site.move(1, "new@example.org")
    reports = site.days(1)
    assert reports[0].plan is not None
    assert reports[0].plan.decisions[0].reason.startswith("due; told at a former address on ")
    site.days(20)
    assert [to for _, to, _ in site.post.told()] == ["user1@example.org", "new@example.org"]
    assert site.released == [(site.on(24), "l1")]


def test_midnight_between_intent_and_sending(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.now = site.now.replace(hour=23, minute=59)

    def late(message: object) -> None:
        site.now += timedelta(minutes=5)

    site.post.on_message = late
    site.run()
    site.post.on_message = lambda message: None
    site.now = site.now.replace(hour=12)
    site.days(20)
    assert [day for day, _ in site.released] >= [site.on(14)]


def test_re_allocated_under_a_new_id(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(10)
    row = site.qrs.site["licenses"]["analyzer"][0]
    row["id"], row["createdDate"] = "l1-again", "2026-09-01T12:00:00.000Z"
    site.days(4)
    assert site.released == []
    assert [one.ended for one in site.notices][:1] == ["gone"]
    site.days(12)
    assert [day for day, _ in site.released] == [site.on(24)]


@pytest.mark.parametrize("harm", ["cut", "edited", "missing"])
def test_a_register_that_is_not_as_it_was_releases_nothing(tmp_path: Path, harm: str) -> None:
    site = Telling(tmp_path)
    site.days(15)
    assert site.released
    (tmp_path / "other").mkdir()
    site = Telling(tmp_path / "other")
    site.days(10)
    path = site.settings.folder / NOTICES_FILE
    data = path.read_bytes()
    match harm:
        case "cut":
            path.write_bytes(b"".join(data.splitlines(keepends=True)[:-2]))
        case "edited":
            path.write_bytes(data.replace(b"2026-11-21", b"2026-11-01"))
        case _:
            path.unlink()
    site.policy = "release analyzer when unused for 30 days\n" + LIMIT
    reports = site.days(10)
    assert {report.outcome for report in reports} == {"failed"}
    assert isinstance(reports[0].error, UntrustedRecord)
    assert site.released == []


def test_a_clock_that_is_not_that_of_qrs_releases_nothing(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(3)
    right = site.now
    site.now += timedelta(days=20)
    site.qrs.site_clock = right
    report = site.run()
    assert report.outcome == "failed"
    assert site.released == []
    site.now, site.qrs.site_clock = right, None
    site.days(14)
    assert site.released == [(site.on(14), "l1")]


def test_both_clocks_wrong_shorten_nothing(tmp_path: Path) -> None:
    """The days count on which the program was alive."""
    site = Telling(tmp_path)
    site.days(3)
    site.now += timedelta(days=20)
    site.days(1)
    assert site.released == []


def test_a_clock_behind_the_register_does_nothing(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(3)
    site.now -= timedelta(days=2)
    assert site.run().outcome == "failed"


@pytest.mark.parametrize("most", [1, 2])
def test_a_failing_address_first_in_the_queue_keeps_nobody_from_being_told(tmp_path: Path, most: int) -> None:
    site = Telling(tmp_path, people(5), ours=NOTICE + f"  maxMessagesPerRun: {most}\n")
    site.post.on_message = lambda m: MessageOutcome("refused", "550 no") if m.to.username == "user1" else None
    site.days(6)
    assert {to for _, to, _ in site.post.told()} == {f"user{n}@example.org" for n in range(2, 6)}
    tries = [day for day, message, result in site.post.messages if result == "refused"]
    assert len(tries) == len(set(tries))


def test_announced_releases_go_up_to_the_limit(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(5))
    site.days(3)
    site.policy = TOLD_FIRST.replace("1000", "2")
    site.days(16)
    assert [day for day, _ in site.released] == [site.on(n) for n in (14, 14, 15, 15, 16)]


def test_as_many_are_told_as_a_run_may_release(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(5), policy=TOLD_FIRST.replace("1000", "2"))
    site.days(3)
    assert [sum(day == site.on(n) for day, _, _ in site.post.told()) for n in range(3)] == [2, 2, 1]


def test_who_has_no_address_keeps_the_license(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.move(1, "nobody")
    reports = site.days(20)
    assert reports[-1].plan is not None
    assert reports[-1].plan.decisions[0].reason.startswith("due; no address: kept")
    assert (site.released, site.post.messages) == ([], [])


def test_a_notice_lapses(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(13)
    del site.qrs.site["users"][0]["tags"]
    site.policy = 'keep when user.tags = "VIP"\n' + TOLD_FIRST
    site.days(33)
    assert [one.ended for one in site.notices] == ["lapsed"]
    assert site.released == []


def test_a_dry_run_sends_nothing_and_says_what_it_would(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    report = site.run(dry_run=True)
    assert [one.step for one in report.told.due] == ["notice"]
    assert (site.post.messages, site.record.lines) == ([], ())


def test_an_edit_that_keeps_on_the_announced_day_postpones(tmp_path: Path) -> None:
    """Saturday was announced, and the policy has come to release on Fridays: no Friday was ever announced."""
    site = Telling(tmp_path)
    site.days(10)
    site.policy = TOLD_FIRST.replace("30 days\n", '30 days and weekday = "Friday"\n')
    site.days(12)
    assert [one.ended for one in site.notices] == [None]
    assert site.released == []


def test_a_new_notice_waits_as_long_as_a_notice_takes(tmp_path: Path) -> None:
    """Whatever has ended the one before: nobody is written to day after day."""
    site = Telling(tmp_path)
    site.days(1)
    with site.holding() as holds:
        holds.hold("ACME\\user1", None, site.on(2), "leave", site.now.date())
    site.days(20)
    assert [day for day, _, _ in site.post.told()] == [site.on(0), site.on(14)]


def test_a_new_notice_announces_no_day_before_the_one_told_already(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(1)
    with site.holding() as holds:
        holds.hold("ACME\\user1", None, site.on(2), "leave", site.now.date())
    site.policy = TOLD_FIRST.replace("14 days", "3 days")
    site.days(15)
    assert [message.facts.announced for _, message, _ in site.post.messages] == [site.on(14)] * 2
    assert site.released == [(site.on(14), "l1")]


def test_reminders_go_first(tmp_path: Path) -> None:
    """Before notices to those who are unused for longer: of them nobody waits for a day that was announced."""
    site = Telling(tmp_path, policy=REMINDED, ours=NOTICE + "  maxMessagesPerRun: 1\n")
    site.days(11)
    site.qrs.site["users"].append(person(2))
    site.qrs.site["licenses"]["analyzer"].append(license_row(2, "2025-01-01T12:00:00.000Z"))
    site.days(2)
    assert site.post.told()[1:] == [
        (site.on(11), "user1@example.org", "reminder"),
        (site.on(12), "user2@example.org", "notice"),
    ]


@pytest.mark.parametrize("reminder", [False, True])
def test_an_address_that_refuses_is_asked_once_a_day(tmp_path: Path, reminder: bool) -> None:
    site = Telling(tmp_path, policy=REMINDED)
    site.post.on_message = lambda m: MessageOutcome("refused", "550 no") if m.facts.reminder is reminder else None
    site.days(11 if reminder else 0)
    before = len(site.post.messages)
    for _ in range(3):
        site.run()
    assert len(site.post.messages) == before + 1


def test_re_allocated_under_the_same_id(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(10)
    site.qrs.site["licenses"]["analyzer"][0]["createdDate"] = "2026-09-01T12:00:00.000Z"
    site.days(6)
    assert site.released == []
    assert [one.ended for one in site.notices][:1] == ["re-allocated"]
