"""`seatwarden review`, with a browser of the test's: what it opens, what is answered there, how the command ends."""

import re
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import url2pathname

import pytest

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.common.signing_key import new_signing_key
from seatwarden.engine.log.approval import GivenApproval, approvals_in
from seatwarden.engine.notice.holds import HOLDS_FILE, read_holds
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.engine.service.sites import write_site
from tests.platforms import WINDOWS

pytestmark = pytest.mark.usefixtures("quick")
PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def made_key() -> tuple[PublicKey, bytes]:
    return new_signing_key("anna", PASSPHRASE, bytes(range(64)))


@pytest.fixture
def key(tmp_path: Path, made_key: tuple[PublicKey, bytes]) -> Path:
    path = tmp_path / "anna.key"
    write_atomically(path, made_key[1])
    return path


@pytest.fixture
def site(idle_qrs: SimulatedQrs, tmp_path: Path, made_key: tuple[PublicKey, bytes]) -> Path:
    ours = f"approvals: {{required: 1, keys: ['{made_key[0]}']}}\n"
    policy = "release analyzer when unused for 30 days\nlimit release to 1000 per run\n"
    return write_site(tmp_path, idle_qrs.port, policy=policy, release="dryRun: false", ours=ours)


@pytest.fixture
def plan(run: Run, site: Path, tmp_path: Path) -> Path:
    assert run("plan", "--site", site, "-o", tmp_path / "plan").code == 0
    return tmp_path / "plan"


