"""Reading policy tests: what may be written, and what is said of everything else, at its place."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from seatwarden.policy.errors import PolicyError
from seatwarden.policy.testing.case import Special
from seatwarden.policy.testing.test_file import PolicyTest, load_policy_test
from seatwarden.policy.vocabulary import VOCABULARY

POLICY = """\
keep "vips" when user.tags = "vip"
release analyzer when unused for 30 days
"""
HEAD = "policy: p.policy\nnow: 2026-11-21\n"


def load(folder: Path, text: str) -> PolicyTest:
    (folder / "p.policy").write_text(POLICY, encoding="utf-8")
    path = folder / "t.test.yaml"
    path.write_text(text, encoding="utf-8")
    return load_policy_test(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        load(folder, text)
    return [
        f"{d.span.line}:{d.span.column} {d.code} {d.message}" + (f" ({d.help})" if d.help else "")
        for d in raised.value.diagnostics
    ]


def case(**parts: str) -> str:
    """A file with one case; `license` and `verdict` are given unless they are named."""
    lines = {"name": "a", "license": "analyzer", "verdict": "keep", **parts}
    return HEAD + "cases:\n  - " + "\n    ".join(f"{key}: {value}" for key, value in lines.items() if value) + "\n"


def test_a_case_needs_no_more_than_a_license_and_a_verdict(tmp_path: Path) -> None:
    (only,) = load(tmp_path, case()).cases
    assert (only.name, only.user, only.license.type, only.license.facts) == ("a", {}, "analyzer", {})
    assert (only.expectation.verdict, only.expectation.rule, only.expectation.rules) == ("keep", None, None)


def test_every_word_of_the_vocabulary_can_be_written(tmp_path: Path) -> None:
    """But for what follows from others: whether a license was never used, and the day of the run."""
    user = """
      userDirectory: CORP
      userId: jdoe
      name: Jane
      roles: [RootAdmin]
      tags: vip
      properties: {Department: Finance, Site: [Berlin, Oslo]}
      attributes: {group: [a, b]}
      inactive: true
      blocked: false
      removedExternally: unknown
      deleteProhibited: true
      createdDate: 2020-01-01
      lastUsed: 2026-11-20
      lastReleased: 2026-05-04
      licenses: [professional, analyzer]"""
    license_ = """
      type: analyzer
      lastUsed: 2026-10-01T08:00:00Z
      createdDate: 2020-01-01
      excess: true
      available: 7
      total: 90
      takenBackBy: [Analyzer for all]
      quarantined: false"""
    (only,) = load(tmp_path, case(user=user, license=license_)).cases
    assert only.user is not Special.UNKNOWN
    assert only.user["properties"] == {"Department": ("Finance",), "Site": ("Berlin", "Oslo")}
    assert only.user["tags"] == ("vip",)
    assert only.user["removedExternally"] is Special.UNKNOWN
    assert only.user["createdDate"] == date(2020, 1, 1)
    assert only.license.facts["lastUsed"] == datetime(2026, 10, 1, 8, tzinfo=UTC)
    words = {"user", *(f"user.{key}" for key in only.user), *(f"license.{key}" for key in only.license.facts)}
    words |= {"user.@" if w == "user.properties" else w for w in words}
    left = {"user.unusedDays", "license.neverUsed", "license.unusedDays", "today", "month", "weekday"}
    assert set(VOCABULARY) - words == left


@pytest.mark.parametrize(
    ("user", "facts"),
    [
        ("CORP\\jdoe", {"userDirectory": "CORP", "userId": "jdoe"}),
        ("unknown", Special.UNKNOWN),
        ("{tags: unknown}", {"tags": Special.UNKNOWN}),
        ("{tags: ['unknown']}", {"tags": ("unknown",)}),
        ("{tags: [unknown]}", {"tags": ("unknown",)}),
        ("{name: 'unknown'}", {"name": "unknown"}),
        ("{tags: }", {"tags": ()}),
        ("{properties: }", {"properties": {}}),
    ],
)
def test_users(tmp_path: Path, user: str, facts: object) -> None:
    assert load(tmp_path, case(user=user)).cases[0].user == facts


@pytest.mark.parametrize(
    ("license_", "facts"),
    [
        ("{type: analyzer, lastUsed: never}", {"type": "analyzer", "lastUsed": Special.NEVER}),
        ("{type: analyzer, lastUsed: 1753-01-01T00:00:00.000Z}", {"type": "analyzer", "lastUsed": Special.NEVER}),
        ("{type: analyzer, unusedDays: 45}", {"type": "analyzer", "unusedDays": 45}),
        ("{type: Analyzer, quarantined: unknown}", {"type": "analyzer", "quarantined": Special.UNKNOWN}),
    ],
)
def test_licenses(tmp_path: Path, license_: str, facts: object) -> None:
    assert load(tmp_path, case(license=license_)).cases[0].license.facts == facts


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"user": "{tag: vip}"}, "SW203 unknown key `tag` in `user` (did you mean `tags`?)"),
        ({"user": "jdoe"}, "SW205 `user` names no user directory (write DIRECTORY\\id, or a map like {tags: [vip]})"),
        ({"user": "{userId: unknown}"}, "SW205 `user.userId` cannot be unknown"),
        ({"user": "{tags: 5}"}, "SW204 `user.tags` must be text (put it in quotes: '5')"),
        ({"user": "{blocked: 'unknown'}"}, "SW204 `user.blocked` must be true or false (write true or false)"),
        ({"user": "{properties: {A: unknown}}"}, "SW205 one of them alone cannot be unknown"),
        ({"user": "{properties: vip}"}, "SW204 `user.properties` must be a map"),
        ({"user": "{licenses: [analyser]}"}, "SW205 `user.licenses` is never `analyser` (did you mean `analyzer`?)"),
        ({"user": "{licenses: professional}"}, "SW205 this case's license is analyzer, which the user does not hold"),
        (
            {"user": "{lastUsed: never}"},
            "SW205 `user.lastUsed` speaks of another license, which the user does not hold",
        ),
        ({"user": "{createdDate: 2026-02-30}"}, "SW205 `user.createdDate` must be a day or a moment"),
        ({"license": "{lastUsed: never}"}, "SW206 `license` lacks the key `type`"),
        ({"license": "{type: analyzer, neverUsed: true}"}, "SW203 unknown key `neverUsed` in `license` (write `lastU"),
        ({"license": "{type: analyzer, lastUsed: soon}"}, "SW205 `license.lastUsed` must be a day or a moment"),
        ({"license": "{type: analyzer, lastUsed: never, unusedDays: 5}"}, "SW205 `lastUsed` and `unusedDays` say the"),
        ({"license": "pro"}, "SW205 `license` is one of professional, analyzer"),
        ({"license": ""}, "SW206 `case` lacks the key `license`"),
        ({"verdict": "kept"}, "SW205 `verdict` is one of keep, downgrade, release (did you mean `keep`?)"),
        ({"because": "rule"}, "SW205 `because` is one of guard, keep, downgrade, release, default, notice"),
        ({"rule": "vip"}, "SW205 the policy has no rule `vip` (did you mean `vips`?)"),
        ({"rules": "[release analyser]"}, "SW205 the policy has no rule `release analyser` (did you mean `release a"),
        ({"rules": "[quarantined]"}, "SW205 the policy has no rule `quarantined` (its rules are vips, release anal"),
        ({"now": "tomorrow"}, "SW205 `now` must be a day or a moment"),
        ({"expected": "keep"}, "SW203 unknown key `expected` in `case`"),
    ],
)
def test_wrong_cases(tmp_path: Path, parts: dict[str, str], said: str) -> None:
    assert any(said in problem for problem in problems(tmp_path, case(**parts)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", ["1:1 SW209 this is not a policy test"]),
        ("policy: p.policy\n", ["1:1 SW206 this policy test has nothing to test"]),
        ("now: 2026-11-21\ncases: []\n", ["1:1 SW206 `policy test` lacks the key `policy`"]),
        ("policy: q.policy\ncases: []\n", ["1:9 SW207 policy `"]),
        (HEAD + "timezone: Europe/Stokholm\ncases: []\n", ["3:11 SW208 there is no time zone `Europe/Stokholm`"]),
        (HEAD + "snapshot: s.json\n", ["3:1 SW206 `snapshot` goes with `expect`"]),
        (HEAD + "cases: []\nsnapshot: s.json\n", ["4:1 SW205 `snapshot` does not go with `cases`"]),
        (HEAD + "cases: []\nexhaustive: true\n", ["4:1 SW205 `exhaustive` does not go with `cases`"]),
        (HEAD + "snapshot: s.json\nexpect:\n  - verdict: keep\n", ["5:5 SW206 an expectation names either"]),
        (
            "policy: p.policy\ncases:\n  - {name: a, license: analyzer, verdict: keep}\n",
            ["3:6 SW206 this case has no `now`"],
        ),
        (case() + case().rpartition("cases:\n")[2], ["7:5 SW202 two cases are called `a`"]),
        (
            HEAD.replace("now", "nwo") + "cases:\n  - {license: pro, verdict: kept}\n",
            [
                "2:1 SW203 unknown key `nwo`",
                "4:6 SW206 `case` lacks the key `name`",
                "4:15 SW205 `license` is one of",
                "4:29 SW205 `verdict` is one of",
            ],
        ),
    ],
)
def test_all_problems_of_a_file_are_reported_at_their_place(tmp_path: Path, text: str, said: list[str]) -> None:
    found = problems(tmp_path, text)
    assert len(found) == len(said)
    assert all(problem.startswith(words) for problem, words in zip(found, said, strict=True)), found


@pytest.mark.parametrize(
    ("written", "mistyped"),
    [
        ("policy: p", "polcy: p"),
        ("now:", "nwo:"),
        ("cases:", "case:"),
        ("name:", "Name:"),
        ("license:", "licence:"),
        ("type:", "typ:"),
        ("verdict:", "verdit:"),
    ],
)
def test_a_mistyped_key_is_not_also_said_to_lack(tmp_path: Path, written: str, mistyped: str) -> None:
    text = case(license="{type: analyzer}")
    assert text.count(written) == 1
    (problem,) = problems(tmp_path, text.replace(written, mistyped))
    assert f"did you mean `{written.partition(':')[0]}`?" in problem


@pytest.mark.parametrize(
    ("written", "mistyped"), [("snapshot:", "snapshott:"), ("expect:", "expects:"), ("user:", "usr:")]
)
def test_nor_is_one_of_a_snapshot(tmp_path: Path, written: str, mistyped: str) -> None:
    text = HEAD + "snapshot: s.json\nexpect:\n  - {user: 'A\\b', verdict: keep}\n"
    (problem,) = problems(tmp_path, text.replace(written, mistyped))
    assert f"did you mean `{written[:-1]}`?" in problem


def test_a_broken_policy_is_reported_as_its_own(tmp_path: Path) -> None:
    path = tmp_path / "t.test.yaml"
    path.write_text("policy: broken.policy\ncases: []\n", encoding="utf-8")
    (tmp_path / "broken.policy").write_text('keep wen user.tags = "vip"\n', encoding="utf-8")
    with pytest.raises(PolicyError) as raised:
        load_policy_test(path)
    assert raised.value.diagnostics[0].span.file.endswith("broken.policy")
