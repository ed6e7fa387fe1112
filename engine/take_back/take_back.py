"""What Qlik gives back by itself: whether a license rule gives somebody a license again at the next log-in.

A rule says of a user yes, no, or that nobody can say: then the reason stands there. What a rule would do is worked out
in every reading that Qlik's help leaves open (`readings.py`), and said only where all of them agree.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cached_property

from seatwarden.engine.snapshot.license_rules import (
    LicenseRule,
    LicenseRules,
    is_attribute,
    paths_in,
    read_license_rules,
)
from seatwarden.engine.snapshot.model import Snapshot, User, UserReference
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.engine.take_back.readings import KnownTexts, RuleAnswer, ask_rule, readings_of
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.grammar.errors import shown


def take_backs_of(snapshot: Snapshot) -> "TakeBacks":
    """What asks the license rules of a snapshot; made once."""
    if snapshot.take_backs is None:
        snapshot.take_backs = TakeBacks(snapshot)
    found: TakeBacks = snapshot.take_backs
    return found


class TakeBacks:
    """The license rules of a snapshot, asked about its users."""

    def __init__(self, snapshot: Snapshot, rules: LicenseRules | None = None) -> None:
        self._snapshot = snapshot
        self._reader = _UserReader(snapshot)
        self.rules = read_license_rules(snapshot.license_rules) if rules is None else rules
        known = [(id(rule), rule.condition) for rule in self.rules.rules if rule.condition is not None]
        self._readings = {rule: readings_of(condition) for rule, condition in known}
        self._asked: dict[int, tuple[tuple[str, ...], dict[tuple[KnownTexts, ...], RuleAnswer]]] = {
            rule: (paths_in(condition), {}) for rule, condition in known
        }

    def on(self, snapshot: Snapshot) -> "TakeBacks":
        """The same rules and answers, where other licenses are held: a snapshot of some rows of the same site."""
        other = copy(self)
        vars(other).pop("_holders", None)
        other._snapshot = snapshot
        return other

    def of_license(self, license_type: LicenseType, license_id: str) -> TakeBack:
        """Whether that license is given back to whom it is taken from."""
        return self.of(self._holders.get((license_type, license_id), ""), license_type)

    @cached_property
    def _holders(self) -> Mapping[tuple[LicenseType, str], str]:
        rows = ((kind, row) for kind, rows in self._snapshot.licenses.items() for row in rows)
        return {(kind, row.id): row.user.id for kind, row in rows if isinstance(row.user, UserReference)}

    def of(self, user_id: str, license_type: LicenseType) -> TakeBack:
        """Whether a license of this type is given back to the user with that id of QRS."""
        if self.rules.missing:
            return TakeBack("cannot say", reason=self.rules.missing)
        user = self._snapshot.users_by_id.get(user_id)
        if user is None:
            return TakeBack("cannot say", reason="the user is not in the snapshot")
        return self.of_user(user, license_type)

    def of_user(self, user: User, license_type: LicenseType) -> TakeBack:
        """Whether a license of this type is given back to a user."""
        if self.rules.missing:
            return TakeBack("cannot say", reason=self.rules.missing)
        if user.id in self._snapshot.doubled_users:
            return TakeBack("cannot say", reason="the snapshot has several users of this id")
        answers = [(rule, self.ask(rule, user)) for rule in self.rules.rules]
        own = [(rule, answer) for rule, answer in answers if license_type in rule.gives]
        others = [(rule, answer) for rule, answer in answers if license_type not in rule.gives]
        certain = tuple(rule.name for rule, answer in own if answer.truth)
        beside = tuple(rule.name for rule, answer in others if answer.truth)
        if not certain:
            unknown = next(((rule, answer) for rule, answer in own if answer.truth is None), None)
            if unknown is None:
                return TakeBack("not given back", instead=beside)
            rule, answer = unknown
            return TakeBack("cannot say", reason=f"rule `{shown(rule.name)}`: {answer.reason}")
        if (held := self._still_held(user, license_type)) is not None:
            return TakeBack("cannot say", rules=certain, reason=held)
        other_too = any(answer.truth is not False for _, answer in others)
        gives = tuple(kind for kind in LICENSE_TYPES if kind == license_type or other_too)
        return TakeBack("given back", (*certain, *beside), gives)

    def ask(self, rule: LicenseRule, user: User) -> RuleAnswer:
        """Whether a rule gives a user a license."""
        if rule.condition is None:
            return RuleAnswer(None, f"it cannot be read: {rule.problem}")
        paths, answers = self._asked[id(rule)]
        values = {path: self._reader.values(user, path) for path in paths}
        key = tuple(values.values())
        if key not in answers:  # what users have in common is worked out once
            answer = ask_rule(rule.condition, self._readings[id(rule)], values.__getitem__)
            answers[key] = RuleAnswer(None, rule.doubt) if answer.truth and rule.doubt else answer
        return answers[key]

    def doubt_about(self, path: str) -> str | None:
        """Why a property that a rule names may be another one, or none at all."""
        return self._reader.doubt_about(path)

    @property
    def paths_in_use(self) -> tuple[str, ...]:
        """The attributes and custom properties that anybody at the site has, as rules call them."""
        facts = self._snapshot.site_facts
        return (*(f"user.{name}" for name in facts.attributes), *(f"user.@{name}" for name in facts.properties))

    def _still_held(self, user: User, license_type: LicenseType) -> str | None:
        """Why QRS may give nothing to who loses a license of this type: another one is left, or may be."""
        missing = [kind for kind in LICENSE_TYPES if kind not in self._snapshot.licenses]
        if missing:
            return f"the snapshot has no {missing[0]} licenses"
        if any(row.quarantined is not True for row in self._snapshot.unclaimed_licenses):
            return "`user` is missing on a license of the snapshot"
        left = [kind for kind, row in self._snapshot.licenses_of.get(user.id, ()) if row.quarantined is not True]
        if license_type in left:
            left.remove(license_type)
        return f"another license is left: {left[0]}" if left else None


_PLAIN = {"userid": "user_id", "userdirectory": "user_directory"}


class _UserReader:
    """What rules call the properties of users, and what the rows of users say of them."""

    def __init__(self, snapshot: Snapshot) -> None:
        facts = snapshot.site_facts
        self._properties, self._attributes = _spellings(facts.properties), _spellings(facts.attributes)

    def values(self, user: User, path: str) -> KnownTexts:
        """The values of a property that a user has; unknown where it is not one of the repository."""
        match path.split("."):
            case ["user", "environment", *_]:
                return Unknown(f"`{shown(path)}` is known at log-in only")
            case ["user", key] if key.startswith("@"):
                return self._property(user, path, key[1:])
            case ["user", name]:
                return self._field(user, path, name)
            case ["resource", *_]:
                return Unknown(f"`{shown(path)}` is of what is asked for, not of a user")
        return Unknown(f"`{shown(path)}` is not documented")

    def doubt_about(self, path: str) -> str | None:
        """Why a property of this path may be another one, or none at all."""
        owner, _, name = path.partition(".")
        doubt = None
        if owner == "user" and name.startswith("@"):
            doubt = _doubtful(path, name[1:], self._properties, "@")
        elif is_attribute(path):
            doubt = _doubtful(path, name, self._attributes, "")
        return doubt.reason if doubt is not None else None

    def _field(self, user: User, path: str, name: str) -> KnownTexts:
        lower = name.lower()
        if lower in _PLAIN:
            return (getattr(user, _PLAIN[lower]),)
        if lower == "name":
            return (user.name,) if isinstance(user.name, str) else _no_row(user.name, path)
        if lower == "roles":
            return user.roles if isinstance(user.roles, tuple) else _no_row(user.roles, path)
        if not is_attribute(path):
            return Unknown(f"whether rules know `{shown(path)}` is not documented")
        rows = user.attributes
        if not isinstance(rows, tuple) and rows is not None:
            return _no_row(rows, path)
        found = tuple(row.attribute_value for row in rows or () if row.attribute_type == name)
        return _doubtful(path, name, self._attributes, "") or found

    def _property(self, user: User, path: str, key: str) -> KnownTexts:
        rows = user.custom_properties
        if not isinstance(rows, tuple) and rows is not None:
            return _no_row(rows, path)
        found = tuple(row.value for row in rows or () if row.definition.name == key)
        return _doubtful(path, key, self._properties, "@") or found


def _no_row(value: object, path: str) -> KnownTexts:
    """What QRS did not send: null is empty, absent is unknown."""
    return () if value is None else Unknown(f"`{shown(path)}` is missing or unreadable")


def _spellings(names: Iterable[str]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name in names:
        found[name.casefold()].add(name)
    return {folded: frozenset(spelled) for folded, spelled in found.items()}


def _doubtful(path: str, name: str, spellings: Mapping[str, frozenset[str]], before: str) -> Unknown | None:
    """Why a property of this name may be another one, or none at all; None for the one that users have."""
    spelled = spellings.get(name.casefold(), frozenset())
    if spelled == {name}:
        return None
    if not spelled:
        return Unknown(f"nobody at the site has `{shown(path)}`")
    written = ", ".join(f"`user.{before}{shown(one)}`" for one in sorted(spelled))
    return Unknown(f"whether capitals count in `{shown(path)}` is not documented: the site has {written}")
