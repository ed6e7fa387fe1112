"""Past runs: which plans a folder holds, and what became of each license in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.journal import JOURNAL_FILE, JournalState, read_journal
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.plan.plan import PLAN_FILE
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run folder. `problem` says why it cannot be read, in which case there are no records.

    `journal` is None while the plan has not been applied.
    """

    folder: Path
    header: dict[str, Any]
    decisions: list[dict[str, Any]]
    seal: dict[str, Any]
    journal: JournalState | None
    problem: str | None = None

    def outcome_of(self, decision: dict[str, Any]) -> dict[str, Any] | None:
        """What became of a decision's license, or None when nothing was done with it."""
        key = (decision["licenseType"], decision["licenseId"])
        return self.journal.outcomes.get(key) if self.journal else None

    def revealed(self, people: Mapping[str, tuple[str, str | None]]) -> "PastRun":
        """The run with people behind pseudonyms named again, as far as they are known."""
        return replace(self, decisions=[_revealed(decision, people) for decision in self.decisions])


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A decision of a past run, with what became of it."""

    run: PastRun
    decision: dict[str, Any]

    @property
    def user(self) -> str:
        """`DIRECTORY\\id`."""
        return f"{self.decision['userDirectory'] or '?'}\\{self.decision['userId'] or '?'}"

    @property
    def outcome(self) -> str | None:
        """`released`, `skipped` …, or None."""
        line = self.run.outcome_of(self.decision)
        return str(line["result"]) if line else None


def runs_in(place: Path) -> list[PastRun]:
    """The runs in a folder and below it, oldest first; a run folder is its own only run.

    A damaged run is listed with its problem, never passed over. Raises InputError when there is none.
    """
    folders = [place] if (place / PLAN_FILE).exists() else sorted(path.parent for path in place.rglob(PLAN_FILE))
    if not folders:
        raise InputError(f"`{place}` holds no plan", "plans are written by `seatwarden plan -o DIR`")
    return sorted(
        (_read_run(folder) for folder in folders), key=lambda run: (run.header.get("now", ""), str(run.folder))
    )


def select(
    runs: list[PastRun], *, user: str | None = None, verdict: str | None = None, rule: str | None = None
) -> Iterator[PastDecision]:
    """The decisions of readable runs that fit; `user` is `DIRECTORY\\id`, an id or a name, in any case."""
    for run in runs:
        for decision in run.decisions:
            past = PastDecision(run, decision)
            names = (past.user, decision["userId"], decision["userName"])
            if user is not None and user.casefold() not in [name.casefold() for name in names if name]:
                continue
            if verdict is not None and decision["verdict"] != verdict:
                continue
            if rule is not None and rule not in (decision["rule"], *decision["rules"]):
                continue
            yield past


def _read_run(folder: Path) -> PastRun:
    try:
        header, *decisions, seal = read_log(folder)
        path = folder / JOURNAL_FILE
        journal = read_journal(path) if path.exists() else None
    except (DamagedLog, InputError) as error:
        return PastRun(folder, {}, [], {}, None, str(error))
    except OSError as error:
        return PastRun(folder, {}, [], {}, None, f"{folder}: {error.strerror}")
    return PastRun(folder, header, decisions, seal, journal)


def _revealed(decision: dict[str, Any], people: Mapping[str, tuple[str, str | None]]) -> dict[str, Any]:
    known = people.get(decision["userId"] or "")
    if known is None:
        return decision
    reason = decision["reason"].replace(decision["userId"], known[0])
    return {**decision, "userId": known[0], "userName": known[1], "reason": reason}
