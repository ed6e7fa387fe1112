"""The notifications of a site file alone, to be tried before the rest of it is right."""

from collections.abc import Mapping as StringMapping
from pathlib import Path

from engine.notify.settings import Notifications, read_notifications
from policy.diagnostics import PolicyError, in_order
from policy.files import read_text
from policy.secrets import read_site_yaml
from policy.yaml_nodes import Mapping
from policy.yaml_reader import YamlReader


def load_notifications(path: Path, environment: StringMapping[str, str]) -> Notifications:
    """The notifications under `seatwarden` in a file, none when it has no such map.

    Raises InputError when it cannot be read, PolicyError with every problem in them.
    """
    text = read_text(path, "site file")
    root = read_site_yaml(text, str(path))
    ours = root.get("seatwarden") if isinstance(root, Mapping) else None
    entry = ours.value.get("notifications") if ours and isinstance(ours.value, Mapping) else None
    if entry is None:
        return Notifications()
    reader = YamlReader()
    notifications = read_notifications(reader, entry.value, environment, path.parent)
    if reader.findings:
        raise PolicyError(in_order(reader.findings), {str(path): reader.concealed(text)})
    return notifications
