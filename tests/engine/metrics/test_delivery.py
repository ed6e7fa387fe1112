"""The spool and the delivery: whatever the database does, points arrive in order and once."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.metrics import spool as spool_module
from seatwarden.engine.metrics.delivery import MAX_TRIES, Delivery, deliver, refused_lines, send
from seatwarden.engine.metrics.point import Point
from seatwarden.engine.metrics.spool import BATCH_LINES, SPOOL_FOLDER, PointBatch, Spool, SpoolBounds
from seatwarden.engine.metrics.writer import Rejected, Unavailable
from tests.engine.metrics.databases import Influx, Victoria
from tests.engine.metrics.servers import Answering
from tests.ports import dead_port

NOW = datetime.now(UTC)


class Memory:
    """A database in memory that can be down, and refuses lines with `bad` in them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.up = True
        self.requests = 0

    def write(self, lines: Sequence[str]) -> None:
        self.requests += 1
        if not self.up:
            raise Unavailable("down")
        if any("bad" in line for line in lines):
            raise Rejected("field type conflict")
        self.lines += lines

    def close(self) -> None:
        pass


def point(n: int, value: float | str = 1.0) -> Point:
    return Point("m", (("n", f"{n:05}"),), {"v": value}, NOW + timedelta(milliseconds=n))


def batch_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.lines"))


def test_what_is_sent_leaves_the_spool(tmp_path: Path) -> None:
    database, spool = Memory(), Spool(tmp_path)
    assert deliver(["a", "b"], database, spool) == Delivery(sent=2)
    assert database.lines == ["a", "b"]
    assert batch_names(tmp_path) == []


def test_an_outage_is_made_good_in_order(tmp_path: Path) -> None:
    database, spool = Memory(), Spool(tmp_path)
    database.up = False
    assert deliver(["a"], database, spool) == Delivery(waiting=1, problem="down")
    assert deliver(["b", "c"], database, spool) == Delivery(waiting=3, problem="down")
    assert deliver([], database, spool) == Delivery(waiting=3, problem="down")
    assert deliver([], database, spool).describe() == "0 points written, 3 waiting: down"
    database.up = True
    assert deliver(["d"], database, Spool(tmp_path)) == Delivery(sent=4)
    assert database.lines == ["a", "b", "c", "d"]


def test_batches_are_bounded(tmp_path: Path) -> None:
    database = Memory()
    lines = [str(n) for n in range(2 * BATCH_LINES + 1)]
    assert deliver(lines, database, Spool(tmp_path)) == Delivery(sent=len(lines))
    assert (database.lines, database.requests) == (lines, 3)


@pytest.mark.parametrize("bounds", [SpoolBounds(lines=3), SpoolBounds(bytes=86 + 3 * 5)])
def test_a_full_spool_keeps_the_oldest_and_counts_what_is_lost(tmp_path: Path, bounds: SpoolBounds) -> None:
    database, spool = Memory(), Spool(tmp_path, bounds)
    database.up = False
    first = deliver(["old0", "old1"], database, spool)
    assert first.dropped == 0
    second = deliver(["new0", "new1", "new2"], database, spool)
    assert second.dropped == 3 - (second.waiting - 2) > 0
    assert second.problem is not None
    assert second.problem.startswith("the spool is full: the newest points are lost")
    database.up = True
    deliver([], database, spool)
    assert database.lines == ["old0", "old1", "new0"][: second.waiting]


def test_bad_lines_are_found_by_halving(tmp_path: Path) -> None:
    database, spool = Memory(), Spool(tmp_path)
    lines = [f"bad{n}" if n in (0, 500, 999) else f"good{n}" for n in range(1000)]
    report = deliver([*lines, "later"], database, spool)
    assert (report.sent, report.rejected, report.waiting) == (998, 3, 0)
    assert report.problem is not None
    assert "field type conflict" in report.problem
    assert str(spool.rejected_folder) in report.problem
    assert database.lines == [line for line in lines if "good" in line] + ["later"]
    assert database.requests < 70
    (kept,) = spool.rejected_folder.glob("*.lines")
    assert kept.read_text() == "".join(f"# field type conflict\n{bad}\n" for bad in ("bad0", "bad500", "bad999"))