@dataclass
class Browser:
    """Opens what it is told to, and does there what the test wants: `fill` gets the page and gives what is sent."""

    fill: Callable[[str], dict[str, str | list[str]]] | None = None
    opened: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def open(self, address: str) -> bool:
        self.opened.append(address)
        path = Path(url2pathname(urlsplit(address).path))
        # On Windows the folder for temporary files is the user's own.
        assert WINDOWS or stat.S_IMODE(path.parent.stat().st_mode) == 0o700, "others do not read the address"
        found = re.search(r'href="([^"]+)"', path.read_text(encoding="utf-8"))
        assert found is not None
        threading.Thread(target=self._visit, args=(found[1],), daemon=True).start()
        return True

    def _visit(self, address: str) -> None:
        parts = urlsplit(address)
        assert parts.hostname == "127.0.0.1"
        self.at = parts.netloc
        begun = self._ask("GET", f"/?{parts.query}")
        self.cookie = begun[1].partition(";")[0]
        page = self._ask("GET", "/")[2]
        while self.fill is not None:
            hidden = dict(re.findall(r'name="(root|proof)" value="(\w+)"', page))
            form = {**hidden, "release": re.findall(r'name="release" value="(\d+)" checked', page), **self.fill(page)}
            status, _, page = self._ask("POST", "/answer", urlencode(form, doseq=True))
            self.statuses.append(status)
            if status != 422:
                return

    cookie: str = ""
    at: str = ""

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str, str]:
        connection = HTTPConnection(self.at, timeout=20)
        connection.request(
            method, path, body, {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.getheader("Set-Cookie", ""), text


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """In place of the one of this machine."""
    browser = Browser()
    monkeypatch.setattr("webbrowser.open", browser.open)
    return browser


def answers(plan: Path, key: PublicKey) -> list[GivenApproval]:
    return [one for one in approvals_in(plan, [key]) if isinstance(one, GivenApproval)]


def test_approved_and_applied(
    run: Run, plan: Path, key: Path, site: Path, browser: Browser, made_key: tuple[PublicKey, bytes]
) -> None:
    out: list[str] = []

    def fill(page: str) -> dict[str, str | list[str]]:
        out[:] = [n for n, who in re.findall(r"Release line (\d+), analyzer of CORP\\(\w+)", page) if who == "user03"]
        held = {f"reason-{out[0]}": "on leave", f"until-{out[0]}": _until(page, out[0])}
        return {"answer": "approve", "hold": out, "passphrase": PASSPHRASE, "comment": "as agreed", **held}

    browser.fill = fill
    ran = run("review", plan, "--key", key, "--site", site)
    assert ran.code == 0, ran.err
    (address,) = re.findall(r"^http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{64}$", ran.out, re.MULTILINE)
    assert address not in browser.opened[0]
    assert "Held: the licenses of CORP\\user03" in ran.out
    assert "Approved by anna: " in ran.out
    assert "The plan has 1 of 1 approvals" in ran.out
    (one,) = answers(plan, made_key[0])
    assert (one.approval.excluded, one.comment) == ((int(out[0]),), "as agreed")
    (hold,) = read_holds(site.parent / "state" / HOLDS_FILE).holds()
    assert (hold.user, hold.reason) == ("CORP\\user03", "on leave")
    assert not Path(url2pathname(urlsplit(browser.opened[0]).path)).exists()
    ran = run("apply", plan, "--site", site, "--yes")
    assert (ran.code, "5 released" in ran.out) == (0, True), ran.err


def _until(page: str, line: str) -> str:
    (found,) = re.findall(rf'name="until-{line}" type="date" value="([\d-]+)"', page)
    assert isinstance(found, str)
    return found


def test_rejected(run: Run, plan: Path, key: Path, browser: Browser, made_key: tuple[PublicKey, bytes]) -> None:
    browser.fill = lambda page: {"answer": "reject", "passphrase": PASSPHRASE}
    ran = run("review", plan, "--key", key)
    assert (ran.code, "Rejected by anna: " in ran.out) == (0, True)
    assert [one.approval.answer for one in answers(plan, made_key[0])] == ["reject"]


def test_too_many_wrong_passphrases(
    run: Run, plan: Path, key: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatwarden.engine.web.review.MOST_WRONG", 2)
    browser.fill = lambda page: {"answer": "approve", "passphrase": "wrong as can be"}
    ran = run("review", plan, "--key", key)
    assert (ran.code, browser.statuses) == (1, [422, 403])
    assert "nothing was signed: too many passphrases were wrong" in ran.err


def test_nobody_asks(run: Run, plan: Path, key: Path, monkeypatch: pytest.MonkeyPatch, browser: Browser) -> None:
    monkeypatch.setattr("seatwarden.engine.web.server.ReviewServer.wait", lambda *_: False)
    ran = run("review", plan, "--key", key, "--no-browser")
    assert (ran.code, browser.opened) == (1, [])
    assert "nobody has asked for 30 minutes" in ran.err
    assert "nothing was signed" in ran.err
    assert run("review", plan, "--no-browser").code == 0, "a page to be read has no answer to miss"


def test_ctrl_c(run: Run, plan: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("seatwarden.engine.web.server.ReviewServer.wait", interrupted)
    ran = run("review", plan, "--key", key, "--no-browser")
    assert (ran.code, ran.err) == (1, "ended\nnothing was signed\n")
    assert run("review", plan, "--no-browser").code == 0


def test_a_port_that_is_taken(run: Run, plan: Path, idle_qrs: SimulatedQrs) -> None:
    ran = run("review", plan, "--port", idle_qrs.port, "--no-browser")
    assert (ran.code, f"--port: nobody can listen on {idle_qrs.port}" in ran.err) == (2, True)


def test_a_plan_that_nobody_can_approve(run: Run, plan: Path, key: Path, site: Path, tmp_path: Path) -> None:
    other = tmp_path / "eve.key"
    write_atomically(other, new_signing_key("eve", PASSPHRASE, bytes(range(1, 65)))[1])
    ran = run("review", plan, "--key", other, "--no-browser")
    assert (ran.code, "refused: the key `eve` may not approve" in ran.err) == (1, True)
    site.write_text(re.sub(r"\n *approvals:.*", "", site.read_text(encoding="utf-8")), encoding="utf-8")
    assert run("plan", "--site", site, "-o", tmp_path / "free").code == 0
    ran = run("review", tmp_path / "free", "--key", key, "--no-browser")
    assert (ran.code, "refused: the plan needs no approval" in ran.err) == (1, True)


def test_the_site_file_of_another_site(run: Run, plan: Path, key: Path, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = run("review", plan, "--key", key, "--site", write_site(elsewhere, idle_qrs.port), "--no-browser")
    assert (ran.code, "the plan is not in the register of" in ran.err) == (2, True)
