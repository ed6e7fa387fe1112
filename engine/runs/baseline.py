"""The run before: the newest plan of a site, whose facts a new one is compared with for changes that touch everybody.

A plan that found such a change, and that nobody approved, is no measure: else the change of one night would be the
ordinary state of the next.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from seatwarden.engine.common.text import join_words
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.first_line import FirstLine, first_line
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.plan.circumstances import WHAT_IF
from seatwarden.engine.plan.findings import MASS_CHANGE, Finding, mass_change_finding
from seatwarden.engine.plan.mass_change import MASS_CHANGE_PERCENT, Compared, compare_facts
from seatwarden.engine.plan.plan import Plan
from seatwarden.policy.errors import InputError

_LOOK = "look at what wrote it: a user directory connector, its filter, the QMC"
_HELP = f"{_LOOK}; if it is right, run once with --accept-mass-change"


def compared_with_before(plan: Plan, places: Iterable[Path], percent: int | None = None) -> Plan:
    """The plan, with what has changed for more than `percent` of the users since the newest earlier plan of its site.

    `places` are folders of run folders. `plan.compared` says with which it was compared, or that there was none.
    """
    before, unreadable = _newest(places, plan)
    if before is None and unreadable:
        message = f"the runs before cannot be read ({join_words(unreadable[:3])}): what has changed is not known"
        finding = mass_change_finding(message, _HELP)
        return replace(plan.with_findings(finding), compared="the runs before cannot be read")
    if before is None:
        return replace(plan, compared="no earlier run to compare with")
    compared = _compare(plan, before, MASS_CHANGE_PERCENT if percent is None else percent)
    run = before.header.run_id
    found = [_finding(change.sentence, change.fact, run) for change in compared.changes]
    left_out = f"; not recorded there: {', '.join(compared.not_recorded)}" if compared.not_recorded else ""
    return replace(plan.with_findings(*found), compared=f"compared with run {run}{left_out}")


def mass_changes(findings: Iterable[Finding]) -> list[str]:
    """The sentences on changes that touch everybody."""
    return [finding.message for finding in findings if finding.code == MASS_CHANGE]


def _finding(sentence: str, fact: str, run: str) -> Finding:
    return mass_change_finding(f"{sentence} (since run {run})", _HELP, fact)


def _compare(plan: Plan, before: PlanLog, percent: int) -> Compared:
    mine = plan.pseudonyms.key_id if plan.pseudonyms else None
    recorded = {line.key: line.about.facts for line in before.decisions}
    same_key = before.header.pseudonyms == mine
    return compare_facts(plan.policy, plan.decisions, recorded, percent, hidden=mine is not None, same_key=same_key)


def _newest(places: Iterable[Path], plan: Plan) -> tuple[PlanLog | None, list[str]]:
    """The newest plan before this one that is a measure, and the names of those newer ones that cannot be read.

    A what-if is none for what is live.
    """
    site, now, what_if = plan.source, plan.run()["now"], plan.origin.mode == WHAT_IF
    unreadable: list[str] = []
    found = {folder.resolve(): folder for place in places for folder in _folders(place)}
    begun = [(folder, first_line(folder)) for folder in found.values()]
    dated = [(first, folder) for folder, first in begun if first is not None]
    for first, folder in sorted(dated, key=lambda one: (one[0].now, one[1].name), reverse=True):
        if first.site != site or first.now >= now or not _is_measure(first, folder, what_if):
            continue
        try:
            return read_log(folder), unreadable
        except (DamagedLog, InputError):
            unreadable.append(folder.name)
    return None, [*unreadable, *(folder.name for folder, first in begun if first is None)]


def _is_measure(first: FirstLine, folder: Path, what_if: bool) -> bool:
    """Whether nothing in a plan touched everybody, or somebody approved of it; of what-ifs only for what-ifs."""
    if first.mode == WHAT_IF and not what_if:
        return False
    touched = MASS_CHANGE in first.codes
    return not touched or first.accepted or (folder / JOURNAL_FILE).exists()


def _folders(place: Path) -> Iterator[Path]:
    try:
        yield from (path.parent for path in place.glob(f"*/{PLAN_FILE}"))
    except OSError:
        return
