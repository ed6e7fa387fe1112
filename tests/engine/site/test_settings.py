"""A site file for unattended work: what it says, and every wrong value a finding with its place."""

import os
from pathlib import Path

import pytest

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.key_file import Period, PseudonymKey
from seatwarden.engine.site.ours import HttpSettings, LogSettings
from seatwarden.engine.site.settings import Settings, load_settings
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import InputError, PolicyError
from tests.engine.service.sites import settings_of, write_site


def _refused(site: Path, environment: dict[str, str] | None = None, *, scheduled: bool = True) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        settings_of(site, environment, scheduled=scheduled)
    return caught.value


def _shown(error: PolicyError) -> str:
    return "\n".join(render(finding, error.sources) for finding in error.diagnostics)


def test_defaults(tmp_path: Path) -> None:
    site = write_site(tmp_path, 4242, release="enable: true\nfrequency: every 6 hours")
    site.write_text(site.read_text().replace("  folder: state\n", ""))
    settings = settings_of(site)
    assert settings.dry_run
    assert settings.folder == tmp_path / "default" / "127.0.0.1-4242"
    assert (settings.parallel, settings.http_port, settings.heartbeat) == (4, None, 60)
    assert settings.http is None
    assert settings.log == LogSettings()
    assert (settings.influx, settings.pseudonym_key) == (None, None)
    assert settings.files == (site, tmp_path / "p.policy")
    assert settings.notes == ("useSSL is false: http://127.0.0.1:4242 is read without encryption",)


