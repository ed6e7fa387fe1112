"""The tables of settings in docs/, made from the tables that the settings are read by. Run as a module, this writes
them anew:

python -m tests.docs.settings
"""

import re
from collections.abc import Iterator
from pathlib import Path

from seatwarden.engine.fleet.settings import FLEET
from seatwarden.engine.site.alarms import HEARTBEAT, HOOK, MQTT, WEBHOOKS
from seatwarden.engine.site.connection import CERTIFICATES, QRS
from seatwarden.engine.site.influxdb import INFLUXDB
from seatwarden.engine.site.notice import NOTICE_SETTINGS
from seatwarden.engine.site.notifications import EMAIL, SHARED, WEBHOOK
from seatwarden.engine.site.ours import OURS
from seatwarden.policy.yaml.settings import Setting
from tests.paths import ROOT

TABLES: dict[str, tuple[Setting, ...]] = {
    "seatwarden": OURS.settings,
    "configQRS": QRS.settings,
    "cert": CERTIFICATES.settings,
    "influxDb": INFLUXDB.settings,
    "webhookNotification": WEBHOOKS.settings,
    "one of Butlers webhooks": HOOK.settings,
    "mqttConfig": MQTT.settings,
    "Butlers heartbeat": HEARTBEAT.settings,
    "fleet": FLEET.settings,
    "notice": NOTICE_SETTINGS.settings,
    "webhook and email": SHARED,
    "webhook": tuple(setting for setting in WEBHOOK.settings if setting not in SHARED),
    "email": tuple(setting for setting in EMAIL.settings if setting not in SHARED),
}
_MARKED = re.compile(r"(<!-- settings: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> Iterator[tuple[Path, str, str]]:
    """Every page with such a table, what it says, and what it should say."""
    for path in sorted(ROOT.glob("docs/*.md")):
        text = path.read_text(encoding="utf-8")
        current = _MARKED.sub(lambda match: match[1] + _table(match[2]) + match[3], text)
        if _MARKED.search(text):
            yield path, text, current


def named() -> set[str]:
    """The tables that are on a page."""
    return {match[2] for _, text, _ in pages() for match in _MARKED.finditer(text)}


def _table(name: str) -> str:
    return "\n| key | meaning | without it |\n|---|---|---|\n" + "".join(_rows(TABLES[name])) + "\n"


def _rows(settings: tuple[Setting, ...], above: Setting | None = None, name: str = "") -> Iterator[str]:
    """A row for each setting; those of a map within the map stand below, with its name."""
    for setting in settings:
        full = f"{name}.{setting.key}".removeprefix(".")
        if setting.kind.section:
            yield from _rows(setting.kind.section.settings, setting, full)
        else:
            yield f"| `{full}` | {_meaning(setting)} | {_without(setting, above)} |\n"


def _meaning(setting: Setting) -> str:
    """The line of documentation with the bounds; those of a JSON Schema are sentences."""
    line = setting.doc[:1].lower() + setting.doc[1:].removesuffix(".")
    return ": ".join(part for part in (line, setting.kind.words) if part) + " (secret)" * setting.kind.secret


def _without(setting: Setting, above: Setting | None) -> str:
    """What counts without it. What a map needs counts only where there is that map."""
    only = setting.only or (above.only if above else None)
    needed = f"required with `{only[0]}: {str(only[1]).lower()}`" if only else ""
    match setting.default:
        case _ if setting.required:
            return (above.without or needed) if above and not above.required else "required"
        case _ if setting.without:
            return setting.without
        case bool():
            return f"`{str(setting.default).lower()}`"
        case int():
            return str(setting.default)
        case str() if setting.default:
            return f"`{setting.default}`"
        case _:
            return needed or "none"


if __name__ == "__main__":
    for path, _, current in pages():
        path.write_text(current, encoding="utf-8")
