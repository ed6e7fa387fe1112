"""What is odd about the license rules of a site: names that nobody has, rules that match nobody, two types for one.

They are the site's, and stand in no file of a policy: so these are warnings, and no findings with a place and a code.
"""

from collections import defaultdict
from collections.abc import Iterator

from seatwarden.engine.common.text import plural
from seatwarden.engine.snapshot.license_rules import LicenseRule, paths_in
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.engine.take_back.answer import named_rules
from seatwarden.engine.take_back.take_back import TakeBacks, take_backs_of
from seatwarden.grammar.errors import shown
from seatwarden.grammar.license_rule.ast import NotUnderstood, leaves
from seatwarden.grammar.suggest import nearest

_NAMED = ("user.userId", "user.userDirectory", "user.name", "user.roles")
"""What every user has, as license rules call it."""


def license_rule_warnings(snapshot: Snapshot) -> list[str]:
    """A sentence for each oddity, rule by rule; none where the snapshot has no license rules."""
    asked = take_backs_of(snapshot)
    told = [sentence for rule in asked.rules.rules for sentence in _of_rule(asked, rule, snapshot)]
    return [*told, *_both_types(asked, snapshot)]


def _of_rule(asked: TakeBacks, rule: LicenseRule, snapshot: Snapshot) -> Iterator[str]:
    name = f"license rule `{shown(rule.name)}`"
    if rule.condition is None:
        yield f"{name} cannot be read: {rule.problem}; whom it gives a license nobody can say"
        return
    for leaf in leaves(rule.condition):
        if isinstance(leaf, NotUnderstood):
            yield f"a part of {name} is not understood: {leaf.reason}"
    known = (*_NAMED, *asked.paths_in_use)
    folded = set(map(str.casefold, known))
    for path in paths_in(rule.condition):
        doubt = asked.doubt_about(path)
        if doubt is not None:
            meant = nearest(path, known) if path.casefold() not in folded else None
            yield f"{name}: {doubt}" + (f"; did you mean `{shown(meant)}`?" if meant else "")
    if snapshot.users and all(asked.ask(rule, user).truth is False for user in snapshot.users):
        yield f"{name} matches nobody at the site"


def _both_types(asked: TakeBacks, snapshot: Snapshot) -> Iterator[str]:
    """Who is certainly given either type: which wins is not documented. Told once for all with the same rules."""
    people: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    professional, analyzer = asked.rules.giving("professional"), asked.rules.giving("analyzer")
    for user in snapshot.users if professional and analyzer else ():
        first, second = (
            tuple(rule.name for rule in rules if asked.ask(rule, user).truth) for rules in (professional, analyzer)
        )
        if first and second:
            people[first, second].append(user.directory_and_id)
    for (first, second), users in people.items():
        who = users[0] if len(users) == 1 else f"{plural(len(users), 'user')}, such as {shown(users[0])},"
        verb = "is" if len(users) == 1 else "are"
        by = f"professional by {named_rules(first)}, analyzer by {named_rules(second)}"
        yield f"{who} {verb} given both types by license rules ({by}): which one they get is not documented"