def test_rejected_files_are_bounded_and_none_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MAX_REJECTED", 3)
    for n in range(5):
        deliver([f"bad{n}"], Memory(), Spool(tmp_path))
    kept = [path.read_text().split("\n")[1] for path in sorted((tmp_path / "rejected").iterdir())]
    assert kept == ["bad2", "bad3", "bad4"]


def test_down_in_the_middle_of_halving_loses_nothing(tmp_path: Path) -> None:
    class Fickle(Memory):
        def write(self, lines: Sequence[str]) -> None:
            self.up = self.requests != 2
            super().write(lines)

    database = Fickle()
    lines = ["a", "b", "bad", "c"]
    first = deliver(lines, database, Spool(tmp_path))
    assert (first.sent, first.waiting, first.rejected) == (0, 4, 0)
    second = deliver([], database, Spool(tmp_path))
    assert (second.sent, second.waiting, second.rejected) == (3, 0, 1)
    assert list(dict.fromkeys(database.lines)) == ["a", "b", "c"]


def test_torn_and_foreign_files_stand_in_nobodys_way(tmp_path: Path) -> None:
    database, spool = Memory(), Spool(tmp_path)
    database.up = False
    for line in "abcd":
        deliver([line], database, spool)
    torn, bad_text, changed, _ = (tmp_path / name for name in batch_names(tmp_path))
    torn.write_bytes(torn.read_bytes()[:-2])
    bad_text.write_bytes(b"\xff\xfe")
    changed.write_text(changed.read_text().replace("c", "X"))
    (tmp_path / "000000000099-0001.lines").mkdir()
    (tmp_path / "readme.txt").write_text("foreign")
    (tmp_path / ".000000000007-0001.lines.part").write_text("half")
    database.up = True
    report = deliver(["e"], database, spool)
    assert (database.lines, report.sent, report.waiting) == (["d", "e"], 2, 0)
    assert report.problem is not None
    assert report.problem.count("damaged file of the spool was moved to") == 4
    assert len(list(spool.aside_folder.iterdir())) == 4
    assert not list(tmp_path.glob(".*.part"))
    assert deliver([], database, spool) == Delivery()


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no folder can be here")
    database = Memory()
    report = deliver(["a", "bad", "b"], database, Spool(place))
    assert (report.sent, report.rejected, report.dropped) == (2, 1, 0)
    assert report.problem is not None
    assert report.problem.startswith("points cannot be kept on disk: ")
    database.up = False
    assert deliver(["c"], database, Spool(place)).dropped == 1


@pytest.mark.parametrize("listed", [True, False])
def test_a_batch_that_cannot_be_deleted_is_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    """On Windows a file stays while a virus scanner has it open; deleted, it may be listed until it is let go."""
    database, spool = Memory(), Spool(tmp_path)

    def held(batch: PointBatch) -> None:
        if not listed:
            raise PermissionError(13, "in use")

    monkeypatch.setattr(spool, "remove", held)
    report = deliver(["a", "b"], database, spool)
    (name,) = batch_names(tmp_path)
    problem = None if listed else f"`{tmp_path / name}` is delivered, but cannot be deleted: in use"
    assert (report, database.lines) == (Delivery(sent=2, problem=problem), ["a", "b"])


