"""A receipt in words, for the person it is about: what was decided, why, on which facts, and what proves it."""

import base64
import re
from collections.abc import Iterator
from textwrap import wrap

from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.decide.decision import user_of
from seatwarden.engine.facts.facts import RecordedFact
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.receipt import VerifiedReceipt, receipt_bytes
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import RULE_KINDS

WIDTH = 78
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")
"""How the id of a run begins."""
BEGIN, END = "-----BEGIN SEATWARDEN RECEIPT-----", "-----END SEATWARDEN RECEIPT-----"
_DECIDED = {"release": "to be released", "downgrade": "to become an Analyzer license", "keep": "kept"}
_DONE = {
    "released": "was released",
    "downgraded": "was taken, and an Analyzer license given in its place",
    "left": "was left, beside the Analyzer license that was given",
    "gone": "was gone already when it was to be released",
    "skipped": "was not released after all",
    "failed": "could not be released",
    "unknown": "may have been released; it could not be found out",
}


def receipt_text(found: VerifiedReceipt) -> str:
    """The receipt as a text; below it stands the receipt itself, for whoever verifies it."""
    lines = [line for part in _parts(found) for line in _broken(part)]
    block = base64.b64encode(receipt_bytes(found.receipt)).decode()
    return "\n".join([*lines, "", BEGIN, *wrap(block, 76), END, ""])


def block_in(data: bytes) -> bytes | None:
    """The receipt that stands in a text or a page; None where there is none."""
    begin, end = data.find(BEGIN.encode()), data.find(END.encode())
    if begin < 0 or end < begin:
        return None
    try:
        return base64.b64decode(b"".join(data[begin + len(BEGIN) : end].split()), validate=True)
    except ValueError:
        return None


def person_of(found: VerifiedReceipt) -> str:
    """The person it is about."""
    if not found.decisions:
        return "nobody"
    about = found.decisions[0].about
    user = user_of(about.user_directory, about.user_id or "?")
    return printable(f"{user} ({about.user_name})" if about.user_name else user)


def what_was_decided(found: VerifiedReceipt) -> list[str]:
    """When, and by which run, as far as the receipt proves it."""
    receipt = found.receipt
    at = (
        parse_timestamp(_STAMP.sub(r"\1-\2-\3T\4:\5:\6Z", receipt.run_id[:16]))
        if _STAMP.match(receipt.run_id)
        else None
    )
    when = f"Decided for {format_instant(at)}, by run" if at is not None else "Decided by run"
    return [f"{when} {receipt.run_id} of the site whose register of runs is {receipt.register}."]


def decision_words(found: VerifiedReceipt, line: RecordedDecision) -> list[str]:
    """What was decided about one license, why, and what became of it."""
    about = line.about
    rule = f" by the rule `{about.rule}`" if about.rule and line.because in RULE_KINDS else ""
    what = f"The {line.license_type} license {about.license_id} was {_DECIDED[line.verdict]}"
    said = [f"{what}{rule}. Why: {about.reason}."]
    outcome = found.outcomes.get(line.n)
    if outcome is not None:
        detail = f" ({outcome.detail})" if outcome.detail else ""
        said.append(f"It {_DONE.get(outcome.result, outcome.result)} at {outcome.at}{detail}.")
    elif line.verdict != "keep":
        said.append(f"Whether it was {line.verdict}d, this receipt does not say.")
    return [printable(sentence) for sentence in said]


def fact_rows(line: RecordedDecision) -> list[tuple[str, str]]:
    """The facts that were looked at, by name."""
    return [(printable(name), printable(_fact(fact))) for name, fact in line.about.facts.items()]


def proof_words(found: VerifiedReceipt) -> list[str]:
    """What proves it, and what that does not prove."""
    receipt = found.receipt
    of = f"one of the {plural(receipt.plan.size, 'line')} of plan {receipt.run_id}, whose root is {receipt.plan.root}"
    said = [f"Each line above is {of}. The other lines are in the proof as hashes that say nothing of anybody."]
    if found.signers:
        said.append(f"That root is signed by {join_words(found.signers)}.")
        said.append("To check it: seatwarden log verify FILE --key PUBLIC-KEY")
    else:
        said.append("The plan is not signed: this shows that the lines fit together, not who has written them.")
    said.append("It proves that these lines were in plan and journal, not that there is no other.")
    return [printable(sentence) for sentence in said]


def _parts(found: VerifiedReceipt) -> Iterator[str]:
    yield f"Receipt about {person_of(found)}"
    yield ""
    yield from what_was_decided(found)
    for line in found.decisions:
        yield ""
        yield from decision_words(found, line)
        rows = fact_rows(line)
        width = max((len(name) for name, _ in rows), default=0)
        yield from (f"  {name:<{width}}  {value}" for name, value in rows)
    yield ""
    yield from proof_words(found)


def _broken(line: str) -> list[str]:
    if line.startswith("  ") or not line:
        return [line]
    return wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)


def _fact(fact: RecordedFact) -> str:
    if isinstance(fact, Unknown):
        return f"not known: {fact.reason}"
    return ", ".join(map(str, fact)) or "none"
