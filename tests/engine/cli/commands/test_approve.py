"""`approve`, `log new-key --sign`, `log keys`, `plan --sign`, `apply` under approvals: from the shell."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seatwarden.engine.common.signing_key import read_signing_key
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Ran, Run
from tests.engine.service.sites import write_site
from tests.engine.signers import WORDS

PASS = ("--passphrase-env", "PASS")
Approve = Callable[..., Ran]


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that has the passphrase of all keys; nobody types one."""
    monkeypatch.setenv("PASS", WORDS)
    monkeypatch.setattr("sys.stdin", io.StringIO())


@pytest.fixture
def site(tmp_path: Path, idle_qrs: SimulatedQrs, key_folder: Path) -> Path:
    """A site file that demands a signature and one approval."""
    carl, anna, bert = (f"'{key_folder / name}.pub'" for name in ("carl", "anna", "bert"))
    ours = f"signing: {{keys: [{carl}]}}\napprovals: {{required: 1, keys: [{anna}, {bert}]}}"
    return write_site(tmp_path, idle_qrs.port, ours=ours)


@pytest.fixture
def planned(run: Run, site: Path, tmp_path: Path, key_folder: Path) -> Path:
    """A signed plan of it."""
    folder = tmp_path / "plan"
    made = run("plan", "--site", site, "-o", folder, "--sign", key_folder / "carl.key", *PASS)
    assert made.code == 0, made.err
    return folder


@pytest.fixture
def approve(run: Run, planned: Path, key_folder: Path) -> Approve:
    """Approves it by the key of that name."""
    return lambda name, *more: run("approve", planned, "--key", key_folder / f"{name}.key", "-y", *PASS, *more)


def test_a_new_key(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "dora.key"
    made = run("log", "new-key", path, "--sign", *PASS)
    assert made.code == 0
    public = path.with_suffix(".pub").read_text(encoding="utf-8")
    assert public.startswith("dora+")
    assert public in made.out
    assert read_signing_key(path, WORDS), "nobody else can read it"
    assert WORDS not in made.out + made.err
    again = run("log", "new-key", path, "--sign", *PASS)
    assert (again.code, "never overwritten" in again.err) == (2, True)


def test_a_passphrase_can_be_piped_in(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WORDS}\r\n"))
    assert run("log", "new-key", tmp_path / "k.key", "--sign").code == 0
    assert read_signing_key(tmp_path / "k.key", WORDS).public.name == "k"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--name", "dora"), "add --sign"),
        (("--sign", "--name", "a b", *PASS), "no name of a key"),
        (("--sign", "--passphrase-env", "NOT_THERE"), "no variable"),
        (("--sign",), "nobody is here to type"),
    ],
)
def test_keys_that_cannot_be_made(run: Run, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    made = run("log", "new-key", tmp_path / "k.key", *arguments)
    assert (made.code, says in made.err) == (2, True)
    assert not (tmp_path / "k.key").exists()


def test_a_short_passphrase_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "short")
    made = run("log", "new-key", tmp_path / "k.key", "--sign", *PASS)
    assert (made.code, "fewer than 8" in made.err) == (2, True)


def test_what_is_approved_is_applied(
    run: Run, planned: Path, site: Path, approve: Approve, idle_qrs: SimulatedQrs
) -> None:
    refused = run("apply", planned, "--site", site, "-y")
    assert (refused.code, "needs 1 approval, and it has 0" in refused.err) == (1, True)
    approved = approve("anna", "--comment", "as agreed")
    assert approved.code == 0
    assert "would be released" in approved.out
    assert "The plan has 1 of 1 approvals" in approved.out
    shown = run("log", "show", planned)
    assert "Approved by anna on" in shown.out
    assert '"as agreed"' in shown.out
    done = run("apply", planned, "--site", site, "-y")
    assert done.code == 0, done.err
    assert "approved by anna" in done.out
    verified = run("log", "verify", planned)
    assert verified.code == 0, verified.err
    assert "signed by carl" in verified.out


