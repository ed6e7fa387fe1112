"""Policy tests: what a file like `butler.test.yaml` expects of the policy beside it.

A file has either `cases` (each a small user and license of its own) or a `snapshot` with `expect`ed verdicts per
user. Read here, with every problem at its place; run by the floor above.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seatwarden.grammar.ast import LICENSE_TYPES, RULE_KINDS, LicenseType, RuleKind, Text
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
from seatwarden.policy.yaml.kinds import SWITCH, TEXT, TEXT_NODE, WRITTEN, list_of, map_of, one_of, within_folder
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap, read_yaml
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.yaml.settings import Kind, Section, Setting, Values, need
from seatwarden.policy.zones import is_timezone, timezone_help

TEST_SUFFIXES = (".test.yaml", ".test.yml")
GUARDS = ("quarantined", "undetermined")
"""The reasons that decide instead of a rule, by the names that decisions use."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected verdict, and, where given, what it is due to: its kind, the deciding rule, all that match.

    Rules are named by their label, guards (as the deciding `rule`) by theirs.
    """

    verdict: RuleKind
    because: str | None
    rule: Text | None
    rules: tuple[Text, ...] | None


@dataclass(frozen=True, slots=True)
class Case:
    """A license and its user, and what is expected of it. `now` None: the file's. On the days `told` and `reminded` its
    user was told of the release; None: nobody has been told."""

    name: str
    user: UserFacts
    license: LicenseFacts
    now: Moment | None
    expectation: Expectation
    span: Span
    told: Moment | None = None
    reminded: Moment | None = None


@dataclass(frozen=True, slots=True)
class ExpectedOf:
    """An expectation of licenses in a snapshot: of a user's (of one type, or of all), or of one by its id."""

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
    reader = _TestReader(folder=path.parent)
    test = reader.read(read_yaml(text, str(path)), str(path))
    if reader.findings or test is None:
        raise PolicyError(in_order(reader.findings), {str(path): text})
    return test


class _TestReader(YamlReader):
    _labels: Mapping[str, None] | None = None
    """The labels of the policy's rules; None while there is no policy."""

    def read(self, root: Node, file: str) -> PolicyTest | None:
        if not isinstance(root, YamlMap):
            help_ = "it says `policy:` and either `cases:` or `snapshot:` with `expect:`"
            label = f"expected a map, this is {describe(root)}"
            self.error("SW209", "this is not a policy test", root.span, label, help_)
            return None
        top = WHOLE.read(self, root, "policy test")
        assert top is not None  # noqa: S101 - for the type checker: root is a map, see above
        self._either_cases_or_snapshot(top.map)
        policy = self._policy(top)
        has_now = not self.lacks(top.map, "now")
        cases = tuple(case for values in top["cases"] if (case := self._case(values, has_now)) is not None)
        expected = tuple(one for values in top["expect"] if (one := self._expected(values)) is not None)
        self._names_once(cases)
        timezone, now, exhaustive, snapshot = top.take("timezone", "now", "exhaustive", "snapshot")
        return PolicyTest(file, policy, timezone, now, exhaustive, cases, snapshot, expected) if policy else None

    def _either_cases_or_snapshot(self, top: YamlMap) -> None:
        cases, snapshot, expect = (top.get(key) for key in ("cases", "snapshot", "expect"))
        if self.lacks(top, "cases") and self.lacks(top, "snapshot"):
            help_ = "add `cases:`, or `snapshot:` with `expect:`"
            self.error("SW206", "this policy test has nothing to test", top.start, "in this file", help_)
        for entry, needed in ((expect, "snapshot"), (top.get("exhaustive"), "snapshot"), (snapshot, "expect")):
            if entry is not None and self.lacks(top, needed) and cases is None:
                self.error("SW206", f"`{entry.key.text}` goes with `{needed}`", entry.key.span, f"no `{needed}:` here")
        for entry in (snapshot, expect, top.get("exhaustive")) if cases else ():
            if entry is not None:
                help_ = "a case has its own user and license; put the other form into a file of its own"
                message = f"`{entry.key.text}` does not go with `cases`"
                self.error("SW205", message, entry.key.span, "leave it out", help_)

    def _policy(self, top: Values) -> CheckedPolicy | None:
        """The policy; problems in it are reported as its own, a missing file at the place that names it."""
        if top["policy"] is None:
            return None
        try:
            policy = load_policy(self.folder / top["policy"])
        except InputError as error:
            self.error("SW207", error.message, top.span("policy"), "read from here", error.help)
            return None
        self._labels = dict.fromkeys(rule.label for rule in policy.rules)
        return policy

    def _case(self, case: Values, has_now: bool) -> Case | None:
        user: UserFacts | None = case["user"] if case.map.get("user") else {}
        name, license_, now, told, reminded = case.take("name", "license", "now", "told", "reminded")
        entry = case.map.get("reminded")
        if entry is not None and self.lacks(case.map, "told"):
            help_ = "write on which day the user was told first: `told: 2026-11-10`"
            self.error("SW206", "`reminded` goes with `told`", entry.key.span, "no `told:` here", help_)
        expectation = self._expectation(case)
        if not has_now and self.lacks(case.map, "now"):
            help_ = "write `now: 2026-11-21` at the top of the file: a test must not depend on the day it is run"
            self.error("SW206", "this case has no `now`", case.map.start, "in this case", help_)
        if name is None or user is None or license_ is None or expectation is None:
            return None
        self._holds_its_own(case.map, user, license_)
        return Case(name, user, license_, now, expectation, case.map.span, told, reminded)

    def _holds_its_own(self, case: YamlMap, user: UserFacts, license_: LicenseFacts) -> None:
        """Puts what a case says of all licenses of its user beside the license that it is about."""
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

    def _expected(self, item: Values) -> ExpectedOf | None:
        expectation = self._expectation(item)
        if self.lacks(item.map, "user") == self.lacks(item.map, "licenseId"):
            help_ = "write `user: DIRECTORY\\id`, or for a license without a user its `licenseId`"
            message = "an expectation names either a `user` or a `licenseId`"
            self.error("SW206", message, item.map.start, "in this map", help_)
            return None
        user, license_type, license_id = item.take("user", "license", "licenseId")
        return ExpectedOf(user, license_type, license_id, expectation, item.map.span) if expectation else None

    def _expectation(self, item: Values) -> Expectation | None:
        verdict, because, rule, rules = item.take("verdict", "because", "rule", "rules")
        self._know((rule,) if rule else (), GUARDS)
        self._know(rules or (), ())
        return Expectation(verdict, because, rule, rules) if verdict is not None else None

    def _know(self, named: tuple[Text, ...], others: tuple[str, ...]) -> None:
        """Note each label of a rule that the policy does not have."""
        labels = self._labels
        for label, span in ((text.value, text.span) for text in named):
            if labels is not None and label not in labels and label not in others:
                few = len(self.findings) < MAX_FINDINGS and len(labels) < MAX_COMPARED
                near = did_you_mean(label, [*labels, *others]) if few else None
                help_ = near or f"its rules are {', '.join(labels)}"
                self.error("SW205", f"the policy has no rule `{label}`", span, "no such rule", help_)

    def _names_once(self, cases: tuple[Case, ...]) -> None:
        first: dict[str, Case] = {}
        for case in cases:
            if case.name in first:
                related = ((first[case.name].span, "first here"),)
                message, help_ = f"two cases are called `{case.name}`", "give each a name of its own"
                self.findings.append(Diagnostic("SW202", "error", message, case.span, "here again", help_, related))
            first.setdefault(case.name, case)


