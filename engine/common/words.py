"""Numbers and lists in words."""


def plural(count: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def join_words(words: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def quoted(text: str) -> str:
    """A text as it stands in sentences."""
    return f'"{text}"'
