"""The run before: the newest plan of a site, whose facts a new one is compared with for changes that touch everybody.

A plan that found such a change, and that nobody approved, is no measure: else the change of one night would be the
ordinary state of the next.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.decide.coarse import Coarsening
from seatwarden.engine.decide.disguise import Disguise
from seatwarden.engine.decide.withheld import is_withheld, says_nothing
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.facts import RecordedFact
from seatwarden.engine.log.first_line import FirstLine, first_line
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.run_folder import CANONICAL_FILE, JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.plan.findings import MASS_CHANGE, Finding, mass_change_finding
from seatwarden.engine.plan.mass_change import MASS_CHANGE_PERCENT, Compared, Recorded, compare_facts
from seatwarden.engine.plan.modes import WHAT_IF
from seatwarden.engine.plan.plan import Plan
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.loading import check_text

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
    if _is_hidden(plan, before):
        return replace(plan, compared=f"run {before.header.run_id} has pseudonyms of another key: not compared")
    compared, withheld = _compare(plan, before, MASS_CHANGE_PERCENT if percent is None else percent)
    run = before.header.run_id
    found = [_finding(change.sentence, change.fact, run) for change in compared.changes]
    left_out = f"; not recorded there: {', '.join(compared.not_recorded)}" if compared.not_recorded else ""
    if withheld:
        left_out += f"; without {plural(withheld, 'license')} whose facts it withholds"
    return replace(plan.with_findings(*found), compared=f"compared with run {run}{left_out}")


def newest_measure(begun: Mapping[Path, FirstLine]) -> Path | None:
    """The run that a plan made now would be compared with, of these runs of one site."""
    measures = [folder for folder, first in begun.items() if _is_measure(first, folder, what_if=False)]
    return max(measures, key=lambda folder: (begun[folder].now, folder.name), default=None)


def mass_changes(findings: Iterable[Finding]) -> list[str]:
    """The sentences on changes that touch everybody."""
    return [finding.message for finding in findings if finding.code == MASS_CHANGE]


def _finding(sentence: str, fact: str, run: str) -> Finding:
    return mass_change_finding(f"{sentence} (since run {run})", _HELP, fact)


def _is_hidden(plan: Plan, before: PlanLog) -> bool:
    """Whether the licenses of the run before cannot be found again: they have pseudonyms, and the key is another."""
    if before.header.period is None:
        return False
    return plan.pseudonyms is None or plan.pseudonyms.key_id != before.header.pseudonyms


def _compare(plan: Plan, before: PlanLog, percent: int) -> tuple[Compared, int]:
    """What has changed, and the number of licenses that were left out because the run before withholds their facts."""
    recorded = {line.key: line.about.facts for line in before.decisions}
    decisions = plan.exact or plan.decisions
    if before.header.period is None:
        with_names = before.header.pseudonyms is None
        return compare_facts(plan.policy, decisions, recorded, percent, with_names=with_names), 0
    assert plan.pseudonyms is not None  # noqa: S101 - for the type checker: the key is the same
    then = Disguise(plan.pseudonyms.of_period(before.header.period), plan.policy, plan.day)
    said = {key: facts for key, facts in recorded.items() if not says_nothing(facts)}
    now = [one for one in map(then.of_decision, decisions) if not is_withheld(one)]
    told = _told_alike(plan, before, said)
    return compare_facts(plan.policy, now, told, percent), len(recorded) - len(said)


def _told_alike(plan: Plan, before: PlanLog, recorded: Recorded) -> Recorded:
    """The facts that the policy then told apart as the policy now does; the others cannot be compared."""
    if before.header.policy.canonical_sha256 == plan.policy.digest:
        return recorded
    try:
        policy = check_text(before.policy.text, CANONICAL_FILE)
    except (PolicyError, InputError):
        return {key: {} for key in recorded}
    found: dict[tuple[LicenseType, str], Mapping[str, RecordedFact]] = {}
    for license_type in LICENSE_TYPES:
        one, other = (Coarsening(of, license_type, plan.day) for of in (policy, plan.policy))
        for key, facts in recorded.items():
            if key[0] == license_type:
                alike = {name for name in facts if one.classes_of(name) == other.classes_of(name)}
                found[key] = {name: fact for name, fact in facts.items() if name in alike}
    return found


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