def test_everything(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(os.urandom(32))
    (tmp_path / "vips.txt").write_text("CORP\\jdoe\n")
    ours = """\
pseudonyms: k
parallel: 8
log: {file: logs/s.log, format: JSON, level: Warning, megabytes: 2, files: 3}
http: {port: 9464}
heartbeat: 5
notifications: {webhook: [{url: "https://hooks.example.com/x"}]}
"""
    policy = 'set vips from "vips.txt"\nkeep "v" when user = vips\nrelease analyzer when unused for 30 days\n'
    site = write_site(
        tmp_path,
        4242,
        ours=ours,
        policy=policy,
        license_monitor="every 6 hours",
        server_monitor="at 2:30",
        influx=8086,
    )
    settings = settings_of(site)
    assert not settings.dry_run
    assert settings.log == LogSettings(tmp_path / "logs" / "s.log", "json", "warning", 2, 3)
    assert (settings.parallel, settings.http_port, settings.heartbeat) == (8, 9464, 5)
    assert settings.http == HttpSettings(9464, reports=False)
    assert settings.pseudonym_key is not None
    assert settings.influx is not None
    assert [job.text for job in settings.jobs.all] == ["every 6 hours", "every 6 hours", "at 2:30"]
    assert settings.jobs.server_monitor.threshold_days == 60
    assert settings.files == (site, tmp_path / "p.policy", tmp_path / "vips.txt")


@pytest.mark.parametrize(
    ("written", "per", "k"),
    [
        ("people.key", "month", 5),
        ("{key: people.key}", "month", 5),
        ("{key: people.key, per: Run, k: 12}", "run", 12),
    ],
)
def test_pseudonyms(tmp_path: Path, written: str, per: Period, k: int) -> None:
    write_atomically(tmp_path / "people.key", b"k" * 32 + b"\n")
    found = settings_of(write_site(tmp_path, 4242, ours=f"pseudonyms: {written}"))
    assert found.pseudonym_key == PseudonymKey(b"k" * 32, per, k)
    assert "kkk" not in repr(found)


def test_paths_are_the_files_not_the_working_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "elsewhere").mkdir()
    write_site(tmp_path / "sites", 4242, ours="log: {file: s.log}")
    monkeypatch.chdir(tmp_path)
    settings = settings_of(Path("sites/site.yaml"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert settings.folder == tmp_path / "sites" / "state"
    assert settings.log.file == tmp_path / "sites" / "s.log"


@pytest.mark.parametrize(
    ("ours", "code", "message"),
    [
        ("polciy: p.policy", "SW203", "unknown key `polciy` in `seatwarden`"),
        ("parallel: 0", "SW205", "`parallel` is from 1 to 16"),
        ("parallel: 17", "SW205", "`parallel` is from 1 to 16"),
        ("parallel: '4'", "SW204", "`parallel` must be a number"),
        ("parallel: 1.5", "SW205", "must be a whole number"),
        ("heartbeat: 0", "SW205", "`heartbeat` is from 1 to 86,400"),
        ("heartbeat: soon", "SW204", "`heartbeat` must be a number"),
        ("http: 9464", "SW204", "`seatwarden.http` must be a map"),
        ("http: {}", "SW206", "`seatwarden.http` lacks the key `port`"),
        ("http: {port: 0}", "SW205", "`port` is from 1 to 65,535"),
        ("http: {port: 9464, host: 0.0.0.0}", "SW203", "unknown key `host`"),
        ("http: {port: 9464, reports: some}", "SW204", "`seatwarden.http.reports` must be true or false"),
        ("log: s.log", "SW204", "`seatwarden.log` must be a map"),
        ("log: {format: xml}", "SW205", "`seatwarden.log.format` is one of text, json"),
        ("log: {level: loud}", "SW205", "`seatwarden.log.level` is one of"),
        ("log: {megabytes: 0}", "SW205", "`megabytes` is from 1"),
        ("log: {files: -1}", "SW205", "`files` must not be negative"),
        ("log: {file: ''}", "SW205", "`file` names no file"),
        ("http: {port: }", "SW206", "`seatwarden.http` lacks the key `port`"),
        ("pseudonyms: none.key", "SW205", "key file `"),
        ("pseudonyms: {key: none.key}", "SW205", "key file `"),
        ("pseudonyms: {per: run}", "SW206", "`seatwarden.pseudonyms` lacks the key `key`"),
        ("pseudonyms: {key: p.policy, per: day}", "SW205", "`seatwarden.pseudonyms.per` is one of month, run"),
        ("pseudonyms: {key: p.policy, k: 0}", "SW205", "`k` is from 1 to 1,000"),
        ("pseudonyms: p.policy\nparallel: 99", "SW205", "`parallel` is from 1 to 16"),
        ("notifications: [x]", "SW204", "`notifications` must be a map"),
    ],
)
def test_every_wrong_value_is_a_finding_with_its_place(tmp_path: Path, ours: str, code: str, message: str) -> None:
    site = write_site(tmp_path, 4242, ours=ours)
    error = _refused(site)
    found = {(finding.code, finding.message) for finding in error.diagnostics}
    wanted = message.partition(", this is")[0]
    assert any(c == code and wanted in m for c, m in found), found
    lines = site.read_text().splitlines()
    for finding in error.diagnostics:
        assert finding.span.file == str(site)
        assert ours.split(":")[0].split("\n")[0] in lines[finding.span.line - 1] or "\n" in ours


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Butler:\n  seatwarden: {parallel: 2}\n", "`seatwarden` does not belong to `Butler`"),
        ("Seatwarden: {parallel: 2}\n", "unknown key `Seatwarden`"),
        ("seat-warden: {parallel: 2}\n", "unknown key `seat-warden`"),
        ("seatwarden: x\n", "`seatwarden` must be a map"),
    ],
)
def test_settings_that_nobody_would_read(tmp_path: Path, text: str, message: str) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(text)
    assert message in [finding.message for finding in _refused(site).diagnostics]


@pytest.mark.parametrize(
    ("key", "meant"),
    [("frequncy", "frequency"), ("dryrun", "dryRun"), ("enabled", "enable"), ("destinaton", "destination")],
)
@pytest.mark.parametrize("same_file", [False, True])
def test_a_mistyped_setting_of_the_release_is_found_once(tmp_path: Path, key: str, meant: str, same_file: bool) -> None:
    """Also where the rules are a file of their own: it would be a dry run for ever."""
    rules = "neverRelease: {}\nlicenseType: {}\n" if same_file else ""
    site = write_site(tmp_path, 4242, release=f"{rules}{key}: true")
    if same_file:
        site.write_text(site.read_text().replace("  policy: p.policy\n", ""))
    error = _refused(site, scheduled=False)
    found = [finding for finding in error.diagnostics if finding.code == "SW203"]
    assert [(one.message, one.help) for one in found] == [
        (f"unknown key `{key}` in `licenseRelease`", f"did you mean `{meant}`?")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("qlikSenseLicense:", "qlikSenseLicence:"),
        ("influxDb: {", "influxDB: {"),
        ("  qlikSenseLicense:", "  licenceRelease:"),
    ],
)
def test_a_mistyped_section_is_found(tmp_path: Path, old: str, new: str) -> None:
    site = write_site(tmp_path, 4242, influx=8086)
    site.write_text(site.read_text().replace(old, new, 1))
    assert f"unknown key `{new.split(':')[0].strip()}` in `Butler`" in _shown(_refused(site))