def test_a_spool_that_cannot_be_read_keeps_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, spool = Memory(), Spool(tmp_path)

    def held(batch: PointBatch) -> list[str]:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(spool, "read", held)
    assert deliver(["a"], database, spool) == Delivery(waiting=1, problem="the spool cannot be used: in use")
    assert database.lines == []
    assert deliver([], database, Spool(tmp_path)) == Delivery(sent=1)


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """The kernel refuses the file in the middle of its writing; nothing half stays, and the points are sent."""
    resource = pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    database = Memory()
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, hard))
    try:
        report = deliver(["a" * 100, "b"], database, Spool(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert report == Delivery(sent=2, problem="points cannot be kept on disk: File too large")
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_a_second_process_only_spools(tmp_path: Path) -> None:
    database, spool = Memory(), Spool(tmp_path)
    code = "import sys, time; from filelock import FileLock\nwith FileLock(sys.argv[1]): print(flush=True); input()"
    arguments = [sys.executable, "-c", code, str(tmp_path / "delivery.lock")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        problem = "another process is delivering, and takes these along"
        assert deliver(["a"], database, spool) == Delivery(waiting=1, problem=problem)
        other.communicate("\n")
    assert deliver([], database, spool) == Delivery(sent=1)


def test_a_batch_with_the_name_of_one_that_was_just_sent_is_sent_too(tmp_path: Path) -> None:
    """A spool that is emptied numbers its batches anew, and another process may add to it while one delivers."""

    class AddingMeanwhile(Spool):
        """While it delivers `a`, somebody else adds `b`."""

        def remove(self, batch: PointBatch) -> bool:
            free = super().remove(batch)
            if database.lines == ["a"]:
                Spool(tmp_path).add(["b"])
            return free

    database = Memory()
    assert deliver(["a"], database, AddingMeanwhile(tmp_path)) == Delivery(sent=2)
    assert database.lines == ["a", "b"]
    assert batch_names(tmp_path) == []


def test_many_at_once_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    database = Memory()

    def work(who: int) -> None:
        for n in range(20):
            deliver([f"{who}-{n:02}"], database, Spool(tmp_path))

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver([], database, Spool(tmp_path))
    assert sorted(database.lines) == sorted({f"{who}-{n:02}" for who in range(4) for n in range(20)})
    for who in range(4):
        mine = [line for line in database.lines if line.startswith(f"{who}-")]
        assert mine == sorted(mine)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 7), st.booleans()), max_size=12),
    st.integers(1, 12),
)
def test_random_ups_and_downs(
    tmp_path_factory: pytest.TempPathFactory, days: list[tuple[bool, int, bool]], room: int
) -> None:
    """Never lost within the bound, never out of order, never twice; what is lost is counted, and is the newest."""
    folder = tmp_path_factory.mktemp("spool")
    database = Memory()
    expected: list[str] = []
    good_waiting = number = lost = refused = 0
    for up, count, with_bad in days:
        database.up = up
        lines = [f"{'bad' if with_bad and n == 1 else 'good'} {number + n:04}" for n in range(count)]
        number += count
        taken = lines[: room - good_waiting]
        expected += [line for line in taken if "good" in line]
        report = deliver(lines, database, Spool(folder, SpoolBounds(lines=room)))
        lost += len(lines) - len(taken)
        refused += report.rejected
        assert report.dropped == len(lines) - len(taken)
        good_waiting = 0 if up else good_waiting + len(taken)
        assert report.waiting == good_waiting
    database.up = True
    refused += deliver([], database, Spool(folder)).rejected
    assert database.lines == expected
    assert len(expected) + lost + refused == number


def test_send_to_a_real_database(influx: Influx, tmp_path: Path) -> None:
    down = influx.target(url=f"http://127.0.0.1:{dead_port()}")
    report = send([point(1), point(2)], down, tmp_path)
    assert (report.sent, report.waiting) == (0, 2)
    assert send([point(3), Point("m", (), {}, NOW)], influx.target(), tmp_path) == Delivery(sent=3)
    assert [row["n"] for row in influx.rows("SELECT n, v FROM m")] == ["00001", "00002", "00003"]
    assert batch_names(tmp_path / SPOOL_FOLDER) == []


def test_send_to_version_2(victoria: Victoria, tmp_path: Path) -> None:
    assert send([point(1)], victoria.target(url=f"http://127.0.0.1:{dead_port()}"), tmp_path).waiting == 1
    assert send([point(2)], victoria.target(), tmp_path) == Delivery(sent=2)
    found = {row["metric"]["n"]: row["timestamps"] for row in victoria.export() if row["metric"]["__name__"] == "m_v"}
    at = int(NOW.timestamp() * 1000)
    assert found == {"00001": [at + 1], "00002": [at + 2]}


def test_a_type_conflict_for_real(influx: Influx, tmp_path: Path) -> None:
    influx.statement("CREATE DATABASE butler")
    points = [point(n, "text" if n == 321 else 1.0) for n in range(1000)]
    influx.write("m v=1 1")
    report = send(points, influx.target(), tmp_path)
    assert (report.sent, report.rejected, report.waiting) == (999, 1, 0)
    assert len(influx.rows("SELECT n, v FROM m WHERE n != ''")) == 999
    (kept,) = (tmp_path / SPOOL_FOLDER / "rejected").glob("*.lines")
    assert kept.read_text().startswith("# partial write: field type conflict")
    assert 'm,n=00321 v="text"' in kept.read_text()
    influx.statement("DROP MEASUREMENT m")
    influx.write(kept.read_text(), "ms")  # as the documentation says: comments are the database's own
    assert [row["v"] for row in influx.rows("SELECT v FROM m")] == ["text"]


