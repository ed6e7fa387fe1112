"""Killed at each step that is on the disk while an approved plan is applied: it is applied once, and verifies."""

import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Never

import pytest

from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.log.chain import ChainLine
from seatwarden.engine.log.growing import GrowingChain
from seatwarden.engine.log.signature import write_note
from seatwarden.engine.runs import record
from tests.engine.apply.applying import idle
from tests.engine.runs.approving import Approving
from tests.engine.runs.running import Site

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be doubled there")
KILLED = 9
MOST_STEPS = 24


@pytest.fixture
def site(tmp_path: Path, key_folder: Path, signers: Mapping[str, SigningKey]) -> Approving:
    site = Approving(tmp_path, Site(idle(2)), keys=key_folder, signers=signers)
    site.run()
    for name in ("anna", "bert"):
        site.answer(site.runs[0], name)
    return site


def _run_killed(site: Approving, at: int, sent: Path) -> bool:
    """A run in a process that ends at a step; whether it came as far. What QRS got stands in `sent`."""
    child = os.fork()
    if child == 0:
        _run_to(site, at, sent)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def _run_to(site: Approving, at: int, sent: Path) -> Never:
    steps, append, note = [0], GrowingChain._write, write_note

    def step() -> None:
        steps[0] += 1
        if steps[0] == at:
            os._exit(KILLED)

    def appended(chain: GrowingChain, line: ChainLine) -> None:
        append(chain, line)
        step()

    def noted(*given: Any) -> None:
        note(*given)
        step()

    def deleted(license_id: str) -> None:
        with sent.open("a", encoding="utf-8") as file:
            file.write(f"{license_id}\n")

    try:
        setattr(GrowingChain, "_write", appended)  # noqa: B010 - for the type checker
        setattr(record, "write_note", noted)  # noqa: B010 - as imported there
        site.qrs.on_delete = deleted
        site.run()
    finally:
        os._exit(0)


@pytest.mark.parametrize("at", range(1, MOST_STEPS))
def test_it_is_applied_once_and_verifies(site: Approving, at: int, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.touch()
    if not _run_killed(site, at, sent):
        assert at > MOST_STEPS // 2  # there are that many steps
        return
    before = sent.read_text(encoding="utf-8").split()
    for license_id in before:
        site.qrs.remove(license_id)
    site.now += timedelta(minutes=1)
    site.run()
    after = list(site.qrs.deletes)
    assert sorted([*before, *after]) == ["l1", "l2"]
    site.run()
    assert site.qrs.deletes == []
    assert site.verified().faults == []
