"""A receipt proves one person's line to whoever has the public key, and says nothing of anybody else."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from seatwarden.engine.cli.views.receipt import verify_receipt
from seatwarden.engine.common.signed_note import NotSigned, PublicKey
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.log.chain import leaf_of
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.leaves import InclusionPaths, Tree
from seatwarden.engine.log.receipt import (
    ProvenLine,
    ProvenLines,
    Receipt,
    ReceiptMaker,
    read_receipt,
    receipt_bytes,
)
from seatwarden.engine.log.receipt_words import receipt_text
from seatwarden.engine.log.signature import Checkpoint
from seatwarden.engine.report.receipt import receipt_page
from seatwarden.policy.errors import InputError
from tests.engine.apply.applying import idle
from tests.engine.runs.approving import Approving
from tests.engine.runs.running import Site
from tests.profiles import examples

MANY = 1_000


def _ran(folder: Path, keys: Path, signers: Mapping[str, SigningKey], licenses: int, **more: str) -> Path:
    site = Approving(folder, Site(idle(licenses)), keys=keys, signers=signers, required=0, **more)  # type: ignore[arg-type]
    assert site.run().outcome == "done"
    return site.runs[0]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, key_folder: Path, signers: Mapping[str, SigningKey]) -> Path:
    """A run that has released five licenses, signed by the service."""
    return _ran(tmp_path_factory.mktemp("small"), key_folder, signers, 5)


def _lines_of(maker: ReceiptMaker, user: str) -> list[RecordedDecision]:
    return [line for line in maker.log.decisions if line.about.user_id == user]


@pytest.fixture(scope="module")
def receipt(small: Path, signers: Mapping[str, SigningKey]) -> bytes:
    """That of user1."""
    maker = ReceiptMaker(small)
    return receipt_bytes(maker.of(_lines_of(maker, "user1")))


@pytest.fixture(scope="module")
def key(signers: Mapping[str, SigningKey]) -> PublicKey:
    return signers["service"].public


def test_it_proves_what_was_decided_and_done(receipt: bytes, key: PublicKey) -> None:
    found = read_receipt(receipt, [key])
    assert found.faults == []
    assert found.signed_by == [key]
    (line,) = found.decisions
    assert (line.about.user_id, line.verdict) == ("user1", "release")
    assert found.outcomes[line.n].result == "released"


def test_it_says_nothing_of_anybody_else(receipt: bytes, small: Path) -> None:
    made = read_receipt(receipt)
    for form in (receipt, receipt_text(made).encode(), receipt_page(made)):
        for other in ("user2", "user3", "user4", "user5", "User 2", "admin (uid 1000)", "qlik1"):
            assert other.encode() not in form.replace(b"sha256-", b"")


def test_a_thousand_of_one_plan(
    tmp_path: Path, key_folder: Path, signers: Mapping[str, SigningKey], key: PublicKey
) -> None:
    maker = ReceiptMaker(_ran(tmp_path, key_folder, signers, MANY, policy="release when unused for 9999 days\n"))
    by_user = {line.about.user_id: line for line in maker.log.decisions}
    assert len(by_user) == MANY
    for user, line in by_user.items():
        found = read_receipt(receipt_bytes(maker.of([line])), [key])
        assert (found.faults, found.decisions[0].about.user_id) == ([], user)


@examples(150)
@given(data=st.data())
def test_no_flipped_byte_verifies(receipt: bytes, key: PublicKey, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(receipt) - 1))
    flipped = bytearray(receipt)
    flipped[at] ^= data.draw(st.integers(1, 255))
    assert not _verifies(bytes(flipped), key)


@examples(20)
@given(data=st.data())
def test_no_flipped_byte_of_a_text_or_a_page_verifies(receipt: bytes, key: PublicKey, data: st.DataObject) -> None:
    made = read_receipt(receipt)
    form = data.draw(st.sampled_from([receipt_text(made).encode(), receipt_page(made)]))
    at = data.draw(st.integers(0, len(form) - 1))
    flipped = bytearray(form)
    flipped[at] ^= data.draw(st.integers(1, 255))
    assert _forms_verify(form, key)
    assert not _forms_verify(bytes(flipped), key)


def _verifies(data: bytes, key: PublicKey) -> bool:
    try:
        return not read_receipt(data, [key]).faults
    except NotSigned:
        return False


def _forms_verify(data: bytes, key: PublicKey) -> bool:
    try:
        return not verify_receipt(Path("r"), data, [key]).faults
    except InputError:
        return False


def _forge(receipt: bytes, before: bytes, after: bytes) -> bytes:
    """The receipt with something else in it, its own digest put right."""
    changed = receipt.replace(before, after)
    assert changed != receipt
    return receipt_bytes(_unchecked(changed))


def _unchecked(data: bytes) -> Receipt:
    return read_receipt(data).receipt


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (b'\\"verdict\\":\\"release\\"', b'\\"verdict\\":\\"keep\\"', "does not stand under the root"),
        (b"user1", b"user9", "does not stand under the root"),
        (b'\\"result\\":\\"released\\"', b'\\"result\\":\\"skipped\\"', "does not stand under the root"),
        (b'"size":', b'"size":1', "does not stand under the root"),
        (b'"runId":"2026', b'"runId":"2027', "is no note on this run as it is"),
        (b'"register":"0', b'"register":"1', "is no note on this run as it is"),
    ],
)
def test_what_was_forged_is_found(receipt: bytes, key: PublicKey, before: bytes, after: bytes, says: str) -> None:
    found = read_receipt(_forge(receipt, before, after), [key])
    assert any(says in fault for fault in found.faults)


def test_by_another_key_it_is_not_signed(receipt: bytes, signers: Mapping[str, SigningKey]) -> None:
    assert read_receipt(receipt, [signers["mallory"].public]).faults == [
        "is not signed by `mallory`: its plan is by service",
        "is not signed by `mallory`: its journal is by service",
    ]


def test_of_a_plan_that_is_not_signed_it_says_so(
    tmp_path: Path, key_folder: Path, signers: Mapping[str, SigningKey], key: PublicKey
) -> None:
    folder = _ran(tmp_path, key_folder, signers, 2, signing="")
    maker = ReceiptMaker(folder)
    data = receipt_bytes(maker.of(_lines_of(maker, "user1")))
    assert read_receipt(data).faults == []
    assert any("is not signed" in fault for fault in read_receipt(data, [key]).faults)
    assert "is not signed" in receipt_text(read_receipt(data))


def test_nobody_is_in_it_who_signs_or_approves(receipt: bytes, tmp_path: Path) -> None:
    made = read_receipt(receipt)
    for form in (receipt, receipt_text(made).encode(), receipt_page(made)):
        for other in ("anna", "bert", "runs.jsonl", str(tmp_path.parent)):
            assert other.encode() not in form


def test_other_line_ends_are_no_change(receipt: bytes, key: PublicKey) -> None:
    text = receipt_text(read_receipt(receipt)).encode().replace(b"\n", b"\r\n")
    assert _forms_verify(text, key)


@pytest.mark.parametrize("note", [None, "mallory"])
def test_an_outcome_that_nobody_has_signed(
    receipt: bytes, key: PublicKey, signers: Mapping[str, SigningKey], note: str | None
) -> None:
    """A forged end of the story, with a note of a stranger or without one."""
    made = read_receipt(receipt).receipt
    assert made.journal is not None
    (proven,) = made.journal.lines
    line = proven.line.replace('"result":"released"', '"result":"skipped"')
    leaves = [leaf_of(line.encode())] * made.journal.size
    n = read_receipt(receipt).outcomes.popitem()[1].n
    paths = InclusionPaths(leaves)
    root = Tree.over(leaves).root().hex()
    text = None
    if note is not None:
        checkpoint = Checkpoint("outcomes", made.register, made.run_id, made.journal.size, root)
        text = signers[note].sign(str(checkpoint)).decode()
    lines = [ProvenLine(line, [one.hex() for one in paths.of(n - 1)])]
    journal = ProvenLines(made.journal.size, root, text, lines)
    forged = receipt_bytes(structs.replace(made, journal=journal))
    assert read_receipt(forged).faults == []
    assert any("its journal" in fault for fault in read_receipt(forged, [key]).faults)


def test_of_a_dry_run_there_is_none(tmp_path: Path, key_folder: Path, signers: Mapping[str, SigningKey]) -> None:
    site = Approving(tmp_path, Site(idle(1)), keys=key_folder, signers=signers, required=0)
    site.run(dry_run=True)
    with pytest.raises(InputError, match="dry run"):
        ReceiptMaker(site.runs[0])


def test_of_a_what_if_there_is_none(tmp_path: Path) -> None:
    from seatwarden.engine.log.writer import write_plan
    from tests.engine.log.golden_site import golden_plan
    from tests.engine.support import RECORDING

    write_plan(golden_plan(), tmp_path / "plan", "", RECORDING)
    with pytest.raises(InputError, match="no register"):
        ReceiptMaker(tmp_path / "plan")
