"""The page in a real Chromium: opened from a file, searched, filtered, sorted, clicked, by mouse and by keyboard."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from seatwarden.engine.decide.reference import RuleOutcome, Trace
from seatwarden.engine.explain.explanation import explain, explanation_to_json, found, part_text, tree_parts
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.states import states_in
from seatwarden.engine.report.visible import shown
from seatwarden.engine.report.write import write_report
from tests.engine.report.accessible import names_and_roles
from tests.engine.report.conftest import complaints_of
from tests.engine.report.runs import HOSTILE, LATELY, LONG_AGO, hostile_site, some_site, write_run
from tests.paths import EXAMPLES
from tests.strategies import NOW

MANY = 20_000


def _page(run: Path) -> Path:
    write_report(run, run / "report.html")
    return run / "report.html"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the example site, which shows every kind of verdict."""
    policy = (EXAMPLES / "season.policy").read_text(encoding="utf-8")
    site = json.loads((EXAMPLES / "site.json").read_text(encoding="utf-8"))
    folder = tmp_path_factory.mktemp("example")
    write_run(folder / "before", site, policy, NOW - timedelta(days=20))
    return _page(write_run(folder / "run", site, policy))


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the example site under a policy that names people, so that explanations have slots for names."""
    policy = 'keep "by name" when user.name = "Jane Doe" or user = ["CORP\\\\asvensson", "ADMIN\\\\nobody"]\n'
    site = json.loads((EXAMPLES / "site.json").read_text(encoding="utf-8"))
    return _page(write_run(tmp_path_factory.mktemp("named") / "run", site, policy + "release when unused for 30 days"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a site with hostile names."""
    return _page(write_run(tmp_path_factory.mktemp("hostile") / "run", hostile_site()))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a site with 20,000 licenses."""
    used = [LONG_AGO if n % 20 == 0 else LATELY for n in range(MANY)]
    policy = 'keep "vip" when user.tags = "vip"\nrelease when unused for 30 days\nlimit release to 5000 per run'
    return _page(write_run(tmp_path_factory.mktemp("many") / "run", some_site(used), policy))


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """The browser; whatever a test does, the page must not complain: no error, no breach of its security policy."""
    chromium.get("about:blank")
    complaints_of(chromium)
    yield chromium
    assert complaints_of(chromium) == []
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def _open(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())


def _rows(browser: Chrome) -> list[list[str]]:
    """The texts of the rows that are in the document."""
    script = "return [...document.querySelectorAll('tr.row')].map(r => [...r.cells].map(c => c.textContent))"
    rows: list[list[str]] = browser.execute_script(script)
    return rows


def _users(browser: Chrome) -> list[str]:
    return [row[0] for row in _rows(browser)]


def _found(browser: Chrome) -> str:
    return browser.find_element(By.ID, "found").text


def _button(browser: Chrome, user: str) -> WebElement:
    return next(b for b in browser.find_elements(By.CSS_SELECTOR, "tr.row button") if b.text == user)


# Looking --------------------------------------------------------------------------------------------------


def test_it_opens(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    plan = read_plan(example.parent)
    assert len(_rows(browser)) == len(plan.decisions)
    assert _found(browser) == f"{len(plan.decisions)} of {len(plan.decisions)} decisions"
    assert _rows(browser)[0][3] == "in this run"
    assert not browser.find_element(By.ID, "taken").is_displayed()


def test_a_tick_stands_before_its_words(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    tick = browser.find_element(By.ID, "print-found")
    label = tick.find_element(By.XPATH, "..")
    assert tick.rect["width"] == tick.rect["height"] < 30
    assert (label.rect["x"], label.rect["height"]) == (tick.rect["x"], tick.rect["height"])


def test_search_filter_and_clear(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    everyone = _users(browser)
    search = browser.find_element(By.ID, "search")
    search.send_keys("jdoe")
    assert _users(browser) == ["ADMIN\\jdoe"]
    search.send_keys(" no such word")
    assert (_users(browser), _found(browser)) == ([], f"0 of {len(everyone)} decisions")
    browser.find_element(By.CSS_SELECTOR, "#nothing button").click()
    assert browser.switch_to.active_element == search
    assert _users(browser) == everyone
    assert not browser.find_element(By.ID, "nothing").is_displayed()
    Select(browser.find_element(By.ID, "by-type")).select_by_index(1)
    assert {row[2] for row in _rows(browser)} == {"professional"}
    Select(browser.find_element(By.ID, "by-state")).select_by_index(1)
    assert {(row[2], row[3]) for row in _rows(browser)} <= {("professional", "in this run")}


def test_a_count_leads_to_its_rows(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    for link in browser.find_elements(By.CSS_SELECTOR, "a[data-by]"):
        decided = int(link.find_element(By.XPATH, "ancestor::tr/td[2]").text)
        title = link.text
        link.click()
        assert len(_rows(browser)) == decided
        chosen = Select(browser.find_element(By.ID, "by-by")).first_selected_option.text
        assert chosen == f"{title} ({decided})"
    for link in browser.find_elements(By.CSS_SELECTOR, "a[data-change]"):
        count = int(link.find_element(By.XPATH, "preceding-sibling::b").text)
        link.click()
        assert len(_rows(browser)) == count


def test_sorting(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    for index, title in ((0, "User"), (4, "Days unused")):
        browser.find_elements(By.CSS_SELECTOR, "#table thead button")[index].click()
        first = _rows(browser)
        heading = browser.find_elements(By.CSS_SELECTOR, "#table thead th")[index]
        assert heading.text == title
        was = heading.get_attribute("aria-sort")
        assert was == ("descending" if index == 4 else "ascending")
        assert browser.switch_to.active_element.text == title, "the focus stays on the heading"
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        assert _rows(browser) == first[::-1]
        assert browser.find_elements(By.CSS_SELECTOR, "#table thead th")[index].get_attribute("aria-sort") != was
    days = [int(row[4].replace(",", "")) for row in _rows(browser) if row[4] != "?"]
    assert days == sorted(days)


def test_search_finds_people(browser: Chrome, example: Path) -> None:
    """Without accents, by several words, by parts of ids."""
    _open(browser, example)
    search = browser.find_element(By.ID, "search")
    for typed, user in (
        ("novak", "CORP\\pnovak"),
        ("Francois dubois", "PARTNER\\fdubois"),
        ("svensson asa", "CORP\\asvensson"),
        ("TUGBA", "CORP\\tyilmaz"),
        ("corp\\obr", "CORP\\obrien"),
    ):
        search.clear()
        search.send_keys(typed)
        assert set(_users(browser)) == {user}, typed


def test_a_view_can_be_sent(browser: Chrome, example: Path) -> None:
    """Search, filters, order and opened rows are in the address, and come back from it."""
    _open(browser, example)
    browser.find_element(By.ID, "search").send_keys("corp")
    Select(browser.find_element(By.ID, "by-type")).select_by_visible_text("analyzer (8)")
    browser.find_elements(By.CSS_SELECTOR, "#table thead button")[4].click()
    rows = _rows(browser)
    assert 1 < len(rows) < 8
    browser.find_elements(By.CSS_SELECTOR, "tr.row button")[1].click()
    story = browser.find_element(By.CSS_SELECTOR, "tr.story").text
    WebDriverWait(browser, 5).until(lambda _: "open=" in browser.current_url)
    browser.find_elements(By.CSS_SELECTOR, "#table thead button")[0].click()
    assert browser.find_element(By.CSS_SELECTOR, "tr.story").text == story, "an opened row stays open"
    sent = browser.current_url
    browser.get("about:blank")
    browser.get(sent)
    assert _rows(browser) == rows
    assert browser.find_element(By.CSS_SELECTOR, "tr.story").text == story
    assert browser.find_element(By.ID, "search").get_attribute("value") == "corp"
    assert browser.find_elements(By.CSS_SELECTOR, "#table th")[4].get_attribute("aria-sort") == "descending"


def test_what_is_spoken(browser: Chrome, example: Path) -> None:
    """Nothing before the keys rest, then the result and the order, once."""
    _open(browser, example)
    browser.execute_script(
        "window.said = []; new MutationObserver(() => said.push(document.getElementById('spoken').textContent))"
        ".observe(document.getElementById('spoken'), {childList: true})"
    )
    browser.find_element(By.ID, "search").send_keys("corp")
    browser.find_elements(By.CSS_SELECTOR, "#table thead button")[4].click()
    WebDriverWait(browser, 5).until(lambda _: browser.execute_script("return said.length"))
    (words,) = browser.execute_script("return said")
    assert words == f"{_found(browser)}, by days unused, largest first"


# The explanation ------------------------------------------------------------------------------------------


def _truths(browser: Chrome) -> list[Any]:
    script = (
        "return [...document.querySelectorAll('.story .tree > li')].map(li => [li.dataset.truth, "
        "li.querySelector('.title').textContent, [...li.querySelectorAll('li')].map(l => l.dataset.truth)])"
    )
    truths: list[Any] = browser.execute_script(script)
    return truths


def _below(condition: dict[str, Any]) -> list[str]:
    """The truths of a condition's parts as `explain` shows them: a negated single test is one line."""
    if not condition.get("parts") or (len(condition["parts"]) == 1 and not condition["parts"][0].get("parts")):
        return []
    return [truth for part in condition["parts"] for truth in (json.dumps(part["truth"]), *_below(part))]


