"""The rules by which a site gives licenses at log-in, as a snapshot has them.

Of `GET /qrs/systemrule/full?filter=category eq 'License'`: which rules there are, for which type of license, and their
conditions as trees. Whom they give a license, `engine.take_back` says.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.common.text import one_line
from seatwarden.engine.snapshot.doubled import keys_of
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.grammar.license_rule.ast import RuleCall, RulePart, RuleProperty, RuleTest, leaves
from seatwarden.grammar.license_rule.parser import LicenseRuleError, parse_license_rule

NOT_THERE = "the snapshot has no license rules: they could not be read, or it is older than that"
NO_LIST = "the license rules of the snapshot are no list"

_GROUPS: Mapping[str, LicenseType] = {
    "License.ProfessionalAccessGroup_": "professional",
    "License.AnalyzerAccessGroup_": "analyzer",
}
_OTHERS = ("License.UserAccessGroup_", "License.LoginAccessType_", "License.AnalyzerTimeAccessType_")
"""What gives no license of these types: such rules are listed only."""
NO_ATTRIBUTES = frozenset(
    {"userid", "userdirectory", "name", "roles", "environment"}
    | {"tags", "id", "inactive", "blacklisted", "removedexternally", "deleteprohibited", "privileges"}
)
"""What rules may call `user.…` and is no attribute, in lower case. Whether they know the second line, no page says."""
_EVERYWHERE = (0, 1, "BothQlikSenseAndQMC", "QlikSense")
"""The contexts of rules that hold when somebody logs in to the hub."""


class LicenseRule(Struct, frozen=True):
    """A rule that gives licenses, and is not disabled.

    `condition` is None where it cannot be read, and `problem` says what stops it. `doubt` says why it may give nothing
    even where its condition holds.
    """

    name: str
    gives: tuple[LicenseType, ...]
    condition: RulePart | None
    problem: str | None = None
    doubt: str | None = None
    id: str = ""


class LicenseRules(Struct, frozen=True):
    """The license rules of a site. `disabled` and `others` have the names of rules that are listed only.

    With a `missing` reason it is not known which rules there are.
    """

    rules: tuple[LicenseRule, ...] = ()
    disabled: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    missing: str | None = None

    def giving(self, license_type: LicenseType) -> tuple[LicenseRule, ...]:
        """The rules that give, or may give, licenses of a type."""
        return tuple(rule for rule in self.rules if license_type in rule.gives)


def read_license_rules(raw: Raw | UnsetType) -> LicenseRules:
    """The rules in what a snapshot has as `licenseRules`; what cannot be read is said where it stands."""
    if raw is UNSET or raw == Raw(b"null"):
        return LicenseRules(missing=NOT_THERE)
    try:
        rows = msgspec.json.decode(raw, type=list[Raw])
    except UNREADABLE:
        return LicenseRules(missing=NO_LIST)
    rules, disabled, others = list[LicenseRule](), list[str](), list[str]()
    for number, row in enumerate(rows, 1):
        facts = _facts(row)
        name = _name(facts, number)
        if facts is None:
            rules.append(LicenseRule(name, LICENSE_TYPES, None, "it is not as QRS sends rules"))
        elif facts.get("disabled") is True:
            disabled.append(name)
        elif (found := _rule(name, facts)) is not None:
            rules.append(found)
        else:
            others.append(name)
    return LicenseRules(tuple(rules), tuple(disabled), tuple(others))


def asks_for_attributes(raw: Raw | UnsetType) -> bool:
    """Whether any rule of a snapshot reads an attribute of users."""
    conditions = [rule.condition for rule in read_license_rules(raw).rules if rule.condition is not None]
    return any(is_attribute(path) for condition in conditions for path in paths_in(condition))


def is_attribute(path: str) -> bool:
    """Whether what a rule reads is an attribute synchronized from the user directory, such as `user.group`."""
    owner, _, name = path.partition(".")
    known = name.lower() in NO_ATTRIBUTES or name.startswith("@")
    return owner == "user" and name != "" and "." not in name and not known


def paths_in(condition: RulePart) -> tuple[str, ...]:
    """The properties that a condition reads, each once; `user.IsAnonymous()` reads the directory."""
    return tuple(dict.fromkeys(_paths(condition)))


def _paths(condition: RulePart) -> Iterator[str]:
    for leaf in leaves(condition):
        match leaf:
            case RuleTest(_, left, right):
                yield from (side.path for side in (left, right) if isinstance(side, RuleProperty))
            case RuleCall(owner):
                yield "user.userDirectory" if owner == "user" else owner


def _facts(row: Raw) -> dict[str, Any] | None:
    """What a row says; None where that cannot be known."""
    try:
        facts = msgspec.json.decode(row, type=dict[str, Any])
        return None if keys_of(bytes(row)).doubtful else facts
    except (*UNREADABLE, ValueError):
        return None


def _name(facts: Mapping[str, Any] | None, number: int) -> str:
    name = facts.get("name") if facts else None
    return one_line(name, 200) if isinstance(name, str) and name.strip() else f"license rule {number}"


def _rule(name: str, facts: Mapping[str, Any]) -> LicenseRule | None:
    """The rule in a row; None for one that gives no licenses of the types that we know."""
    category = facts.get("category", "License")
    gives, doubts = _given_by(facts.get("resourceFilter"))
    if not gives or (isinstance(category, str) and category != "License"):
        return None
    if facts.get("disabled") is not False:
        doubts.append("whether it is disabled is not known")
    if facts.get("ruleContext", 0) not in _EVERYWHERE:
        doubts.append("it does not hold in the hub")
    if facts.get("actions", 1) in (0, None, False):
        doubts.append("it has no action")
    doubt = doubts[0] if doubts else None
    text, own_id = facts.get("rule"), str(facts.get("id", ""))
    if not isinstance(text, str):
        return LicenseRule(name, gives, None, "it has no condition", doubt, own_id)
    try:
        return LicenseRule(name, gives, parse_license_rule(text), None, doubt, own_id)
    except LicenseRuleError as error:
        return LicenseRule(name, gives, None, error.message, doubt, own_id)


def _given_by(resource_filter: object) -> tuple[tuple[LicenseType, ...], list[str]]:
    """The types of license that a rule of this filter gives, and why that is in doubt."""
    if not isinstance(resource_filter, str):
        return LICENSE_TYPES, ["it has no resource filter"]
    found, doubts = set[LicenseType](), list[str]()
    for one in resource_filter.split(","):
        resource = one.strip()
        known = next((given for prefix, given in _GROUPS.items() if resource.startswith(prefix)), None)
        if known:
            found.add(known)
        elif not resource.startswith(_OTHERS):
            found.update(LICENSE_TYPES)
            doubts.append(f"what `{one_line(resource, 60)}` gives is not documented")
    return tuple(given for given in LICENSE_TYPES if given in found), doubts
