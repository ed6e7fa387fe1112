"""The proxy in a site file: what it means, where it counts, and what no message shows."""

from pathlib import Path

import pytest

from seatwarden.engine.site.hosts import origin
from seatwarden.engine.site.proxy import Proxy
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import PolicyError
from tests.engine.service.sites import settings_of, write_site

AWAY = "https://hooks.example.com/x"


def settings(folder: Path, ours: str, **environment: str) -> Settings:
    return settings_of(write_site(folder, 4242, influx=8086, ours=ours), environment)


def refused(folder: Path, ours: str, **environment: str) -> str:
    with pytest.raises(PolicyError) as raised:
        settings(folder, ours, **environment)
    return "\n".join(render(finding, raised.value.sources) for finding in raised.value.diagnostics)


def test_a_url_counts_for_all_that_goes_out_but_not_for_qrs(tmp_path: Path) -> None:
    found = settings(tmp_path, "proxy: http://me:p%40ss@proxy.example.com:8080\nnoProxy: [influx.example.com]")
    assert found.influx is not None
    for proxy in (found.influx.proxy, found.notifications.proxy, found.alarms.proxy):
        assert proxy.for_url(AWAY) == "http://me:p%40ss@proxy.example.com:8080"
        assert proxy.for_url("http://influx.example.com:8086") is None
    assert found.site.proxy == Proxy()
    assert {"p%40ss", "p@ss", "bWU6cEBzcw=="} <= set(found.secrets)
    assert "p%40ss" not in repr(found)
    assert origin("http://me:x@[::1]:8080") == "http://[::1]:8080"


def test_nothing_said_is_no_proxy(tmp_path: Path) -> None:
    found = settings(tmp_path, "", HTTPS_PROXY="http://p:1", HTTP_PROXY="http://p:1", ALL_PROXY="http://p:1")
    assert found.alarms.proxy == Proxy()
    assert found.influx is not None
    assert found.influx.proxy.for_url(AWAY) is None


@pytest.mark.parametrize(
    ("environment", "http", "https"),
    [
        ({}, None, None),
        ({"HTTP_PROXY": "http://a:1"}, "http://a:1", None),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, None, "http://a:1"),
        ({"ALL_PROXY": "proxy.example.com:3128"}, "http://proxy.example.com:3128", "http://proxy.example.com:3128"),
        ({"ALL_PROXY": "http://a:1", "http_proxy": "http://b:1"}, "http://b:1", "http://a:1"),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": "other.org, example.com"}, None, None),
        ({"ALL_PROXY": "http://a:1", "no_proxy": "*"}, None, None),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": "ample.com"}, "http://a:1", "http://a:1"),
    ],
)
def test_that_of_the_environment(
    tmp_path: Path, environment: dict[str, str], http: str | None, https: str | None
) -> None:
    proxy = settings(tmp_path, "proxy: environment", **environment).alarms.proxy
    assert proxy.for_url("http://hooks.example.com/x") == http
    assert proxy.for_url(AWAY) == proxy.for_url("mqtts://hooks.example.com") == https


def test_this_machine_is_reached_without(tmp_path: Path) -> None:
    proxy = Proxy("http://p:1", "http://p:1")
    assert [proxy.for_url(f"http://{host}/") for host in ("localhost", "127.0.0.1", "127.9.9.9", "[::1]")] == [None] * 4
    assert proxy.for_url("http://localhost.example.com/") == "http://p:1"


@pytest.mark.parametrize(
    ("said", "environment"),
    [
        ("socks5://s3cret@p:1", {}),
        ("proxy.example.com", {}),
        ("http://me:s3cret@p:1/path", {}),
        ("http://me:s3cret@p:99999", {}),
        ("http://me:s3cret@", {}),
        ("[http://me:s3cret@p:1]", {}),
        ("environment", {"HTTPS_PROXY": "socks5://me:s3cret@p:1"}),
        ("environment", {"HTTP_PROXY": "http://me:s3cret@p:1/x y"}),
        ("${PROXY}", {"PROXY": "ftp://me:s3cret@p"}),
    ],
)
def test_wrong_ones_are_refused_and_not_shown(tmp_path: Path, said: str, environment: dict[str, str]) -> None:
    shown = refused(tmp_path, f"proxy: {said}", **environment)
    assert "site.yaml:" in shown
    assert "s3cret" not in shown


@pytest.mark.parametrize("said", ["['a b']", "[http://x]", "influx.example.com", "[5]"])
def test_wrong_exceptions(tmp_path: Path, said: str) -> None:
    assert "noProxy" in refused(tmp_path, f"noProxy: {said}")


def test_the_way_to_qrs_has_its_own(tmp_path: Path) -> None:
    path = write_site(tmp_path, 4242, ours="proxy: http://other:1\nnoProxy: ['*']")
    text = path.read_text(encoding="utf-8").replace(
        "host: 127.0.0.1", "host: qlik.example.com, proxy: 'http://me:pw@p:1'"
    )
    path.write_text(text, encoding="utf-8")
    site = settings_of(path).site
    assert site.proxy.for_url(site.url) == "http://me:pw@p:1"
    assert "pw" in site.secrets
    assert "me:pw" not in repr(site)
