"""The notifications of a site file alone, to be tried before the rest of it is right."""

from collections.abc import Mapping
from pathlib import Path

from seatwarden.engine.site.notifications import Notifications, read_notifications
from seatwarden.policy.diagnostics import in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.nodes import YamlMap
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_site_yaml


def load_notifications(path: Path, environment: Mapping[str, str]) -> Notifications:
    """The notifications under `seatwarden` in a file, none when it has no such map.

    Raises InputError when it cannot be read, PolicyError with every problem in them.
    """
    text = read_text(path, "site file")
    root = read_site_yaml(text, str(path))
    ours = root.get("seatwarden") if isinstance(root, YamlMap) else None
    entry = ours.value.get("notifications") if ours and isinstance(ours.value, YamlMap) else None
    if entry is None:
        return Notifications()
    reader = YamlReader()
    notifications = read_notifications(reader, entry.value, environment, path.parent)
    if reader.findings:
        raise PolicyError(in_order(reader.findings), {str(path): reader.concealed(text)})
    return notifications
