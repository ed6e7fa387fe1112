"""What `run --format json` prints: one object, whatever became of the run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.views.told import told_to_json
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.log.results import counted_results
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.diagnostics import finding_to_json
from seatwarden.policy.errors import PolicyError

if TYPE_CHECKING:
    from seatwarden.engine.runs.run_report import RunReport

EXIT_MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.DONE: "done, or a dry run",
    ExitCode.NO: "over the limit, stopped by a finding, or refused; nothing was released",
    ExitCode.BAD_INPUT: "the site file, the policy or the folder cannot be used",
    ExitCode.REMOTE_FAILED: "QRS failed or refused us, or the register of runs is not as it was written",
    ExitCode.SOME_FAILED: "some licenses failed, or the run was interrupted; the next run goes on",
}
"""What a run's exit codes say, as docs/service.md has it."""


def run_to_json(report: "RunReport", code: ExitCode, site_file: Path, site: str) -> dict[str, Any]:
    """The object for a run that has begun: who, how it ended, the plan in numbers, what became of each license."""
    from seatwarden.engine.runs.told import told_rows

    plan = report.plan
    results = report.counts
    return {
        **_ended(report.outcome, code, site_file),
        "site": site,
        "dryRun": report.dry_run,
        "started": format_instant(report.started),
        "ended": format_instant(report.ended),
        "run": plan.run() if plan else None,
        "folder": str(report.folder) if report.folder else None,
        "summary": plan.summary() if plan else None,
        "counts": counted_results(results),
        "outcomes": [
            {
                "runId": applied.plan.header.run_id,
                "licenseType": outcome.key[0],
                "licenseId": outcome.key[1],
                "user": outcome.user,
                "outcome": outcome.result,
                "detail": outcome.detail,
            }
            for applied in report.applied
            for outcome in applied.outcomes
        ],
        "told": told_to_json(told_rows(report)),
        "why": list(report.why),
        "errors": _errors(report.error) if report.error else [],
        "findings": [to_builtins(finding) for finding in plan.findings] if plan else [],
        "free": [one.to_json() for one in report.free],
        "seal": str(report.seals) if report.seals else None,
        "stoppedBy": list(dict.fromkeys(finding.code for finding in report.stopped_by)),
    }


def failed_to_json(error: SeatwardenError, code: ExitCode, site_file: Path) -> dict[str, Any]:
    """The object for a run that could not begin: its settings are wrong. Its keys are among those of every run."""
    return {**_ended("failed", code, site_file), "run": None, "folder": None, "errors": _errors(error), "findings": []}


def _ended(outcome: str, code: ExitCode, site_file: Path) -> dict[str, Any]:
    ended = {"code": int(code), "meaning": EXIT_MEANINGS[code]}
    return {"outcome": outcome, "exit": ended, "siteFile": str(site_file)}


def _errors(error: SeatwardenError) -> list[dict[str, Any]]:
    """Each problem, with its place where it has one."""
    if isinstance(error, PolicyError):
        return [finding_to_json(finding) for finding in error.diagnostics]
    return [{"message": error.message, "help": error.help}]
