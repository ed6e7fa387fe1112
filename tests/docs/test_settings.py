"""The tables of settings in the documentation are current, and every setting is in one."""

from seatwarden.engine.site.influxdb import AUTH, V2, V3
from seatwarden.policy.yaml.reader import _SECRETS
from tests.docs.settings import TABLES, named, pages


def test_the_tables_are_what_is_read() -> None:
    for path, text, current in pages():
        assert text == current, f"write {path.name} anew: python -m tests.docs.settings"


def test_every_table_is_on_a_page() -> None:
    assert named() == set(TABLES)


def test_every_setting_is_explained() -> None:
    for settings in TABLES.values():
        for setting in settings:
            assert setting.doc or setting.kind.words or setting.kind.section, setting.key


def test_secrets_are_known_by_their_keys() -> None:
    """Under a key that almost is one of these, no finding shows anything; the last two are of headers."""
    tables = (*TABLES.values(), V2.settings, V3.settings, AUTH.settings)
    secret = {setting.key for settings in tables for setting in settings if setting.kind.secret}
    assert secret | {"headerValue", "value"} == set(_SECRETS)
