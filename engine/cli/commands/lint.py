"""`seatwarden lint`: everything that is wrong with a policy, and everything in it that was hardly meant."""

import glob
import os
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seatwarden.engine.cli.completion import complete_codes
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import NowOption, SnapshotOption, choose_moment
from seatwarden.engine.cli.terminal.output import complain, print_json, print_result, say, show_finding, warn
from seatwarden.engine.cli.views.findings import LintReport, print_github, report_to_json
from seatwarden.engine.common.text import plural
from seatwarden.engine.facts.day import make_day
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.file_kinds import BUTLER, JSON_POLICY, POLICY, RULES, TEST, is_run_folder, kind_of
from seatwarden.policy.files import read_text
from seatwarden.policy.lint.linter import lint as lint_policy
from seatwarden.policy.loading import YAML_SUFFIXES, CheckedPolicy, load_policy, shown_source
from seatwarden.policy.worlds.search import STEPS_A_SECOND

if TYPE_CHECKING:
    from seatwarden.engine.site.notice import NoticeSettings
    from seatwarden.engine.snapshot.model import Snapshot

_CHECKED = (POLICY, BUTLER, RULES, JSON_POLICY, TEST)
TimeOption = Annotated[
    float,
    typer.Option(
        "--time",
        metavar="SECONDS",
        min=0.001,
        max=3600,
        help="How long to search in one file, on a usual machine; what is not decided then is said.",
    ),
]
LintFormat = Literal["text", "json", "github", "sarif"]


def lint(
    policies: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE|FOLDER...", help="Policies, Butler's YAML, policy tests, or folders."),
    ] = None,
    snapshot: SnapshotOption = None,
    now: NowOption = None,
    format: Annotated[
        LintFormat,
        typer.Option("--format", help="How to print: for people, for scripts, for GitHub Actions, as SARIF 2.1.0."),
    ] = "text",
    time: TimeOption = 5,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 on warnings too.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="CODE",
            help="Print the page on a code, like SW301, and stop.",
            autocompletion=complete_codes,
        ),
    ] = None,
) -> None:
    """Check policies for errors, and for what was hardly meant.

    Also policy tests, and all that is in a folder. Rules that match nothing or everything, rules in each other's way,
    names nobody has, schedules that never fire. With a snapshot also the site's license rules.
    Ends with 1 when a policy has errors (with --strict also warnings), with 2 when one cannot be read.
    A comment `# seatwarden: allow SW301 reason` silences one finding where it is written.

    Example: seatwarden lint butler.yaml season.policy --snapshot site.json
    """
    if explain is not None:
        from seatwarden.policy.code_pages import page_of

        say(page_of(explain).rstrip())
        return
    if not policies:
        raise InputError("no policy to check", "name one or more: seatwarden lint butler.yaml")
    site = _site(snapshot) if snapshot is not None else None
    report, all_read = _check_all(policies, site, choose_moment(now, site), int(time * STEPS_A_SECOND))
    if report.sources or all_read or format != "text":
        _print(report, format)
    if not all_read:
        raise typer.Exit(ExitCode.BAD_INPUT)
    if report.errors or (strict and report.warnings):
        raise typer.Exit(ExitCode.NO)


def _site(path: Path) -> "Snapshot":
    """The snapshot; warns of what is odd about its license rules, which are the site's and in no policy."""
    # Editors call lint at every save, without a snapshot.
    from seatwarden.engine.analysis.rule_lint import license_rule_warnings
    from seatwarden.engine.snapshot.reader import load_snapshot

    site = load_snapshot(path)
    for text in license_rule_warnings(site):
        warn(text)
    return site


def _check_all(
    policies: list[Path], site: "Snapshot | None", moment: datetime | date, steps: int
) -> tuple[LintReport, bool]:
    """The findings in the files, and whether all could be read; of others that has been said then."""
    report, all_read = LintReport(), True
    for path in policies:
        try:
            for file in (file for named in _named(path) for file in _files(named)):
                _check(file, site, moment, steps, report)
        except InputError as error:
            complain(error)
            all_read = False
    return report, all_read


def _named(place: Path) -> list[Path]:
    """What a pattern such as `*.policy` names, which the shells of Windows leave to the program; itself if nothing."""
    if os.name != "nt" or place.exists():
        return [place]
    return [Path(found) for found in sorted(glob.glob(str(place)))] or [place]


def _files(place: Path) -> list[Path]:
    """The file, or all in a folder and below it that can be checked: run folders and hidden ones are passed by.

    Raises InputError for a folder with none.
    """
    if not place.is_dir():
        return [place]
    files = [path for path in sorted(place.rglob("*")) if _is_checked(path, place)]
    if not files:
        raise InputError(f"nothing to check in `{place}`: no policy, Butler config or policy test is in it")
    return files


