"""`signing` and `approvals` of a site file: what is right, and what would let nothing be applied."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.site.settings import Settings, demands_of
from seatwarden.policy.errors import PolicyError
from tests.engine.service.sites import settings_of, write_site
from tests.engine.signers import WORDS

ENVIRONMENT = {"PASS": WORDS}


def _settings(folder: Path, ours: str) -> Settings:
    return settings_of(write_site(folder, 4242, ours=ours), ENVIRONMENT, scheduled=False)


@pytest.fixture
def keys(key_folder: Path) -> str:
    return key_folder.as_posix()


@pytest.mark.parametrize(
    ("written", "hours"), [("24", 24), ("36h", 36), ("2d", 48), ('"48 h"', 48), ("720", 720), ("30d", 720)]
)
def test_for_how_long(tmp_path: Path, keys: str, written: str, hours: int) -> None:
    ours = f"approvals: {{required: 1, keys: [{keys}/anna.pub], validFor: {written}}}"
    approvals = _settings(tmp_path, ours).approvals
    assert approvals is not None
    assert approvals.valid_for == timedelta(hours=hours)


def test_keys_in_files_and_written_out(tmp_path: Path, keys: str, signers: Mapping[str, SigningKey]) -> None:
    own = f'key: {keys}/service.key, passphrase: "${{PASS}}"'
    settings = _settings(tmp_path, f'signing: {{{own}, keys: ["{signers["carl"].public}"]}}')
    assert settings.signing is not None
    assert settings.signing.keys == (signers["service"].public, signers["carl"].public)
    signing = settings.signing.read()
    assert signing is not None
    assert signing.public == signers["service"].public
    assert WORDS in settings.secrets
    assert WORDS not in repr(settings.signing)
    assert demands_of(settings)["signedBy"].startswith("service+")


@pytest.mark.parametrize(
    ("ours", "says"),
    [
        ("approvals: {required: 2, keys: [KEYS/anna.pub]}", "2 approvals are required, and 1 can be given"),
        ("approvals: {required: 2, keys: [KEYS/anna.pub, KEYS/anna.key]}", "and 1 can be given"),
        ("approvals: {keys: [KEYS/anna.pub]}", "required"),
        ("approvals: {required: 1, keys: []}", "and 0 can be given"),
        ("approvals: {required: 0, keys: [KEYS/anna.pub]}", "required"),
        ("approvals: {required: 1, keys: [not-there.pub]}", "cannot be read"),
        ("approvals: {required: 1, keys: [a+b+c]}", "is no public key"),
        ("approvals: {required: 1, keys: [KEYS/anna.pub], validFor: 721}", "is no time"),
        ("approvals: {required: 1, keys: [KEYS/anna.pub], validFor: 0}", "is no time"),
        ("approvals: {required: 1, keys: [KEYS/anna.pub], validFor: soon}", "is no time"),
        ("signing: {}", "names no key"),
        ("signing: {key: KEYS/service.key}", "without its passphrase"),
        ('signing: {key: KEYS/service.key, passphrase: "${NOT_SET}"}', "NOT_SET"),
        ("signing: {key: site.yaml, passphrase: x}", "is no key for signatures"),
    ],
)
def test_what_would_let_nothing_be_applied(tmp_path: Path, keys: str, ours: str, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        _settings(tmp_path, ours.replace("KEYS", keys))
    assert any(says in found.message for found in refused.value.diagnostics), str(refused.value)
