"""A plan that waits for an approval, and its page, asked for as a browser does or as somebody else would."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.log.approval import BadApproval, GivenApproval, approvals_in
from seatwarden.engine.notice.holds import HOLDS_FILE, Hold, read_holds
from seatwarden.engine.runs.record import locked_record
from seatwarden.engine.web.holding import SiteHolds
from seatwarden.engine.web.review import Review, ReviewSetting
from seatwarden.engine.web.server import ReviewServer, review_server
from seatwarden.engine.web.session import PageSession
from tests.engine.apply.applying import idle
from tests.engine.runs.running import Running, Site

PASSPHRASE = "correct horse battery"
PEOPLE = 4


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Waiting:
    """A plan that waits for an approval of one key."""

    running: Running
    folder: Path
    key: Path
    public: PublicKey
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.running.now

    @property
    def holding(self) -> SiteHolds:
        """The way to its site's holds."""
        settings = self.running.settings
        return SiteHolds(
            today=lambda: day_for(settings.policy, self.now, None).today,
            record=lambda: locked_record(settings.folder, settings.site.url, self.running.hand, 10),
        )

    @property
    def answers(self) -> list[GivenApproval]:
        """What was answered."""
        found = list(approvals_in(self.folder, [self.public]))
        assert not [one for one in found if isinstance(one, BadApproval)]
        return [one for one in found if isinstance(one, GivenApproval)]

    @property
    def holds(self) -> list[Hold]:
        """Who is held."""
        return list(read_holds(self.running.settings.folder / HOLDS_FILE).holds())

    @contextmanager
    def served(self, *, reads_only: bool = False, holding: bool = True, defects: int = 0) -> Iterator["Served"]:
        """Its page, in which so many defects of ours are met."""
        met: list[BaseException] = []
        setting = ReviewSetting(
            self.folder,
            None if reads_only else self.key,
            self.holding if holding and not reads_only else None,
            lambda: self.now,
            self.running.hand.draw,
        )
        review = Review(setting, PageSession(self.running.hand.draw))
        token = review.session.token
        with review_server(0, review, lambda: self.now, met.append) as running:
            yield Served(running, review, token)
        assert len(met) == defects, met


def write_key(path: Path, content: bytes) -> Path:
    """A key file that only its owner can read."""
    write_atomically(path, content)
    return path


def waiting(folder: Path, key: Path, public: PublicKey, people: int = PEOPLE, ours: str = "") -> Waiting:
    """A plan on a site of so many people, all of whom are unused for long; its lines are 4, 5 …"""
    approvals = f"parallel: 1\napprovals: {{required: 1, keys: ['{public}']}}\n{ours}"
    running = Running(folder, Site(idle(people)), ours=approvals)
    running.run()
    return Waiting(running, running.runs[-1], key, public)


@dataclass
class Served:
    """The page on its port; `cookie` is what a browser keeps."""

    running: ReviewServer
    review: Review
    token: str
    cookie: str | None = None

    @property
    def port(self) -> int:
        """Its port."""
        return self.running.port

    @property
    def address(self) -> str:
        """The address that is printed."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str | None) -> Got:
        """Asks for a path; `headers` replace what is sent else, None takes one away."""
        sent: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie}
        if body is not None:
            sent |= {"Content_Type": "application/x-www-form-urlencoded", "Content_Length": str(len(body))}
        sent |= headers
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Got(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()

    def enter(self) -> "Served":
        """Uses the token."""
        got = self.ask(f"/?token={self.token}")
        assert (got.status, got.headers["Location"]) == (303, "/")
        self.cookie = got.headers["Set-Cookie"].partition(";")[0]
        return self

    def form(self) -> dict[str, str | list[str]]:
        """The form of the page as a browser would send it, if Approve was pressed; without a passphrase."""
        page = self.ask("/").text
        hidden = dict(re.findall(r'name="(root|proof)" value="(\w+)"', page))
        assert set(hidden) == {"root", "proof"}, page
        lines = re.findall(r'name="release" value="(\d+)" checked', page)
        days = re.findall(r'name="(until-\d+)" type="date" value="([\d-]+)"', page)
        typed = {"comment": "", "limits": "", "passphrase": "", **dict(days)}
        return {**hidden, **typed, "release": lines, "answer": "approve"}

    def send(self, form: Mapping[str, str | Sequence[str]] | None = None, /, **changed: str | Sequence[str]) -> Got:
        """Sends the form of the page, or that one, with some fields changed: `until_4` is the field `until-4`."""
        fields = {**(form or self.form()), **{name.replace("_", "-"): value for name, value in changed.items()}}
        return self.ask("/answer", "POST", urlencode(fields, doseq=True).encode())
