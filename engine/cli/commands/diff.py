"""`seatwarden diff`: what another policy would change."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from msgspec import to_builtins

from seatwarden.engine.analysis.diff import (
    FATES,
    LIMITED,
    Example,
    Newly,
    VerdictChange,
    change_to_json,
    changed,
    changes_to,
    example_of_difference,
    fate,
    in_reading_order,
    is_freer,
    other_differences,
    reasons,
)
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import (
    NowOption,
    SnapshotOrRunOption,
    TimezoneOption,
    choose_moment,
    parse_now,
    past_run,
)
from seatwarden.engine.cli.terminal.output import print_result, say, warn
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.diff_markdown import DIFFERENT, SAME, changes_in_markdown, example_in_markdown
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.decide.phrases import show_values
from seatwarden.engine.decide.states import DECIDED, heading
from seatwarden.engine.facts.day import Day, day_for
from seatwarden.engine.facts.facts import fact_to_json
from seatwarden.engine.plan.findings import Finding, find_in_plan, finding_lines
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy, load_policy
from seatwarden.policy.worlds.search import Undecided

if TYPE_CHECKING:
    from seatwarden.engine.log.past_site import PastSite

_COLUMNS = (
    Column("User", folds=True),
    Column("License"),
    Column("Verdict"),
    Column("Before", folds=True),
    Column("Now", folds=True),
)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The policy in force.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The policy that is to replace it.")],
    snapshot: SnapshotOrRunOption = None,
    now: NowOption = None,
    timezone: TimezoneOption = None,
    no_new_releases: Annotated[
        bool, typer.Option("--no-new-releases", help="Ask only whether NEW releases what OLD keeps, for a gate in CI.")
    ] = False,
    no_new_keeps: Annotated[
        bool, typer.Option("--no-new-keeps", help="Ask only whether NEW keeps what OLD releases.")
    ] = False,
    format: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option("--format", help="How to print: for people, for scripts, as a comment on a pull request."),
    ] = "text",
) -> None:
    """Say whose license another policy would release or keep.

    Without a snapshot: whether the two policies mean the same, and if not, the smallest example. With --no-new-releases
    only that counts which NEW would release and OLD keeps: what a pull request must not do unseen.
    Ends with 0 when nothing changes, with 1 when something does, with 2 when a policy cannot be read.

    Example: seatwarden diff butler.yaml new.policy --snapshot site.json
    """
    newly = _asked(no_new_releases, no_new_keeps)
    policies = load_policy(old), load_policy(new)
    also = other_differences(*policies, same_zone=timezone is not None)
    past = past_run(snapshot) if snapshot is not None else None
    if past is not None:
        different = _on_past(policies, past, now, timezone, also, format, newly)
    elif snapshot is not None:
        site = load_snapshot(snapshot)
        for remark in site.remarks:
            warn(remark)
        different = _on_snapshot(policies, site, _days(policies, site, now, timezone), also, format, newly)
    else:
        day = _days(policies, None, now, timezone)[0] if now is not None else None
        different = _on_all_facts(policies, day, also, format, newly)
    if different:
        raise typer.Exit(ExitCode.NO)


def _asked(no_new_releases: bool, no_new_keeps: bool) -> Newly:
    """Which changes of a verdict end the command with 1. Raises InputError."""
    if no_new_releases and no_new_keeps:
        raise InputError("--no-new-releases and --no-new-keeps exclude each other", "leave both out: any change counts")
    return "released" if no_new_releases else "kept" if no_new_keeps else "either"


def _fails(found: bool, also: list[str], newly: Newly) -> bool:
    """Whether the command ends with 1. Who asks for new releases alone need not hear of other limits; but where days
    are counted in another zone, or notice is given differently, a license may be released sooner."""
    return found or any(newly == "either" or sentence != LIMITED for sentence in also)


def _days(
    policies: tuple[CheckedPolicy, CheckedPolicy], site: Snapshot | None, now: str | None, timezone: str | None
) -> tuple[Day, Day]:
    moment = choose_moment(now, site)
    return day_for(policies[0], moment, timezone), day_for(policies[1], moment, timezone)


# On a snapshot -------------------------------------------------------------------------------------------


def _on_snapshot(
    policies: tuple[CheckedPolicy, CheckedPolicy],
    site: Snapshot,
    days: tuple[Day, Day],
    also: list[str],
    format_: str,
    newly: Newly,
) -> bool:
    old, new = (list(decide_all(policy, site, day)) for policy, day in zip(policies, days, strict=True))
    findings = find_in_plan(policies[1], site, days[1], new).findings
    licenses = sum(len(rows) for rows in site.licenses.values())
    return _shown(changed(old, new), licenses, findings, also, format_, policies, newly)


def _on_past(
    policies: tuple[CheckedPolicy, CheckedPolicy],
    past: "PastSite",
    now: str | None,
    timezone: str | None,
    also: list[str],
    format_: str,
    newly: Newly,
) -> bool:
    asked = parse_now(now) if now is not None else None
    days = past.day_for(policies[0], asked, timezone), past.day_for(policies[1], asked, timezone)
    if past.is_whole:
        return _on_snapshot(policies, past.snapshot, days, also, format_, newly)
    old, new = (list(past.decide_all(policy, day)) for policy, day in zip(policies, days, strict=True))
    return _shown(changed(old, new), len(new), (), also, format_, policies, newly)


def _names(policies: tuple[CheckedPolicy, CheckedPolicy]) -> tuple[str, str]:
    return Path(policies[0].file).name, Path(policies[1].file).name


def _shown(
    found: list[VerdictChange],
    licenses: int,
    findings: Sequence[Finding],
    also: list[str],
    format_: str,
    policies: tuple[CheckedPolicy, CheckedPolicy],
    newly: Newly,
) -> bool:
    """Prints what changes; whether anything does that counts."""
    found = [one for one in found if newly == "either" or is_freer(one) is (newly == "released")]
    if format_ == "markdown":
        say(changes_in_markdown(found, licenses, findings, also, _names(policies)))
        return _fails(bool(found), also, newly)
    counts = changes_to(found)
    if format_ == "json":
        by_reason = [{"to": to, "old": was, "new": now, "licenses": count} for to, was, now, count in reasons(found)]
        to = {"toRelease": counts["release"], "toNotice": counts["notice"], "toKeep": counts["keep"]}
        to |= {"toDowngrade": counts["downgrade"]} if counts["downgrade"] else {}
        totals = {"licenses": licenses, **to}
        listed = [change_to_json(change) for change in found]
        print_result(
            {
                "same": not found and not also,
                "changes": listed,
                "other": also,
                "summary": {**totals, "byReason": by_reason},
                "findings": [to_builtins(finding) for finding in findings],
            }
        )
        return _fails(bool(found), also, newly)
    if found:
        print_rows(_COLUMNS, _rows(found))
        for verdict, was, now, count in reasons(found):
            word = FATES[verdict] if verdict == "notice" else _NEWLY.get(verdict, DECIDED[verdict])
            say(printable(f"  {count:>6,}  newly {word}: {was} → {now}"))
        say()
    for sentence in also:
        say(f"Also: {sentence}.")
    unchanged = licenses - len(found)
    told = f"{counts['notice']:,} newly due after notice, " if counts["notice"] else ""
    told += f"{counts['downgrade']:,} newly {_NEWLY['downgrade']}, " if counts["downgrade"] else ""
    due = f"{plural(counts['release'], 'license')} newly due, {told}{counts['keep']:,} newly kept"
    say(f"{due}, {unchanged:,} unchanged.")
    for line in finding_lines(findings):
        say(line)
    return _fails(bool(found), also, newly)


_NEWLY = {"downgrade": "due to become Analyzer"}
"""The words for what is not called as its state is."""


def _rows(found: list[VerdictChange]) -> list[list[str]]:
    rows = []
    for change in in_reading_order(found):
        verdict = f"{FATES[fate(change.old)]} → {FATES[fate(change.new)]}"
        cells = (change.new.user, change.new.license_type, verdict, change.old.reason, change.new.reason)
        rows.append([printable(cell) for cell in cells])
    return rows


# On all facts --------------------------------------------------------------------------------------------


def _on_all_facts(
    policies: tuple[CheckedPolicy, CheckedPolicy], day: Day | None, also: list[str], format_: str, newly: Newly
) -> bool:
    try:
        example = example_of_difference(*policies, day.today if day else None, newly)
    except Undecided:
        message = "whether these policies mean the same was not found out: they are too different, or too large"
        raise InputError(message, "compare them on a snapshot with --snapshot") from None
    if format_ == "markdown":
        say(example_in_markdown(example, also, _names(policies), newly))
    elif format_ == "json":
        shown = {"same": example is None and not also, "example": _example_to_json(example), "other": also}
        print_result({**shown, "findings": []})
    elif example is not None:
        _print_example(example, policies)
    else:
        when = f" on {day.today.isoformat()}" if day else ""
        said = SAME[newly]
        say(f"{said}{when}, whatever the facts (missing and unreadable ones left out).")
    if format_ == "text":
        for sentence in also:
            say(f"But {sentence}." if example is None else f"Also: {sentence}.")
    return _fails(example is not None, also, newly)


def _print_example(example: Example, policies: tuple[CheckedPolicy, CheckedPolicy]) -> None:
    say(DIFFERENT)
    say()
    width = max(len(name) for name, _ in example.facts)
    for name, values in example.facts:
        say(printable(f"  {name:<{width}}  {show_values(values)}"))
    say()
    for policy, opinion in zip(policies, (example.old, example.new), strict=True):
        place = f"  ({opinion.rule.place})" if opinion.rule else ""
        verdict = heading(DECIDED[opinion.verdict], opinion.reason)
        say(printable(f"  {Path(policy.file).name}: {verdict}{place}"))


def _example_to_json(example: Example | None) -> dict[str, Any] | None:
    if example is None:
        return None
    sides = {
        side: {
            "verdict": opinion.verdict,
            "rule": opinion.rule.name if opinion.rule else None,
            "reason": opinion.reason,
            "at": opinion.rule.place if opinion.rule else None,
        }
        for side, opinion in (("old", example.old), ("new", example.new))
    }
    return {"facts": {name: fact_to_json(values) for name, values in example.facts}, **sides}
