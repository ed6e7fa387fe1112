"""Every leaf of Butler's own configuration template, from version 6 to 16: used, another feature's, or warned of.

`tests/data/butler-templates.json` has the versions, and each leaf's path with the first and last version that has it.
"""

from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.site.alarms import HEARTBEAT, MQTT, WEBHOOKS
from seatwarden.engine.site.connection import CERTIFICATES, QRS
from seatwarden.engine.site.influxdb import INFLUXDB, V1
from seatwarden.engine.site.settings import Settings, load_settings
from seatwarden.policy.butler.licenses import LICENSES
from seatwarden.policy.butler.sections import OTHER_FEATURES
from seatwarden.policy.errors import PolicyError
from tests.paths import DATA, load_json
from tests.settings_findings import yaml_of

TEMPLATES = load_json(DATA / "butler-templates.json")
VERSIONS: list[str] = TEMPLATES["versions"]
LEAVES: list[tuple[str, str, str]] = [tuple(leaf) for leaf in TEMPLATES["leaves"]]
_BEGUN = {first for _, first, _ in LEAVES} | {VERSIONS[-1]}
_ENDED = {VERSIONS[VERSIONS.index(last) + 1] for _, _, last in LEAVES if last != VERSIONS[-1]}
CHANGED = [version for version in VERSIONS if version in _BEGUN | _ENDED]
"""The versions in which the template changed, and the last."""

OLDER = {
    "cert.rejectUnauthorized": "configQRS.rejectUnauthorized",
    "configQRS.headerKey": "configQRS.headers",
    "configQRS.headerValue": "configQRS.headers",
    "influxDb.instanceTag": "influxDb.tag",
    "qlikSenseLicense.licenseRelease.neverReleaseUsers": "qlikSenseLicense.licenseRelease.neverRelease",
}
"""Keys that moved, and where they are read as today."""
OTHERS_IN_SECTIONS = {
    "influxDb": (
        "reloadTaskFailure", "reloadTaskSuccess", "userSyncTaskSuccess", "userSyncTaskFailure",
        "externalProgramTaskSuccess", "externalProgramTaskFailure", "distributeTaskSuccess", "distributeTaskFailure",
        "preloadTaskSuccess", "preloadTaskFailure", "v2Config.description", "v2Config.retentionDuration",
        "v3Config.description", "v3Config.retentionDuration", "v3Config.writeTimeout", "v3Config.queryTimeout",
    ),
    "mqttConfig": (
        "subscriptionRootTopic", "taskStartTopic", "taskFailure", "taskAborted", "serviceRunningTopic",
        "serviceStoppedTopic", "serviceStatusTopic", "qlikSenseCloud", "activeUser", "connection", "session",
    ),
    "webhookNotification": ("reloadTaskFailure", "reloadTaskAborted", "serviceMonitor"),
}  # fmt: skip
"""What belongs to other features of Butler in a section that is ours, too: the beginnings of keys."""
_SCHEMAS: dict[str, Any] = {
    "configQRS": QRS.schema(),
    "cert": CERTIFICATES.schema(),
    "influxDb": INFLUXDB.schema() | {"properties": INFLUXDB.schema()["properties"] | V1.schema()["properties"]},
    "qlikSenseLicense": LICENSES.schema(),
    "heartbeat": HEARTBEAT.schema(),
    "mqttConfig": MQTT.schema(),
    "webhookNotification": WEBHOOKS.schema(),
}


def _is_used(path: str) -> bool:
    """Whether the tables by which settings are read have the key."""
    first, *rest = OLDER.get(path.partition("[]")[0], path).split(".")
    schema: Any = _SCHEMAS.get(first)
    for key in rest:
        while schema and "properties" not in schema and ("else" in schema or "items" in schema):
            schema = schema.get("else") or schema["items"]
        if schema is None or "properties" not in schema:
            return schema is not None  # all that stands there is read by one reader
        schema = schema["properties"].get(key.removesuffix("[]"))
    return schema is not None


def role(path: str) -> str:
    """What becomes of a leaf below `Butler`."""
    first, _, rest = path.partition(".")
    moved = path.startswith("uptimeMonitor.storeInInfluxdb.") and _is_used(f"influxDb.{rest.partition('.')[2]}")
    if moved or path in OLDER or _is_used(path):
        return "used"
    if first.removesuffix("[]") in OTHER_FEATURES or rest.startswith(OTHERS_IN_SECTIONS.get(first, ("?",))):
        return "other"
    return "unread"


def test_every_leaf_has_its_role() -> None:
    roles = {path: role(path.removeprefix("Butler.")) for path, _, _ in LEAVES}
    assert [path for path, found in roles.items() if found == "unread"] == []
    used = {path for path, found in roles.items() if found == "used"}
    assert {
        "Butler.cert.rejectUnauthorized",
        "Butler.influxDb.instanceTag",
        "Butler.influxDb.v3Config.token",
        "Butler.uptimeMonitor.storeInInfluxdb.retentionPolicy.name",
        "Butler.qlikSenseLicense.licenseRelease.neverReleaseUsers[].userId",
        "Butler.qlikSenseLicense.serverLicenseMonitor.destination.mqtt.sendAlert.enable",
        "Butler.mqttConfig.azureEventGrid.clientKeyFile",
        "Butler.webhookNotification.qlikSenseServerLicenseExpiryAlert.webhooks",
    } <= used
    assert "Butler.influxDb.distributeTaskFailure.enable" not in used
    assert "Butler.mqttConfig.taskFailureTopic" not in used


