"""Certificates that are refused, each told apart: what it is, and what to do about it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.qrs.check import Step, check_site
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import SimulatedQrs
from seatwarden.engine.site.connection import Site
from tests.engine.qrs.authorities import AROUND, NOW, Made, make, write

LONG = (NOW - timedelta(days=400), NOW + timedelta(days=400))
EXPIRED = (NOW - timedelta(days=40), NOW - timedelta(days=2))
LATER = (NOW + timedelta(days=2), NOW + timedelta(days=40))
SITE: dict[str, Any] = {"users": [], "licenses": {"professional": [], "analyzer": []}}
ROOT = make("Corp Root", authority=True, valid=LONG)
CLIENT = make("QlikClient", ROOT, server=False)


def last_step(files: CertificateFiles, **settings: Any) -> Step:
    """Where the check of a site with these files ends."""
    with SimulatedQrs(SITE, certificates=files) as qrs:
        user = {"X-Qlik-User": "UserDirectory=INTERNAL; UserId=sa_repository"}
        site = Site("localhost", qrs.port, True, user, True, files.client, files.client_key, files.root)
        step = list(check_site(replace(site, **settings), NOW))[-1]
        return replace(step, found=step.found.replace(f":{qrs.port}", ""))


def refused(tmp_path: Path, server: Made, *, root: bytes = ROOT.pem, chain: bytes = b"", **settings: Any) -> Step:
    """The same for a certificate of the server, and the file of authorities that we trust."""
    files = write(tmp_path / "c", root=ROOT.pem, server=server, client=CLIENT, chain=chain)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(root)
    step = last_step(files, **{"authority": trusted, **settings})
    assert (step.name, step.good, step.here) == ("TLS", False, False)
    assert step.help
    return replace(step, help=step.help.replace(str(trusted), "trusted.pem"))


@pytest.mark.parametrize(
    ("hosts", "named"),
    [
        (["server1.mycompany.example"], "server1.mycompany.example"),
        ([f"s{n}.example" for n in range(6)], "s0.example, s1.example, s2.example, s3.example and 2 more"),
        ([], "Qlik\ufffdServer"),
    ],
)
def test_the_names_it_is_for(tmp_path: Path, hosts: list[str], named: str) -> None:
    step = refused(tmp_path, make("Qlik\u202eServer", ROOT, hosts=hosts))
    assert step.found == f"the certificate of localhost is for another host name: it is for {named}"


def test_another_name_with_tls_of_any_age_and_no_client_certificate(tmp_path: Path) -> None:
    """Where it cannot be had, the names are left out, and nothing else."""
    step = refused(tmp_path, make("QlikServer", ROOT, hosts=["a.example"]), certificate=None, key=None)
    assert step.found.startswith("the certificate of localhost is for another host name")


def test_dates(tmp_path: Path) -> None:
    step = refused(tmp_path, make("QlikServer", ROOT, hosts=["localhost"], valid=EXPIRED))
    assert step.found == f"the certificate of localhost has expired, on {EXPIRED[1].date()}"
    step = refused(tmp_path, make("QlikServer", ROOT, hosts=["localhost"], valid=LATER))
    assert step.found == f"the certificate of localhost is not valid yet, only from {LATER[0].date()}"
    assert step.help == "check this machine's clock, and the server's"


def test_dates_of_the_authority(tmp_path: Path) -> None:
    old = make("Old Root", authority=True, valid=EXPIRED)
    step = refused(tmp_path, make("QlikServer", old, hosts=["localhost"], valid=AROUND), root=old.pem)
    assert f"of the authority `Old Root`, which issued that of localhost, has expired, on {EXPIRED[1].date()}" in (
        step.found
    )


def test_the_certificate_of_a_client(tmp_path: Path) -> None:
    step = refused(tmp_path, make("QlikClient", ROOT, hosts=["localhost"], server=False))
    assert step.found == "the certificate of localhost is one for clients, not for a server: `QlikClient`"


ISSUING = make("Corp Issuing CA", ROOT, authority=True)
OTHER = make("Other Root", authority=True)
SAME_NAME = make("Corp Root", authority=True)
LEAF = make("QlikServer", ISSUING, hosts=["localhost"])
DIRECT = make("QlikServer", ROOT, hosts=["localhost"])
ALONE = make("localhost", hosts=["localhost"])


@pytest.mark.parametrize(
    ("server", "trusted", "chain", "found", "help_"),
    [
        (LEAF, ROOT.pem, b"", "issued by `Corp Issuing CA`", "has `Corp Root`; append the certificate of `Corp Iss"),
        (LEAF, OTHER.pem, ISSUING.pem + ROOT.pem, "issued by `Corp Issuing CA`", "not the root it ends in"),
        (DIRECT, OTHER.pem, b"", "issued by `Corp Root`", "has `Other Root`, not the root it ends in"),
        (DIRECT, SAME_NAME.pem, b"", "issued by `Corp Root`", "an authority of that name with another key"),
        (DIRECT, CLIENT.pem, b"", "by `Corp Root`", "not an authority's certificate, it is that of `QlikClient`"),
        (ALONE, ROOT.pem, b"", "self-signed, by `localhost`", "has `Corp Root`; has Qlik Sense lost its certificate"),
    ],
)
def test_an_issuer_that_is_not_trusted(
    tmp_path: Path, server: Made, trusted: bytes, chain: bytes, found: str, help_: str
) -> None:
    step = refused(tmp_path, server, root=trusted, chain=chain)
    assert step.found.startswith("the certificate of localhost was not issued by the authority we trust: it ")
    assert found in step.found
    assert step.help
    assert help_ in step.help
    assert "name the site's root.pem" not in step.help or "not an authority" in step.help


def test_what_the_help_says_to_append_helps(tmp_path: Path) -> None:
    files = write(tmp_path / "c", root=ROOT.pem, server=LEAF, client=CLIENT)
    files.root.write_bytes(ROOT.pem + ISSUING.pem)
    assert last_step(files).name != "TLS"


def test_an_issuer_without_a_file_of_ours(tmp_path: Path) -> None:
    step = refused(tmp_path, DIRECT, authority=None)
    assert step.found.endswith("not issued by the authority we trust: it was issued by `Corp Root`")
    assert step.help
    assert "root.pem under `cert.clientCertCA`" in step.help


@pytest.mark.parametrize(("authentication", "help_"), [("certificates", "in the QMC"), ("jwt", "443 by default")])
def test_no_client_certificate_at_all(tmp_path: Path, authentication: str, help_: str) -> None:
    files = write(tmp_path / "c", root=ROOT.pem, server=DIRECT, client=CLIENT)
    step = last_step(files, certificate=None, key=None, authentication=authentication)
    assert step.found == "localhost wants a client certificate, and the site file names none"
    assert step.help
    assert help_ in step.help
