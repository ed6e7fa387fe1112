"""The service of a fleet: one run of all on schedule, each site watched by itself, and none keeps another waiting."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import seatwarden.engine.fleet.serving
import seatwarden.engine.service.running
from seatwarden.engine.cli.fleets import fleet_service
from seatwarden.engine.errors import ServedAlready
from seatwarden.engine.fleet.serving import serve_fleet
from seatwarden.engine.fleet.settings import load_fleet
from seatwarden.policy.errors import InputError
from tests.engine.fleet.fleets import SimulatedFleet, simulated_fleet, wait_until
from tests.engine.idle import LICENSES

OFTEN = "enable: true\nfrequency: every 1 second\ndryRun: false"
RARELY = "enable: true\nfrequency: at 4:44 on the last day of february\ndryRun: false"


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)
    monkeypatch.setattr(seatwarden.engine.service.running, "LOOK_SECONDS", 0.05)
    for module in (seatwarden.engine.service.running, seatwarden.engine.fleet.serving):
        monkeypatch.setattr(module, "_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(seatwarden.engine.fleet.serving, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr("seatwarden.engine.cli.state_folder.user_state_path", lambda *args, **options: tmp_path)


class Serving:
    """A fleet's service at work in a thread, and what its log says."""

    def __init__(self, one: SimulatedFleet) -> None:
        self._one = one

    def said(self, message: str, **facts: object) -> list[dict[str, Any]]:
        path = self._one.folder / "f.log"
        whole = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        lines = [line for line in map(json.loads, whole) if line["message"] == message]
        return [line for line in lines if facts.items() <= line.items()]

    def wait_for(self, message: str, **facts: object) -> dict[str, Any]:
        wait_until(lambda: bool(self.said(message, **facts)))
        return self.said(message, **facts)[0]


def _write(one: SimulatedFleet, *more: str) -> None:
    path = one.write()
    lines = [f"log: {{file: '{one.folder / 'f.log'}', format: json}}", *more]
    path.write_text("\n".join([*lines, path.read_text(encoding="utf-8")]), encoding="utf-8")


@contextmanager
def serving(one: SimulatedFleet) -> Iterator[Serving]:
    """The service, until the block is left; it must have ended then."""
    stop = threading.Event()
    given = fleet_service(load_fleet(one.file, {}), stop)
    thread = threading.Thread(target=serve_fleet, args=(given,))
    thread.start()
    try:
        yield Serving(one)
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_all_sites_are_released_in_one_run_under_one_limit(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 3, release=RARELY) as one:
        _write(one, "frequency: every 1 second", "limit: 8 per run, longest unused first")
        with serving(one) as service:
            first = service.wait_for("fleet run ended")
            assert first["released"] == 8
            wait_until(lambda: sum(one.released.values()) == 3 * LICENSES)
            assert service.said("site ended", name="s1")[0]["outcome"] == "done"
        assert len(service.said("fleet service ended")) == 1
        assert service.said("plan sealed") == [], "no site has released by itself"


def test_nothing_is_released_because_it_starts_nor_where_it_is_switched_off(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2, release=RARELY) as one:
        _write(one, "frequency: at 4:44 on the last day of february")
        with serving(one) as service:
            service.wait_for("on schedule", job="fleet")
        assert not any(qrs.requests for qrs in one.sites.values())
        path = one.folder / "s0" / "site.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("enable: true", "enable: false"), encoding="utf-8")
        _write(one, "frequency: every 1 second")
        with serving(one) as service:
            service.wait_for("fleet run ended")
        assert one.released == {"s0": 0, "s1": LICENSES}
        assert service.said("site ended", name="s0")[0]["outcome"] == "switched off"


def test_without_a_schedule_each_site_is_released_by_its_own(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2, release=OFTEN) as one:
        path = one.folder / "s1" / "site.yaml"
        path.write_text(
            path.read_text(encoding="utf-8").replace("every 1 second", "at 4:44 on the last day of february")
        )
        _write(one)
        with serving(one) as service:
            wait_until(lambda: one.released["s0"] == LICENSES)
            assert service.wait_for("service started", name="s0")["dryRun"] is False
        assert one.released == {"s0": LICENSES, "s1": 0}
        assert {line["name"] for line in service.said("service ended")} == {"s0", "s1"}


def test_a_site_whose_files_are_wrong_keeps_no_other_waiting_and_comes_in_later(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2, release=OFTEN) as one:
        policy = one.folder / "s0" / "p.policy"
        right = policy.read_text(encoding="utf-8")
        policy.write_text("release analyzr\n", encoding="utf-8")
        _write(one)
        with serving(one) as service:
            said = service.wait_for("this site is not watched", name="s0")
            assert "SW001: unexpected `analyzr` (p.policy:1:9)" in said["why"]
            wait_until(lambda: one.released["s1"] == LICENSES)
            policy.write_text(right, encoding="utf-8")
            wait_until(lambda: one.released["s0"] == LICENSES)
        assert len(service.said("this site is not watched")) == 1, "what lasts is said once"


def test_a_service_that_breaks_off_ends_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = seatwarden.engine.service.running._attend
    broken: list[str] = []

    def attend(service: Any, state: Any, given: Any) -> None:
        if service.settings.folder.parent.name == "s0" and not broken:
            broken.append("s0")
            raise ZeroDivisionError
        whole(service, state, given)

    monkeypatch.setattr(seatwarden.engine.service.running, "_attend", attend)
    with simulated_fleet(tmp_path, 2, release=OFTEN) as one:
        _write(one)
        with serving(one) as service:
            said = service.wait_for("this site is not watched", name="s0")
            assert said["why"] == "a defect of seatwarden: ZeroDivisionError"
            wait_until(lambda: one.released == {"s0": LICENSES, "s1": LICENSES})


def test_a_limit_without_a_schedule_is_no_limit(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 1, release=OFTEN) as one:
        _write(one, "limit: 8 per run")
        with pytest.raises(InputError, match="nothing says when that is"):
            serve_fleet(fleet_service(load_fleet(one.file, {}), threading.Event()))
        assert one.sites["s0"].requests == []


def test_a_second_service_of_the_same_fleet_is_refused(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 1, release=RARELY) as one:
        _write(one)
        with serving(one) as service:
            service.wait_for("fleet service started")
            with pytest.raises(ServedAlready):
                serve_fleet(fleet_service(load_fleet(one.file, {}), threading.Event()))
