"""What is fuzzed: each way by which bytes that somebody else wrote come into the program.

A target takes any bytes and returns what was said of them (None: they were read). Only the errors that are meant
for users may come out; everything else is a crash.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.site.connection import load_site
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.engine.testing.run import run_policy_test
from seatwarden.grammar.parser import parse_policy
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.loading import CheckedPolicy, check_text, load_policy
from seatwarden.policy.testing.test_file import load_policy_test
from tests.strategies import NOW

Target = Callable[[bytes], str | None]

SNAPSHOT = b"""{"takenAt": "2026-11-21T02:00:00.000Z",
"users": [{"id": "u", "userId": "a", "userDirectory": "B", "tags": []}],
"licenses": {"professional": [], "analyzer": [{"id": "l", "user": {"id": "u"}, "quarantined": false,
"createdDate": "2026-01-01T00:00:00Z"}]}}"""
POLICY = """keep "vips" when user.tags = "vip" or user.@Department like "F*" and not month = [11, 12]
release when unused for 30 days and user.licenses = "analyzer"
"""
_DAY = make_day(NOW, "Europe/Stockholm")


def policy_text(data: bytes) -> str | None:
    """Policy text: what is read is printed, read again the same, checked, and decides."""
    text = data.decode(errors="replace")
    try:
        checked = check_text(text, "p.policy")
    except PolicyError as error:
        return _said(error)
    assert parse_policy(print_policy(checked.tree), "p.policy") == checked.tree
    _decide(checked, SNAPSHOT)
    return None


def butler_yaml(data: bytes) -> str | None:
    """Butler's settings, the whole file or parts of it."""
    text = data.decode(errors="replace")
    try:
        tree = parse_butler(text, "p.yaml")
        checked = check_text(print_policy(tree), "p.policy")
    except PolicyError as error:
        return _said(error)
    assert checked.written == tree
    _decide(checked, SNAPSHOT)
    return None


def policy_file(data: bytes) -> str | None:
    """A policy file, in any encoding."""
    return _loaded("p.policy", data, load_policy)


def site_file(data: bytes) -> str | None:
    """A site file."""
    return _loaded("site.yaml", data, lambda path: load_site(path, {}))


def policy_test(data: bytes) -> str | None:
    """A policy test, which runs when it can be read."""
    return _loaded("p.test.yaml", data, lambda path: run_policy_test(load_policy_test(path)))


def snapshot(data: bytes) -> str | None:
    """A snapshot, which is decided on when it can be read."""
    try:
        _decide(_policy(), data)
    except InputError as error:
        return error.message
    return None


TARGETS: Mapping[str, Target] = {
    target.__name__: target for target in (policy_text, butler_yaml, policy_file, site_file, policy_test, snapshot)
}


@lru_cache(maxsize=1)
def _policy() -> CheckedPolicy:
    return check_text(POLICY, "p.policy")


def _decide(policy: CheckedPolicy, data: bytes) -> None:
    for decision in decide_all(policy, decode_snapshot(data, "s.json"), _DAY):
        assert decision.verdict in ("keep", "release")
        assert decision.reason


def _said(error: PolicyError) -> str:
    """Every finding as it would be printed."""
    assert error.diagnostics
    return "\n".join(render(diagnostic, error.sources) for diagnostic in error.diagnostics)


_folders: list[Path] = []


def _folder() -> Path:
    """A folder for the files of this process, with a policy and a snapshot that tests may name."""
    if not _folders:
        _folders.append(Path(mkdtemp(prefix="seatwarden-fuzz-")))
        (_folders[0] / "q.policy").write_text(POLICY, encoding="utf-8")
        (_folders[0] / "q.json").write_bytes(SNAPSHOT)
    return _folders[0]


def _loaded(name: str, data: bytes, load: Callable[[Path], object]) -> str | None:
    path = _folder() / name
    path.write_bytes(data)
    try:
        load(path)
    except PolicyError as error:
        return _said(error)
    except InputError as error:
        return error.message
    finally:
        with suppress(OSError):
            path.unlink()
    return None