def _is_checked(path: Path, place: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(place).parts)
    if hidden or path.suffix.lower() not in (".policy", *YAML_SUFFIXES) or not path.is_file():
        return False
    if is_run_folder(path.parent):
        return False
    return path.suffix.lower() == ".policy" or (kind_of(path) in _CHECKED and not _names_another_policy(path))


def _names_another_policy(path: Path) -> bool:
    """Whether it is a site file whose policy is another one: there are no rules in it to check."""
    from seatwarden.engine.site.ours import policy_file  # only a folder takes it

    try:
        return path.suffix.lower() != ".json" and policy_file(path) != path
    except (InputError, PolicyError):
        return False


def _check_test(path: Path, report: LintReport) -> None:
    """Adds what is wrong with a policy test, but for what was found in its policy itself."""
    from seatwarden.policy.testing.test_file import load_policy_test

    try:
        load_policy_test(path)
        report.sources.setdefault(str(path), "")
    except PolicyError as error:
        report.sources.update(error.sources)
        report.findings += [finding for finding in error.diagnostics if finding not in report.findings]


def _check(path: Path, site: "Snapshot | None", moment: datetime | date, steps: int, report: LintReport) -> None:
    """Adds what is found in one file. Raises InputError when it cannot be read."""
    if path.suffix.lower() in YAML_SUFFIXES and kind_of(path) is TEST:
        _check_test(path, report)
        return
    _warn_of_missing_library(path)
    settings = _check_notice(path, report)
    try:
        policy = load_policy(path)
    except PolicyError as error:
        report.sources.update(error.sources)
        report.findings += error.diagnostics
        return
    report.sources[str(path)] = shown_source(policy.source, str(path))
    if path.suffix.lower() in YAML_SUFFIXES and _SITE_FILE in policy.source:
        _warn_of_notice(policy, settings)
    day = make_day(moment, policy.timezone)
    known = None
    if site is not None:
        from seatwarden.engine.analysis.known_names import known_names

        known = known_names(policy, site, day)
    found = lint_policy(policy, day.today, known, steps)
    report.findings += found.findings
    report.allowed += found.allowed


def _warn_of_missing_library(path: Path) -> None:
    """Warns of a library that is missing and that the file's MQTT needs. It is no finding: the file is right."""
    if path.suffix.lower() not in YAML_SUFFIXES or "mqttConfig" not in read_text(path, "policy"):
        return
    from seatwarden.engine.site.alarms import INSTALL_MQTT, load_alarms  # lint of a policy alone does not wait for it

    for text in load_alarms(path, os.environ).notes:
        if INSTALL_MQTT in text:
            warn(text)


_SITE_FILE = "configQRS"
"""The key that a YAML file has which is a site file too, beside its rules."""


def _warn_of_notice(policy: CheckedPolicy, settings: "NoticeSettings | None") -> None:
    """Says what must be known of the messages to people. It is no finding: the file is right."""
    from seatwarden.engine.site.notice import notice_notes

    for text in notice_notes(settings, asked=policy.gives_notice):
        warn(text)


def _check_notice(path: Path, report: LintReport) -> "NoticeSettings | None":
    """Adds what is wrong with a site file's messages to people, and returns them. Raises InputError for a template that
    is broken."""
    if path.suffix.lower() not in YAML_SUFFIXES or "notice" not in read_text(path, "policy"):
        return None
    from seatwarden.engine.site.notice import is_missing_variable, load_notice

    try:
        settings = load_notice(path, os.environ)
    except PolicyError as error:
        report.sources.update(error.sources)
        # Where policies are checked there are no passwords, and need not be.
        report.findings += [found for found in error.diagnostics if not is_missing_variable(found)]
        return None
    if settings is not None:
        from seatwarden.engine.notice.templates import check_templates  # jinja2 takes a while to import

        check_templates(settings)
    return settings


def _print(report: LintReport, format_: LintFormat) -> None:
    if format_ == "json":
        print_result(report_to_json(report))
    elif format_ == "sarif":
        from seatwarden.engine.cli.views.sarif import report_to_sarif

        print_json(report_to_sarif(report))
    elif format_ == "github":
        print_github(report)
    else:
        _print_text(report)


def _print_text(report: LintReport) -> None:
    for finding in report.findings:
        show_finding(finding, report.sources)
    counts = Counter(finding.severity for finding in report.findings)
    words = [plural(counts[severity], severity) for severity in ("error", "warning") if counts[severity]]
    allowed = f"; {len(report.allowed)} allowed" if report.allowed else ""
    say(f"{', '.join(words) or 'no findings'} in {plural(len(report.sources), 'file')}{allowed}")