def test_what_else_butler_has_is_let_be(tmp_path: Path) -> None:
    site = write_site(tmp_path, 4242, release="enable: true\nfrequency: every 6 hours\nsomethingNew: 1")
    others = """\
Butler:
  logLevel: info
  uptimeMonitor: {enable: true, frequency: every 1 hour}
  qlikSenseUrls: {qmc: a}
  qlikSenseVersion: {versionMonitor: {enable: true, frequency: x}}
  qlikSenseEvents: {influxDb: {enable: false}}
"""
    site.write_text(site.read_text().replace("Butler:\n", others, 1))
    assert settings_of(site).jobs.release.enabled


def test_all_findings_of_all_parts_at_once(tmp_path: Path) -> None:
    site = write_site(
        tmp_path,
        4242,
        release="enable: true\nfrequency: every fortnight\ndryRun: maybe",
        ours="heartbeat: never\nnotifications: {webhook: [{url: nowhere}]}",
        policy="release analyzer when unused for 30 days\nkeep when user.teg = 'x'\n",
    )
    text = site.read_text().replace("port: 4242", "port: x")
    site.write_text(text.replace("Butler:\n", "Butler:\n  influxDb: {enable: true, hostIP: h, version: 7}\n", 1))
    error = _refused(site)
    shown = _shown(error)
    for part in ("configQRS.port", "influxDb.version", "dryRun", "fortnight", "heartbeat", "webhook", "user.teg"):
        assert part in shown
    assert len(error.diagnostics) == 7


def test_a_policy_that_is_not_there_is_one_of_the_findings(tmp_path: Path) -> None:
    site = write_site(tmp_path, 4242, ours="parallel: 99")
    (tmp_path / "p.policy").unlink()
    shown = _shown(_refused(site))
    assert "error[SW207]: policy `" in shown
    assert "policy: p.policy" in shown
    assert "`parallel` is from 1" in shown
    with pytest.raises(InputError, match="does not exist"):
        load_settings(write_site(tmp_path, 1), {}, default_folder=tmp_path, policy=tmp_path / "none.policy")


def test_no_finding_shows_a_secret(tmp_path: Path) -> None:
    secret = "hunter2-hunter2"
    ours = (
        f"notifications: {{webhook: [{{url: 'https://h.example.com/{secret}', secret: '{secret}', evnts: [x]}}], "
        f"email: [{{host: h, user: u, password: '{secret}', from: f, to: []}}]}}\n"
    )
    site = write_site(tmp_path, 4242, ours=ours)
    influx = f"  influxDb: {{enable: true, hostIP: h, version: 2, v2Config: {{token: '{secret}', org: [1]}}}}\n"
    cert = f"  cert: {{clientCertPassphrase: '{secret}', clientCert: 5}}\n"
    site.write_text(site.read_text().replace("Butler:\n", "Butler:\n" + influx + cert, 1))
    error = _refused(site)
    assert len(error.diagnostics) > 5
    assert secret not in _shown(error)
    assert "•" in _shown(error)


@pytest.mark.parametrize(
    "line",
    [
        "  token: hunter2: hunter2",
        '  "password": "hunter2',
        "  password: 'x' hunter2",
        "- {url: https://h/hunter2, secret: hunter2",
        "  password: |\n  hunter2",
        "  password: 5\n  password: hunter2",
    ],
)
def test_a_file_that_is_no_yaml_shows_no_secret_either(tmp_path: Path, line: str) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(f"Butler:\n{line}\n")
    error = _refused(site)
    assert "hunter2" not in _shown(error)
    assert "error[" in _shown(error)


