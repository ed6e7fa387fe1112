"""What `init` writes is right for every answer that it takes: lint finds nothing, fmt nothing, and the test passes."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.facts.day import make_day
from seatwarden.engine.site.connection import load_site
from seatwarden.engine.site.settings import load_settings
from seatwarden.engine.starter.answers import (
    Answers,
    WrongAnswer,
    read_days,
    read_directories,
    read_folder,
    read_host,
    read_limit,
    read_professional_days,
    read_tag,
    read_timezone,
)
from seatwarden.engine.starter.cases import starter_test
from seatwarden.engine.starter.files import POLICY_NAME, SITE_NAME, TEST_NAME, starter_policy, starter_site
from seatwarden.engine.testing.run import run_policy_test, unreached
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.formatter import format_policy
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.guarantees.proof import broken, prove
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import check_text, load_policy
from seatwarden.policy.testing.test_file import load_policy_test
from tests.paths import EXAMPLES
from tests.strategies import butler_maps, policies

DAY = make_day(datetime(2026, 11, 21, 2, tzinfo=UTC), "UTC")
USUAL = Answers("qlik.example.com", "certificates", 30, 60, ("INTERNAL",), "License do not release", "UTC", 50)
"""What Enter takes everywhere."""

_names = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "INTERNAL",
        "internal",
        "none",
        'A "B"',
        "O'Brien",
        "yes",
        "unknown",
        "never",
        "user",
        "a, b,a",
        "*",
        "1",
        "ПАРТНЁР",
    ]
)


def _answered(**texts: str) -> Answers:
    analyzer = read_days(texts["analyzer"])
    return Answers(
        read_host("qlik.example.com"),
        read_folder("certificates"),
        analyzer,
        read_professional_days(texts["professional"], analyzer),
        read_directories(texts["directories"]),
        read_tag(texts["tag"]),
        read_timezone("Europe/Stockholm"),
        read_limit(texts["limit"]),
    )


_days = st.integers(0, 4000).map(str) | st.just("none")


@given(analyzer=_days, professional=_days, directories=_names, tag=_names, limit=st.integers(0, 10**9).map(str))
def test_every_answer_is_refused_or_makes_a_right_policy(**texts: str) -> None:
    try:
        answers = _answered(**texts)
    except WrongAnswer:
        return
    text = starter_policy(answers)
    assert format_policy(text, POLICY_NAME) == text
    policy = check_text(text, POLICY_NAME)
    assert lint(policy, date(2026, 11, 21)).findings == ()
    assert _unreached(text, POLICY_NAME) == []
    assert broken(prove(policy)) == []


@pytest.mark.parametrize(
    ("answers", "weakened"),
    [
        (USUAL, {"administrators", "protected directories", "marked in the QMC"}),
        (replace(USUAL, directories=(), tag=None, professional_days=None), {"administrators"}),
    ],
)
def test_each_answer_is_guaranteed(answers: Answers, weakened: set[str]) -> None:
    """Without the keep rules, and with rules for a day less, none of the guarantees holds."""
    text = starter_policy(answers)
    weak = re.sub(r"^keep .*(\n  .*)*", "", text, flags=re.MULTILINE)
    weak = re.sub(r"^release .*", "", weak, flags=re.MULTILINE) + "release when unused for 7 days"
    refuted = {proof.guarantee.name for proof in broken(prove(check_text(weak, POLICY_NAME)))}
    assert refuted == weakened | {"analyzer", "professional"}


@given(policies() | butler_maps())
def test_the_test_of_any_policy_passes(written: Policy | dict[str, Any]) -> None:
    if isinstance(written, Policy):
        _unreached(print_policy(written), POLICY_NAME)
    else:
        _unreached(json.dumps(written, default=str), "butler.yaml")


def test_every_rule_of_butlers_has_a_case() -> None:
    text = (EXAMPLES / "butler.yaml").read_text(encoding="utf-8").replace("inactive: Ignore", "inactive: No")
    text = text.replace("blocked: Ignore", "blocked: Yes").replace("userId: 'sa_api'", r"userId: 'sa\api'")
    assert _unreached(text, "butler.yaml") == []


def _unreached(text: str, name: str) -> list[str]:
    """The rules that are true in no case of the test that is written for a policy; the test itself must pass."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        test = Path(folder) / TEST_NAME
        test.write_text(starter_test(load_policy(path), name, DAY), encoding="utf-8")
        report = run_policy_test(load_policy_test(test))
    assert report.results
    failed = [result for result in report.failed if not result.name.startswith("guarantee")]  # the policy's own matter
    assert [(result.name, result.problems) for result in failed] == []
    return [rule.title for _, rules in unreached([report]) for rule in rules]


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("certificates", "certificates/client.pem"),
        ("/etc/qlik certs/", "/etc/qlik certs/client.pem"),
        (r"C:\Program Files\Qlik\certs", r"C:\Program Files\Qlik\certs\client.pem"),
        (r'"C:\Program Files\Qlik\certs"', r"C:\Program Files\Qlik\certs\client.pem"),
        ("D:", r"D:client.pem"),
        (r"\\files\qlik$\O'Brien # 1", r"\\files\qlik$\O'Brien # 1\client.pem"),
        (r"..\certs\new\test", r"..\certs\new\test\client.pem"),
        ("no: {certs}", "no: {certs}/client.pem"),
    ],
)
def test_the_folder_of_certificates_is_right_yaml(tmp_path: Path, typed: str, written: str) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / SITE_NAME).write_text(starter_site(replace(USUAL, certificates=read_folder(typed))), encoding="utf-8")
    site = load_site(folder / SITE_NAME, {})
    assert site.certificate == folder / written
    assert site.authority is not None
    assert site.authority.name.endswith("root.pem")


