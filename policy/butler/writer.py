"""A policy as the bare `licenseRelease` map of Butler YAML, where YAML can say the same, rule for rule.

YAML has its own order: time zone, limits, named values, guarantees, keep rules, rules that take licenses. The order of
keep rules among themselves stays, and that of the others. Keep rules that Butler knows take Butler's keys as long as
they stand in Butler's order; all others become entries of `neverRelease.when`.
"""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

from seatwarden.grammar.ast import (
    Condition,
    Guarantee,
    Length,
    Let,
    Limit,
    ListOf,
    Literal_,
    Named,
    Policy,
    Reserve,
    Rule,
    SetFrom,
    Statement,
    Text,
    Timezone,
    walk,
)
from seatwarden.grammar.bounds import MAX_DEPTH
from seatwarden.grammar.printer import print_condition, print_length, print_limit, print_promise
from seatwarden.policy.butler.rules import NEVER_RELEASE
from seatwarden.policy.butler.shapes import NotInYaml, butler_setting, release_settings
from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.names import NamedValue
from seatwarden.policy.yaml.text import is_plain


def print_butler(policy: Policy, file: str, source: str) -> str:
    """The policy as YAML; `file` and its text `source` are shown beside problems.

    Raises PolicyError with every statement that YAML cannot say (SW210).
    """
    settings, findings = _settings(policy)
    if findings:
        raise PolicyError(in_order(findings), {file: source})
    writer = YAML()
    writer.width = 10**9  # a line break inside a text would only be noise
    writer.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    writer.dump(settings, out)
    return out.getvalue()


def in_yaml_order(policy: Policy) -> Policy:
    """The same policy with its statements in the order in which YAML has them."""
    return Policy(tuple(sorted(policy.statements, key=_rank)))


def _rank(statement: Statement) -> int:
    match statement:
        case Timezone():
            return 0
        case Limit() | Reserve():
            return 1
        case Let(_, value):
            return 3 if isinstance(value, Length) else 2 if isinstance(value, NamedValue) else 4
        case SetFrom():
            return 5
        case Guarantee():
            return 6
        case Rule():
            return 8 if statement.takes else 7


def _settings(policy: Policy) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The map, and a finding for each statement that is not in it."""
    findings: list[Diagnostic] = []
    settings: dict[str, Any] = {}
    limits: list[Any] = []
    never: dict[str, Any] = {}
    types: dict[str, Any] = {}
    for statement in policy.statements:
        try:
            match statement:
                case Timezone(name):
                    _add(settings, "timezone", _text(name), "the time zone")
                case Limit() | Reserve():
                    limits.append(print_limit(statement))
                case Let(name, value):
                    key, said = _named(value)
                    _add(settings.setdefault(key, {}), _text(name), said, f"`{name}`")
                case SetFrom(name, path, kind):
                    file = _text(path.value)
                    said = file if kind == "text" else {"file": file, "as": kind}
                    _add(settings.setdefault("set", {}), _text(name), said, f"`{name}`")
                case Guarantee():
                    _add_guarantee(settings.setdefault("guarantees", {}), statement)
                case Rule(kind="keep"):
                    _add_keep(never, statement)
                case Rule():
                    license_type, values = release_settings(statement)
                    if "when" in values:
                        values["when"] = _condition(values["when"])
                    _add(types, license_type, values, f"the rule of {license_type}")
        except NotInYaml as problem:
            message = f"{_title(statement)} cannot be written in YAML"
            findings.append(
                Diagnostic("SW210", "error", message, problem.span or statement.span, problem.why, problem.help)
            )
    order = ("timezone", "limit", "let", "days", "conditions", "set", "guarantees", "neverRelease", "licenseType")
    settings |= {"limit": limits[0] if len(limits) == 1 else limits} if limits else {}
    settings |= {"neverRelease": never} if never else {}
    settings["licenseType"] = types
    return {key: settings[key] for key in order if key in settings}, findings


def _add(settings: dict[str, Any], key: str, value: Any, what: str) -> None:
    if key in settings:
        raise NotInYaml("YAML has one place for it, and it is taken", f"{what} is there already")
    settings[key] = value


def _add_guarantee(guarantees: dict[str, Any], said: Guarantee) -> None:
    if said.name is None:
        raise NotInYaml("guarantees have names there", f'name it: guarantee "no release" {said.start}')
    if said.condition is not None:
        _condition(said.condition)  # one that is nested too deep is refused
    _add(guarantees, _text(said.name), print_promise(said), said.title)


def _add_keep(never: dict[str, Any], rule: Rule) -> None:
    setting = butler_setting(rule)
    places = {key: place for place, key in enumerate(NEVER_RELEASE)}
    before = [key for key in never if key == "when" or places[key] >= places.get(rule.name or "", -1)]
    if setting is not None and rule.name is not None and not before:
        never[rule.name] = _quoted(setting)
        return
    if rule.name is None:
        raise NotInYaml("keep rules have names there", 'name it: keep "service accounts" when …')
    entry: dict[str, Any] = {"name": _text(rule.name)}
    if rule.license_types:
        entry["licenseType"] = rule.license_types[0] if len(rule.license_types) == 1 else list(rule.license_types)
    if rule.until is not None:
        entry["until"] = rule.until.value
    never.setdefault("when", []).append({**entry, "when": _condition(rule.condition)})


def _condition(condition: Condition) -> str:
    if max(depth for _, depth in walk(condition)) >= MAX_DEPTH:
        raise NotInYaml("nested too deep for `when`", "split it into several rules", condition.span)
    text = print_condition(condition)
    # One word could be taken for something else than text; several are plain where YAML allows it.
    several = " " in text and text[0].isalpha() and text.isprintable()
    return text if several else _text(text)


def _named(value: Named) -> tuple[str, Any]:
    """The key below which a `let` of policy text stands, and what stands there."""
    if isinstance(value, Length):
        return "days", print_length(value)
    return ("let", _value(value)) if isinstance(value, NamedValue) else ("conditions", _condition(value))


def _value(value: Literal_ | ListOf) -> Any:
    if isinstance(value, ListOf):
        return [_value(item) for item in value.items]
    return _text(value.value) if isinstance(value, Text) else value.value


def _quoted(setting: Any) -> Any:
    """A setting with its texts quoted where they must be."""
    if isinstance(setting, list):
        return [_quoted(item) for item in setting]
    if isinstance(setting, dict):
        return {key: _quoted(value) for key, value in setting.items()}
    return _text(setting)


def _text(text: str) -> str:
    """A text, in quotes unless every YAML reader takes it for text without."""
    if is_plain(text):
        return text
    # Within single quotes YAML has no escapes, and folds some characters into spaces.
    quoted: str = SingleQuotedScalarString(text) if text.isprintable() else DoubleQuotedScalarString(text)
    return quoted


def _title(statement: Statement) -> str:
    match statement:
        case Rule(kind, name=str(name)):
            return f"{kind} rule `{name}`"
        case Rule():
            return f"`{statement.label}`"
        case Let(name) | SetFrom(name):
            return f"`{name}`"
        case Timezone():
            return "this time zone"
        case Guarantee():
            return f"`{statement.title}`"
        case Limit() | Reserve():
            return "this limit"
