"""The slips in the clause of a notice: `after notice of 14 days, reminder 3 days before`."""

from seatwarden.grammar.slip_helps import UNIT, Slip, noticed, reminded

_LENGTH = r"(\d{1,6})[ \t]*-?[ \t]*(days?|weeks?)\b"
_GIVEN = r"(?:with|giving|given|upon|on|following|by|having|subject\s+to)\b"
_ENDS = "it ends a rule: release when … after notice of 14 days"
_AFTER = "write `after notice of {a1} {a2}`"
_REMINDER = "write `reminder {a1} {a2} before`"
_ONLY = "only a release rule gives notice"
_CLAUSE = r"\bnotice\s+of\b[^\n]*"

NOTICES = (
    # Where it stands
    Slip(r"\b(?:keep|let)\b(?:(?!\brelease\b)[\s\S])*", r"(?:after|with)\b[^\n]*?\bnotice\b",
         f"leave it out: {_ONLY}"),
    Slip(r"\brelease\b(?:(?!\bwhen\b)[\s\S])*", r"(?:after|with|given|giving)\b[^\n]*?\bnotice\b", _ENDS, "WHEN"),
    Slip(r"", r"[,;]\s*after\s+notice\b", "nothing stands before `after notice of`: leave it out", "AFTER"),
    Slip(r"\b(and|or)\s+after\s+", r"notice\b", "leave `{b1}` out: it is no condition"),
    Slip(r"\A(?:(?!keep|release|downgrade)[^\n])*", r"after\s+notice\s+of\s+(\d{1,6})\s*days?\b",
         "it has a key of its own, `notice: {{days: {a1}}}`"),
    Slip(r"", r"after\s+notice\b", f"{_ONLY}: release when unused for 30 days after notice of 14 days", "KEEP"),
    # How long before
    Slip(r"\bafter\s+", rf"[^\d\n]*{_LENGTH}", _AFTER, "NOTICE"),
    Slip(r"\bafter\s+", r"", "write `after notice of 14 days`", "NOTICE"),
    Slip(r"\bafter\s+notice\s+", rf"[^\d\n]*{_LENGTH}", _AFTER, "OF"),
    Slip(r"\bafter\s+notice\s+", r"", "write `after notice of 14 days`", "OF"),
    Slip(r"", rf"[,;]?\s*{_GIVEN}\s+(?:an?\s+)?(?:prior\s+)?notice\b[^\d\n]*{_LENGTH}", _AFTER, "AFTER"),
    Slip(r"", rf"[,;]?\s*(?:{_GIVEN}\s+)?(?:an?\s+)?{_LENGTH}'?\s+(?:of\s+)?(?:prior\s+)?notice\b", _AFTER, "AFTER"),
    Slip(r"", rf"(?:an?\s+)?(?:prior\s+)?notice\s+(?:of\s+)?{_LENGTH}", _AFTER, "AFTER"),
    Slip(r"\band\s+(?:an?\s+)?notice\s+", rf"(?:of\s+)?{_LENGTH}", "write `after notice of {a1} {a2}`, without `and`"),
    Slip(r"\band\s+(\d{1,6})\s*", r"(days?|weeks?)'?\s+(?:of\s+)?notice\b",
         "write `after notice of {b1} {a1}`, without `and`"),
    Slip(r"\bnotice\s+of\s+(\d{1,6})\s*", UNIT, noticed, "UNIT"),
    Slip(r"\bnotice\s+of\s+(\d{1,6})\s*", r"", "write `after notice of {b1} days`", "UNIT"),
    # The reminder
    Slip(r"\breminder\s+", rf"[^\d\n]*{_LENGTH}", _REMINDER, "NUMBER"),
    Slip(r"\breminder\s+(\d{1,6})\s*", UNIT, reminded, "UNIT"),
    Slip(r"\breminder\s+(\d{1,6})\s*", r"", "write `reminder {b1} days before`", "UNIT"),
    Slip(r"\breminder\s+[a-z]\w*\s+", _LENGTH, _REMINDER, "BEFORE"),
    Slip(r"\breminder\s+(\d{1,6}\s*(?:days?|weeks?)|[a-z]\w*)\s*", r"", "write `reminder {b1} before`", "BEFORE"),
    Slip(_CLAUSE, r"(?:and|with|plus|&+)?\s*(?:an?\s+)?remind\w*",
         "a comma stands before it: `after notice of 14 days, reminder 3 days before`", "COMMA"),
    Slip(_CLAUSE, rf"[^\d\n]*{_LENGTH}", _REMINDER, "REMINDER"),
    Slip(_CLAUSE, r"", "write `reminder 3 days before`", "REMINDER"),
    Slip(r"\breminder\s+[^\n]*\bbefore\s*", r"(?:,|and\b|&+)\s*(?:remind|\d)", "there is one reminder at most"),
    # What stands behind it
    Slip(_CLAUSE, r"regardless\b", "`regardless of use` stands before `after notice of`"),
    Slip(_CLAUSE, r"(?:and|or|unless|except|&&|\|\||when|if)(?!\w)", "it ends a rule: the condition stands before it"),
)  # fmt: skip
