"""The page in a real Chromium: by keyboard alone, in every look, and with what other pages try against it."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from seatwarden.engine.cli.commands.review import _LEADING
from tests.engine.report.checkers import CHECKERS, needs_checkers, violations
from tests.engine.report.conftest import complaints_of
from tests.engine.report.pictures import Look, take_on
from tests.engine.web.reviewing import PASSPHRASE, PEOPLE, Served, Waiting

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the rights to the key file are those of POSIX here")
_LOOKS = [
    Look(1280, {"prefers-color-scheme": "light"}),
    Look(390, {"prefers-color-scheme": "dark"}),
    Look(1280, {"forced-colors": "active"}),
]


@pytest.fixture
def page(plan: Waiting) -> Iterator[Served]:
    with plan.served() as served:
        yield served


@pytest.fixture
def browser(chromium: Chrome, page: Served) -> Iterator[Chrome]:
    """The browser on the page; whatever a test does, our pages must not complain."""
    chromium.get("about:blank")
    complaints_of(chromium)
    chromium.get(page.address)
    yield chromium
    found = [one for one in complaints_of(chromium) if "/favicon.ico" not in one and "(Unprocessable" not in one]
    take_on(chromium, Look(1280, {}))
    assert found == []


def _press(browser: Chrome, *keys: str) -> None:
    for one in keys:
        ActionChains(browser).send_keys(one).perform()


def _tab_to(browser: Chrome, name: str, value: str | None = None) -> None:
    """Goes on by Tab until a field, as somebody does who sees where the focus is."""
    for _ in range(400):
        _press(browser, Keys.TAB)
        found = browser.switch_to.active_element
        if found.get_attribute("name") == name and value in (None, found.get_attribute("value")):
            outline = browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", found)
            assert outline == "solid", "the focus can be seen"
            return
    pytest.fail(f"Tab does not come to {name}")


def test_by_keyboard_alone(browser: Chrome, page: Served, plan: Waiting) -> None:
    assert "token" not in browser.current_url
    _press(browser, Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to your answer"
    _press(browser, Keys.ENTER)
    lines = [one.get_attribute("value") or "" for one in browser.find_elements(By.NAME, "release")]
    _tab_to(browser, "release", lines[0])
    _tab_to(browser, "release", lines[1])
    _press(browser, Keys.SPACE)
    _tab_to(browser, "hold", lines[2])
    _press(browser, Keys.SPACE, Keys.TAB, *"on leave")
    _tab_to(browser, "comment")
    _press(browser, *"as agreed")
    _tab_to(browser, "passphrase")
    _press(browser, *"wrong as can be", Keys.ENTER)
    assert plan.answers == [], "Enter in a field sends nothing"
    assert browser.current_url.endswith(f"{page.port}/#answer")
    _press(browser, Keys.TAB)
    assert browser.switch_to.active_element.text == "Approve"
    _press(browser, Keys.SPACE)
    WebDriverWait(browser, 10).until(lambda b: b.title.startswith("Nothing was signed: "))
    assert browser.switch_to.active_element.get_attribute("role") == "alert"
    _press(browser, Keys.TAB, Keys.ENTER)  # its link leads to the field
    assert browser.switch_to.active_element.get_attribute("name") == "passphrase"
    _press(browser, *PASSPHRASE, Keys.TAB, Keys.ENTER)
    WebDriverWait(browser, 10).until(lambda b: "approved by you" in b.title)
    (one,) = plan.answers
    assert one.approval.answer == "approve"
    assert one.approval.excluded == tuple(sorted(map(int, lines[1:3])))
    assert one.comment == "as agreed"
    assert [(hold.user, hold.reason, hold.until) for hold in plan.holds] == [("ACME\\user3", "on leave", "2026-12-21")]
    assert page.running.over.wait(5)


def test_rejected_by_keyboard(browser: Chrome, plan: Waiting) -> None:
    browser.find_element(By.ID, "passphrase").send_keys(PASSPHRASE, Keys.TAB, Keys.TAB)
    assert browser.switch_to.active_element.text == "Reject"
    _press(browser, Keys.ENTER)
    WebDriverWait(browser, 10).until(lambda b: "rejected by you" in b.title)
    assert [one.approval.answer for one in plan.answers] == ["reject"]


def test_an_empty_passphrase_is_not_even_sent(browser: Chrome, page: Served, plan: Waiting) -> None:
    browser.find_element(By.CSS_SELECTOR, "button[value=approve]").click()
    assert browser.switch_to.active_element.get_attribute("name") == "passphrase"
    assert (page.review._wrong, plan.answers) == (0, [])


def test_without_scripts(browser: Chrome, page: Served, plan: Waiting) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(f"http://127.0.0.1:{page.port}/")
        browser.find_elements(By.NAME, "release")[0].click()
        browser.find_element(By.ID, "passphrase").send_keys(PASSPHRASE)
        browser.find_element(By.CSS_SELECTOR, "button[value=approve]").click()
        WebDriverWait(browser, 10).until(lambda b: "approved by you" in b.title)
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(plan.answers[0].approval.excluded) == 1


@needs_checkers
def test_axe_finds_nothing(browser: Chrome, page: Served) -> None:
    for look in _LOOKS:
        take_on(browser, look)
        browser.get(f"http://127.0.0.1:{page.port}/")
        browser.find_elements(By.NAME, "hold")[0].click()
        assert violations(browser) == []
        assert browser.execute_script("return document.documentElement.scrollWidth") <= look.width
    browser.find_element(By.ID, "passphrase").send_keys("wrong as can be")
    browser.find_element(By.ID, "limits").send_keys("many")
    browser.find_element(By.CSS_SELECTOR, "button[value=approve]").click()
    assert browser.title.startswith("Nothing was signed")
    assert violations(browser) == []
    browser.delete_all_cookies()
    browser.get(f"http://127.0.0.1:{page.port}/?x")
    assert len(violations(browser)) == 0
    assert any("403" in one for one in complaints_of(browser))


@pytest.fixture
def html(page: Served, tmp_path: Path) -> list[Path]:
    """The pages as files: as it begins, with all that can be wrong, and of who has no session."""
    line = (form := page.enter().form())["release"][0]
    wrong = page.send(form, hold=line, limits="many", passphrase="")
    found = {"form": page.ask("/").text, "wrong": wrong.text, "words": page.ask("/", Cookie=None).text}
    for name, text in found.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    return [tmp_path / f"{name}.html" for name in found]


@needs_checkers
def test_html_validate_finds_nothing(html: list[Path]) -> None:
    config = CHECKERS.parent / ".htmlvalidate.json"
    ran = subprocess.run(
        [CHECKERS / ".bin" / "html-validate", "--config", config, *html], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.returncode) == ("", 0)


@needs_checkers
@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java: apt install default-jre-headless")
@pytest.mark.long
def test_vnu_finds_nothing(html: list[Path]) -> None:
    known = ".*(trusted-types|require-trusted-types-for).*"
    jar = CHECKERS / "vnu-jar" / "build" / "dist" / "vnu.jar"
    command: list[str | Path] = ["java", "-XX:TieredStopAtLevel=1", "-jar", jar, "--format", "gnu", "--stdout"]
    ran = subprocess.run([*command, "--filterpattern", known, *html], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("", 0)


# Other pages ---------------------------------------------------------------------------------------------


@contextmanager
def _other_page(content: str) -> Iterator[int]:
    """A page of somebody else on another port of this machine."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_form_of_another_page(browser: Chrome, page: Served, plan: Waiting, name: str) -> None:
    """Though it knew the passphrase and the plan: the cookie comes along from the same host, the rest does not."""
    fields = urlencode({"answer": "approve", "passphrase": PASSPHRASE, "root": plan.running.runs[0].name})
    inputs = "".join(f'<input name="{pair.partition("=")[0]}" value="{PASSPHRASE}">' for pair in fields.split("&"))
    content = f'<form method="post" action="http://127.0.0.1:{page.port}/answer">{inputs}<button>x</button></form>'
    with _other_page(content) as port:
        browser.get(f"http://{name}:{port}/")
        browser.find_element(By.TAG_NAME, "button").click()
        WebDriverWait(browser, 10).until(lambda b: b.current_url.endswith("/answer"))
        heading = browser.find_element(By.TAG_NAME, "h1").text
    assert (
        heading
        == {
            "127.0.0.1": "This answer is not from the page",
            "localhost": "This page is for who has started it",
        }[name]
    )
    assert (plan.answers, page.review._wrong) == ([], 0)
    assert any("403" in one for one in complaints_of(browser))


