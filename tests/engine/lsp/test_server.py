"""The language server as an editor meets it: a real client, over stdio."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.engine.lsp.session import Session
from tests.paths import EXAMPLES

Ask = Callable[[Callable[[Session], Coroutine[Any, Any, None]]], None]
POLICY = """\
let vips = ["ADMIN\\jdoe"]
keep "vips 🎫" when user = vips or user.tags = "VIP"
keep when user.name like "vips" # vips
release when unused for 30 days
"""
BUTLER = """\
neverRelease:
  tag: [a]
  when:
    - name: x
      when: 'user = vips'
let:
  vips: [a]
licenseType:
  analyzer: {enable: true, releaseThresholdDays: 30}
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks one server, which all tests share."""
    folder = tmp_path_factory.mktemp("policies")
    with asyncio.Runner() as runner:
        session = runner.run(_started(Session(folder, "--snapshot", EXAMPLES / "site.json", "--now", "2026-11-21")))
        yield lambda questions: runner.run(questions(session))
        runner.run(session.__aexit__())


async def _started(session: Session) -> Session:
    return await session.__aenter__()


def test_a_slip_is_marked_and_mended(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        uri = session.open("slip.policy", 'keep "🎫" when user.tgas = "x"\nrelease when unused for 30 days\n')
        (slip,) = await session.findings(uri, "SW101")
        assert slip.message.startswith("unknown field `user.tgas`: not a field\n")
        assert (slip.range.start.line, slip.range.start.character, slip.range.end.character) == (0, 15, 24)
        fixes = await session.fixes(uri, slip)
        assert fixes["Write user.tags"] == 'keep "🎫" when user.tags = "x"\nrelease when unused for 30 days\n'
        session.open("slip.policy", fixes["Write user.tags"])
        (nobody,) = await session.findings(uri, "SW401")
        assert nobody.message.startswith("no user in this snapshot has the tag `x`")

    ask(questions)


def test_a_slip_in_butler_s_yaml_is_marked_and_mended(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        uri = session.open("butler.yaml", BUTLER.replace("  tag:", "  tagg:"))
        (slip,) = await session.findings(uri, "SW203")
        assert BUTLER in (await session.fixes(uri, slip)).values()

    ask(questions)


def test_yaml_that_is_no_policy_is_left_alone(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        uri = session.open("other.yaml", BUTLER.replace("  tag:", "  tagg:"))
        await session.findings(uri, "SW203")
        session.open("other.yaml", "services:\n  web: {tagg: [a]}\n")
        await session.until(lambda: session.told(uri) == [])

    ask(questions)


def test_what_changes_nothing_is_a_fix_that_says_so(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        text = "keep when user.inactive or (user.inactive and user.blocked)\nrelease when unused for 30 days\n"
        uri = session.open("untidy.policy", text)
        *_, needless = await session.findings(uri, "SW304")
        fixes = await session.fixes(uri, needless)
        tidy = text.replace(" or (user.inactive and user.blocked)", "")
        assert fixes == {"Remove this part (every verdict stays)": tidy}

    ask(questions)


def test_completion_of_words_fields_and_names(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        uri = session.open("typing.policy", POLICY + "keep when user.ta and ")
        assert {"user.tags", "vips", "unused", "never", "not", "user.@Department"} <= set(
            await session.complete(uri, "ta and ")
        )
        assert not {"keep", "=", "and"} & set(await session.complete(uri, "ta and "))
        assert {"and", "or", "=", "like", "release"} <= set(await session.complete(uri, "user.tags "))
        assert {"day", "days", "week", "weeks"} == set(await session.complete(uri, "for 30 "))
        assert (await session.completed(uri, "keep when user.ta", "user.tags")).endswith("keep when user.tags and ")
        assert await session.complete(uri, "# vi") == []

    ask(questions)


def test_completion_of_the_names_of_a_site(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        uri = session.open(
            "site.policy", 'keep when user.tags = ["Li"] and weekday = \nkeep when user.@Department = "\n'
        )
        # What a snapshot has is known once something has been checked on it.
        await session.findings(uri, "SW001", "SW002")
        assert await session.complete(uri, 'user.tags = ["Li') == ['"License do not release"']
        done = await session.completed(uri, '["Li', '"License do not release"')
        assert done.startswith('keep when user.tags = ["License do not release"] and')
        assert '"sunday"' in await session.complete(uri, "weekday = ")
        assert '"Sales"' in await session.complete(uri, '@Department = "')

    ask(questions)


def test_completion_in_butler_s_yaml(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        text = BUTLER.replace("[a]\n  when", "\n    - Li\n  inac\n  blocked: \n  when")
        uri = session.open("typing.yaml", text.replace("= vips", "= vips and us"))
        assert await session.complete(uri, "- Li") == ["'License do not release'"]
        assert "inactive:" in await session.complete(uri, "inac")
        assert await session.complete(uri, "blocked: ") == ["Yes", "No", "Ignore"]
        assert {"user.tags", "vips"} <= set(await session.complete(uri, "and us"))

    ask(questions)


def test_pages_on_words(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        uri = session.open("hover.policy", POLICY)
        assert "the tags (text, several values)" in await session.hover(uri, "user.ta")
        assert "a rule that protects" in await session.hover(uri, "ke")
        assert "the last use is that many calendar days" in await session.hover(uri, "unused f")
        assert "text in any case" in await session.hover(uri, "user.name li")
        assert 'let vips = ["ADMIN\\jdoe"]' in await session.hover(uri, "user = vi")
        assert await session.hover(uri, '"vips 🎫') == ""
        settings = session.open("hover.yaml", BUTLER)
        assert "Tags of users." in await session.hover(settings, "  ta")
        assert "the user as DIRECTORY" in await session.hover(settings, "'us")

    ask(questions)


@pytest.mark.parametrize(("name", "text"), [("r.policy", POLICY), ("r.yaml", BUTLER)])
def test_names_are_found_and_renamed(ask: Ask, name: str, text: str) -> None:
    async def questions(session: Session) -> None:
        uri, place = session.open(name, text), "user = vi"
        given = await session.definition(uri, place)
        assert given is not None
        assert text.split("\n")[given.range.start.line].strip().startswith(("let vips", "vips:"))
        assert await session.references(uri, place) == 2
        after = text
        for where in ("user = {}", "let {}", "{}: ["):
            after = after.replace(where.format("vips"), where.format("chiefs"))
        assert await session.rename(uri, place, "chiefs") == after
        before = len(session.messages)
        assert await session.rename(uri, place, "when") is None
        assert session.messages[before:] == ["`when` is a word of the language"]

    ask(questions)


NAMED = """\
days:
  grace: 30 days
