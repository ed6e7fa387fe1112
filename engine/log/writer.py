"""Writing a plan as its sealed log, in a run folder, with the policy's files as they were."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from seatwarden.engine.common.files import make_private_folder, read_file, write_atomically
from seatwarden.engine.log.chain import ChainEnd, SealLine, salts
from seatwarden.engine.log.decision_lines import linked_decisions
from seatwarden.engine.log.heads import NO_HEADS, Heads
from seatwarden.engine.log.lines import (
    PLAN_READER,
    FindingLine,
    FindingPart,
    PlanHeader,
    PolicyLine,
    RegisterHead,
    RuleUsed,
    SaltedCircumstances,
    Summary,
    SummaryLine,
)
from seatwarden.engine.log.run_folder import CANONICAL_FILE, PLAN_FILE, POLICY_FOLDER, SUMMARY_FILE
from seatwarden.engine.plan.circumstances import Circumstances
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.plan.terms import Terms
from seatwarden.grammar.printer import print_statement
from seatwarden.policy.errors import InputError


class KeptFile(Struct, frozen=True):
    """A file that is kept in the run folder beside the plan, by its name there."""

    name: str
    data: bytes
    sha256: str


class Recording(Struct, frozen=True):
    """What the roof gives to write a plan with.

    `seed` are 32 random bytes that salts and order are drawn from; they are used for this plan and never written.
    `register` is the head of the register of runs, where the plan is entered there; `snapshot` the snapshot, if it is
    to be kept, `heads` where the registers ended that were asked of its licenses, `terms` what an apply is held to.
    """

    seed: bytes
    register: RegisterHead | None = None
    snapshot: KeptFile | None = None
    heads: Heads = NO_HEADS
    terms: Terms | None = None


def plan_lines(plan: Plan, recording: Recording, sealed: "list[SealLine] | None" = None) -> Iterator[bytes]:
    """The sealed decision log, line by line. The same plan, seed and register give the same bytes. Its seal is put into
    `sealed` when it is made."""
    end, drawn = ChainEnd(), salts(recording.seed)
    yield end.link(_header(plan, recording, next(drawn)))
    rules = [RuleUsed(rule.label, print_statement(rule), rule.place) for rule in plan.policy.rules]
    yield end.link(PolicyLine(text=plan.policy.text, rules=rules))
    for finding in plan.findings:
        words = FindingPart(salt=next(drawn), message=finding.message, help=finding.help, names=finding.names)
        line = FindingLine(code=finding.code, severity=finding.severity, at=finding.at, rule=finding.rule, person=words)
        yield end.link(line)
    # Without the names a rule on names cannot be evaluated again: what became of it is recorded instead.
    hidden = plan.pseudonyms is not None
    yield from linked_decisions(end, plan.decisions, recording.seed, drawn, with_truths=hidden)
    yield end.link(SummaryLine(summary=msgspec.convert(plan.summary(), Summary)))
    seal = end.seal()
    if sealed is not None:
        sealed.append(seal)
    yield end.link(seal)


def _header(plan: Plan, recording: Recording, salt: bytes) -> PlanHeader:
    kept, found = recording.snapshot, [finding.code for finding in plan.findings]
    header = {**plan.run(), "found": found, "compared": plan.compared, "accepted": plan.accepted}
    header["snapshot"] = {**header["snapshot"], "kept": {kept.name: kept.sha256} if kept else {}}
    header["register"] = msgspec.to_builtins(recording.register)
    if recording.heads != NO_HEADS:
        header["heads"] = msgspec.to_builtins(recording.heads)
    if recording.terms is not None:
        header["terms"] = msgspec.to_builtins(recording.terms)
    # What cannot be read back is not written: the line is held against its type here.
    line = msgspec.convert({"kind": "plan", **header}, PlanHeader)
    line.person = salted(plan.origin.made, salt)
    return line


def salted(made: Circumstances, salt: bytes) -> SaltedCircumstances:
    """Circumstances as the personal part of a line."""
    return SaltedCircumstances(salt=salt, **msgspec.structs.asdict(made))


def write_plan(plan: Plan, folder: Path, summary: str, recording: Recording) -> Path:
    """Writes the run folder: the policy's files and its canonical text, the summary, and last the sealed log.

    The log is there whole or not at all. The same plan again changes nothing. Raises InputError when the folder holds
    another plan, or files of others.
    """
    seal_plan(plan, folder, summary, recording)
    return folder / PLAN_FILE


def seal_plan(plan: Plan, folder: Path, summary: str, recording: Recording) -> SealLine | None:
    """The same; returns the seal of what was written, as this process has made it and not as the disk says it. None
    where that plan was there already."""
    path, sealed = folder / PLAN_FILE, list[SealLine]()
    try:
        if path.exists():
            if _holds(path, plan):
                return None
            help_ = "choose another folder; plans are never overwritten"
            raise InputError(f"`{folder}` holds another plan already", help_)
        if folder.is_file():
            raise InputError(f"`{folder}` is a file, not a folder", "a plan is a folder of its own")
        beside = dict(_beside(plan, summary, recording))
        _refuse_others(folder, beside)
        make_private_folder(folder)
        for name, data in beside.items():
            make_private_folder((folder / name).parent)
            write_atomically(folder / name, data)
        write_atomically(path, plan_lines(plan, recording, sealed))
    except OSError as error:
        raise InputError(f"the plan cannot be written to `{folder}`: {error.strerror}") from None
    return sealed[0]


def _holds(path: Path, plan: Plan) -> bool:
    """Whether a log is that of this plan: its id is one of moment and all inputs. What is damaged is another."""
    read = PLAN_READER.read(read_file(path))
    first = read.lines[0] if read.lines and not read.damage else None
    return isinstance(first, PlanHeader) and first.run_id == plan.run_id


def _beside(plan: Plan, summary: str, recording: Recording) -> Iterator[tuple[str, bytes]]:
    """The files beside the log, by their names in the folder."""
    for file in plan.policy.kept_files:
        yield f"{POLICY_FOLDER}/{file.name}", file.data
    yield CANONICAL_FILE, plan.policy.text.encode()
    yield SUMMARY_FILE, summary.encode()
    if recording.snapshot is not None:
        yield recording.snapshot.name, recording.snapshot.data


def _refuse_others(folder: Path, beside: dict[str, bytes]) -> None:
    """Raises InputError where a file would be written over that is not what would be written."""
    for name, data in beside.items():
        if (folder / name).exists() and read_file(folder / name) != data:
            message = f"`{folder}` holds another `{name}`, which is not overwritten"
            raise InputError(message, "choose another folder: a plan is a folder of its own")
