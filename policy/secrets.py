"""Secrets in settings files: written out, or `${NAME}` for the environment's value."""

import re
from collections.abc import Mapping

from policy.yaml_nodes import Entry, Scalar
from policy.yaml_reader import YamlReader

_FROM_ENVIRONMENT = re.compile(r"\$\{(\w+)\}")


def read_secret(reader: YamlReader, entry: Entry, environment: Mapping[str, str]) -> str | None:
    """A text, or with `${NAME}` the value of that environment variable. SW205 when it is not set, or beside other text.

    What is written out is concealed in the reader, so that no finding on its line shows it.
    """
    node = entry.value
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        reader.conceal(node)
        message = f"`{entry.key.text}` must be text"
        reader.error("SW204", message, node.span, "this is no text", "put it in quotes, or write ${NAME}")
        return None
    match = _FROM_ENVIRONMENT.fullmatch(node.value)
    if match is None:
        reader.conceal(node)
        part = _FROM_ENVIRONMENT.search(node.value)
        if part is not None:  # taken as it stands, it would be a wrong secret that nobody notices
            message = f"`{part[0]}` is only a part of `{entry.key.text}`"
            help_ = "put the whole text into that variable, and write nothing beside it here"
            reader.error("SW205", message, node.span, "the environment gives whole values", help_)
            return None
        return reader.text(node, entry.key.text)
    value = environment.get(match[1])
    if not value:
        message = f"environment variable `{match[1]}` is not set"
        reader.error("SW205", message, entry.value.span, "taken from there", "set it where the command runs")
    return value or None