def test_a_full_database_keeps_the_points_for_later(influx: Influx, tmp_path: Path) -> None:
    with Answering(507, '{"error":"no space left on device"}') as full:
        report = send([point(1)], influx.target(url=full.url), tmp_path)
        assert report.waiting == 1
        assert report.problem is not None
        assert "no space left on device" in report.problem
    assert send([], influx.target(), tmp_path) == Delivery(sent=1)


def test_a_database_that_is_really_full(tmp_path: Path) -> None:
    with Influx(tmp_path / "influxdb", memory=4_000) as influx:
        points = [point(n) for n in range(1000)]
        report = send(points, influx.target(), tmp_path / "state")
        assert (report.sent, report.waiting, report.rejected) == (0, 1000, 0)
        assert report.problem is not None
        assert "cache-max-memory-size exceeded" in report.problem
        influx.kill()
        influx.memory = 1_000_000_000
        influx.start()
        assert send([], influx.target(), tmp_path / "state") == Delivery(sent=1000)
        assert len(influx.rows("SELECT n, v FROM m")) == 1000


def test_killed_in_the_middle_of_a_series(tmp_path: Path) -> None:
    """The database is killed while runs go on, and comes back: every point is there once, in the order sent."""
    with Influx(tmp_path / "influxdb") as influx:
        target = influx.target()
        reports = []
        killer = threading.Thread(target=influx.kill)
        for n in range(0, 600, 10):
            if n == 300:
                killer.start()  # and the delivery goes on at the same time
            reports.append(send([point(n + k) for k in range(10)], target, tmp_path / "state"))
        killer.join()
        assert [report.sent for report in reports[:30]] == [10] * 30
        reports.append(send([point(600)], target, tmp_path / "state"))
        assert reports[-1].waiting > 0
        assert reports[-1].problem is not None
        influx.start()
        last = send([point(601)], target, tmp_path / "state")
        assert (last.waiting, last.rejected, last.problem) == (0, 0, None)
        assert sum(report.sent for report in reports) + last.sent == 602
        assert [row["n"] for row in influx.rows("SELECT n, v FROM m")] == [f"{n:05}" for n in range(602)]


_ENDLESS = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from seatwarden.engine.metrics.delivery import send
from seatwarden.engine.site.influxdb import InfluxTarget
from seatwarden.engine.metrics.point import Point

start = datetime.fromisoformat(sys.argv[3])
for n in range(100_000):
    at = start + timedelta(milliseconds=n)
    point = Point("m", (("n", f"{n:05}"),), {"v": 1.0}, at)
    send([point], InfluxTarget(1, sys.argv[1], "butler"), Path(sys.argv[2]))
    print(n, flush=True)
"""


def test_we_ourselves_are_killed(influx: Influx, tmp_path: Path) -> None:
    """SIGKILL at any moment: the next delivery finds what was left, and nothing is lost, doubled or damaged."""
    start = NOW
    for _ in range(5):
        influx.empty()
        arguments = [sys.executable, "-c", _ENDLESS, influx.url, str(tmp_path), start.isoformat()]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _, line in zip(range(25), process.stdout, strict=False):
                reached = int(line)
            process.kill()
            rest = process.stdout.read().split()
        reached = max([reached, *map(int, rest)])
        report = send([], influx.target(), tmp_path)
        assert (report.waiting, report.rejected, report.problem) == (0, 0, None)
        found = [row["n"] for row in influx.rows("SELECT n, v FROM m")]
        assert found == [f"{n:05}" for n in range(len(found))]
        assert len(found) in (reached + 1, reached + 2)


def test_very_many_refused_lines_take_few_requests() -> None:
    database = Memory()
    lines = [f"{'bad' if n < 900 else 'good'}{n}" for n in range(1000)]
    refused = [line for line, _ in refused_lines(database, lines)]
    assert refused[:900] == lines[:900]
    assert sorted(refused + database.lines) == sorted(lines)
    assert database.requests < MAX_TRIES + 20


def test_refused_lines_of_all_bad() -> None:
    assert [line for line, _ in refused_lines(Memory(), ["bad1", "bad2", "bad3"])] == ["bad1", "bad2", "bad3"]
