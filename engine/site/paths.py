"""Paths in a site file, which are relative to it."""

from seatwarden.policy.yaml.kinds import within_folder
from seatwarden.policy.yaml.settings import Kind

_NAME = Kind(lambda reader, entry, what: reader.text(entry.value, entry.key.text)).must(
    lambda text: text.strip() and "\0" not in text,
    "`{key}` names no file",
    "no path",
    "write a path, or remove the key",
)
PATH = _NAME.then(within_folder)
FIXED_PATH = PATH.then(lambda reader, entry, path: path.absolute())
"""A path that stays what it is wherever the process goes, and that people are told."""
