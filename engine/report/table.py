"""The decisions as data for the page's script: column by column, every repeated text, tree and story only once.

The explanations are those of `engine.explain.explanation`, made here, so that the page says what the command `explain`
says (`engine.report.explained`). The script puts a license's values into the slots of texts, and says nothing of its
own. Most licenses share most of their rules' outcomes, so a site of 20,000 takes a few megabytes. Shapes, with `text`
standing for an index into `texts`, `node` for one into `nodes` and so on:

    types, states, changes, reasons   names that the columns type, state, change and by point into
    meanings   what each state means
    rules      {"title", "at", "anchor"}: where a rule is written, and the name of that line on the page
    rulesOf    for each type, the rules that speak of it, as indices; a tree has one node for each, in this order
    texts      a text, or [text, column, text, column, …]: with the value of that column in between
    nodes      [truth, text, [node, …]]: true, false or null (unknown), what was found, the parts below it
    trees      [node, …]
    stories    [text, [text, …]]: headline, advice
    columns    directory (text), user (the id behind that), name, id, type, state, by, change (empty when no run is
               compared with), days, used (null: not told; false: never), why (a text, in short), reason (in full),
               story, tree
"""

from collections.abc import Callable, Sequence
from typing import Any

from seatwarden.engine.decide.decision import Decision, is_pseudonym, listing_order, reason_label
from seatwarden.engine.decide.states import MEANINGS, STATES, LicenseState
from seatwarden.engine.explain.stand_ins import marks_of
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.report.comparison import CHANGES, ChangeSince
from seatwarden.engine.report.explained import Teller
from seatwarden.engine.report.stores import Stores
from seatwarden.engine.report.visible import shown
from seatwarden.grammar.ast import LICENSE_TYPES


def table_of(
    plan: RecordedPlan,
    states: tuple[LicenseState, ...],
    changes: tuple[ChangeSince | None, ...],
    anchors: tuple[str, ...],
) -> dict[str, Any]:
    """The data block; `anchors` are the names on the page of the rules' lines."""
    marks = marks_of(plan.log.root)
    stores, rules = Stores(marks), plan.policy.rules
    order = sorted(range(len(plan.decisions)), key=lambda n: listing_order(plan.decisions[n]))
    decisions = [plan.decisions[n] for n in order]
    labels = [reason_label(decision) for decision in decisions]
    reasons = {label: n for n, label in enumerate(dict.fromkeys(labels))}
    told = Teller(plan.policy, plan.day, stores, marks).tell(decisions)
    columns = {
        **_columns(decisions, stores),
        "why": told.why,
        "reason": told.reason,
        "story": told.story,
        "tree": told.tree,
        "state": _indices([states[n] for n in order], STATES),
        "by": [reasons[label] for label in labels],
        "change": _indices([changes[n] for n in order], CHANGES) if changes else [],
    }
    return {
        "types": LICENSE_TYPES,
        "states": STATES,
        "meanings": [MEANINGS[state] for state in STATES],
        "changes": CHANGES,
        "reasons": [shown(reason) for reason in reasons],
        "rules": [
            {"title": shown(rule.title), "at": shown(rule.place.rpartition(":")[0]), "anchor": anchor}
            for rule, anchor in zip(rules, anchors, strict=True)
        ],
        "rulesOf": [[n for n, rule in enumerate(rules) if rule.applies_to(t)] for t in LICENSE_TYPES],
        "texts": stores.texts.all(),
        "nodes": stores.nodes.all(),
        "trees": stores.trees.all(),
        "stories": stores.stories.all(),
        "columns": columns,
    }


def _columns(decisions: Sequence[Decision], stores: Stores) -> dict[str, Sequence[object]]:
    """The columns that a decision fills by itself."""

    def column(read: Callable[[Decision], object]) -> list[object]:
        return [read(decision) for decision in decisions]

    return {
        "directory": column(lambda d: stores.text(d.user.removesuffix(d.user_id or ""))),
        "user": column(lambda d: shown(d.user_id or "")),
        "name": column(lambda d: shown(d.user_name or "")),
        "id": column(lambda d: shown(d.license_id)),
        "type": _indices([d.license_type for d in decisions], LICENSE_TYPES),
        "days": column(lambda d: d.unused_days),
        "used": column(_used),
    }


def _used(decision: Decision) -> str | bool | None:
    """The last use; False: certainly never, which is why the days count from the allocation; None: not known."""
    if decision.last_used:
        return shown(decision.last_used)
    return None if decision.unused_days is None or is_pseudonym(decision.license_id) else False


def _indices(names: Sequence[str | None], all_names: Sequence[str]) -> list[int | None]:
    """The place of each name among all, None for none."""
    places = {name: n for n, name in enumerate(all_names)}
    return [places.get(name) if name else None for name in names]
