"""What another policy would change, in Markdown: a comment on a pull request, in GitHub, GitLab or Azure DevOps.

What comes from outside stands in code spans: there it is neither markup nor a mention of somebody.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from seatwarden.engine.analysis.diff import (
    FATES,
    Example,
    Newly,
    VerdictChange,
    changes_to,
    fate,
    in_reading_order,
    reasons,
)
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.decide.phrases import show_values
from seatwarden.engine.plan.findings import Finding

MOST_ROWS = 100
"""Most licenses that are listed: a comment on GitHub has at most 65,536 characters."""
DIFFERENT = "The policies differ. A smallest example, everything else being false or without a value:"
SAME: Mapping[Newly, str] = {
    "either": "Both policies give the same verdicts",
    "released": "The new policy releases nothing that the old one keeps",
    "kept": "The new policy keeps nothing that the old one releases",
}
"""What is said where no change was found of those that were asked for."""
_DONE = {"keep": "kept", "notice": "due after notice", "downgrade": "downgraded", "release": "released"}


def changes_in_markdown(
    found: Sequence[VerdictChange],
    licenses: int,
    findings: Sequence[Finding],
    also: Sequence[str],
    names: tuple[str, str],
) -> str:
    """The licenses of a snapshot whose verdict changes: the counts first, then why, then who. `names` are those of the
    files of the old and the new policy."""
    to = changes_to(found)
    released = f"**{plural(to['release'], 'license')} would be released instead of kept**"
    told = f"**{to['notice']:,} due after notice**, " if to["notice"] else ""
    told += f"**{to['downgrade']:,} downgraded**, " if to["downgrade"] else ""
    counts = f"{released}, {told}{to['keep']:,} kept instead of released"
    lines = [*_title(names), f"{counts}, {licenses - len(found):,} unchanged.", *_also(also)]
    if found:
        counted = reasons(list(found))
        rows = ((f"{count:,}", _DONE[verdict], code_span(was), code_span(now)) for verdict, was, now, count in counted)
        lines += ["", *_table(("Licenses", "Now", "Before, by", "Now, by"), rows)]
        listed = in_reading_order(found)
        more = len(listed) - MOST_ROWS
        lines += ["", "<details><summary>Whose</summary>", "", *_table(_COLUMNS, _rows(listed[:MOST_ROWS]))]
        lines += ["", f"And {more:,} more."] if more > 0 else []
        lines += ["", "</details>"]
    for finding in findings:
        lines += ["", f"> **{finding.severity} {finding.code}**: {code_span(finding.message)}"]
    return "\n".join(lines)


def example_in_markdown(
    example: Example | None, also: Sequence[str], names: tuple[str, str], newly: Newly = "either"
) -> str:
    """Whether two policies mean the same, whatever the facts; if not, a smallest example."""
    lines = _title(names)
    if example is None:
        lines.append(f"{SAME[newly]}, whatever the facts (missing and unreadable ones left out).")
    else:
        lines += [DIFFERENT, ""]
        facts = ((code_span(name), code_span(show_values(values))) for name, values in example.facts)
        lines += [*_table(("Fact", "Value"), facts), ""]
        sides = zip(names, (example.old, example.new), strict=True)
        rows = ((code_span(name), f"**{_DONE[side.verdict]}**", code_span(side.reason)) for name, side in sides)
        lines += _table(("Policy", "Verdict", "Why"), rows)
    return "\n".join([*lines, *_also(also)])


def _title(names: tuple[str, str]) -> list[str]:
    """The heading; of one file at two commits its name stands there once."""
    old, new = names
    return [f"### What {code_span(new)} would change{'' if old == new else f' after {code_span(old)}'}", ""]


_COLUMNS = ("User", "License", "Verdict", "Before", "Now")


def _rows(found: Iterable[VerdictChange]) -> Iterator[tuple[str, ...]]:
    for change in found:
        old, new = change.old, change.new
        yield (
            code_span(new.user),
            new.license_type,
            f"{FATES[fate(old)]} → {FATES[fate(new)]}",
            code_span(old.reason),
            code_span(new.reason),
        )


def _also(also: Iterable[str]) -> list[str]:
    return [line for sentence in also for line in ("", f"Also: {sentence}.")]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def code_span(text: str) -> str:
    """A text as code that no table and no markup takes for something else."""
    text = printable(text).replace("|", "\\|")
    marks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{marks}{pad}{text}{pad}{marks}"