@pytest.mark.parametrize("which", ["example", "named"])
def test_every_tree_is_that_of_explain(browser: Chrome, request: pytest.FixtureRequest, which: str) -> None:
    page: Path = request.getfixturevalue(which)
    plan = read_plan(page.parent)
    states = dict(zip((d.key for d in plan.decisions), states_in(plan, None), strict=True))
    _open(browser, page)
    for decision in plan.decisions:
        browser.execute_script(
            "const box = document.getElementById('search');"
            "box.value = arguments[0]; box.dispatchEvent(new Event('input'))",
            decision.license_id,
        )
        told = explanation_to_json(explain(decision, plan.policy, plan.day))
        browser.find_element(By.CSS_SELECTOR, "tr.row td:last-child").click()
        story = browser.find_element(By.CSS_SELECTOR, "tr.story")
        assert _truths(browser) == [
            [json.dumps(rule["matched"]), rule["label"], [] if rule["expired"] else _below(rule["condition"])]
            for rule in told["tree"]
        ]
        lines = browser.execute_script(
            "return [...document.querySelectorAll('.story .found bdi')].map(b => b.textContent)"
        )
        assert lines == [line for outcome in decision.outcomes for line in _lines(outcome)]
        # The page knows the run, and says in which state the license is there.
        assert told["headline"].replace("DUE —", f"{states[decision.key].upper()} —") in story.text
        assert all(sentence in story.text for sentence in told["wouldChange"])