def test_options_can_only_tighten(run: Run, planned: Path, site: Path, approve: Approve) -> None:
    approve("anna", "--limit", "1 per run")
    loosened = run("apply", planned, "--site", site, "-y", "--limit", "1000 per run")
    assert loosened.code == 1
    assert "the limit of 1 per run" in loosened.err


def test_an_unsigned_plan_is_said_to_be_so(run: Run, site: Path, tmp_path: Path, key_folder: Path) -> None:
    folder = tmp_path / "bare"
    made = run("plan", "--site", site, "-o", folder)
    assert "this plan has none" in made.err
    answered = run("approve", folder, "--key", key_folder / "anna.key", "-y", *PASS)
    assert (answered.code, "is not signed" in answered.err) == (1, True)
    applied = run("apply", folder, "--site", site, "-y")
    assert (applied.code, "is not signed" in applied.err) == (1, True)


def test_somebody_is_taken_out_by_name_or_by_line(planned: Path, approve: Approve) -> None:
    found = json.loads(approve("anna", "--exclude", "user01", "--format", "json").out)
    assert len(found["excluded"]) == 1
    assert (found["needs"], found["has"], found["answer"]) == (1, 1, "approve")


@pytest.mark.parametrize(
    ("name", "more", "code", "says"),
    [
        ("mallory", (), 1, "may not approve this plan"),
        ("anna", ("--exclude", "nobody-at-all"), 2, "there is no user"),
        ("anna", ("--limit", "many"), 2, "--limit"),
        ("anna", ("--expires", "2020-01-01T00:00:00Z"), 2, "over already"),
        ("anna", ("--expires", "2020-01-01"), 2, "a day has no time"),
    ],
)
def test_what_cannot_be_answered(approve: Approve, name: str, more: tuple[str, ...], code: int, says: str) -> None:
    answered = approve(name, *more)
    assert (answered.code, says in answered.err) == (code, True)


def test_a_wrong_passphrase(run: Run, planned: Path, key_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "another one")
    answered = run("approve", planned, "--key", key_folder / "anna.key", "-y", *PASS)
    assert (answered.code, "passphrase" in answered.err) == (2, True)
    assert not (planned / "approvals").exists()


def test_nobody_is_there_to_confirm(run: Run, planned: Path, key_folder: Path) -> None:
    answered = run("approve", planned, "--key", key_folder / "anna.key", *PASS)
    assert (answered.code, "nobody is here to confirm" in answered.err) == (2, True)


def test_a_rejected_plan_is_refused_with_the_reason(run: Run, planned: Path, site: Path, approve: Approve) -> None:
    assert "Rejected by anna" in approve("anna", "--reject", "--comment", "not in December").out
    applied = run("apply", planned, "--site", site, "-y")
    assert (applied.code, "not in December" in applied.err) == (1, True)
    listed = run("log", "list", planned)
    assert "rejected" in listed.out


def test_a_key_that_is_retired_or_compromised(run: Run, planned: Path, site: Path, approve: Approve) -> None:
    approve("anna")
    gone = run("log", "keys", "--site", site, "--retire", "anna", "--reason", "left the company")
    assert gone.code == 0, gone.err
    assert "still names it" in gone.out
    applied = run("apply", planned, "--site", site, "-y")
    assert (applied.code, "needs 1 approval" in applied.err) == (1, True)
    listed = run("log", "keys", "--site", site)
    assert "retired" in listed.out
    assert run("log", "keys", "--site", site, "--retire", "anna", "--reason", "again").code == 1


def test_a_signature_from_before_the_key_was_retired_counts(
    run: Run, planned: Path, site: Path, approve: Approve
) -> None:
    approve("anna")
    assert run("log", "keys", "--site", site, "--retire", "carl", "--reason", "a new one").code == 0
    assert run("apply", planned, "--site", site, "-y").code == 0
    assert run("log", "verify", planned).code == 0


