"""A plan that downgrades people, on its page: it says what they get, and what is approved is done."""

from pathlib import Path

from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.web.review import Review, ReviewSetting
from seatwarden.engine.web.server import review_server
from seatwarden.engine.web.session import PageSession
from tests.engine.runs.exchanging import ExchangingSite, one_person
from tests.engine.web.reviewing import PASSPHRASE, Served, write_key

DOWN = {"professional": 0, "analyzer": 1}
STILL = {"professional": 1, "analyzer": 0}


def test_one_of_two_is_approved(tmp_path: Path, made_key: tuple[PublicKey, bytes]) -> None:
    key, ours = write_key(tmp_path / "anna.key", made_key[1]), f"approvals: {{required: 1, keys: ['{made_key[0]}']}}"
    site = ExchangingSite(tmp_path / "site", one_person(2), ours=ours)
    report = site.night()
    assert report is not None
    assert (report.outcome, site.sent) == ("waiting", 0)
    setting = ReviewSetting(site.runs[-1], key, None, lambda: site.now, site.hand.draw)
    review, met = Review(setting, PageSession(site.hand.draw)), list[BaseException]()
    with review_server(0, review, lambda: site.now, met.append) as running:
        page = Served(running, review, review.session.token).enter()
        # In the report, and in the form below it.
        assert page.ask("/").text.count("professional, to become analyzer</td>") == 2 * 2
        assert page.send(release=page.form()["release"][:1], passphrase=PASSPHRASE).status == 200
    assert met == []
    site.night()
    assert sorted([site.held(1), site.held(2)], key=str) == sorted([DOWN, STILL], key=str)
