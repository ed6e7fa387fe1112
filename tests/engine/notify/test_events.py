"""Events: what they say, that nobody is named unasked, and that hostile text stays on its line."""

import json
import unicodedata
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.facts.day import day_for
from seatwarden.engine.notify.events import (
    MAX_FINDINGS,
    MAX_SUBJECT,
    Event,
    FindingWords,
    certificate_expiring,
    license_expiring,
    limit_hit,
    plan_ready,
    releases_done,
    run_failed,
    run_stopped,
    try_out,
)
from seatwarden.engine.plan.plan import make_plan
from seatwarden.engine.site.notifications import EVENTS
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.policy.loading import load_policy
from tests.engine.notify.conftest import NOW, SITE
from tests.paths import EXAMPLES

UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Cs")
HOSTILE = "eve\r\nBcc: x@example.org\u2028\u202egnp.exe\x00\x1b[31m\ud800\U0001f600"


def summary() -> dict[str, Any]:
    policy = load_policy(EXAMPLES / "butler.yaml")
    return make_plan(policy, load_snapshot(EXAMPLES / "site.json"), day_for(policy, NOW, None), SITE).summary()


def test_a_plan_is_told_by_its_counts() -> None:
    counts = summary()
    event = plan_ready(SITE, NOW, "run-1", Path("runs/run-1"), counts)
    assert event.kind == "plan-ready"
    assert str(counts["release"]) in event.subject
    assert event.data["release"] == counts["release"]
    assert event.data["byType"] == counts["byType"]
    assert "byReason" not in event.data  # a rule may be named after people
    assert f"The plan is in {Path('runs/run-1')}." in event.lines
    assert event.lines[-1] == "Nothing has been released."


def test_a_plan_over_the_limit_says_so() -> None:
    over = {**summary(), "overLimit": ["9 licenses due; the limit allows 2"], "thisRun": 0}
    lines = plan_ready(SITE, NOW, "run-1", Path("r"), over).lines
    assert "OVER THE LIMIT: 9 licenses due; the limit allows 2" in lines
    assert not any("of them in this run" in line for line in lines)
    later = {**summary(), "release": 3, "thisRun": 2, "overLimit": []}
    waiting = plan_ready(SITE, NOW, "r", Path("r"), later)
    assert any(line.startswith("2 of them in this run") for line in waiting.lines)
    assert waiting.subject == f"2 of 3 licenses due in this run on {SITE}"
    everything = {**summary(), "release": 3, "thisRun": 3, "overLimit": []}
    assert plan_ready(SITE, NOW, "r", Path("r"), everything).subject == f"3 licenses in this run on {SITE}"


def test_the_counts_by_type_are_those_of_the_run() -> None:
    over = plan_ready(SITE, NOW, "run-1", Path("r"), summary())
    assert over.subject == f"4 licenses due, over the limit on {SITE}"
    assert "professional: 5 allocated, 2 due, 0 in this run, 3 kept" in over.lines
    assert any(line.startswith("What helps: not a single license fits into it; raise the ") for line in over.lines)


def test_findings_are_told_with_names_to_those_who_ask() -> None:
    found = [FindingWords("SW405", f"an account (p:{n}:1)", f"`CORP\\sa_{n}` \u202e") for n in range(25)]
    event = run_stopped(SITE, NOW, "r", found)
    plain, named = event.lines_for(people=False), event.lines_for(people=True)
    assert plain[2:4] == ["SW405: an account (p:0:1)", "SW405: an account (p:1:1)"]
    assert named[2] == "SW405: `CORP\\sa_0` \ufffd"
    assert plain[-1] == named[-1] == "and 5 more findings"
    assert len(plain) == 2 + MAX_FINDINGS + 1
    assert event.data_for(people=False)["findings"][0] == {"code": "SW405", "text": "SW405: an account (p:0:1)"}
    assert event.data_for(people=True)["findings"][0]["text"] == "SW405: `CORP\\sa_0` \ufffd"
    assert "sa_0" not in repr(event)
    assert event.id != run_stopped(SITE, NOW, "r", found[:3]).id != run_stopped(SITE, NOW, "r", ()).id
    assert "findings" not in run_stopped(SITE, NOW, "r", ()).data_for(people=True)


