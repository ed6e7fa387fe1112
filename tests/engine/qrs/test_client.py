"""How a site is read: few requests over one connection, compressed where QRS does that, decoded while it answers."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
import requests

from seatwarden.engine.errors import RemoteError
from seatwarden.engine.qrs import client as module
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from seatwarden.engine.site.connection import DEFAULT_USER, Site
from seatwarden.engine.snapshot.early import EarlyRows
from seatwarden.engine.snapshot.reader import decode_snapshot
from tests.engine.idle import idle_site

NOW = datetime.now(UTC)
READS = (
    *("user/full", "license/professionalaccesstype/full", "license/analyzeraccesstype/full"),
    *("license", "license/accesstypeoverview", "systemrule/full"),
)


RULE = {"id": "1", "category": "License", "resourceFilter": "License.AnalyzerAccessGroup_2", "rule": ""}


def site(qrs: SimulatedQrs, files: CertificateFiles | None = None) -> Site:
    return Site(
        host="localhost",
        port=qrs.port,
        use_tls=files is not None,
        headers=dict([DEFAULT_USER]),
        verify=True,
        certificate=files.client if files else None,
        key=files.client_key if files else None,
        authority=files.root if files else None,
    )


@pytest.fixture(params=[False, True], ids=["plain", "compressed"])
def qrs(request: pytest.FixtureRequest, certificates: CertificateFiles) -> Iterator[SimulatedQrs]:
    with SimulatedQrs(
        {**idle_site(), "licenseRules": [RULE]}, certificates=certificates, compress=request.param
    ) as server:
        yield server


def test_six_requests_over_one_connection(
    qrs: SimulatedQrs, certificates: CertificateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[Any] = []
    serve = ThreadingHTTPServer.finish_request

    def serving(server: ThreadingHTTPServer, request: Any, address: Any) -> None:
        connections.append(address)
        serve(server, request, address)

    monkeypatch.setattr(ThreadingHTTPServer, "finish_request", serving)
    with QrsClient(site(qrs, certificates), NOW) as client:
        client.snapshot(NOW)
    assert [path.partition("?")[0].removeprefix("/qrs/") for _, path in qrs.requests] == list(READS)
    assert len(connections) == 1


def test_what_is_decoded_early_is_what_the_whole_says(qrs: SimulatedQrs, certificates: CertificateFiles) -> None:
    with QrsClient(site(qrs, certificates), NOW, keep=True) as client:
        early, written = client.snapshot(NOW), client.snapshot_json(NOW)
    whole = decode_snapshot(written, "")
    assert early.data == written
    assert vars(early).keys() == vars(whole).keys()
    for name in ("digest", "users", "licenses", "taken_at", "source", "signed_key", "overview", "remarks"):
        assert getattr(early, name) == getattr(whole, name), name
    site_facts = {"license", "accessTypeOverview", "licenseRules"}
    assert json.loads(written).keys() == {"takenAt", "source", "users", "licenses", *site_facts}
    with QrsClient(site(qrs, certificates), NOW) as client:
        assert client.snapshot(NOW, attributes=False).users[0].attributes is msgspec.UNSET


Spoiling = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda site: site["users"].append({"id": "7", "userId": 1}),
        lambda site: site["users"][0].update(inactive="perhaps"),
        lambda site: site["licenses"]["analyzer"][0].update(quarantined=3),
        lambda site: site["licenses"]["analyzer"][0].update(user={"id": None}),
        lambda site: site.update(license={"signedKey": "?"}),
    ],
)
def test_one_bad_fact_costs_one_fact(spoil: Spoiling) -> None:
    spoiled = {**idle_site(), "licenseRules": [RULE]}
    spoil(spoiled)
    with SimulatedQrs(spoiled) as qrs, QrsClient(site(qrs), NOW) as client:
        early, whole = client.snapshot(NOW), decode_snapshot(client.snapshot_json(NOW), "")
        assert len(qrs.requests) == 12, "nothing is read twice"
    for name in ("digest", "users", "licenses", "remarks", "unreadable_users"):
        assert getattr(early, name) == getattr(whole, name), name


def test_license_rules_are_as_qrs_sends_them() -> None:
    for rules in ([RULE], []):
        with SimulatedQrs({**idle_site(), "licenseRules": rules}) as qrs, QrsClient(site(qrs), NOW) as client:
            assert json.loads(client.snapshot_json(NOW))["licenseRules"] == rules
            assert client.warnings == []


@pytest.mark.parametrize(
    ("rules", "fault", "why"),
    [
        (None, None, "no rule can be seen"),
        ([RULE], Fault("status", status=403), "refused us (403): no reason given"),
        ([RULE], Fault("status", status=404), "answered 404 Not Found"),
        ([RULE], Fault("truncate"), "closed the connection"),
        ([RULE], Fault("status", status=200, body="[{]"), "is no list of rules"),
        ([RULE], Fault("status", status=200, body='{"a": 1}'), "is no list of rules"),
    ],
)
def test_without_the_license_rules_all_else_is_read(rules: Any, fault: Fault | None, why: str) -> None:
    with SimulatedQrs({**idle_site(), "licenseRules": rules}) as qrs, QrsClient(site(qrs), NOW) as client:
        if fault is not None:
            qrs.faults.append(replace(fault, path_contains="systemrule/"))
        snapshot = client.snapshot(NOW)
        assert snapshot.license_rules is msgspec.UNSET
        assert len(snapshot.users) == len(idle_site()["users"])
        (warning,) = client.warnings
    assert warning.startswith("the license rules could not be read: ")
    assert why in warning


def test_rows_are_decoded_while_others_are_on_their_way() -> None:
    with EarlyRows(attributes=True) as rows:
        rows.take("users", b'[{"id": "1", "userId": "ada", "userDirectory": "CORP"}]')
        assert rows._rows["users"].result(timeout=5)[0].user_id == "ada"
        rows.take("analyzer", b'[{"id": "2"}]')
        file = rows.file(b'{"users":[],"licenses":{},"source":"here"}')
    assert file is not None
    assert (file.source, file.users[0].id, file.licenses.professional) == ("here", "1", msgspec.UNSET)


@pytest.mark.parametrize("path", READS[:-2])
@pytest.mark.parametrize("kind", ["status", "truncate", "reset_after"])
def test_after_a_failure_nothing_more_is_asked_and_no_thread_is_left(
    certificates: CertificateFiles, path: str, kind: Any
) -> None:
    with SimulatedQrs(idle_site(), certificates=certificates, compress=True) as qrs:
        with QrsClient(site(qrs, certificates), NOW) as client:
            client.get("about")
            qrs.faults.append(Fault(kind, path_contains=f"/qrs/{path}?", status=500))
            with pytest.raises(RemoteError):
                client.snapshot(NOW)
            assert not _decoding()
        asked = [asked.partition("?")[0].removeprefix("/qrs/") for _, asked in qrs.requests][1:]
        assert list(dict.fromkeys(asked)) == list(READS[: READS.index(path) + 1])


def test_who_interrupts_waits_for_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    get = QrsClient.get

    def interrupted(client: QrsClient, path: str) -> bytes:
        if "analyzer" in path:
            raise KeyboardInterrupt
        return get(client, path)

    monkeypatch.setattr(QrsClient, "get", interrupted)
    with SimulatedQrs(idle_site()) as qrs, QrsClient(site(qrs), NOW) as client:
        with pytest.raises(KeyboardInterrupt):
            client.snapshot(NOW)
        assert not _decoding()


def _decoding() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")]


def test_a_few_bytes_that_unpack_to_too_many_are_not_unpacked_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SNAPSHOT_BYTES", 3_000_000)
    bomb = b"[" + b" " * 50_000_000 + b"]"
    taken: list[int] = []
    monkeypatch.setattr(module, "PIECE", 1_000_000)
    pieces = requests.Response.iter_content

    def counted(response: Any, size: int) -> Iterator[bytes]:
        for piece in pieces(response, size):
            taken.append(len(piece))
            yield piece

    monkeypatch.setattr(requests.Response, "iter_content", counted)
    with SimulatedQrs(idle_site(), compress=True) as qrs, QrsClient(site(qrs), NOW) as client:
        answer = qrs._repository.answer
        monkeypatch.setattr(qrs._repository, "answer", lambda *of: replace(answer(*of), body=bomb))
        with pytest.raises(RemoteError, match="/qrs/user/full answers with more than 3,000,000 bytes"):
            client.snapshot(NOW)
    assert len(gzip.compress(bomb)) < 100_000
    assert sum(taken) < 5_000_000
