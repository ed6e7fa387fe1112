"""The sections of a site file: Butler's under `Butler` or at the top, ours under `seatwarden`."""

from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap

SITE_KEYS = ("configQRS", "cert", "influxDb", "seatwarden")
"""The sections that a site file has beside the rules."""


def butler_sections(root: Node) -> Node:
    """The map under `Butler`, or the whole of a file without that frame."""
    butler = root.get("Butler") if isinstance(root, YamlMap) else None
    return butler.value if butler else root


def butler_section(root: Node, name: str) -> Entry | None:
    """One section of Butler's."""
    sections = butler_sections(root)
    return sections.get(name) if isinstance(sections, YamlMap) else None


def our_section(root: Node) -> Entry | None:
    """The map `seatwarden`, at the top of the file."""
    return root.get("seatwarden") if isinstance(root, YamlMap) else None


def inner(entry: Entry | None, key: str) -> Entry | None:
    """The entry of that key in the map that another entry holds, if it holds one."""
    return entry.value.get(key) if entry and isinstance(entry.value, YamlMap) else None
