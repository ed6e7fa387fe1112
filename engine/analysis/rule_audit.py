"""Our reading of a site's license rules, held against the site's own judge: a sample, for `site check`.

`POST /qrs/systemrule/license/audit` says of users which license rules apply to them. It changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.common.text import plural
from seatwarden.engine.errors import RemoteError
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.snapshot.license_rules import LicenseRule
from seatwarden.engine.snapshot.model import Snapshot, User
from seatwarden.engine.take_back.take_back import TakeBacks
from seatwarden.grammar.errors import shown

SAMPLE = 20
"""The number of users that the site is asked about."""


class _Applied(Struct, rename={"user": "userID", "rule": "ruleID", "state": "evaluationState"}):
    user: str
    rule: str
    allowed: bool
    state: int | str = 0


class _Audit(Struct, rename="camel"):
    rule_application: list[_Applied]


@dataclass(frozen=True, slots=True)
class RuleAudit:
    """How many answers agree, of how many we say nothing, how many came, and the rules on which we differ."""

    agreed: int
    unsaid: int
    answers: int
    differing: tuple[str, ...]

    @property
    def found(self) -> str:
        """The same in words."""
        differ = f", DIFFERENT of {', '.join(f'`{shown(name)}`' for name in self.differing)}" if self.differing else ""
        counts = f"the same as ours {self.agreed:,}, we cannot say {self.unsaid:,}"
        return f"{plural(self.answers, 'answer')} of QRS: {counts}{differ}"

    @property
    def help(self) -> str | None:
        """What to do where we differ."""
        if not self.differing:
            return None
        return "do not rely on what `plan` says of these rules, and report it: no verdict hangs on that"


def audit_rules(client: QrsClient, snapshot: Snapshot) -> RuleAudit | None:
    """Holds a sample of users against the site's own judge; None without users or rules. Raises RemoteError."""
    take_backs = TakeBacks(snapshot)
    rules = {rule.id: rule for rule in take_backs.rules.rules if rule.id}
    users = snapshot.users[:: max(1, len(snapshot.users) // SAMPLE)][:SAMPLE]
    if not rules or not users:
        return None
    try:
        told = msgspec.json.decode(client.audit_license_rules([user.id for user in users]), type=_Audit)
    except UNREADABLE:
        raise RemoteError("the audit of license rules is not as QRS documents it") from None
    return _compared(take_backs, rules, {user.id: user for user in users}, told.rule_application)


def _compared(
    take_backs: TakeBacks, rules: Mapping[str, LicenseRule], users: Mapping[str, User], told: Sequence[_Applied]
) -> RuleAudit:
    agreed, unsaid, asked, differing = 0, 0, 0, dict[str, None]()
    for one in told:
        rule, user = rules.get(one.rule), users.get(one.user)
        if rule is None or user is None:  # of a rule that is disabled, or gives other licenses
            continue
        asked += 1
        ours = take_backs.ask(rule, user).truth
        if ours is None:
            unsaid += 1
        elif ours is one.allowed:
            agreed += 1
        else:
            differing[rule.name] = None
    return RuleAudit(agreed, unsaid, asked, tuple(differing))
