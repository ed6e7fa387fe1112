"""`seatwarden test`: holds policies against what their authors expect of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import NowOption, PolicyOption, QuietOption, SnapshotOption, TimezoneOption, gather
from seatwarden.engine.cli.terminal.output import note, print_result, say, warn
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.common.way_out import JUNIT, RECORD, TEST_REPORT, check_way_out, write_out
from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.testing.junit import junit_xml
from seatwarden.engine.testing.record import recorded_test
from seatwarden.engine.testing.run import CaseResult, TestReport, run_policy_test, unreached
from seatwarden.grammar.ast import Rule
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.testing.test_file import TEST_SUFFIXES, PolicyTest, load_policy_test

_Unreached = Sequence[tuple[CheckedPolicy, Sequence[Rule]]]


def run_tests(
    places: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE|FOLDER...", help="Test files, or folders with *.test.yaml. Default: here."),
    ] = None,
    format: Annotated[Literal["text", "junit", "json"], typer.Option("--format", help="How to print.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report, or the record, to a file.")
    ] = None,
    require_all_rules: Annotated[
        bool, typer.Option("--require-all-rules", help="End with 1 when a rule was true in no case.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Write a test that expects what --policy decides on --snapshot today.")
    ] = False,
    policy: PolicyOption = None,
    snapshot: SnapshotOption = None,
    now: NowOption = None,
    timezone: TimezoneOption = None,
    quiet: QuietOption = False,
) -> None:
    """Run policy tests, or record one from a snapshot.

    Does the policy still decide as its tests expect? A report that is there is written anew, a test never.

    Example: seatwarden test examples
    """
    if record:
        if places or format != "text" or require_all_rules:
            raise InputError("--record stands alone", "with it go --policy, --snapshot, -o, --now and --timezone")
        _record(policy, snapshot, now, timezone, output)
        return
    if any(option is not None for option in (policy, snapshot, now, timezone)):
        raise InputError(
            "--policy, --snapshot, --now and --timezone go with --record", "a test file says itself what it is about"
        )
    reports = [run_policy_test(loaded) for loaded in _load(_find(places or [Path()]))]
    missed = unreached(reports)
    required = missed if require_all_rules else ()
    if format == "json" and output is None:
        _warn(missed)
        print_result(_to_json(reports))
    else:
        _say_report(reports, required, format, output)
        _warn(missed)
    if required or any(r.failed for r in reports):
        raise typer.Exit(ExitCode.NO)


def _say_report(reports: Sequence[TestReport], required: _Unreached, format_: str, output: Path | None) -> None:
    report = junit_xml(reports, required) if format_ == "junit" else "\n".join(_text(reports)) + "\n"
    if output is not None:
        text = json.dumps(_to_json(reports), indent=2) + "\n" if format_ == "json" else report
        write_out(output, text.encode(), JUNIT if format_ == "junit" else TEST_REPORT)
    if output is not None or format_ == "text":
        for line in _text(reports):
            say((line, "bold red" if line.startswith("FAILED ") else ""))
    else:
        typer.echo(report, nl=False)


def _to_json(reports: Sequence[TestReport]) -> dict[str, Any]:
    """The results file by file, and what no case reached is among the warnings."""
    return {
        "files": [
            {
                "file": Path(report.file).as_posix(),
                "cases": [
                    {"name": case.name, "at": case.place, "passed": not case.problems, "problems": list(case.problems)}
                    for case in report.results
                ],
            }
            for report in reports
        ],
        "summary": {
            "passed": sum(len(report.results) - len(report.failed) for report in reports),
            "failed": sum(len(report.failed) for report in reports),
        },
    }


def _find(places: Sequence[Path]) -> list[Path]:
    """The test files among and below `places`, each once. A folder without any, or none at all, is an error."""
    found: dict[Path, Path] = {}
    for place in places:
        files = sorted(_below(place)) if place.is_dir() else [place]
        if not files:
            note(f"error: no policy test in `{place}`: no file ends in {' or '.join(TEST_SUFFIXES)}")
            raise typer.Exit(ExitCode.NO)
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _below(folder: Path) -> list[Path]:
    """Test files in a folder and below it, but for hidden folders."""
    return [
        path
        for path in folder.rglob("*.test.y*ml")
        if path.name.endswith(TEST_SUFFIXES)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts[:-1])
    ]


def _load(files: Sequence[Path]) -> list[PolicyTest]:
    """All test files; when some cannot be used, every problem in all of them is reported. Raises PolicyError."""
    loaded, errors = [], []
    for file in files:
        try:
            loaded.append(load_policy_test(file))
        except PolicyError as error:
            errors.append(error)
    if errors:
        sources = {name: text for error in errors for name, text in error.sources.items()}
        raise PolicyError(tuple(dict.fromkeys(d for error in errors for d in error.diagnostics)), sources)
    return loaded


def _text(reports: Sequence[TestReport]) -> list[str]:
    """The lines for the terminal: failures with what was expected and what came out, and counts."""
    lines = []
    for report in reports:
        for result in report.failed:
            lines += _failure(result)
    for report in reports:
        failed = len(report.failed)
        passed = f"{len(report.results) - failed:,} passed"
        lines.append(f"{Path(report.file).as_posix()}: {passed}" + (f", {failed:,} failed" if failed else ""))
    return [printable(line) for line in lines]


def _failure(result: CaseResult) -> list[str]:
    return [f"FAILED {result.name}  ({result.place})", *(f"  {problem}" for problem in result.problems), ""]


def _warn(missed: _Unreached) -> None:
    for policy, rules in missed:
        count = f"{len(rules):,} of {plural(len(policy.rules), 'rule')}"
        warn(f"no case reached {count} of {Path(policy.file).as_posix()}")
        for rule in rules:
            note(f"  {printable(rule.title)}  ({printable(rule.place)})")


def _record(
    policy: Path | None, snapshot: Path | None, now: str | None, timezone: str | None, output: Path | None
) -> None:
    if policy is None or snapshot is None or output is None:
        raise InputError(
            "--record needs --policy, --snapshot and -o FILE", f"like -o {TEST_SUFFIXES[0].join(['site', ''])}"
        )
    check_way_out(output, RECORD)
    given = gather(policy, snapshot, None, now, timezone)
    decisions = list(decide_all(given.policy, given.snapshot, given.day))
    text = recorded_test(policy, snapshot, given.day, timezone, decisions, output.parent)
    write_out(output, text.encode(), RECORD)
    say(f"{plural(len(decisions), 'expectation')} recorded in {output}")
