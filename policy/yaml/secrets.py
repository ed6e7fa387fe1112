"""Secrets in settings files: written out, or `${NAME}` for the environment's value."""

import json
import re
from collections.abc import Iterable

from seatwarden.policy.errors import PolicyError
from seatwarden.policy.yaml.masks import masked, masked_findings
from seatwarden.policy.yaml.nodes import Entry, Node, YamlScalar, is_null, read_yaml
from seatwarden.policy.yaml.reader import FOR_NOTHING, YamlReader

_FROM_ENVIRONMENT = re.compile(r"\$\{(\w+)\}")


def read_secret(reader: YamlReader, entry: Entry, hidden: bool = True) -> str | None:
    """A text, or with `${NAME}` the value of that variable of the reader's environment.

    SW205 when it is not set, is not printable (no value that works ends in a line break), or stands beside other text.

    What is written out is concealed in the reader, so that no finding on its line shows it, unless it is not `hidden`.
    """
    node = entry.value
    if hidden and _FROM_ENVIRONMENT.fullmatch(str(getattr(node, "value", ""))) is None:
        reader.conceal(node)
    if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
        message = f"`{entry.key.text}` must be text"
        help_ = FOR_NOTHING if is_null(node) else "put it in quotes, or write ${NAME}"
        reader.error("SW204", message, node.span, "this is no text", help_)
        return None
    match = _FROM_ENVIRONMENT.fullmatch(node.value)
    if match is None:
        part = _FROM_ENVIRONMENT.search(node.value)
        if part is not None:  # taken as it stands, it would be a wrong secret that nobody notices
            message = f"`{part[0]}` is only a part of `{entry.key.text}`"
            help_ = "put the whole text into that variable, and write nothing beside it here"
            reader.error("SW205", message, node.span, "the environment gives whole values", help_)
            return None
        return reader.text(node, entry.key.text)
    value = reader.environment.get(match[1])
    if not value:
        message = f"environment variable `{match[1]}` is not set"
        reader.error("SW205", message, entry.value.span, "taken from there", "set it where the command runs")
        return None
    if not value.isprintable():
        message = f"environment variable `{match[1]}` has a line break or another character that is not printable"
        help_ = "set it without a line break at its end"
        reader.error("SW205", message, entry.value.span, "taken from there", help_)
        return None
    return value


def conceal(text: str, secrets: Iterable[str | None]) -> str:
    """A text of somebody else without the secrets, should it repeat one: as they are, or escaped as in JSON."""
    known = {secret for secret in secrets if secret}
    escaped = {json.dumps(secret, ensure_ascii=ascii_)[1:-1] for secret in known for ascii_ in (True, False)}
    for secret in sorted(known | escaped, key=len, reverse=True):  # a longer one may hold a shorter one
        text = text.replace(secret, "…")
    return text


def read_site_yaml(text: str, file: str) -> Node:
    """The document of a site file, as `read_yaml`, but where it is no YAML no line shows what may be a secret."""
    try:
        return read_yaml(text, file)
    except PolicyError as error:
        shown = masked(text)  # also of one that has not even the sections by which it is known
        raise PolicyError(masked_findings(error.diagnostics, text, shown), {file: shown}) from None
