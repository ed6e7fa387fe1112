"""The slips in guarantees: `guarantee "root admins" never release when user.roles = "RootAdmin"`."""

from seatwarden.grammar.slip_helps import TEXT, TYPE, UNIT, Slip, guaranteed_before

_LINE = r"(?:^|\n)[ \t]*"
_WORDS = r"(?:ensure|assert|assure|promise|invariant|require|must|prove|verify|expect|make\s+sure)"
_NEVER = r"(?:never|no|not|do\s+not|don'?t)\s+releas(?:e|es|ed|ing)\b"
_HEAD = rf"\bguarantee\s*(?:{TEXT}\s*)?"
_PROMISE = rf"{_HEAD}(?:never|always)\s+release\s+(?:{TYPE}\s*(?:,\s*{TYPE}\s*)?)?"
_FORM = 'a guarantee says `never release` or `always release`: guarantee "leavers" always release when …'
_BOTH = "write `guarantee never release both types`"

GUARANTEES = (
    Slip(_LINE, rf"{_WORDS}(?:\s+that|\s*:)?\s+{_NEVER}", "write `guarantee never release`", "KEEP"),
    Slip(_LINE, rf"{_WORDS}(?:\s+that|\s*:)?\s+always\s+releas", "write `guarantee always release`", "KEEP"),
    Slip(_LINE, r"(?:guarant[a-z]*|garant[a-z]*|gaurant[a-z]*)\b", "did you mean `guarantee`?", "KEEP"),
    # Its head
    Slip(_HEAD, r"(?:that|:|=|,)", "leave it out: guarantee never release when …", "NEVER"),
    Slip(_HEAD, r"at\s+most\s+one\b", _BOTH, "NEVER"),
    Slip(_HEAD, r"(?:no|not|do\s+not|don'?t|cannot|must\s+not)\b[^\n]*\breleas", "write `never release`", "NEVER"),
    Slip(_HEAD, r"(?:keep|protect)\b", "write `never release`", "NEVER"),
    Slip(_HEAD, r"release\b", "write `always release`", "NEVER"),
    Slip(r"\bguarantee\s+", r"([a-z][\w -]*?)\s+(?=(?:never|always)\b)", 'its name stands in quotes: guarantee "{a1}"',
         "NEVER"),
    Slip(_HEAD, r"", _FORM, "NEVER"),
    Slip(rf"{_HEAD}never\s+", r"(?:keep|protect)\b", "write `always release`", "RELEASE"),
    Slip(rf"{_HEAD}always\s+", r"(?:keep|protect)\b", "write `never release`", "RELEASE"),
    Slip(rf"{_HEAD}(never|always)\s+", r"", "write `{b1} release`", "RELEASE"),
    # What it says of releases
    Slip(_PROMISE, r"unless\s+(?:told|notified|warned)\b|with\s+no\s+notice\b", "write `without notice`", "WITHOUT"),
    Slip(_PROMISE, r"(?:if|where|for|of|unless)\b", "write `when`", "WHEN"),
    Slip(_PROMISE, rf"(?:within|under|in|after|earlier\s+than|sooner\s+than|until)\s+(\d{{1,6}})\s*{UNIT}",
         guaranteed_before, "BEFORE"),
    Slip(rf"{_PROMISE}before\s+(\d{{1,6}})\s*", UNIT, guaranteed_before, "UNIT"),
    Slip(rf"{_HEAD}always\s+release\b[^\n]*?", r"before\b", "only `never release` says `before`"),
    Slip(r"\bwithout\s+", r"", "write `without notice`", "NOTICE"),
    Slip(r"\brelease\s+both\s*", r"", "write `never release both types`", "TYPES"),
    Slip(r"\bboth\s+types\s+", r"when\b", "leave it out: it is about everybody who holds both types"),
    Slip(r"\bboth\s+types\s+", r"of\b", "leave it out: it is about the licenses of one person"),
    Slip(r"\bguarantee\b[^\n]*\bwhen\b[^\n]*?", r"(before)\s+(\d{1,6}\s*(?:days?|weeks?))\b",
         "it stands before `when`: never release before {a2} when …", "AND"),
    Slip(r"\bguarantee\b[^\n]*\bwhen\b[^\n]*?", r"without\b", "it stands before `when`: never release without notice",
         "AND"),
    Slip(r"\bguarantee\b[^\n]*\bwhen\b[^\n]*?", r"until\b", "leave it out: a guarantee speaks of every day", "AND"),
)  # fmt: skip
