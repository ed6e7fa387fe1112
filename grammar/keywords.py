"""The words of the language. `policy.lark` has them as terminals; a test holds both together."""

STATEMENTS = ("keep", "release", "downgrade", "let", "set", "limit", "timezone", "guarantee")
"""Each begins a statement."""
FIELDS = ("user", "license", "today", "month", "weekday")
"""Each begins a field, or is one."""
UNITS = ("day", "days", "week", "weeks")
TYPES = ("professional", "analyzer")
KEYWORDS = (
    *STATEMENTS,
    *("when", "until", "from", "to", "of", "per", "run", "longest", "first", "unused", "for", "never", "used"),
    *UNITS,
    *TYPES,
    *("true", "false", "and", "or", "not", "like"),
)
"""Every word that means something by itself, in any case."""
KINDS_OF_LISTS = ("text", "dates", "numbers")
IN_PLACE = (
    *("is", "empty", "as", *KINDS_OF_LISTS, "regardless", "use", "date", "number", "reach", "free"),
    *("after", "notice", "reminder", "before"),
    *("always", "both", "types", "without"),
)
"""Words that mean something in their place only, in any case; anywhere else they may name a value."""
RESERVED = frozenset((*KEYWORDS, *FIELDS))
"""Words that cannot name a value: the language means something else by them."""
