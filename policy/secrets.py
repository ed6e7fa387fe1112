"""Secrets in settings files: written out, or `${NAME}` for the environment's value."""

import re
from collections.abc import Mapping

from policy.yaml_nodes import Entry
from policy.yaml_reader import YamlReader

_FROM_ENVIRONMENT = re.compile(r"\$\{(\w+)\}")


def read_secret(reader: YamlReader, entry: Entry, environment: Mapping[str, str]) -> str | None:
    """A text, or with `${NAME}` the value of that environment variable; one that is not set is a finding (SW205)."""
    text = reader.text(entry.value, entry.key.text)
    match = _FROM_ENVIRONMENT.fullmatch(text or "")
    if match is None:
        return text
    value = environment.get(match[1])
    if not value:
        message = f"environment variable `{match[1]}` is not set"
        reader.error("SW205", message, entry.value.span, "taken from there", "set it where the command runs")
    return value or None