VALUES: dict[str, Any] = {
    "enable": False, "host": "qlik.example.com", "port": 4242, "useSSL": True, "rejectUnauthorized": False,
    "authentication": "certificates", "headerKey": "X-Qlik-User", "userDir": "INTERNAL",
    "headerValue": "UserDirectory=INTERNAL; UserId=sa_api", "hostIP": "influxdb.example.com", "hostPort": 8086,
    "duration": "10d", "version": 1, "dryRun": True, "frequency": "every 6 hours", "thresholdDays": 60,
    "releaseThresholdDays": 30, "static": None, "tag": None, "userDirectory": None, "inactive": "No", "blocked": "No",
    "removedExternally": "No", "brokerHost": "mqtt.example.com", "brokerPort": 1883, "webhooks": None,
    "rateLimit": 15, "remoteURL": "http://monitor.example.com/butler", "httpMethod": "POST",
    "webhookURL": "http://hooks.example.com/x", "instanceTag": "DEV",
}  # fmt: skip
"""Values that fit, by the last key; any text elsewhere."""


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def config_of(version: str) -> dict[str, Any]:
    """A configuration with every key of the template of that version."""
    root: dict[str, Any] = {}
    for path, first, last in LEAVES:
        if not _number(first) <= _number(version) <= _number(last):
            continue
        *above, key = path.split(".")
        at: Any = root
        for part in above:
            at = at.setdefault(part.removesuffix("[]"), [{}] if part.endswith("[]") else {})
            at = at[0] if isinstance(at, list) else at
        value = VALUES.get(key, "text")
        if path.startswith("Butler.configQRS.headers.static"):
            value = {"name": "X-Qlik-User", "value": VALUES["headerValue"]}[key]
        at.setdefault(key.removesuffix("[]"), [value] if key.endswith("[]") else value)
    return root


def _settings(folder: Path, config: dict[str, Any], *, policy: bool = True) -> Settings:
    (folder / "own.policy").write_text('keep "a" when user.inactive\nrelease when unused for 60 days\n', "utf-8")
    file = folder / "butler.yaml"
    file.write_text(yaml_of(config), encoding="utf-8")
    return load_settings(file, {}, default_folder=folder, policy=folder / "own.policy" if policy else None)


@pytest.mark.parametrize("version", CHANGED)
def test_a_config_of_any_version_serves_as_site_file(version: str, tmp_path: Path) -> None:
    settings = _settings(tmp_path, config_of(version))
    assert settings.warnings == ()
    assert settings.dry_run
    assert settings.site.host == "qlik.example.com"
    assert not settings.site.verify
    assert settings.site.headers == {"X-Qlik-User": VALUES["headerValue"]}


@pytest.mark.parametrize("version", ["11.1.0", "12.1.1", "12.2.0", "12.4.2", "16.0.4"])
def test_and_as_policy_from_the_version_that_has_rules(version: str, tmp_path: Path) -> None:
    settings = _settings(tmp_path, config_of(version), policy=False)
    (kept,) = [rule for rule in settings.policy.rules if rule.name == "user"]
    assert kept.kind == "keep"
    assert {found.code for found in settings.warnings} == ({"SW211"} if version < "12.2" else set())


@pytest.mark.parametrize(("version", "moved"), [("8.6.2", "uptimeMonitor.storeInInfluxdb"), ("9.0.0", "influxDb")])
def test_the_database_where_it_stood(version: str, moved: str, tmp_path: Path) -> None:
    config = config_of(version)
    section = config["Butler"]
    for key in moved.split("."):
        section = section[key]
    section |= {"enable": True, "auth": {"enable": False}}
    settings = _settings(tmp_path, config)
    assert settings.influx is not None
    assert settings.influx.url == "http://influxdb.example.com:8086"
    assert settings.influx.retention == ("text", "10d")
    assert settings.static_tags == (("butler_instance", "DEV"),)


@pytest.mark.parametrize(
    ("section", "key", "place"),
    [
        ("", "lisenseMonitor", "Butler"),
        ("configQRS", "timeout", "configQRS"),
        ("influxDb", "batchSize", "influxDb"),
    ],
)
def test_what_nobody_reads_is_a_warning_at_its_place(section: str, key: str, place: str, tmp_path: Path) -> None:
    config = config_of("14.2.0")
    (config["Butler"][section] if section else config["Butler"])[key] = {"deep": 1}
    settings = _settings(tmp_path, config)
    (warning,) = settings.warnings
    assert (warning.code, warning.message) == ("SW212", f"`{key}` in `{place}` is not read")
    line = (tmp_path / "butler.yaml").read_text("utf-8").split("\n")[warning.span.line - 1]
    assert line.strip().startswith(f"{key}:")


def test_what_is_switched_off_is_a_warning_and_in_a_service_an_error(tmp_path: Path) -> None:
    config = config_of("16.0.4")
    config["Butler"]["qlikSenseLicense"]["licenseMonitor"]["frequency"] = "never"
    assert [warning.code for warning in _settings(tmp_path, config).warnings] == ["SW213"]
    with pytest.raises(PolicyError) as caught:
        load_settings(
            tmp_path / "butler.yaml", {}, default_folder=tmp_path, policy=tmp_path / "own.policy", scheduled=True
        )
    assert [finding.code for finding in caught.value.diagnostics] == ["SW501"]
