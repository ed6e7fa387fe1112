"""Policy tests: what a file like `butler.test.yaml` expects of the policy beside it.

A file has either `cases` (each a small user and license of its own) or a `snapshot` with `expect`ed verdicts per
user. Read here, with every problem at its place; run by the floor above.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, cast

from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Text
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.check import MAX_COMPARED
from seatwarden.policy.diagnostics import MAX_FINDINGS, Diagnostic, in_order
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.loading import CheckedPolicy, load_policy
from seatwarden.policy.testing.case import (
    LicenseFacts,
    Moment,
    Special,
    UserFacts,
    read_license,
    read_moment,
    read_user,
)
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap, read_yaml
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.zones import is_timezone, timezone_help

TEST_SUFFIXES = (".test.yaml", ".test.yml")
GUARDS = ("quarantined", "undetermined")
"""What decides instead of a rule, by the names that decisions use."""
_BECAUSE = ("guard", "keep", "release", "default")
_EXPECTATION = ("verdict", "because", "rule", "rules")
_TOP = ("policy", "timezone", "now", "exhaustive", "cases", "snapshot", "expect")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected verdict, and, where given, what it is due to: its kind, the deciding rule, all that match.

    Rules are named by their label, guards (as the deciding `rule`) by theirs.
    """

    verdict: Literal["keep", "release"]
    because: str | None
    rule: Text | None
    rules: tuple[Text, ...] | None


@dataclass(frozen=True, slots=True)
class Case:
    """A license and its user, and what is expected of it. `now` None: the file's."""

    name: str
    user: UserFacts
    license: LicenseFacts
    now: Moment | None
    expectation: Expectation
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectedOf:
    """What is expected of licenses in a snapshot: of a user's (of one type, or of all), or of one by its id."""

    user: str | None
    license_type: LicenseType | None
    license_id: str | None
    expectation: Expectation
    span: Span


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """A policy test: the policy it is about, and either `cases` or `expected` with a `snapshot`.

    `timezone` None is the policy's own; `now` None is the snapshot's moment. Paths are ready to be opened.
    """

    file: str
    policy: CheckedPolicy
    timezone: str | None
    now: Moment | None
    exhaustive: bool
    cases: tuple[Case, ...]
    snapshot: Path | None
    expected: tuple[ExpectedOf, ...]


def load_policy_test(path: Path) -> PolicyTest:
    """The policy test in a file, with the policy it names.

    Raises InputError when the file cannot be read, PolicyError with every problem in it or in its policy.
    """
    text = read_text(path, "policy test")
    reader = _TestReader(str(path), path.parent)
    test = reader.read(read_yaml(text, str(path)))
    if reader.findings or test is None:
        raise PolicyError(in_order(reader.findings), {str(path): text})
    return test


