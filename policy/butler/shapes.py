"""Which rules have the shapes that Butler's settings compile to, and the settings they come from.

The opposite of `policy.butler.front_end`, rule by rule.
"""

from typing import Any

from seatwarden.grammar.ast import (
    DOWNGRADED,
    And,
    Comparison,
    Condition,
    Field,
    Length,
    LicenseType,
    ListOf,
    Name,
    Not,
    Notice,
    Or,
    Rule,
    Text,
    UnusedFor,
)
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.grammar.spans import Span
from seatwarden.policy.butler.rules import FLAGS

_NEVER_USED = Field("license.neverUsed")


class NotInYaml(SeatwardenError):
    """A statement that YAML cannot say: why (`why`), what to do about it (`help`) and, where it is a part, that part's
    place."""

    def __init__(self, why: str, help: str, span: Span | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.help = help
        self.span = span


def butler_setting(rule: Rule) -> Any:
    """The value of Butler's key for a keep rule named like that key, or None when it has another shape."""
    if rule.license_types or rule.until is not None:
        return None
    condition = rule.condition
    match rule.name:
        case "user":
            return _users(condition)
        case "tag":
            return _texts(condition, Field("user.tags"))
        case "userDirectory":
            return _texts(condition, Field("user.userDirectory"))
        case "customProperty":
            return _custom_properties(condition)
        case str(name) if name in FLAGS:
            field = Field(FLAGS[name])
            return "Yes" if condition == field else "No" if condition == Not(field) else None
        case _:
            return None


def release_settings(rule: Rule) -> tuple[LicenseType, dict[str, Any]]:
    """License type and settings of a rule that takes licenses; `when` is a condition still. Raises NotInYaml."""
    if rule.name is not None:
        raise NotInYaml("release rules have no names there", "leave the name out", rule.name_span)
    if len(rule.license_types) != 1:
        raise NotInYaml("release rules speak of one license type there", _each_type(rule))
    (license_type,) = rule.license_types
    first, *more = rule.condition.operands if isinstance(rule.condition, And) else (rule.condition,)
    never_used: str | None = None
    match first:
        case UnusedFor(of_user=False):
            unused = first
        case Or((UnusedFor(of_user=False) as unused, other)) if other == _NEVER_USED:
            never_used = "release"
        case _:
            help_ = "a release rule starts with `unused for N days`, or with `(unused for N days or never used)`"
            raise NotInYaml(
                "it does not start with `unused for`", f"{help_}, and all else is joined by `and`", first.span
            )
    days = _days(unused.length, "a release rule", "unused for", unused.span)
    if never_used is None and more and more[0] == Not(_NEVER_USED):
        never_used, more = "keep", more[1:]
    if len(more) == 1 and isinstance(more[0], And):
        raise NotInYaml("an `and` in parentheses", "leave the parentheses out: `and` joins them all", more[0].span)
    settings: dict[str, Any] = {"enable": True, "releaseThresholdDays": days}
    if never_used:
        settings["neverUsed"] = never_used
    if more:
        settings["when"] = more[0] if len(more) == 1 else And(tuple(more), more[0].span.to(more[-1].span))
    if rule.kind == "downgrade":
        settings["downgrade"] = True
    if rule.regardless_of_use:
        settings["regardlessOfUse"] = True
    if rule.notice is not None:
        settings["notice"] = _notice(rule.notice)
    return license_type, settings


def _each_type(rule: Rule) -> str:
    return f"write downgrade {DOWNGRADED}" if rule.kind == "downgrade" else "write a rule for each type"


def _notice(notice: Notice) -> dict[str, int]:
    settings = {"days": _days(notice.length, "a notice", "after notice of")}
    if notice.reminder is not None:
        settings["reminderDays"] = _days(notice.reminder, "a reminder", "reminder")
    return settings


def _days(length: Length | Name, of: str, words: str, span: Span | None = None) -> int:
    """The number of days that a length is; `words` stand before it in policy text. Raises NotInYaml."""
    if not isinstance(length, Length):
        help_ = f"write the number of days in place of `{length.name}`"
        raise NotInYaml(f"the days of {of} are a number there", help_, length.span)
    if length.unit != "days":
        raise NotInYaml("YAML counts days", f"write {words} {length.days} days", span or length.span)
    return length.count


def _texts(condition: Condition, field: Field) -> list[str] | None:
    """The texts of `field == "…"` or `field == ["…", "…"]`."""
    if not isinstance(condition, Comparison) or condition.operator != "==" or condition.left != field:
        return None
    match condition.right:
        case Text(value):
            return [value]
        case ListOf(items) if len(items) > 1:
            texts = [item.value for item in items if isinstance(item, Text)]
            return texts if len(texts) == len(items) else None
        case _:
            return None


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.operands if isinstance(condition, Or) else (condition,)


def _users(condition: Condition) -> list[dict[str, str]] | None:
    """Users listed as `DIR\\id`, then those whose own text has a backslash, part by part."""
    first, *more = _parts(condition)
    users = []
    names = _texts(first, Field("user"))
    if names is not None and all(name.count("\\") == 1 for name in names):
        users += [dict(zip(("userDir", "userId"), name.split("\\"), strict=True)) for name in names]
    else:
        more = [first, *more]
    for part in more:
        match part:
            case And((Comparison() as of_directory, Comparison() as of_id)):
                directories = _texts(of_directory, Field("user.userDirectory"))
                ids = _texts(of_id, Field("user.userId"))
                both = [*(directories or ()), *(ids or ())]
                if directories is None or ids is None or len(both) != 2 or "\\" not in "".join(both):
                    return None
                users.append({"userDir": both[0], "userId": both[1]})
            case _:
                return None
    return users


def _custom_properties(condition: Condition) -> list[dict[str, str]] | None:
    pairs = []
    names = []
    for part in _parts(condition):
        if not isinstance(part, Comparison) or not isinstance(part.left, Field) or part.left.name != "user.@":
            return None
        values = _texts(part, part.left)
        if values is None or part.left.key is None:
            return None
        names.append(part.left.key)
        pairs += [{"name": part.left.key, "value": value} for value in values]
    return pairs if len(names) == len(set(names)) else None