def test_the_site_file_is_whole(tmp_path: Path) -> None:
    (tmp_path / SITE_NAME).write_text(starter_site(replace(USUAL, host="2001:db8::1")), encoding="utf-8")
    (tmp_path / POLICY_NAME).write_text(starter_policy(USUAL), encoding="utf-8")
    settings = load_settings(tmp_path / SITE_NAME, {}, default_folder=tmp_path / "elsewhere", scheduled=True)
    assert settings.dry_run
    assert settings.site.url == "https://[2001:db8::1]:4242"
    assert settings.site.headers == {"X-Qlik-User": "UserDirectory=INTERNAL;UserId=sa_api"}
    assert (settings.policy_file, settings.folder) == (tmp_path / POLICY_NAME, tmp_path / "records")
    assert (settings.warnings, settings.notes) == ((), ())


@pytest.mark.parametrize(
    ("read", "typed", "reason"),
    [
        (read_host, "https://qlik.example.com/qmc", "like qlik.example.com"),
        (read_host, "qlik.example.com:4242", "like qlik.example.com"),
        (read_host, "sa_api@qlik", "like qlik"),
        (read_host, "my server", "only the name of the server"),
        (read_host, "[::1]:4242", "only the name of the server"),
        (read_host, "", "only the name of the server"),
        (read_folder, ' "" ', "name a folder"),
        (read_folder, "certs\u200b", "cannot be seen"),
        (read_days, "30 days", "a whole number of days"),
        (read_days, "-1", "a whole number of days"),
        (read_days, "\u0663", "a whole number of days"),
        (read_days, "6", "write 7 days or more"),
        (read_directories, " , ", "name one or more"),
        (read_directories, "CORP*", "`*` in"),
        (read_tag, "", "name a tag"),
        (read_timezone, "Europe/Stokholm", "did you mean `Europe/Stockholm`?"),
        (read_limit, "0", "1 or more"),
        (read_limit, "10%", "1 or more"),
    ],
)
def test_a_wrong_answer_is_told_why(read: Callable[[str], object], typed: str, reason: str) -> None:
    with pytest.raises(WrongAnswer, match=re.escape(reason)):
        read(typed)


def test_one_type_must_be_released() -> None:
    assert read_professional_days("none", 30) is None
    with pytest.raises(WrongAnswer, match="no license would ever be released"):
        read_professional_days("none", None)
