"""What could have stood where reading ended, in an administrator's words."""

from collections.abc import Set

from seatwarden.grammar.keywords import STATEMENTS

OPERAND = frozenset({"STRING", "FIELD", "NAME", "NUMBER", "DATE", "LSQB", "TRUE", "FALSE", "DATE_OF", "NUMBER_OF"})
CONDITION = OPERAND | {"LPAR", "NOT", "UNUSED", "NEVER"}
COMPARE = frozenset({"OPERATOR", "EQUAL", "LIKE"})
STATEMENT = frozenset(word.upper() for word in STATEMENTS)
KINDS = {
    "STRING": "a text in quotes",
    "FIELD": "a field like `user.roles`",
    "NAME": "a name",
    "NUMBER": "a number",
    "DATE": "a date like 2027-02-28",
    "MONTH_DAY": "a day like 12-15",
    "UNIT": "`days`",
    "TYPE": "`professional` or `analyzer`",
    "KIND": "`dates` or `numbers`",
    "OPERATOR": "an operator like `=`",
    "EQUAL": "`=`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "COMMA": "`,`",
    "PERCENT": "`%`",
    "PLUS": "`+`",
    "MINUS": "`-`",
    "$END": "the end",
}
"""How a terminal is called that is not written as its name."""
_VALUE = OPERAND - {"FIELD", "NAME", "LSQB", "DATE_OF", "NUMBER_OF"}
_GROUPS = (
    (CONDITION, "a condition"),
    (OPERAND, "a value or a field"),
    (_VALUE, "a value"),
    (COMPARE, "an operator like `=`"),
    (STATEMENT, "a statement like `keep`"),
)
_SELDOM = {"PLUS", "MINUS", "FROM", "REACH", "REGARDLESS", "AFTER"}
"""What may stand behind any value or condition, and is hardly ever meant."""
_LAST = ("LSQB", "RSQB", "LPAR", "RPAR", "COMMA")
"""Signs stand behind words."""
_MOST = 4
"""Most things that a label says were expected: nobody reads more."""


def expected_label(terminals: Set[str]) -> str:
    """The label that says which of these terminals, which all could stand there, was expected."""
    left = set(terminals) - {"COMMENT", "$END"}
    left -= _SELDOM if left - _SELDOM else set()
    if left >= COMPARE:
        left.discard("IS")  # one more operator, to who reads a list
    if left == {"NUMBER", "NAME"}:
        return "expected a length of time, like `30 days`"
    words = []
    for group, word in _GROUPS:
        if group <= left:
            words.append(word)
            left -= group
    joining = [f"`{word.lower()}`" for word in ("AND", "OR") if word in left]
    alone = not words and left == {"TYPE"}
    kinds = KINDS if alone else {**KINDS, "TYPE": "a license type"}
    rest = sorted((terminal in _LAST, kinds.get(terminal, f"`{terminal.lower()}`")) for terminal in left)
    named = (word for _, word in rest if word not in joining)
    words = list(dict.fromkeys([*words, *named]))[: _MOST - len(joining)] + joining
    if not words:
        return "not expected here"
    return "expected " + (", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0])