def test_releases_name_nobody_unless_asked(event: Event) -> None:
    plain = json.dumps([event.subject, event.lines_for(False), event.data_for(False)], ensure_ascii=False) + repr(event)
    assert "anna" not in plain
    assert "jörg" not in plain
    assert "CORP\\jörg (professional)" in event.lines_for(True)
    assert event.data_for(True)["people"][0] == {"user": "CORP\\anna", "licenseType": "analyzer"}
    assert event.subject == f"2 licenses released on {SITE}, 1 failed"


def test_ten_thousand_people_are_a_short_message() -> None:
    people = [(f"CORP\\user{n}" + "x" * 10_000, "analyzer") for n in range(10_000)]
    event = releases_done(SITE, NOW, "r", {"released": 10_000}, people)  # type: ignore[arg-type]
    assert event.lines_for(True)[-1] == "and 9,950 more"
    assert len("".join(event.lines_for(True))) < 10_000
    assert event.data_for(True)["morePeople"] == 9_950
    assert len(event.data_for(True)["people"]) == 50


def test_the_other_events() -> None:
    hit = limit_hit(SITE, NOW, "run-1", ["12 licenses due; the limit allows 10"], Path("runs/1"))
    assert hit.lines[1:3] == ("12 licenses due; the limit allows 10", "Nothing has been released.")
    failed = run_failed(SITE, NOW, "plan", "qlik:4242 does not answer", "is a firewall in between?")
    assert failed.lines[-1] == "What to do: is a firewall in between?"
    assert failed.data == {"stage": "plan", "message": "qlik:4242 does not answer", "help": "is a firewall in between?"}
    assert try_out(SITE, NOW).kind not in EVENTS


@pytest.mark.parametrize(
    ("days", "said"),
    [(30, "expires in 30 days"), (1, "expires in 1 day"), (0, "expires today"), (-2, "expired 2 days ago")],
)
def test_expiry(days: int, said: str) -> None:
    event = license_expiring(SITE, NOW, date(2026, 12, 21), days, 60)
    assert said in event.subject
    assert said in event.lines[0]
    assert event.data == {"expires": "2026-12-21", "days": days, "thresholdDays": 60}


def test_the_id_is_the_events() -> None:
    one = run_failed(SITE, NOW, "plan", "no answer")
    assert one.id == run_failed(SITE, NOW, "plan", "no answer").id
    others = [
        run_failed(SITE, NOW + timedelta(seconds=1), "plan", "no answer"),
        run_failed(SITE, NOW, "apply", "no answer"),
        run_failed("https://other:4242", NOW, "plan", "no answer"),
        limit_hit(SITE, NOW, "r", []),
    ]
    assert len({one.id, *(other.id for other in others)}) == 5


@given(st.text(max_size=400) | st.just(HOSTILE), st.text(max_size=50) | st.just(HOSTILE))
def test_whatever_comes_stays_on_its_line(text: str, name: str) -> None:
    events = [
        run_failed(text, NOW, name, text, text),
        limit_hit(text, NOW, name, [text, name], Path("runs")),
        releases_done(text, NOW, name, {"released": 1}, [(name, "analyzer")]),
    ]
    for event in events:
        assert len(event.subject) <= MAX_SUBJECT
        for line in [event.subject, *event.lines_for(True)]:
            assert not any(unicodedata.category(c) in UNSEEN for c in line)
        assert len(event.id) == 32


@pytest.mark.parametrize(
    ("days", "subject"),
    [
        ([9], "a certificate ends in 9 days on "),
        ([1], "a certificate ends in 1 day on "),
        ([0], "a certificate ends today on "),
        ([-1], "a certificate ended 1 day ago on "),
        ([20, 3], "2 certificates end soon, the first in 3 days on "),
    ],
)
def test_certificates_that_end(days: list[int], subject: str) -> None:
    ending = [(f"the certificate {HOSTILE} ends", date(2026, 12, 1), left) for left in days]
    event = certificate_expiring(SITE, NOW, ending)
    assert event.subject == f"{subject}{SITE}"
    assert len(event.lines) == 1 + len(days)
    assert [one["days"] for one in event.data["certificates"]] == days
    assert all(
        "\u202e" not in said for said in (*event.lines, *(one["certificate"] for one in event.data["certificates"]))
    )
