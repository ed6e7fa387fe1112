"""The codes of diagnostics: their titles, severities, and whether they need a snapshot.

The one table: nobody reads a code's nature from its number. A page on each stands in docs/codes (`code_pages.py`).
"""

from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning"]


class Code(Struct, frozen=True):
    """One kind of finding. `needs_snapshot` where only a snapshot shows it, `of_plans` where `plan` finds it and `lint`
    does not; `title` is the heading of its page.
    """

    name: str
    severity: Severity
    title: str
    needs_snapshot: bool = False
    of_plans: bool = False

    @property
    def allowable(self) -> bool:
        """Whether a comment can allow it: a warning may stay where somebody says why, an error is corrected."""
        return self.severity == "warning"


_ALL = (
    # Syntax
    Code("SW001", "error", "unexpected word or character"),
    Code("SW002", "error", "a text that is not closed"),
    Code("SW003", "error", "a date that does not exist"),
    Code("SW004", "error", "a number that cannot be"),
    Code("SW005", "error", "too long or too deep"),
    Code("SW006", "error", "a word of the language as a name"),
    # Names and types
    Code("SW101", "error", "an unknown field"),
    Code("SW102", "error", "an unknown name"),
    Code("SW103", "error", "types that do not go together"),
    Code("SW104", "error", "a field that is no condition"),
    Code("SW105", "error", "an operator for another type"),
    Code("SW106", "error", "a field that needs a name"),
    Code("SW107", "error", "a value the field never has"),
    Code("SW108", "error", "set twice"),
    Code("SW109", "error", "a name that stands for itself"),
    # Values and YAML
    Code("SW201", "error", "this is not YAML"),
    Code("SW202", "error", "a key given twice"),
    Code("SW203", "error", "an unknown key"),
    Code("SW204", "error", "a value of another type"),
    Code("SW205", "error", "a value that is not possible"),
    Code("SW206", "error", "a missing key"),
    Code("SW207", "error", "a list file that cannot be read"),
    Code("SW208", "error", "an unknown time zone"),
    Code("SW209", "error", "this is not a policy"),
    Code("SW210", "error", "this cannot be written in YAML"),
    Code("SW211", "warning", "the form of an older Butler"),
    Code("SW212", "warning", "a key that nobody reads"),
    Code("SW213", "warning", "wrong, in what is switched off"),
    # Meaning
    Code("SW301", "warning", "a rule never matches"),
    Code("SW302", "warning", "a rule always matches"),
    Code("SW303", "warning", "a part of a condition is never true"),
    Code("SW304", "warning", "a part of a condition changes nothing"),
    Code("SW305", "warning", "the same rule twice"),
    Code("SW306", "warning", "a rule shadowed by another"),
    Code("SW307", "warning", "two rules of one name"),
    Code("SW308", "warning", "a release that nothing can reach"),
    Code("SW309", "warning", "nothing is ever released"),
    Code("SW310", "warning", "the last day is over"),
    Code("SW311", "warning", "everyone without a mark is protected"),
    Code("SW312", "warning", "a threshold of 0 days"),
    Code("SW313", "warning", "a threshold under 7 days"),
    Code("SW314", "warning", "a name that is never used"),
    Code("SW315", "warning", "a value listed twice"),
    Code("SW316", "warning", "two spellings under =="),
    Code("SW317", "warning", "a character that cannot be seen"),
    Code("SW318", "warning", "a * that stands for itself"),
    Code("SW319", "warning", "something is allowed in vain"),
    Code("SW320", "warning", "a comment to seatwarden that is not understood"),
    Code("SW321", "warning", "no value written as a value"),
    Code("SW322", "warning", "a release without disuse"),
    Code("SW323", "warning", "a doubled backslash"),
    Code("SW324", "warning", "a rule named like a license type"),
    Code("SW325", "warning", "a user without a directory"),
    Code("SW326", "warning", "regardless of use in vain"),
    Code("SW327", "warning", "one of several dates or numbers is enough"),
    Code("SW328", "warning", "a notice of what no use prevents"),
    Code("SW329", "warning", "a reminder no later than the notice"),
    Code("SW330", "warning", "a notice of 0 days"),
    Code("SW331", "warning", "a notice longer than the disuse"),
    Code("SW332", "warning", "a notice that nobody gets"),
    Code("SW333", "warning", "a notice that leaves no day to release on"),
    Code("SW334", "error", "a guarantee that does not hold"),
    Code("SW335", "error", "a guarantee that is not decided"),
    Code("SW399", "warning", "not decided"),
    # Against a snapshot
    Code("SW401", "warning", "a name that nobody has", needs_snapshot=True),
    Code("SW402", "warning", "a name that differs only in case", needs_snapshot=True),
    Code("SW403", "warning", "a name that only looks the same", needs_snapshot=True),
    Code("SW404", "warning", "a rule that matches nobody", needs_snapshot=True),
    Code("SW405", "warning", "a service account or administrator loses a license", True, of_plans=True),
    Code("SW406", "warning", "decided for another day than the snapshot's", True, of_plans=True),
    Code("SW407", "warning", "a change that touches everybody", True, of_plans=True),
    Code("SW408", "warning", "the clocks of this machine and of QRS are far apart", False, of_plans=True),
    Code("SW409", "warning", "a text that is no date or number", needs_snapshot=True),
    Code("SW410", "warning", "holds that end within a week", False, of_plans=True),
    # Schedules
    Code("SW501", "error", "not a schedule"),
    Code("SW502", "error", "a range or a text too long"),
    Code("SW503", "error", "`also` or `except` out of place"),
    Code("SW504", "warning", "never fires"),
    Code("SW505", "warning", "stopped by an exception"),
    Code("SW506", "warning", "fires every minute or every second"),
    Code("SW507", "warning", "a step that is counted anew"),
    Code("SW508", "warning", "a value that never comes"),
    Code("SW509", "warning", "words that say nothing"),
)

CODES = {code.name: code for code in _ALL}
"""Every code, in order."""

FOUND_IN_PLANS = ("SW312", "SW322", "SW401", "SW402", "SW403", "SW404", "SW405", "SW406", "SW407", "SW408", "SW410")
"""The codes of what `plan` finds where somebody approves it; a site file can make each stop a run."""
