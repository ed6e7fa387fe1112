"""Secrets in settings files: written out, `${NAME}` for the environment's value, or `{file: PATH}` for a file's."""

import json
from collections.abc import Iterable

from seatwarden.policy.errors import PolicyError
from seatwarden.policy.yaml.masks import masked, masked_findings
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap, YamlScalar, is_null, read_yaml
from seatwarden.policy.yaml.reader import FOR_NOTHING, VARIABLE, YamlReader

MAX_SECRET_BYTES = 65_536
_NO_TEXT_HELP = "put it in quotes, or write ${NAME}"


def is_variable(node: Node) -> bool:
    """Whether a value is `${NAME}` as a whole."""
    return isinstance(node, YamlScalar) and VARIABLE.fullmatch(str(node.value)) is not None


def read_secret(reader: YamlReader, entry: Entry) -> str | None:
    """A text, with `${NAME}` the value of that variable, with `{file: PATH}` the text of that file.

    SW205 when it is not there, is not printable (no value that works ends in a line break, but that at the end of a
    file is none of it), or a variable stands beside other text.

    What is written out is concealed in the reader, so that no finding on its line shows it.
    """
    node = entry.value
    if isinstance(node, YamlMap) and [inside.key.text for inside in node.entries] == ["file"]:
        return _from_file(reader, entry.key.text, node)
    if not is_variable(node):
        reader.conceal(node)
    if not isinstance(node, YamlScalar) or not isinstance(node.value, str) or is_variable(node):
        return read_path(reader, entry)
    part = VARIABLE.search(node.value)
    if part is not None:  # taken as it stands, it would be a wrong secret that nobody notices
        message = f"`{part[0]}` is only a part of `{entry.key.text}`"
        help_ = "put the whole text into that variable, and write nothing beside it here"
        reader.error("SW205", message, node.span, "the environment gives whole values", help_)
        return None
    if node.value.startswith("file:"):  # likewise
        message = f"`{entry.key.text}` begins with `file:`, as if it stood in a file"
        help_ = "write `file: PATH` on a line of its own below the key, indented"
        reader.error("SW205", message, node.span, "no file is read for this", help_)
        return None
    return reader.text(node, entry.key.text)


def read_path(reader: YamlReader, entry: Entry) -> str | None:
    """The text of a path, which is no secret but may come from the environment as a whole."""
    node = entry.value
    if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
        help_ = FOR_NOTHING if is_null(node) else _NO_TEXT_HELP
        reader.error("SW204", f"`{entry.key.text}` must be text", node.span, "this is no text", help_)
        return None
    return reader.text(node, entry.key.text)


def _from_file(reader: YamlReader, key: str, node: YamlMap) -> str | None:
    """The text of the file that is named, without the line break at its end."""
    (place,) = node.entries
    written = read_path(reader, place)
    span = place.value.span
    if written is not None and not is_variable(place.value):
        written = reader.expanded(written, span)
    if written is None:
        return None
    path = reader.folder / written
    reader.secret_files.append((key, path))
    wrong = f"`{key}`: the file `{path}`"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        reader.error("SW205", f"{wrong} is not text in UTF-8", span, "read from here", "save it as UTF-8")
        return None
    except (OSError, ValueError) as error:  # a path with a null character is a ValueError
        why = getattr(error, "strerror", None) or "there is no such path"
        help_ = "it must be there, and readable for the account that seatwarden runs as"
        reader.error("SW205", f"{wrong} cannot be read: {why}", span, "read from here", help_)
        return None
    fault = _fault(data, text)
    if fault:
        reader.error("SW205", f"{wrong} {fault}", span, "read from here", "write the secret into it, on one line")
        return None
    reader.came_from(node.span, f"file `{path}`")
    return text


def _fault(data: bytes, text: str) -> str | None:
    """What is wrong with the text of a secret, in words."""
    if len(data) > MAX_SECRET_BYTES:
        return "is longer than a secret can be"
    if not text:
        return "is empty"
    return None if text.isprintable() else "has a line break within, or another character that is not printable"


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