def test_the_page_in_a_frame(browser: Chrome, page: Served) -> None:
    with _other_page(f'<iframe src="http://127.0.0.1:{page.port}/"></iframe>') as port:
        browser.get(f"http://127.0.0.1:{port}/")
        browser.switch_to.frame(0)
        assert not browser.find_elements(By.NAME, "release")
        browser.switch_to.default_content()
    assert any("frame-ancestors" in one for one in complaints_of(browser))


def test_a_name_that_leads_to_this_machine(browser: Chrome, page: Served) -> None:
    """Every name below localhost leads here: so would that of an attacker whose name server says so."""
    browser.get(f"http://evil.localhost:{page.port}/?token={page.token}")
    assert browser.find_element(By.TAG_NAME, "h1").text == f"Ask for 127.0.0.1:{page.port}"
    assert any("421" in one for one in complaints_of(browser))


def test_led_here_by_the_file_that_starts_the_browser(chromium: Chrome, page: Served, tmp_path: Path) -> None:
    leading = tmp_path / "review.html"
    leading.write_text(_LEADING.format(address=page.address), encoding="utf-8")
    chromium.get(leading.as_uri())
    WebDriverWait(chromium, 10).until(lambda b: len(b.find_elements(By.NAME, "release")) == PEOPLE)
    assert chromium.current_url == f"http://127.0.0.1:{page.port}/"
    complaints_of(chromium)


def test_led_here_by_another_page(chromium: Chrome, page: Served) -> None:
    with _other_page(f'<a href="{page.address}">go</a>') as port:
        chromium.get(f"http://localhost:{port}/")
        chromium.find_element(By.TAG_NAME, "a").click()
        WebDriverWait(chromium, 10).until(lambda b: len(b.find_elements(By.NAME, "release")) == PEOPLE)
    assert chromium.current_url == f"http://127.0.0.1:{page.port}/"
    complaints_of(chromium)
