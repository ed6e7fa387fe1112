"""Free licenses: when they are few, when none is left, and what is said where the history is of no use."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from prometheus_client import CollectorRegistry, generate_latest

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.history.forecast import Forecast
from seatwarden.engine.history.running_out import RunningOut
from seatwarden.engine.history.store import History
from seatwarden.engine.metrics.point import line
from seatwarden.engine.monitor.capacity import FreeLicenses, free_licenses, points_of_free, seats_of
from seatwarden.engine.monitor.license_use import license_use
from seatwarden.engine.service.known import Known
from seatwarden.engine.service.state import JobResult, ServiceState
from seatwarden.engine.service.status_server import StateCollector
from seatwarden.engine.site.capacity import WarnBelow
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import Seats
from seatwarden.policy.errors import PolicyError
from tests.engine.history.sites import START, at, license_row, snapshot_of, user_row
from tests.engine.service.sites import settings_of, write_site
from tests.paths import ROOT, load_json

DAYS = 120
TODAY = (START + timedelta(days=DAYS)).date()
LATE = TODAY + timedelta(days=29)
DATED = ["earliest", "fromDays", "horizonDays", "latest", "middle", "rough"]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The history of a site in which somebody joins every other day, seen each week."""
    path = tmp_path_factory.mktemp("grown") / HISTORY_FILE
    with History(path, write=True) as history:
        for day in range(DAYS % 7, DAYS + 1, 7):
            names = [f"p{n}" for n in range(5 + day // 2)]
            rows = [license_row(name, at(-1)) for name in names]
            history.add(snapshot_of(day, [user_row(name) for name in names], rows), "it")
    return path


def _settings(folder: Path, ours: str = "") -> Settings:
    return settings_of(write_site(folder, 4242, ours=ours))


def _with_history(grown: Path, settings: Settings) -> Settings:
    settings.folder.mkdir()
    shutil.copy(grown, settings.folder / HISTORY_FILE)
    return settings


def _free(settings: Settings, available: int = 20, today: date = TODAY) -> FreeLicenses:
    (found,) = free_licenses({"analyzer": Seats(total=100, available=available)}, settings, today)
    return found


def test_the_history_of_the_site_tells_when_none_is_left(tmp_path: Path, grown: Path) -> None:
    settings = _with_history(grown, _settings(tmp_path, "capacity: {analyzer: {warnBelow: 21%, horizonDays: 60}}"))
    found = _free(settings)
    assert found.sentence == "analyzer: 20 of 100 free. That is low: below 21 %."
    first, second = found.forecast_lines
    assert first.startswith("Without further releases none is left around ")
    assert " 2026" not in first
    assert second == "With the policy going on it is not known: seatwarden has released none yet."
    assert isinstance(found.forecast.without, RunningOut)
    assert found.forecast.without.middle is not None
    assert 36 <= found.forecast.without.middle <= 44
    assert found == _free(settings), "the same history says the same"
    (point,) = points_of_free([found], (("butler_instance", "prod"),), settings.site.url, START)
    assert line(point, with_time=False).startswith(
        "seatwarden_capacity,butler_instance=prod,license_type=analyzer,site=http://127.0.0.1:4242 days_left="
    )
    assert {"days_left", "days_left_earliest", "days_left_latest", "free", "low", "warn_below"} == set(point.fields)


def test_programs_read_what_the_schema_says(tmp_path: Path, grown: Path) -> None:
    settings = _with_history(grown, _settings(tmp_path, "capacity: {analyzer: {warnBelow: 5}}"))
    found = [_free(settings).to_json(), _free(settings, available=3).to_json(), _free(settings, today=LATE).to_json()]
    assert [sorted(one["withoutReleases"]) for one in found] == [DATED, DATED, ["why"]]
    assert [one["low"] for one in found] == [False, True, False]
    schema = load_json(ROOT / "docs" / "schemas" / "monitor.schema.json")
    own = {"$ref": "#/$defs/free-licenses", "$defs": schema["$defs"]}
    assert [error.message for one in found for error in Draft202012Validator(own).iter_errors(one)] == []


def _damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:-100] = b"\xff" * (len(data) - 200)
    write_atomically(path, bytes(data))


def test_a_history_that_is_of_no_use_stops_nothing(tmp_path: Path, grown: Path) -> None:
    settings = _settings(tmp_path)
    assert _free(settings).forecast_lines == ["When none is left is not known: there is no history yet."]
    assert points_of_free([_free(settings)], (), "a site", START) == []
    _with_history(grown, settings)
    late = _free(settings, today=LATE)
    assert late.forecast_lines == ["When none is left is not known: the history ends on 5 May."]
    _damaged(settings.folder / HISTORY_FILE)
    (said,) = _free(settings).forecast_lines
    assert str(settings.folder / HISTORY_FILE) in said
    off = _settings(tmp_path, "history: {keep: false}")
    (off.folder / HISTORY_FILE).unlink()
    assert _free(off).forecast_lines == ["When none is left is not known: no history is kept."]


@pytest.mark.parametrize("seats", [{}, {"analyzer": Seats(total=100)}])
def test_where_qrs_does_not_say_how_many_are_free_nothing_is_said(tmp_path: Path, seats: dict[str, Seats]) -> None:
    assert free_licenses(seats, _settings(tmp_path), TODAY) == ()  # type: ignore[arg-type]


def test_seats_are_those_of_the_points() -> None:
    overview = b'{"analyzerAccess": {"enabled": true, "total": 100, "available": 58}, "tokensEnabled": true}'
    assert seats_of(license_use(overview, (), START)) == {"analyzer": Seats(total=100, available=58)}


# The level -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "total", "level", "words"),
    [("25", 100, 25, "25"), ("10%", 105, 11, "10 %"), ("' 5 % '", 7, 1, "5 %"), ("1%", None, None, "1 %")],
)
def test_a_level_is_a_number_or_a_share(
    tmp_path: Path, written: str, total: int | None, level: int | None, words: str
) -> None:
    capacity = _settings(tmp_path, f"capacity: {{professional: {{warnBelow: {written}}}}}").capacity
    warn_below = capacity.of("professional").warn_below
    assert warn_below is not None
    assert (warn_below.level(total), warn_below.words) == (level, words)
    assert capacity.of("analyzer").warn_below is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("warnBelow: 0", "`warnBelow` is from 1 to 1,000,000"),
        ("warnBelow: 0%", "`warnBelow` is no level"),
        ("warnBelow: 100%", "`warnBelow` is no level"),
        ("warnBelow: few", "`warnBelow` is no level"),
        ("warnBelow: 2.5", "must be a whole number"),
        ("warnBelow: true", "`warnBelow` must be a number"),
        ("warnBelow: [1]", "`warnBelow` must be a number"),
        ("horizonDays: 3000", "`horizonDays` is from 28 to 730"),
        ("warnbelow: 5", "`warnbelow`"),
    ],
)
def test_what_is_no_level_is_a_finding(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        _settings(tmp_path, f"capacity: {{analyzer: {{{written}}}}}")
    assert said in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("free", "level", "low", "enough"),
    [
        *((0, 1, True, False), (1, 1, False, False), (2, 1, False, True), (9, 10, True, False)),
        *((10, 10, False, False), (11, 10, False, False), (12, 10, False, True), (0, None, False, True)),
    ],
)
def test_enough_is_clearly_more_than_low(free: int, level: int | None, low: bool, enough: bool) -> None:
    forecast = Forecast(free, TODAY, RunningOut(None, None, None, 365, 365), RunningOut(None, None, None, 365, 365))
    found = FreeLicenses("analyzer", free, 100, level, WarnBelow(level) if level else None, forecast)
    assert (found.is_low, found.is_enough) == (low, enough)


def test_prometheus_reads_days(tmp_path: Path, grown: Path) -> None:
    settings = _with_history(grown, _settings(tmp_path, "capacity: {analyzer: {warnBelow: 5}}"))
    state = ServiceState(datetime(2026, 5, 5, tzinfo=UTC))
    found = [_free(settings), *free_licenses({"professional": Seats(available=3)}, settings, TODAY)]
    state.schedule({"licenseMonitor": "every hour"})
    state.ended("licenseMonitor", START, JobResult("done", ok=True, known=Known(free=tuple(found), free_at=START)))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StateCollector(state))
    lines = generate_latest(registry).decode().splitlines()
    assert 'seatwarden_free_licenses{license_type="analyzer"} 20.0' in lines
    assert 'seatwarden_warn_below{license_type="analyzer"} 5.0' in lines
    of = 'seatwarden_days_left{bound="middle",forecast="without_releases",license_type='
    (analyzer,) = [line for line in lines if line.startswith(f'{of}"analyzer"')]
    assert 36 <= float(analyzer.rpartition(" ")[2]) <= 44
    assert f'{of}"professional"}} +Inf' in lines, "nobody has come or gone: not within a year"
    assert not [line for line in lines if "with_policy" in line], "nothing is said of what is not known"