def test_the_policy_under_another_path_of_the_same_file_shows_none(tmp_path: Path) -> None:
    site = tmp_path / "butler.yaml"
    influx = "influxDb: {enable: true, hostIP: h, v1Config: {auth: {enable: true, username: u, password: hunter2}}}"
    qrs = "configQRS: {host: h}, cert: {clientCert: a, clientCertKey: b}"
    site.write_text(f"{{{qrs}, {influx}, licenseRelease: {{licenseType: {{analyzer: 5}}}}}}\n")
    (tmp_path / "sub").mkdir()
    other = tmp_path / "sub" / ".." / "butler.yaml"
    with pytest.raises(PolicyError) as caught:
        load_settings(site, {}, default_folder=tmp_path, policy=other)
    assert "analyzer: 5" in _shown(caught.value)
    assert "hunter2" not in _shown(caught.value)


def test_secrets_of_the_environment(tmp_path: Path) -> None:
    site = write_site(tmp_path, 4242, ours="notifications: {webhook: [{url: '${HOOK}'}]}")
    assert "environment variable `HOOK` is not set" in _shown(_refused(site))
    settings = settings_of(site, {"HOOK": "https://h.example.com/hunter2"})
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("bad", ["hunter2\n", "hunter2\r", "\ufeffhunter2", "hun\0ter2", "hunter2\x1b"])
def test_what_is_not_printable_is_no_secret(tmp_path: Path, bad: str) -> None:
    """A token read out of a file ends in its line break, which no header can carry."""
    influx = "influxDb: {enable: true, hostIP: h, version: 2, v2Config: {org: o, bucket: b, token: '${TOKEN}'}}"
    site = write_site(tmp_path, 4242, ours="notifications: {webhook: [{url: '${HOOK}'}]}")
    site.write_text(site.read_text().replace("Butler:\n", f"Butler:\n  {influx}\n", 1))
    error = _refused(site, {"TOKEN": bad, "HOOK": bad})
    assert [finding.code for finding in error.diagnostics] == ["SW205", "SW205"]
    assert "environment variable `TOKEN` has a line break" in _shown(error)
    assert "help: set it without a line break at its end" in _shown(error)
    assert "hun" not in _shown(error)


def test_a_job_without_schedule_is_found_only_where_there_is_one(tmp_path: Path) -> None:
    site = write_site(tmp_path, 4242, release="enable: true")
    assert "this is enabled, but has no schedule" in _shown(_refused(site))
    assert settings_of(site, scheduled=False).dry_run


def _dry(tmp_path: Path, release: str) -> bool:
    settings: Settings = settings_of(write_site(tmp_path, 4242, release=release), scheduled=False)
    return settings.dry_run


def test_dry_run_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    assert _dry(tmp_path, "enable: true")
    assert _dry(tmp_path, "dryRun: true")
    assert _dry(tmp_path, "enable: false\ndryRun: false")
    assert not _dry(tmp_path, "dryRun: false")
    assert not _dry(tmp_path, "enable: true\ndryRun: false")


def test_rules_that_are_not_in_force_are_noted(tmp_path: Path) -> None:
    release = "enable: true\nfrequency: every 6 hours\nneverRelease: {user: []}"
    settings = settings_of(write_site(tmp_path, 4242, release=release))
    assert "the rules in `site.yaml` are not in force: the policy is `p.policy`" in settings.notes


def test_what_a_schedule_reads_otherwise_than_it_looks_is_a_warning(tmp_path: Path) -> None:
    settings = settings_of(write_site(tmp_path, 4242, release="enable: true\nfrequency: every 7 hours"))
    assert [warning.code for warning in settings.warnings] == ["SW507"]


def test_a_comment_allows_a_schedule(tmp_path: Path) -> None:
    release = "enable: true\n# seatwarden: allow SW507 seven is what was agreed\nfrequency: every 7 hours"
    assert settings_of(write_site(tmp_path, 4242, release=release)).warnings == ()
    other = settings_of(write_site(tmp_path, 4242, release=release.replace("SW507", "SW508")))
    assert [warning.code for warning in other.warnings] == ["SW507"]


@pytest.mark.parametrize("content", ["release analyzer when unused for 30 days\n", "configQRS: {host: q}\n", "a" * 64])
def test_a_log_is_not_added_to_a_file_of_another_kind(content: str, tmp_path: Path) -> None:
    (tmp_path / "s.log").write_text(content)
    error = _refused(write_site(tmp_path, 4242, ours="log: {file: s.log}"))
    assert "log.file` is a file of another kind" in _shown(error)
    (tmp_path / "s.log").write_text("2026-11-21T02:00:00Z info started\n")
    assert settings_of(tmp_path / "site.yaml").log.file == tmp_path / "s.log"