def _lines(outcome: RuleOutcome) -> list[str]:
    """What a rule and the parts below it found."""

    def below(trace: Trace) -> list[str]:
        return [line for part in tree_parts(trace) for line in (shown(part_text(part)), *below(part))]

    return [shown(found(outcome)), *([] if outcome.expired else below(outcome.trace))]


def test_by_keyboard(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    first, second = browser.find_elements(By.CSS_SELECTOR, "tr.row button")[:2]
    first.send_keys(Keys.ENTER)
    assert first.get_attribute("aria-expanded") == "true"
    story = browser.find_element(By.ID, first.get_attribute("aria-controls") or "")
    assert story.is_displayed()
    first.send_keys(Keys.ARROW_DOWN)
    assert browser.switch_to.active_element == second
    second.send_keys(Keys.ARROW_UP, Keys.SPACE)
    assert browser.switch_to.active_element == first
    assert first.get_attribute("aria-expanded") == "false"
    assert browser.find_elements(By.CSS_SELECTOR, "tr.story") == []


def test_a_place_leads_to_the_policy_as_it_was_written_and_back(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    opened = browser.find_element(By.CSS_SELECTOR, "tr.row button")
    opened.click()
    for place in browser.find_elements(By.CSS_SELECTOR, ".story .rule"):
        link = place.find_element(By.CLASS_NAME, "place")
        link.click()
        line = browser.execute_script("return document.querySelector(':target')")
        kind = place.find_element(By.CLASS_NAME, "title").text.split()[0]
        assert line.find_element(By.TAG_NAME, "code").text.startswith(kind)
        # It is the line that the place names.
        place_in_list = browser.execute_script(
            "return [...arguments[0].parentNode.children].indexOf(arguments[0])", line
        )
        assert link.text.endswith(f":{place_in_list + 1}")
        line.find_element(By.CSS_SELECTOR, "button.return").click()
        assert browser.switch_to.active_element == opened


# Hostile names --------------------------------------------------------------------------------------------


def test_hostile_names_are_text(browser: Chrome, hostile: Path) -> None:
    _open(browser, hostile)
    title = browser.title
    for button in browser.find_elements(By.CSS_SELECTOR, "tr.row button"):
        button.click()
    browser.execute_script("document.getElementById('print-found').click(); dispatchEvent(new Event('beforeprint'))")
    assert sorted(row[1] for row in _rows(browser)) == sorted(shown(name) for name in HOSTILE)
    assert browser.title == title
    assert "owned" not in title
    assert browser.execute_script("return document.querySelectorAll('script').length") == 2
    assert browser.execute_script("return [...document.querySelectorAll('#listed bdi')].length") > len(HOSTILE)
    assert browser.execute_script("return document.querySelectorAll('img, iframe, object').length") == 0
    assert not browser.find_element(By.ID, "by-change").is_displayed(), "there is no run before"


def test_the_security_policy_holds(chromium: Chrome, example: Path) -> None:
    """What a hole in the page could do is forbidden by the page itself."""
    _open(chromium, example)
    for attempt in (
        "const s = document.createElement('script'); s.text = 'window.owned = 1'; document.body.append(s)",
        "document.body.innerHTML += '<b>markup</b>'",
        "setTimeout('window.owned = 1')",
        "const i = document.createElement('img'); i.src = 'https://example.invalid/x.png'; document.body.append(i)",
        "document.body.setAttribute('onclick', 'window.owned = 1'); document.body.click()",
    ):
        chromium.execute_script(f"try {{ {attempt} }} catch (error) {{ }}")
    assert chromium.execute_script("return window.owned") is None
    assert chromium.find_elements(By.TAG_NAME, "b")[-1].text != "markup"
    refused = complaints_of(chromium)
    for what in ("x.png", "TrustedScript", "TrustedHTML"):
        assert any(what in message for message in refused), (what, refused)


# Many -----------------------------------------------------------------------------------------------------


def test_twenty_thousand_decisions(browser: Chrome, many: Path) -> None:
    assert many.stat().st_size < 15_000_000
    _open(browser, many)
    assert _found(browser) == "20,000 of 20,000 decisions; shown are 1 to 100"
    slowest = 0.0
    for key in "user1999":
        spent = browser.execute_script(
            "const box = document.getElementById('search'), began = performance.now();"
            "box.value += arguments[0]; box.dispatchEvent(new Event('input'));"
            "document.body.offsetHeight; return performance.now() - began",
            key,
        )
        slowest = max(slowest, spent)
        assert browser.execute_script("return document.querySelectorAll('#table tr').length") <= 101
    assert len(_users(browser)) == 11, "user1999 and user19990 to user19999"
    assert slowest < 2_000, "typing must not stall, by far"
    browser.find_element(By.CSS_SELECTOR, "#clear").click()
    browser.find_elements(By.CSS_SELECTOR, "#table thead button")[0].click()
    assert _users(browser)[:3] == ["ACME\\user1", "ACME\\user2", "ACME\\user3"], "numbers are sorted as numbers"
    browser.find_element(By.XPATH, "//nav[@id='pages-below']/button[text()='Last']").click()
    assert _users(browser)[-1] == "ACME\\user20000"
    assert _found(browser).endswith("shown are 19,901 to 20,000")
    assert browser.switch_to.active_element.text == _users(browser)[0], "the focus is where the rows are"


# Access, looks, paper -------------------------------------------------------------------------------------


def test_names_and_roles(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    wanted = ("banner", "main", "navigation", "search", "table", "columnheader", "rowheader", "status")
    nodes = names_and_roles(browser, wanted)
    for role, name in nodes:
        if role in ("button", "link", "searchbox", "combobox", "image", "table", "region", "heading"):
            assert name.strip(), f"a {role} without a name"
    assert [name for role, name in nodes if role == "heading"].count("All decisions") == 1
    levels = browser.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(later - level <= 1 for level, later in pairwise(levels))
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def _ground(browser: Chrome) -> str:
    return str(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))


def test_light_and_dark(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    grounds = []
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        grounds.append(_ground(browser))
    assert grounds == ["rgb(251, 250, 246)", "rgb(21, 24, 28)"]


@pytest.mark.parametrize("width", [320, 400, 768, 1280])
def test_no_sideways_scrolling(browser: Chrome, example: Path, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    _open(browser, example)
    browser.find_element(By.CSS_SELECTOR, "tr.row button").click()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    hidden = browser.execute_script(
        "return [...document.querySelectorAll('#rules td, #table tr.row td, .totals td')]"
        ".filter(c => c.textContent && !c.getClientRects().length).map(c => c.textContent)"
    )
    assert hidden == [], "no column goes"


def test_on_paper(browser: Chrome, example: Path) -> None:
    _open(browser, example)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    taken = [row for row in _rows(browser) if row[3] == "in this run"]
    listed = browser.find_elements(By.CSS_SELECTOR, "#taken tbody tr")
    assert [line.find_element(By.TAG_NAME, "th").text for line in listed] == [row[0] for row in taken]
    assert browser.find_element(By.ID, "taken").is_displayed()
    assert not browser.find_element(By.ID, "decisions").is_displayed()
    assert not browser.find_element(By.ID, "listed").is_displayed()
    browser.execute_script("document.getElementById('print-found').click(); dispatchEvent(new Event('beforeprint'))")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#listed tbody tr")) == len(_rows(browser))
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert pdf.startswith(b"%PDF-")


def test_without_javascript(browser: Chrome, example: Path) -> None:
    """What the run takes is on the page, and nothing is that does not work."""

    def unscripted(browser: Chrome) -> bool:
        _open(browser, example)
        return "js" not in (browser.find_element(By.TAG_NAME, "html").get_attribute("class") or "").split()

    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    # The first page in a process of its own may not have heard of it.
    WebDriverWait(browser, 20).until(unscripted)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(browser.find_elements(By.CSS_SELECTOR, "#taken tbody tr")) == len(read_plan(example.parent).log.releases)
    assert browser.find_element(By.ID, "taken").is_displayed()
    assert not browser.find_element(By.ID, "filters").is_displayed()
    assert browser.find_element(By.CLASS_NAME, "unscripted").is_displayed()
