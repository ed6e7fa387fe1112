"""The operators of conditions, with their documentation: one table for the `fields` command and the language page.

Names and meaning are Qlik's, from its help on operators for conditions of rules.
"""

from dataclasses import dataclass

from seatwarden.policy.vocabulary import Type

_ALL = (Type.TEXT, Type.NUMBER, Type.DATE, Type.BOOLEAN)
_ORDERED = (Type.NUMBER, Type.DATE)


@dataclass(frozen=True, slots=True)
class OperatorEntry:
    """One operator. `also` are other spellings of it, `types` what it compares (empty: it joins conditions)."""

    spelling: str
    doc: str
    example: str
    types: tuple[Type, ...] = ()
    also: tuple[str, ...] = ()


OPERATORS = (
    OperatorEntry("=", "equal; text in any case", 'user.userDirectory = "ADMIN"', _ALL),
    OperatorEntry("!=", "not equal: exactly the opposite of `=`", 'user.roles != "RootAdmin"', _ALL),
    OperatorEntry("==", "equal; text with the same capitals", 'user.tags == "VIP"', _ALL),
    OperatorEntry("!==", "not equal: exactly the opposite of `==`", 'user.tags !== "VIP"', _ALL),
    OperatorEntry("like", "text in any case; `*` stands for any characters", 'user.userId like "sa_*"', (Type.TEXT,)),
    OperatorEntry("<", "less; a day before", "license.createdDate < 2026-07-01", _ORDERED),
    OperatorEntry("<=", "less or equal", "license.unusedDays <= 45", _ORDERED),
    OperatorEntry(">", "greater; a day after", "license.unusedDays > 45", _ORDERED),
    OperatorEntry(">=", "greater or equal", "today >= 2026-12-01", _ORDERED),
    OperatorEntry("not", "true where what follows is false", "not user.inactive", also=("!",)),
    OperatorEntry(
        "and", "true where both are; binds less than `not`", 'user.inactive and user.tags = "x"', also=("&&",)
    ),
    OperatorEntry("or", "true where one is; binds less than `and`", "user.inactive or user.blocked", also=("||",)),
    OperatorEntry(
        "unused for", "the last use is that many calendar days (or weeks) ago, or more", "unused for 30 days"
    ),
    OperatorEntry("never used", "never used since it was allocated", "never used"),
)
"""Every operator, in the order in which they are explained."""