class _TestReader(YamlReader):
    def __init__(self, file: str, folder: Path) -> None:
        super().__init__()
        self._file = file
        self._folder = folder
        self._labels: dict[str, None] = {}

    def read(self, root: Node) -> PolicyTest | None:
        if not isinstance(root, YamlMap):
            help_ = "it says `policy:` and either `cases:` or `snapshot:` with `expect:`"
            self.error(
                "SW209", "this is not a policy test", root.span, f"expected a map, this is {describe(root)}", help_
            )
            return None
        top = self.mapping(root, "policy test", known=_TOP, required=("policy",))
        assert top is not None  # noqa: S101 - for the type checker: root is a map, see above
        self._either_cases_or_snapshot(top)
        policy = self.at(top, "policy", self._policy)
        timezone = self.at(top, "timezone", self._timezone)
        now = self.at(top, "now", lambda e: read_moment(self, e.value, "now"))
        exhaustive = self.at(top, "exhaustive", lambda e: self.boolean(e.value, "exhaustive"))
        snapshot = self.at(top, "snapshot", lambda e: self.text(e.value, "snapshot"))
        cases = self._all(top.get("cases"), "cases", lambda item: self._case(item, policy, not self.lacks(top, "now")))
        expected = self._all(top.get("expect"), "expect", lambda item: self._expected(item, policy))
        self._names_once(cases)
        if policy is None:
            return None
        return PolicyTest(
            file=self._file,
            policy=policy,
            timezone=timezone,
            now=now,
            exhaustive=exhaustive is True,
            cases=cases,
            snapshot=self._folder / snapshot if snapshot else None,
            expected=expected,
        )

    def _either_cases_or_snapshot(self, top: YamlMap) -> None:
        cases, snapshot, expect = (top.get(key) for key in ("cases", "snapshot", "expect"))
        start = top.entries[0].key.span if top.entries else top.span
        if self.lacks(top, "cases") and self.lacks(top, "snapshot"):
            help_ = "add `cases:`, or `snapshot:` with `expect:`"
            self.error("SW206", "this policy test has nothing to test", start, "in this file", help_)
        for entry, needed in ((expect, "snapshot"), (top.get("exhaustive"), "snapshot"), (snapshot, "expect")):
            if entry is not None and self.lacks(top, needed) and cases is None:
                self.error("SW206", f"`{entry.key.text}` goes with `{needed}`", entry.key.span, f"no `{needed}:` here")
        for entry in (snapshot, expect, top.get("exhaustive")) if cases else ():
            if entry is not None:
                help_ = "a case has its own user and license; put the other form into a file of its own"
                self.error(
                    "SW205", f"`{entry.key.text}` does not go with `cases`", entry.key.span, "leave it out", help_
                )

    def _policy(self, entry: Entry) -> CheckedPolicy | None:
        """The policy; problems in it are reported as its own, a missing file at the place that names it."""
        name = self.text(entry.value, "policy")
        if name is None:
            return None
        try:
            policy = load_policy(self._folder / name)
        except InputError as error:
            self.error("SW207", error.message, entry.value.span, "read from here", error.help)
            return None
        self._labels = dict.fromkeys(rule.label for rule in policy.rules)
        return policy

    def _timezone(self, entry: Entry) -> str | None:
        name = self.text(entry.value, "timezone")
        if name is not None and not is_timezone(name):
            message = f"there is no time zone `{name}`"
            self.error("SW208", message, entry.value.span, "not in the IANA list", timezone_help(name))
            return None
        return name

    def _all(self, entry: Entry | None, what: str, read: Callable[[Node], _T | None]) -> tuple[_T, ...]:
        items = self.items(entry.value, what) if entry else ()
        return tuple(value for item in items if (value := read(item)) is not None)

    def _case(self, node: Node, policy: CheckedPolicy | None, has_now: bool) -> Case | None:
        keys = ("name", "user", "license", "now", *_EXPECTATION)
        case = self.mapping(node, "case", known=keys, required=("name", "license", "verdict"))
        if case is None:
            return None
        name = self.at(case, "name", lambda e: self.text(e.value, "name"))
        named = case.get("user")
        user: UserFacts | None = read_user(self, named.value) if named else {}
        license_ = self.at(case, "license", lambda e: read_license(self, e.value))
        now = self.at(case, "now", lambda e: read_moment(self, e.value, "now"))
        expectation = self._expectation(case, policy)
        if not has_now and self.lacks(case, "now"):
            help_ = "write `now: 2026-11-21` at the top of the file: a test must not depend on the day it is run"
            self.error(
                "SW206",
                "this case has no `now`",
                case.entries[0].key.span if case.entries else case.span,
                "in this case",
                help_,
            )
        if name is None or user is None or license_ is None or expectation is None:
            return None
        self._holds_its_own(case, user, license_)
        return Case(name, user, license_, now, expectation, node.span)

    def _holds_its_own(self, case: YamlMap, user: UserFacts, license_: LicenseFacts) -> None:
        """What a case says of all licenses of its user goes with the license that it is about."""
        entry = case.get("user")
        if entry is None or user is Special.UNKNOWN:
            return
        held = user.get("licenses", (license_.type,))
        if isinstance(held, tuple) and license_.type not in held:
            message = f"this case's license is {license_.type}, which the user does not hold"
            help_ = f"`licenses` lists all types that the user holds, `{license_.type}` too"
            self.error("SW205", message, _place_of("licenses", entry), "not in here", help_)
        elif isinstance(held, tuple) and len(held) < 2 and "lastUsed" in user:
            message = "`user.lastUsed` speaks of another license, which the user does not hold"
            help_ = "write `licenses: [professional, analyzer]`, or give the `lastUsed` of the license"
            self.error("SW205", message, _place_of("lastUsed", entry), "last use of which?", help_)

    def _expected(self, node: Node, policy: CheckedPolicy | None) -> ExpectedOf | None:
        keys = ("user", "license", "licenseId", *_EXPECTATION)
        item = self.mapping(node, "expect", known=keys, required=("verdict",))
        if item is None:
            return None
        user = self.at(item, "user", lambda e: self.text(e.value, "user"))
        license_type = self.at(item, "license", lambda e: self.one_of(e.value, "license", LICENSE_TYPES))
        license_id = self.at(item, "licenseId", lambda e: self.text(e.value, "licenseId"))
        expectation = self._expectation(item, policy)
        if self.lacks(item, "user") == self.lacks(item, "licenseId"):
            help_ = "write `user: DIRECTORY\\id`, or for a license without a user its `licenseId`"
            start = item.entries[0].key.span if item.entries else item.span
            self.error("SW206", "an expectation names either a `user` or a `licenseId`", start, "in this map", help_)
            return None
        if expectation is None:
            return None
        return ExpectedOf(user, cast("LicenseType | None", license_type), license_id, expectation, node.span)

    def _expectation(self, item: YamlMap, policy: CheckedPolicy | None) -> Expectation | None:
        verdict = self.at(item, "verdict", lambda e: self.one_of(e.value, "verdict", ("keep", "release")))
        because = self.at(item, "because", lambda e: self.one_of(e.value, "because", _BECAUSE))
        rule = self.at(item, "rule", lambda e: self._rule(e.value, "rule", policy, GUARDS))
        rules = self.at(item, "rules", lambda e: self._rules(e, policy))
        if verdict is None:
            return None
        return Expectation(cast("Literal['keep', 'release']", verdict), because, rule, rules)

    def _rules(self, entry: Entry, policy: CheckedPolicy | None) -> tuple[Text, ...]:
        items = self.items(entry.value, "rules")
        return tuple(rule for item in items if (rule := self._rule(item, "rules", policy, ())) is not None)

    def _rule(self, node: Node, what: str, policy: CheckedPolicy | None, others: tuple[str, ...]) -> Text | None:
        """The label of a rule that the policy has."""
        label = self.text(node, what)
        if label is None:
            return None
        if policy is not None and label not in self._labels and label not in others:
            few = len(self.findings) < MAX_FINDINGS and len(self._labels) < MAX_COMPARED
            near = did_you_mean(label, [*self._labels, *others]) if few else None
            help_ = near or f"its rules are {', '.join(self._labels)}"
            self.error("SW205", f"the policy has no rule `{label}`", node.span, "no such rule", help_)
        return Text(label, node.span)

    def _names_once(self, cases: tuple[Case, ...]) -> None:
        first: dict[str, Case] = {}
        for case in cases:
            if case.name in first:
                related = ((first[case.name].span, "first here"),)
                message = f"two cases are called `{case.name}`"
                self.findings.append(
                    Diagnostic(
                        "SW202", "error", message, case.span, "here again", "give each a name of its own", related
                    )
                )
            first.setdefault(case.name, case)


def _place_of(key: str, entry: Entry) -> Span:
    """The value of a key in a map, or the whole where there is no such key."""
    found = entry.value.get(key) if isinstance(entry.value, YamlMap) else None
    return found.value.span if found else entry.value.span