def _place_of(key: str, entry: Entry) -> Span:
    """The value of a key in a map, or the whole where there is no such key."""
    found = entry.value.get(key) if isinstance(entry.value, YamlMap) else None
    return found.value.span if found else entry.value.span


# The tables ----------------------------------------------------------------------------------------------


def _timezone(reader: YamlReader, entry: Entry, what: str) -> str | None:
    name = reader.text(entry.value, what)
    if name is not None and not is_timezone(name):
        message = f"there is no time zone `{name}`"
        reader.error("SW208", message, entry.value.span, "not in the IANA list", timezone_help(name))
        return None
    return name


_MOMENT = Kind(lambda reader, entry, what: read_moment(reader, entry.value, what))
_EXPECTATION = (
    need("verdict", one_of(RULE_KINDS)),
    Setting("because", one_of(("guard", *RULE_KINDS, "default", "notice"))),
    Setting("rule", TEXT_NODE),
    Setting("rules", list_of(TEXT_NODE)),
)
CASE = Section(
    (
        need("name", TEXT),
        Setting("user", Kind(lambda reader, entry, what: read_user(reader, entry.value))),
        need("license", Kind(lambda reader, entry, what: read_license(reader, entry.value))),
        Setting("now", _MOMENT),
        Setting("told", _MOMENT),
        Setting("reminded", _MOMENT),
        *_EXPECTATION,
    ),
    brief=True,
)
EXPECTED = Section(
    (Setting("user", WRITTEN), Setting("license", one_of(LICENSE_TYPES)), Setting("licenseId", TEXT), *_EXPECTATION),
    brief=True,
)
WHOLE = Section(
    (
        need("policy", WRITTEN),
        Setting("timezone", Kind(_timezone)),
        Setting("now", _MOMENT),
        Setting("exhaustive", SWITCH, default=False),
        Setting("cases", list_of(Kind(lambda reader, entry, what: CASE.read(reader, entry.value, "case"))), default=()),
        Setting("snapshot", TEXT.then(within_folder)),
        Setting("expect", list_of(map_of(EXPECTED)), default=()),
    ),
    brief=True,
)