def test_a_signature_of_a_compromised_key_does_not(run: Run, planned: Path, site: Path, approve: Approve) -> None:
    approve("anna")
    assert run("log", "keys", "--site", site, "--compromised", "carl", "--reason", "laptop stolen").code == 0
    applied = run("apply", planned, "--site", site, "-y")
    assert (applied.code, "counts no longer" in applied.err) == (1, True)


def test_a_what_if_is_not_signed(run: Run, site: Path, tmp_path: Path, key_folder: Path) -> None:
    sign = ("--sign", key_folder / "carl.key", *PASS)
    made = run("plan", "--site", site, "--now", "2030-01-01", "-o", tmp_path / "w", *sign)
    assert (made.code, "what-if" in made.err) == (2, True)
    assert (run("plan", "--site", site, *sign).code) == 2


def test_a_receipt_of_it(run: Run, planned: Path, key_folder: Path, tmp_path: Path) -> None:
    for name in ("r.txt", "r.json", "r.html"):
        made = run("log", "receipt", planned, "user01", "-o", tmp_path / name)
        assert made.code == 0, made.err
        verified = run("log", "verify", tmp_path / name, "--key", key_folder / "carl.pub")
        assert (verified.code, "signed by carl" in verified.out) == (0, True)
        other = run("log", "verify", tmp_path / name, "--key", key_folder / "anna.pub")
        assert (other.code, "is not signed by `anna`" in other.err) == (1, True)
        assert "no key was given" in run("log", "verify", tmp_path / name).err
    assert run("log", "receipt", planned, "user01", "-o", tmp_path / "r.pdf").code == 2
    text = (tmp_path / "r.txt").read_text(encoding="utf-8")
    (tmp_path / "r.txt").write_text(text.replace("released", "protected", 1), encoding="utf-8")
    changed = run("log", "verify", tmp_path / "r.txt")
    assert (changed.code, "the words were changed" in changed.err) == (1, True)


def test_the_site_demands_its_own_guarantees(run: Run, tmp_path: Path, idle_qrs: SimulatedQrs, planned: Path) -> None:
    """A plan by another policy is applied only if it keeps what the site's policy guarantees."""
    own = (
        'let ours = ["user00", "user01"]\nguarantee "ours" never release when user.userId = ours\n'
        "keep when user.userId = ours\nrelease when unused for 30 days\n"
    )
    site = write_site(tmp_path, idle_qrs.port, policy=own)
    other = 'let ours = ["user05"]\nkeep when user.userId = ours\nrelease when unused for 30 days\n'
    (tmp_path / "other.policy").write_text(other, encoding="utf-8")
    folder = tmp_path / "other"
    assert run("plan", "--site", site, "--policy", tmp_path / "other.policy", "-o", folder).code == 0
    applied = run("apply", folder, "--site", site, "-y")
    assert applied.code == 1
    assert "the site's policy of now guarantees" in applied.err
    assert "never release when user.userId = ours" in applied.err
    assert "another policy" in applied.err


def test_who_is_forgotten_is_in_no_comment(run: Run, site: Path, key_folder: Path) -> None:
    kept, carl = site.parent / "state" / "runs", key_folder / "carl"
    own = f"key: '{carl}.key', passphrase: '${{PASS}}'"
    text = site.read_text(encoding="utf-8")
    site.write_text(text.replace(f"keys: ['{carl}.pub']", own), encoding="utf-8")
    assert run("run", "--site", site).code == 0
    (folder,) = kept.iterdir()
    key = ("--key", key_folder / "anna.key", "-y", *PASS)
    assert run("approve", folder, *key, "--comment", "user01 asked for it").code == 0
    assert run("run", "--site", site).code == 0
    (comment,) = (folder / "approvals").glob("*.comment")
    gone = run("log", "forget", "user01", "--site", site, "--reason", "left", "--yes")
    assert gone.code == 0, gone.err + gone.out
    assert not comment.exists()
    verified = run("log", "verify", site.parent / "state")
    assert verified.code == 0, verified.err
    assert "had a comment, which is gone" in verified.err