conditions:
  leaver: user.inactive and unused for grace
neverRelease:
  when:
    - name: x
      when: |
        user.createdDate > today - grace
        and leaver
licenseType:
  analyzer:
    enable: true
    releaseThresholdDays: 30
"""


def test_a_name_in_settings_is_renamed_wherever_it_stands(ask: Ask) -> None:
    """In other conditions, as a length of time, and in text of several lines: what is left out breaks the policy."""

    async def questions(session: Session) -> None:
        uri = session.open("n.yaml", NAMED)
        assert await session.rename(uri, "  gra", "patience") == NAMED.replace("grace", "patience")
        assert await session.rename(uri, "and leav", "gone") == NAMED.replace("leaver", "gone")

    ask(questions)


def test_layout_outline_and_what_would_be_released(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        uri = session.open("whole.policy", "keep   when user.inactive\nrelease analyzer when unused for 30 days\n")
        assert await session.format(uri) == "keep when user.inactive\nrelease analyzer when unused for 30 days\n"
        assert await session.outline(uri) == ["keep", "release analyzer"]
        (lens,) = await session.lenses(uri)
        assert lens == "releases 6 of 13 today"

    ask(questions)


def test_the_next_key_ends_the_check_of_the_text_before(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        rules = (
            f'keep "{n}" when user.@A = ["a{n}", "b"] and (user.tags = "{n}" or user.inactive)' for n in range(900)
        )
        uri = session.open("large.policy", "\n".join(rules))
        await asyncio.sleep(1)  # it is being checked
        assert "a rule that protects" in await session.hover(uri, "ke"), "answers do not wait for it"
        session.open("large.policy", "keep when user.inactve\n")
        (slip,) = await session.findings(uri, "SW101")
        assert "did you mean `user.inactive`?" in slip.message

    ask(questions)


def test_a_snapshot_that_cannot_be_read_is_said(ask: Ask) -> None:
    async def questions(session: Session) -> None:
        session.configure({"seatwarden": {"snapshot": "none.json"}})
        await session.until(lambda: any("none.json` cannot be read" in message for message in session.messages))
        session.configure({"seatwarden": {"snapshot": str(EXAMPLES / "site.json")}})

    ask(questions)
