"""What `log verify` says of a receipt."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.terminal.output import note, print_result, say, warn
from seatwarden.engine.cli.terminal.prose import broken, room
from seatwarden.engine.cli.views.record import record_to_json
from seatwarden.engine.common.signed_note import NotSigned, PublicKey
from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.log.receipt import VerifiedReceipt, is_receipt, read_receipt
from seatwarden.engine.log.receipt_words import block_in, decision_words, person_of, receipt_text
from seatwarden.engine.log.verify import VerifiedRecord
from seatwarden.engine.version import VERSION
from seatwarden.policy.errors import InputError


def say_receipt(place: Path, data: bytes, keys: Sequence[PublicKey], format_: str) -> ExitCode:
    """Verifies the receipt in a file, and says what it proves and what is wrong with it. Raises InputError."""
    found = verify_receipt(place, data, keys)
    if not keys:
        warn("no key was given: whether the signature is right was not asked; name the key with --key PUB")
    if format_ == "json":
        faults = [{"path": str(place), "line": None, "problem": problem} for problem in found.faults]
        print_result({**record_to_json(VerifiedRecord(), ()), "receipt": receipt_to_json(found), "faults": faults})
    else:
        say("\n".join(broken(list(receipt_lines(place, found)), room())))
        for problem in found.faults:
            note(f"error: {place}: the receipt {printable(problem)}")
    return ExitCode.NO if found.faults else ExitCode.DONE


def verify_receipt(place: Path, data: bytes, keys: Sequence[PublicKey]) -> VerifiedReceipt:
    """The receipt in a file, in whichever form; what stands around it must be what it says. Raises InputError."""
    inner = data if is_receipt(data) else block_in(data)
    try:
        if inner is None:
            raise NotSigned("holds no receipt that can be read")
        found = read_receipt(inner, keys)
    except NotSigned as fault:
        raise InputError(f"`{place}` {fault}", "was it changed on its way? ask for it anew") from None
    # A mail or an editor may have written other line ends; nothing else may be otherwise.
    if inner is not data and not found.faults and data.replace(b"\r\n", b"\n") not in _forms(found, data):
        made = found.receipt.tool
        if made == f"seatwarden {VERSION}":
            found.faults.append("says otherwise in words than it proves: the words were changed")
        else:
            problem = f"was written by {made}: whether its words were changed cannot be told here"
            found.faults.append(f"{problem}; what it proves stands above")
    return found


def _forms(found: VerifiedReceipt, data: bytes) -> Iterator[bytes]:
    if data.lstrip()[:1] != b"<":
        yield receipt_text(found).encode()
        return
    from seatwarden.engine.report.receipt import receipt_page  # jinja2 takes a while to import

    yield receipt_page(found)


def receipt_lines(place: Path, found: VerifiedReceipt) -> Iterator[str]:
    """What it proves, in words."""
    receipt = found.receipt
    yield f"{place}: {'verified' if not found.faults else 'read, with faults'}"
    yield printable(f"  about  {person_of(found)}, {plural(len(found.decisions), 'license')}")
    yield f"  run    {receipt.run_id} of register {receipt.register}"
    yield f"  seal   {receipt.plan.root}"
    if found.signed_by:
        yield printable(f"  by     signed by {join_words([key.name for key in found.signed_by])}")
    elif found.signers:
        yield printable(f"  by     a note of {join_words(found.signers)}, not checked")
    for line in found.decisions if not found.faults else ():
        yield from (f"  {words}" for words in decision_words(found, line))


def receipt_to_json(found: VerifiedReceipt) -> dict[str, Any]:
    """The same for programs."""
    return {
        "runId": found.receipt.run_id,
        "register": found.receipt.register,
        "root": found.receipt.plan.root,
        "person": person_of(found),
        "signedBy": [str(key) for key in found.signed_by],
        "licenses": [
            {
                "line": line.n,
                "licenseType": line.license_type,
                "verdict": line.verdict,
                "reason": line.about.reason,
                "outcome": found.outcomes[line.n].result if line.n in found.outcomes else None,
            }
            for line in found.decisions
        ],
    }
