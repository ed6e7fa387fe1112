"""The Butler YAML front end: `neverRelease` and `licenseType` settings compile into the policy tree.

Three forms are read: a whole Butler config file, its `qlikSenseLicense` block alone, and a bare
`licenseRelease` map. The first two must be complete, as Butler 16 demands; a bare map may leave out what a
policy does not need. Rules are named by their key and stand in the order in which Butler tests them.
Comparison is exact (`==`), as in Butler.
"""

from dataclasses import replace
from typing import cast

from seatwarden.grammar.ast import (
    LICENSE_TYPES,
    And,
    Comparison,
    Condition,
    Date,
    Field,
    LicenseType,
    Limit,
    ListOf,
    Not,
    Or,
    Policy,
    Rule,
    Statement,
    Text,
    Timezone,
    UnusedFor,
)
from seatwarden.grammar.builder import date_from
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import parse_condition, parse_limit
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.butler.jobs import (
    LICENSE_BLOCKS,
    OUR_KEYS,
    RELEASE_KEYS,
    butler_sections,
    read_job,
    read_license_block,
)
from seatwarden.policy.butler.names import read_lets, read_sets
from seatwarden.policy.diagnostics import from_syntax, in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.yaml.nodes import Entry, Node, YamlList, YamlMap, YamlScalar, read_yaml
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.yaml.text import locate_in

FLAGS = {"inactive": "user.inactive", "blocked": "user.blocked", "removedExternally": "user.removedExternally"}
NEVER_RELEASE = ("user", "tag", "customProperty", "userDirectory", *FLAGS)
SITE_KEYS = ("configQRS", "cert", "influxDb", "seatwarden")
"""What a site file has beside the rules."""
_MARKERS = ("neverRelease", "licenseType")


def parse_butler(text: str, file: str) -> Policy:
    """The policy that Butler's settings in `text` mean. Raises PolicyError with every problem found."""
    return butler_policy(read_yaml(text, file), text, file)


def butler_policy(root: Node, text: str, file: str) -> Policy:
    """The policy of a file that is read into nodes already; `text` is shown beside problems. Raises PolicyError."""
    front_end = _FrontEnd()
    statements = front_end.read(root)
    if front_end.findings:
        raise PolicyError(in_order(front_end.findings), {file: text})
    return Policy(tuple(statements))


