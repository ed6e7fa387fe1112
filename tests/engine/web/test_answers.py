"""What is answered on the page: it ends in the note and in the register of holds, as it was ticked, or nowhere."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.common.signing_key import new_signing_key
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.web.review import MOST_WRONG
from tests.engine.apply.applying import idle
from tests.engine.runs.running import Running, Site
from tests.engine.web.reviewing import PASSPHRASE, PEOPLE, Waiting, waiting


def lines_of(plan: Waiting) -> dict[str, int]:
    """The lines of the plan by user id, in the order in which the form lists them."""
    with plan.served() as page:
        listed = page.enter().form()["release"]
    return {f"ACME\\user{n}": int(line) for n, line in enumerate(listed, 1)}


def test_approved_as_it_is(plan: Waiting) -> None:
    with plan.served() as page:
        got = page.enter().send(passphrase=PASSPHRASE)
        assert (got.status, page.running.over.wait(5)) == (200, True)
        assert f"{PEOPLE} licenses approved." in got.text
        assert page.review.signed is not None
    (one,) = plan.answers
    assert (one.approval.answer, one.approval.excluded, one.approval.limits, one.comment) == ("approve", (), (), None)
    assert plan.holds == []
    assert plan.running.run().outcome == "done"
    assert plan.running.qrs.site["licenses"]["analyzer"] == []


def test_what_is_not_ticked_is_excluded(plan: Waiting) -> None:
    lines = lines_of(plan)
    kept = lines["ACME\\user2"]
    with plan.served() as page:
        page.enter()
        got = page.send(
            release=[str(n) for n in lines.values() if n != kept],
            comment="as  agreed,\r\nwith <Ö>",
            limits="2; 50% of analyzer",
            passphrase=PASSPHRASE,
        )
    assert (got.status, "3 licenses approved, 1 license taken out." in got.text) == (200, True)
    (one,) = plan.answers
    assert one.approval.excluded == (kept,)
    assert one.comment == "as agreed, with <Ö>"
    assert one.approval.limits == ("2 per run", "50% of analyzer per run")


def test_what_is_lost_on_the_way_is_kept(plan: Waiting) -> None:
    with plan.served() as page:
        form = page.enter().form()
        del form["release"]
        assert page.send(form, passphrase=PASSPHRASE).status == 200
    (one,) = plan.answers
    assert len(one.approval.excluded) == PEOPLE


def test_rejected(plan: Waiting) -> None:
    with plan.served() as page:
        got = page.enter().send(answer="reject", comment="not in December", limits="nonsense", passphrase=PASSPHRASE)
    assert (got.status, "The plan is rejected by you" in got.text) == (200, True)
    (one,) = plan.answers
    assert (one.approval.answer, one.approval.excluded, one.comment) == ("reject", (), "not in December")


def test_a_hold_is_made_and_its_license_taken_out(plan: Waiting) -> None:
    line = lines_of(plan)["ACME\\user3"]
    with plan.served() as page:
        form = page.enter().form()
        assert form[f"until-{line}"] == "2026-12-21"
        got = page.send(form, hold=str(line), passphrase=PASSPHRASE, **{f"reason_{line}": "on <leave>"})
    assert got.status == 200
    assert "Held up to and including 2026-12-21: ACME\\user3, on &lt;leave&gt;." in got.text
    (hold,) = plan.holds
    assert (hold.user, hold.license_type, hold.until, hold.reason) == (
        "ACME\\user3",
        None,
        "2026-12-21",
        "on <leave>",
    )
    assert plan.answers[0].approval.excluded == (line,), "though it was ticked"
    plan.running.run()
    assert [row["user"]["userId"] for row in plan.running.qrs.site["licenses"]["analyzer"]] == ["user3"]


def test_a_rejection_can_hold_too(plan: Waiting) -> None:
    line = lines_of(plan)["ACME\\user1"]
    with plan.served() as page:
        form = {**page.enter().form(), "answer": "reject", f"reason-{line}": "on leave", f"until-{line}": "2027-02-28"}
        assert page.send(form, hold=str(line), passphrase=PASSPHRASE).status == 200
    assert [(one.user, one.until) for one in plan.holds] == [("ACME\\user1", "2027-02-28")]


def test_who_presses_twice_holds_once(plan: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    line = lines_of(plan)["ACME\\user1"]

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    with plan.served() as page:
        form = {**page.enter().form(), f"reason-{line}": "on leave", "passphrase": PASSPHRASE}
        with monkeypatch.context() as patch:
            patch.setattr("seatwarden.engine.web.review.answer", full)
            got = page.send(form, hold=str(line))
        assert got.status == 422
        assert "No space left on device; the holds were made" in got.text
        assert (plan.answers, len(plan.holds)) == ([], 1)
        assert page.send(form, hold=str(line)).status == 200
    assert (len(plan.answers), len(plan.holds)) == (1, 1)


@pytest.mark.parametrize(
    ("reason", "until", "said"),
    [
        ("", "2026-12-21", "Why is empty"),
        ("x" * 501, "2026-12-21", "Why has 501 characters"),
        ("on leave", "", "is not a day"),
        ("on leave", "2026-11-20", "2026-11-20 is over"),
        ("on leave", "2028-01-01", "more than 366 days away"),
    ],
)
def test_a_hold_that_cannot_be(plan: Waiting, reason: str, until: str, said: str) -> None:
    line = lines_of(plan)["ACME\\user1"]
    with plan.served() as page:
        form = {**page.enter().form(), f"reason-{line}": reason, f"until-{line}": until}
        got = page.send(form, hold=str(line), passphrase=PASSPHRASE)
    assert (got.status, plan.answers, plan.holds) == (422, [], [])
    assert said in got.text
    assert f'id="problem-{line}"' in got.text


def test_no_hold_without_the_site(plan: Waiting) -> None:
    with plan.served(holding=False) as page:
        form = page.enter().form()
        assert 'name="hold"' not in page.ask("/").text
        got = page.send(form, hold=form["release"][0], passphrase=PASSPHRASE)
    assert (got.status, plan.answers, plan.holds) == (400, [], [])


def test_a_wrong_passphrase_keeps_what_was_typed(plan: Waiting) -> None:
    lines = [str(n) for n in lines_of(plan).values()]
    with plan.served() as page:
        form = {**page.enter().form(), f"reason-{lines[1]}": 'on "leave"', f"until-{lines[1]}": "2027-01-31"}
        got = page.send(
            form, release=lines[1:], hold=lines[1], comment="a <b> c", limits="20%", passphrase="wrong as can be"
        )
        assert (got.status, 'role="alert"' in got.text, page.running.over.is_set()) == (422, True, False)
        assert "The passphrase is wrong" in got.text
        assert "wrong as can be" not in got.text
        assert f'name="release" value="{lines[0]}">' in got.text
        assert f'name="release" value="{lines[1]}" checked>' in got.text
        assert f'name="hold" value="{lines[1]}" checked>' in got.text
        assert 'value="on &#34;leave&#34;"' in got.text
        assert 'value="2027-01-31"' in got.text
        assert ">a &lt;b&gt; c</textarea>" in got.text
        assert 'name="limits" type="text" value="20%"' in got.text
        assert (plan.answers, plan.holds) == ([], [])
        assert page.send(form, passphrase=PASSPHRASE).status == 200
    assert len(plan.answers) == 1


def test_ten_wrong_passphrases_are_the_end(plan: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwarden.engine.web.review.MOST_WRONG", 3)  # each takes half a second
    assert MOST_WRONG == 10
    with plan.served() as page:
        form = page.enter().form()
        assert [page.send(form, passphrase=f"wrong {n}").status for n in range(3)] == [422, 422, 403]
        assert page.running.over.wait(5)
        assert page.send(form, passphrase=PASSPHRASE).status == 403
    assert plan.answers == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"passphrase": ""}, "The passphrase is missing"),
        ({"limits": "many"}, "No more than this, too"),
        ({"comment": "x" * 2_001}, "The comment has 2,001 letters"),
    ],
)
def test_what_is_wrong_is_said(plan: Waiting, changed: dict[str, str], said: str) -> None:
    with plan.served() as page:
        got = page.enter().send(**{"passphrase": PASSPHRASE, **changed})
    assert (got.status, said in got.text, plan.answers) == (422, True, [])


def test_a_plan_that_changed_meanwhile(plan: Waiting, tmp_path: Path) -> None:
    with plan.served() as page:
        form = page.enter().form()
        other = waiting(_folder(tmp_path / "other"), plan.key, plan.public, people=PEOPLE + 1)
        (plan.folder / "plan.jsonl").write_bytes((other.folder / "plan.jsonl").read_bytes())
        got = page.send(form, passphrase=PASSPHRASE)
        assert (got.status, "The plan has changed meanwhile" in got.text) == (409, True)
        assert plan.answers == []
        assert len(page.form()["release"]) == PEOPLE + 1, "now it is shown"


def test_the_root_cannot_be_exchanged(plan: Waiting) -> None:
    with plan.served() as page:
        got = page.enter().send(root="0" * 64, passphrase=PASSPHRASE)
    assert (got.status, plan.answers) == (403, [])


def test_a_line_that_the_plan_does_not_release(plan: Waiting) -> None:
    with plan.served() as page:
        got = page.enter().send(release=["1"], passphrase=PASSPHRASE)
    assert (got.status, plan.answers) == (400, [])


def test_what_happens_to_the_plan_meanwhile(plan: Waiting) -> None:
    with plan.served() as page:
        form = page.enter().form()
        plan.now += timedelta(hours=25)
        got = page.send(form, passphrase=PASSPHRASE)
        assert (got.status, "could be applied until" in got.text) == (409, True)
        plan.now -= timedelta(hours=25)
        path = plan.folder / "plan.jsonl"
        path.write_bytes(path.read_bytes().replace(b"user1", b"user9", 1))
        got = page.send(form, passphrase=PASSPHRASE)
        assert (got.status, "The record of this run is not as it was written" in got.text) == (409, True)
    assert plan.answers == []


def test_another_key_in_its_place(plan: Waiting) -> None:
    with plan.served() as page:
        form = page.enter().form()
        plan.key.write_bytes(new_signing_key("eve", PASSPHRASE, bytes(range(1, 65)))[1])
        line = form["release"][0]
        got = page.send(form, passphrase=PASSPHRASE, hold=line, **{f"reason_{line}": "on leave"})
    assert (got.status, "the key `eve` may not approve" in got.text.replace("<code>", "`").replace("</code>", "`")) == (
        422,
        True,
    )
    assert list((plan.folder / "approvals").glob("*")) == []
    assert plan.holds == [], "who may not approve holds nobody here"


def test_two_at_once_are_one_answer(plan: Waiting) -> None:
    with plan.served() as page:
        form = {**page.enter().form(), "passphrase": PASSPHRASE}
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.append(page.send(form).status)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == [200, 409, 409]
    assert len(plan.answers) == 1


def test_only_to_be_read(plan: Waiting) -> None:
    with plan.served(reads_only=True) as page:
        shown = page.enter().ask("/")
        assert (shown.status, "<form" in shown.text, "only to be read" in shown.text) == (200, False, True)
        assert "The plan waits for approvals" in shown.text
        assert "seatwarden apply" not in shown.text, "the next step of the report is not the next one here"
        proof = page.review.session.proof(root := _root(plan))
        got = page.send({"root": root, "proof": proof, "answer": "approve", "passphrase": PASSPHRASE})
    assert (got.status, plan.answers) == (403, [])


def test_who_is_named_hostile_is_only_text(tmp_path: Path, key: Path, made_key: tuple[PublicKey, bytes]) -> None:
    site = idle(1)
    site["users"][0] |= {"name": '"><img src=x onerror=alert(1)>\u202e', "userId": "'><b>"}
    site["licenses"]["analyzer"][0]["user"] |= {"name": "x", "userId": "'><b>"}
    running = Running(_folder(tmp_path / "h"), Site(site), ours=f"approvals: {{required: 1, keys: ['{made_key[0]}']}}")
    running.run()
    with Waiting(running, running.runs[0], key, made_key[0]).served() as page:
        text = page.enter().ask("/").text
    assert "<img" not in text
    assert "<b>'" not in text
    assert "\u202e" not in text
    assert "&#39;&gt;&lt;b&gt;" in text


def test_the_lock_of_the_site_is_waited_for(plan: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object) -> None:
        raise PlanRefused("another run is at work")

    monkeypatch.setattr("seatwarden.engine.web.review.make_holds", taken)
    with plan.served() as page:
        got = page.enter().send(passphrase=PASSPHRASE)
    assert (got.status, "another run is at work" in got.text, plan.answers) == (422, True, [])


def _root(plan: Waiting) -> str:
    with plan.served() as page:
        root = page.enter().form()["root"]
    assert isinstance(root, str)
    return root


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
