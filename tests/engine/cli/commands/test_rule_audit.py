"""`seatwarden site check` on license rules: whether they can be read, and whether the site reads them as we do."""

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.conftest import Run, SiteFile
from tests.engine.idle import idle_site
from tests.engine.simulator.test_license_audit import rule_row

ALL = rule_row(1, '((user.name like "*"))', name="All")
LOG_IN = rule_row(2, '((user.environment.os="x"))', name="At work")
NAME = "license rules as QRS reads them"


def checked(run: Run, site_file: SiteFile, files: CertificateFiles, rules: object, *faults: Fault) -> str:
    with SimulatedQrs({**idle_site(), "licenseRules": rules}, certificates=files) as qrs:
        qrs.faults += faults
        ran = run("site", "check", "--site", site_file(qrs.port))
    assert ran.code == 0, ran
    assert "The way to this site is free." in ran.out
    return ran.out


def test_license_rules_are_held_against_the_site(run: Run, site_file: SiteFile, certificates: CertificateFiles) -> None:
    disabled = {**rule_row(3, ""), "disabled": True}
    said = checked(run, site_file, certificates, [ALL, LOG_IN, disabled])
    assert "✓ right to read license rules: 3 rules" in said
    assert f"✓ {NAME}: 12 answers of QRS: the same as ours 6, we cannot say 6\n" in said


def test_a_site_that_reads_rules_otherwise(
    run: Run, site_file: SiteFile, certificates: CertificateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatwarden.engine.simulator.license_audit.grants", lambda *of: False)
    said = checked(run, site_file, certificates, [ALL])
    assert f"! {NAME}: 6 answers of QRS: the same as ours 0, we cannot say 0, DIFFERENT of `All`" in said
    assert "= help: do not rely on what `plan` says of these rules" in said


@pytest.mark.parametrize(
    ("rules", "fault", "words"),
    [
        (None, None, "! right to read license rules: they cannot be read; a plan does without"),
        ([ALL], Fault("status", method="GET", path_contains="systemrule", status=403), "may read `SystemRule_*`"),
        ([ALL], Fault("status", method="POST", status=403), f"! {NAME}: not asked: "),
        ([ALL], Fault("status", method="POST", status=201, body="{}"), "is not as QRS documents it"),
    ],
)
def test_without_license_rules_the_way_is_free(
    run: Run, site_file: SiteFile, certificates: CertificateFiles, rules: object, fault: Fault | None, words: str
) -> None:
    assert words in checked(run, site_file, certificates, rules, *([fault] if fault else []))
