"""QRS through a real proxy, where its own setting names one; never because something else has one."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.errors import RemoteError
from seatwarden.engine.qrs.check import check_site
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.simulator.server import SimulatedQrs
from seatwarden.engine.site.connection import DEFAULT_USER, Site
from seatwarden.engine.site.proxy import Proxy
from tests.engine.idle import idle_site
from tests.engine.notify.brokers import web_proxy
from tests.ports import dead_port

NOW = datetime.now(UTC)


@pytest.fixture
def files(authority: ThrowAwayAuthority, tmp_path: Path) -> CertificateFiles:
    return authority.export(tmp_path, hosts=["qlik.invalid"])


def site(files: CertificateFiles, proxy: str | None) -> Site:
    return Site(
        host="qlik.invalid",
        port=4242,
        use_tls=True,
        headers=dict([DEFAULT_USER]),
        verify=True,
        certificate=files.client,
        key=files.client_key,
        authority=files.root,
        proxy=Proxy(proxy, proxy),
    )


def test_with_our_certificate_to_the_end(files: CertificateFiles) -> None:
    with SimulatedQrs(idle_site(), certificates=files) as qrs, web_proxy(qrs.port) as way:
        with QrsClient(site(files, way.url), NOW) as client:
            assert client.snapshot(NOW).users
        assert way.asked == ["CONNECT qlik.invalid:4242"]
        steps = {step.name: step for step in check_site(site(files, way.url), NOW)}
        assert all(step.good for step in steps.values())
        assert steps["proxy"].found == f"{way.url} is there"
        assert not steps.keys() & {"host name", "port", "TLS"}, "these are the proxy's"


def test_what_goes_wrong_on_the_way(files: CertificateFiles) -> None:
    dead = f"http://me:s3cret-pass@127.0.0.1:{dead_port()}"
    with QrsClient(site(files, dead), NOW) as client, pytest.raises(RemoteError) as raised:
        client.get("about")
    assert raised.value.message == "the proxy on the way to qlik.invalid:4242 cannot be reached"
    (step,) = check_site(site(files, dead), NOW)
    assert (step.name, step.good) == ("proxy", False)
    with SimulatedQrs(idle_site(), certificates=files) as qrs, web_proxy(qrs.port, login="Basic x") as way:
        wrong = site(files, f"http://me:s3cret-pass@127.0.0.1:{way.port}")
        with QrsClient(wrong, NOW) as client, pytest.raises(RemoteError) as raised:
            client.get("about")
    assert raised.value.message == "the proxy on the way to qlik.invalid:4242 did not let us through"
    assert "s3cret" not in f"{raised.value!r} {raised.value.help}"


def test_a_certificate_that_is_not_trusted_is_told_without_asking_past_the_proxy(
    files: CertificateFiles, tmp_path: Path
) -> None:
    other = ThrowAwayAuthority(now=NOW, name="another").export(tmp_path / "other")
    with SimulatedQrs(idle_site(), certificates=files) as qrs, web_proxy(qrs.port) as way:
        mistaken = replace(site(files, way.url), authority=other.root)
        refused = pytest.raises(RemoteError, match="was not issued by the authority we trust")
        with QrsClient(mistaken, NOW) as client, refused:
            client.get("about")
        assert set(way.asked) == {"CONNECT qlik.invalid:4242"}


def test_no_proxy_of_the_environment(files: CertificateFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with QrsClient(site(files, None), NOW) as client, pytest.raises(RemoteError, match="there is no host"):
        client.get("about")