class _FrontEnd(YamlReader):
    def read(self, root: Node) -> list[Statement]:
        """The statements of any of the three forms."""
        found = self._find_license_release(root)
        if found is None:
            return []
        node, complete = found
        required = RELEASE_KEYS if complete else ("licenseType",)
        release = self.mapping(node, "licenseRelease", known=(*RELEASE_KEYS, *OUR_KEYS), required=required)
        if release is None:
            return []
        read_job(self, release, "licenseRelease")
        self.at(release, "dryRun", lambda entry: self.boolean(entry.value, "licenseRelease.dryRun"))
        statements: list[Statement] = []
        statements += self.at(release, "timezone", self._timezone) or []
        statements += self.at(release, "limit", self._limits) or []
        statements += self.at(release, "let", lambda entry: read_lets(self, entry.value)) or []
        statements += self.at(release, "set", lambda entry: read_sets(self, entry.value)) or []
        statements += self.at(release, "neverRelease", lambda entry: self._keep_rules(entry, complete)) or []
        statements += self.at(release, "licenseType", lambda entry: self._release_rules(entry, complete)) or []
        return statements

    def _rules_are_elsewhere(self, root: YamlMap) -> bool:
        """Whether this is a site file that names a policy and has no rules of its own, which is a finding."""
        named = _inner(root.get("seatwarden"), "policy")
        if named is None:
            return False
        top = root.get("Butler")
        block = _inner(top, "qlikSenseLicense") if top else root.get("qlikSenseLicense")
        release = _inner(block, "licenseRelease") if block else root.get("licenseRelease")
        if any(root.get(key) or _inner(release, key) for key in _MARKERS):
            return False
        self.error("SW209", "this site file is no policy", named.key.span, "it names one", "name that file instead")
        return True

    def _find_license_release(self, root: Node) -> tuple[Node, bool] | None:
        """The licenseRelease map, and whether it stands in a form that must be complete."""
        if not isinstance(root, YamlMap):
            help_ = "it starts with `Butler:`, `qlikSenseLicense:` or `neverRelease:`"
            self.error("SW209", "this is not a policy", root.span, f"expected a map, this is {describe(root)}", help_)
            return None
        if self._rules_are_elsewhere(root):
            return None
        butler = root.get("Butler")
        block = butler_sections(root)
        if butler and not isinstance(block, YamlMap):
            self.error("SW204", "`Butler` must be a map", block.span, f"this is {describe(block)}")
            return None
        licenses = block.get("qlikSenseLicense") if isinstance(block, YamlMap) else None
        if licenses is not None:
            # A whole file may come from an older Butler, which had no serverLicenseMonitor, or be one's own site file.
            whole = butler or any(root.get(key) for key in SITE_KEYS)
            required = ("licenseRelease",) if whole else LICENSE_BLOCKS
            read = read_license_block(self, licenses.value, required)
            return (read.release.value, True) if read and read.release else None
        if butler:
            self.error(
                "SW209",
                "this Butler config has no `qlikSenseLicense` settings",
                butler.key.span,
                "nothing to read in here",
            )
            return None
        bare = root.get("licenseRelease")
        if bare is not None:
            # A site file of one's own may have the rules in it, without Butler's frame.
            self.mapping(root, "the file", known=("licenseRelease", *SITE_KEYS))
            return bare.value, False
        if not any(root.get(key) for key in _MARKERS):
            keys = [entry.key for entry in root.entries]
            near = [
                hint
                for key in keys
                if (hint := did_you_mean(key.text, ("Butler", "qlikSenseLicense", "licenseRelease", *_MARKERS)))
            ]
            help_ = (
                near[0]
                if near
                else "it has `Butler:`, `qlikSenseLicense:`, `licenseRelease:` or `licenseType:` at the top"
            )
            self.error(
                "SW209", "this is not a policy", keys[0].span if keys else root.span, "no license settings here", help_
            )
            return None
        return root, False

    # keep rules

    def _keep_rules(self, entry: Entry, complete: bool) -> list[Rule]:
        required = NEVER_RELEASE if complete else ()
        never = self.mapping(entry.value, "neverRelease", known=(*NEVER_RELEASE, "when"), required=required)
        if never is None:
            return []
        rules = []
        for key, read in (
            ("user", self._users),
            ("tag", self._tags),
            ("customProperty", self._custom_properties),
            ("userDirectory", self._user_directories),
            *((flag, self._flag) for flag in FLAGS),
        ):
            found = never.get(key)
            condition = read(found) if found else None
            if found and condition is not None:
                rules.append(Rule("keep", (), key, None, condition, found.key.span, found.key.span))
        when = never.get("when")
        return rules + (self._named_rules(when) if when else [])

    def _users(self, entry: Entry) -> Condition | None:
        """`user == ["DIR\\id", …]`; a pair whose own text has a backslash is compared part by part, since
        `A\\B` + `c` and `A` + `B\\c` are written alike."""
        names: list[Text] = []
        conditions: list[Condition] = []
        for item in self.items(entry.value, "neverRelease.user"):
            keys = ("userDir", "userId")
            pair = self.mapping(item, "neverRelease.user", known=keys, required=keys)
            texts = [
                self.at(pair, key, lambda e: self._text_node(e, "neverRelease.user")) if pair else None for key in keys
            ]
            directory, user_id = texts
            if directory is None or user_id is None:
                continue
            if "\\" in directory.value or "\\" in user_id.value:
                conditions.append(
                    And(
                        (
                            Comparison(
                                "==", Field("user.userDirectory", None, directory.span), directory, directory.span
                            ),
                            Comparison("==", Field("user.userId", None, user_id.span), user_id, user_id.span),
                        ),
                        item.span,
                    )
                )
            else:
                names.append(Text(f"{directory.value}\\{user_id.value}", directory.span.to(user_id.span)))
        if names:
            conditions.insert(0, _listed(Field("user", None, entry.key.span), names, entry.key.span))
        return _any(conditions, entry.key.span)

    def _tags(self, entry: Entry) -> Condition | None:
        return self._list(entry, "neverRelease.tag", "user.tags")

    def _user_directories(self, entry: Entry) -> Condition | None:
        return self._list(entry, "neverRelease.userDirectory", "user.userDirectory")

    def _list(self, entry: Entry, what: str, field: str) -> Condition | None:
        texts = [
            Text(text, item.span)
            for item in self.items(entry.value, what)
            if (text := self.text(item, what)) is not None
        ]
        return _listed(Field(field, None, entry.key.span), texts, entry.key.span) if texts else None

    def _custom_properties(self, entry: Entry) -> Condition | None:
        values: dict[str, list[Text]] = {}
        places: dict[str, Span] = {}
        keys = ("name", "value")
        for item in self.items(entry.value, "neverRelease.customProperty"):
            pair = self.mapping(item, "neverRelease.customProperty", known=keys, required=keys)
            texts = [
                self.at(pair, key, lambda e: self._text_node(e, "neverRelease.customProperty")) if pair else None
                for key in keys
            ]
            name, value = texts
            if name is not None and value is not None:
                values.setdefault(name.value, []).append(value)
                places.setdefault(name.value, name.span)
        conditions: list[Condition] = [
            _listed(Field("user.@", name, places[name]), texts, places[name]) for name, texts in values.items()
        ]
        return _any(conditions, entry.key.span)

    def _flag(self, entry: Entry) -> Condition | None:
        """`Yes` keeps users that are marked so in the QMC, `No` those that are not; `Ignore` is no rule."""
        key = entry.key.text
        word = self.one_of(entry.value, f"neverRelease.{key}", ("yes", "no", "ignore"))
        field = Field(FLAGS[key], None, entry.value.span)
        if word == "yes":
            return field
        return Not(field, entry.value.span) if word == "no" else None

    def _named_rules(self, entry: Entry) -> list[Rule]:
        rules = []
        for item in self.items(entry.value, "neverRelease.when"):
            known = ("name", "when", "until", "licenseType")
            rule = self.mapping(item, "neverRelease.when", known=known, required=("name", "when"))
            if rule is None:
                continue
            name = self.at(rule, "name", lambda e: self.text(e.value, "name"))
            named, when = rule.get("name"), rule.get("when")
            condition = self._condition(when.value, "when") if when else None
            until = self.at(rule, "until", self._until)
            types = self.at(rule, "licenseType", self._license_types) or ()
            if name is not None and condition is not None:
                rules.append(
                    Rule("keep", types, name, until, condition, item.span, named.value.span if named else item.span)
                )
        return rules

    def _license_types(self, entry: Entry) -> tuple[LicenseType, ...]:
        """One type or a list of them; none is both, as in a rule that names no type."""
        one = isinstance(entry.value, YamlScalar) and entry.value.value is not None
        nodes = (entry.value,) if one else self.items(entry.value, "licenseType")
        words = [self.one_of(node, "licenseType", LICENSE_TYPES) for node in nodes]
        return tuple(dict.fromkeys(cast(LicenseType, word) for word in words if word is not None))

    # release rules

    def _release_rules(self, entry: Entry, complete: bool) -> list[Rule]:
        required = LICENSE_TYPES if complete else ()
        types = self.mapping(entry.value, "licenseType", known=LICENSE_TYPES, required=required)
        if types is None:
            return []
        rules = []
        for license_type in LICENSE_TYPES:
            found = types.get(license_type)
            rule = self._release_rule(license_type, found) if found else None
            if rule:
                rules.append(rule)
        return sorted(rules, key=lambda rule: rule.span)

    def _release_rule(self, license_type: LicenseType, entry: Entry) -> Rule | None:
        what = f"licenseType.{license_type}"
        keys = ("enable", "releaseThresholdDays")
        settings = self.mapping(entry.value, what, known=(*keys, "when", "neverUsed"), required=keys)
        if settings is None:
            return None
        enable = self.at(settings, "enable", lambda e: self.boolean(e.value, f"{what}.enable"))
        days = self.at(
            settings, "releaseThresholdDays", lambda e: self.whole(e.value, f"{what}.releaseThresholdDays", "days")
        )
        also = settings.get("when")
        when = self._condition(also.value, f"{what}.when") if also else None
        words = ("fromAllocation", "release", "keep")
        never = self.at(settings, "neverUsed", lambda e: self.one_of(e.value, f"{what}.neverUsed", words))
        threshold = settings.get("releaseThresholdDays")
        if not enable or days is None or threshold is None:
            return None
        place = threshold.value.span
        condition: Condition = UnusedFor(days, "days", place)
        never_used = Field("license.neverUsed", None, place)
        if never == "release":
            condition = Or((condition, never_used), place)
        elif never == "keep":
            condition = And((condition, Not(never_used, place)), place)
        if when is not None:
            condition = And((*_and_parts(condition), *_and_parts(when)), place)
        return Rule("release", (license_type,), None, None, condition, entry.key.span, entry.key.span)

    # settings of ours

    def _timezone(self, entry: Entry) -> list[Statement]:
        name = self.text(entry.value, "timezone")
        return [Timezone(name, entry.value.span, entry.value.span)] if name is not None else []

    def _limits(self, entry: Entry) -> list[Statement]:
        nodes = entry.value.items if isinstance(entry.value, YamlList) else (entry.value,)
        limits = [self._limit(node) for node in nodes]
        return [limit for limit in limits if limit is not None]

    def _limit(self, node: Node) -> Limit | None:
        if isinstance(node, YamlScalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            count = self.whole(node, "limit", "licenses")
            return Limit(count, None, None, False, node.span) if count is not None else None
        if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
            message = "`limit` must be a number, a text or a list of them"
            self.error("SW204", message, node.span, f"this is {describe(node)}", "like: 50 per run")
            return None
        text = self.text(node, "limit")
        if text is None:
            return None
        try:
            return replace(parse_limit(text, locate_in(node)), span=node.span)
        except PolicySyntaxError as error:
            self.findings += [from_syntax(problem) for problem in error.problems]
            return None

    def _condition(self, node: Node, what: str) -> Condition | None:
        """A condition in the policy language; spans point into the YAML file."""
        if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
            self.error(
                "SW204",
                f"`{what}` must be a condition",
                node.span,
                f"this is {describe(node)}",
                'like: user.tags = "vip"',
            )
            return None
        try:
            return parse_condition(node.value, locate_in(node))
        except PolicySyntaxError as error:
            self.findings += [from_syntax(problem) for problem in error.problems]
            return None

    def _until(self, entry: Entry) -> Date | None:
        """A date; YAML reads an unquoted one as its date type, quoted it is text."""
        day = date_from(entry.value.text) if isinstance(entry.value, YamlScalar) else None
        if day is None:
            help_ = "dates are written year-month-day with two digits each: 2027-02-28"
            self.error("SW205", "`until` must be a date", entry.value.span, f"this is {describe(entry.value)}", help_)
            return None
        return Date(day, entry.value.span)

    def _text_node(self, entry: Entry, what: str) -> Text | None:
        text = self.text(entry.value, f"{what}.{entry.key.text}")
        return Text(text, entry.value.span) if text is not None else None


def _inner(entry: Entry | None, key: str) -> Entry | None:
    """The entry of that key in the map that another entry holds, if it holds one."""
    return entry.value.get(key) if entry and isinstance(entry.value, YamlMap) else None


def _listed(field: Field, texts: list[Text], span: Span) -> Comparison:
    value = texts[0] if len(texts) == 1 else ListOf(tuple(texts), texts[0].span.to(texts[-1].span))
    return Comparison("==", field, value, span)


def _and_parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.operands if isinstance(condition, And) else (condition,)


def _any(conditions: list[Condition], span: Span) -> Condition | None:
    if len(conditions) > 1:
        return Or(tuple(conditions), span)
    return conditions[0] if conditions else None
