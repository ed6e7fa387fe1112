"""The JSON Schema of a policy in Butler's YAML, made from the tables of its settings."""

from collections.abc import Iterable
from typing import Any

from seatwarden.policy.butler.licenses import LICENSES, RELEASE, release_schema
from seatwarden.policy.butler.sections import SITE_KEYS


def butler_schema() -> dict[str, Any]:
    """The schema of all the forms that the front end reads, told apart by the key at the top."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:seatwarden:schema:butler",
        "title": "seatwarden policy in Butler's YAML",
        "description": "A whole Butler config file, its `qlikSenseLicense` block alone, a bare `licenseRelease` map, "
        "or a site file with one of them.",
        "type": "object",
        **_either("Butler", {"properties": {"Butler": _WHOLE}}, _without_frame()),
        "$defs": {"qlikSenseLicense": LICENSES.schema(), "licenseRelease": release_schema(RELEASE)},
    }


def _needs(keys: Iterable[str]) -> dict[str, Any]:
    """These keys must be there, and set."""
    return {"required": list(keys), "properties": {key: {"type": "object"} for key in keys}}


_BLOCK = {"$ref": "#/$defs/qlikSenseLicense", **_needs(("licenseRelease",))}
_WHOLE = {
    "type": "object",
    "description": "A whole Butler config file; only `qlikSenseLicense` is read here.",
    "properties": {"qlikSenseLicense": _BLOCK},
    "required": ["qlikSenseLicense"],
}


def _without_frame() -> dict[str, Any]:
    of_a_site = {"anyOf": [{"required": [key]} for key in SITE_KEYS]}
    alone = {"properties": {"qlikSenseLicense": _needs(LICENSES.keys)}}
    block = {"properties": {"qlikSenseLicense": _BLOCK}, "if": of_a_site, "else": alone}
    release = {"$ref": "#/$defs/licenseRelease"}
    beside = {key: {"description": "Of a site file; not read as policy."} for key in SITE_KEYS}
    bare = {"properties": {"licenseRelease": release, **beside}, "additionalProperties": False}
    return _either("qlikSenseLicense", block, _either("licenseRelease", bare, release))


def _either(key: str, then: dict[str, Any], otherwise: dict[str, Any]) -> dict[str, Any]:
    """The schema where that key is set, and where it is not: null is not set."""
    return {"if": {"required": [key], "properties": {key: {"not": {"type": "null"}}}}, "then": then, "else": otherwise}
