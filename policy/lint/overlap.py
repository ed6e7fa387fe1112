"""Rules that get in each other's way: the same twice, shadowed, never reached. All of it is proved."""

from collections.abc import Iterator

from seatwarden.grammar.ast import RULE_KINDS, Rule
from seatwarden.grammar.spans import NOWHERE, Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import head, warning
from seatwarden.policy.lint.rule_space import RuleSpace
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.policies import told


def find_overlaps(policy: CheckedPolicy, space: RuleSpace) -> Iterator[Diagnostic]:
    """SW305 duplicate, SW306 shadowed, SW307 a name used twice, SW308 a release never reached, SW309 none at all."""
    yield from _covered(space)
    yield from _same_names(policy.rules)
    yield from _unreached(space)
    if not any(rule.takes for rule in policy.rules):
        yield warning(
            "SW309", "this policy never releases anything", _start(policy), "no release rule", _NO_RELEASE_HELP
        )


_NO_RELEASE_HELP = "add one, like: release analyzer when unused for 30 days"


def _start(policy: CheckedPolicy) -> Span:
    first = min((statement.span for statement in policy.written.statements), default=NOWHERE)
    return first if first.line else Span(policy.file, 1, 1, 1, 1)


def _covered(space: RuleSpace) -> Iterator[Diagnostic]:
    """Rules whose every match another rule of their kind, with the same notice, matches too. Rules that always match
    are a finding already."""
    out = space.never | space.expired
    looked_at = [number for number in range(len(space.rules)) if number not in out | space.always]
    of_kind = {kind: [number for number in looked_at if space.rules[number].kind == kind] for kind in RULE_KINDS}
    for number in looked_at:
        rule = space.rules[number]
        alike = [n for n in of_kind[rule.kind] if n != number and told(space.rules[n]) == told(rule)]
        near = space.near(number, alike)
        covering = [other for other in near if space.implies(number, other)]
        equal = [other for other in covering if space.implies(other, number)]
        wider = [other for other in covering if other not in equal]
        if equal and equal[0] < number:
            yield _duplicate(rule, space.rules[equal[0]])
        elif wider:  # a rule further down that says the same is told that itself
            yield _shadowed(rule, space.rules[wider[0]])


def _duplicate(rule: Rule, first: Rule) -> Diagnostic:
    message = f"`{rule.title}` says the same as {_other(first, rule)}"
    related = ((first.condition.span, "the same here"),)
    return warning("SW305", message, rule.condition.span, "says it again", "remove one of them", related)


def _shadowed(rule: Rule, wider: Rule) -> Diagnostic:
    message = f"`{rule.title}` is shadowed by {_other(wider, rule)}"
    related = ((wider.condition.span, "matches these too, and more"),)
    help_ = f"whatever it matches, {_other(wider, rule)} {rule.does} too: remove it, or narrow the other"
    return warning("SW306", message, rule.condition.span, "changes no verdict", help_, related)


def _other(rule: Rule, beside: Rule) -> str:
    return f"another `{rule.title}`" if rule.title == beside.title else f"`{rule.title}`"


def _same_names(rules: tuple[Rule, ...]) -> Iterator[Diagnostic]:
    first: dict[str, Rule] = {}
    for rule in rules:
        if rule.name is None:
            continue
        if rule.name in first:
            message = f"two rules are called `{rule.name}`"
            related = ((head(first[rule.name]), "first here"),)
            help_ = "plans and explanations name rules: give each its own name"
            yield warning("SW307", message, head(rule), "again here", help_, related)
        first.setdefault(rule.name, rule)


def _unreached(space: RuleSpace) -> Iterator[Diagnostic]:
    """Rules that take licenses and never decide: whatever they match, a rule that beats them matches, too.

    A rule that always matches is a finding already.
    """
    able = [n for n in range(len(space.rules)) if n not in space.never]
    for number in able:
        rule = space.rules[number]
        above = [n for n in able if space.rules[n].beats(rule)]
        if any(space.implies(number, one) for one in above if one in space.always) or not space.near(number, above):
            continue
        against = [space.opposites[one] for one in above]
        found = space.cause(number, against, [space.formulas[number]])
        if found is not None:
            because = [space.rules[above[n]] for n in found]
            kinds = [kind for kind in RULE_KINDS if any(other.kind == kind for other in because)]
            message = f"`{rule.title}` never {rule.does} anything"
            label = f"every license it matches is {' or '.join(_DONE[kind] for kind in kinds)}"
            related = tuple((other.condition.span, f"by `{other.title}`") for other in because)
            beats = f"{kinds[0]} always beats" if len(kinds) == 1 else f"{' and '.join(kinds)} always beat"
            help_ = f"{beats} {rule.kind}, whatever the order of rules"
            yield warning("SW308", message, rule.condition.span, label, help_, related)


_DONE = {"keep": "kept", "downgrade": "downgraded"}
