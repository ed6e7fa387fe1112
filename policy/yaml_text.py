"""Places inside a YAML text value, for the policy language embedded there (`when:`, `limit:`)."""

from grammar.parser import Locate
from grammar.spans import Span
from policy.yaml_nodes import Scalar


def locate_in(scalar: Scalar) -> Locate:
    """From a place within the value to a span in the file.

    Exact for text on one line, plain or quoted. Where YAML has changed the text on its way (folded lines,
    escapes, block text), the span is the whole value.
    """
    whole = scalar.span
    one_line = whole.line == whole.end_line and scalar.style in (None, "'", '"')
    quotes = 2 if scalar.style in ("'", '"') else 0
    as_written = one_line and whole.end_column - whole.column == len(scalar.text) + quotes
    if not as_written:
        return lambda line, column, end_line, end_column: whole
    start = whole.column - 1 + quotes // 2

    def locate(line: int, column: int, end_line: int, end_column: int) -> Span:
        return Span(whole.file, whole.line, start + column, whole.line, start + end_column)

    return locate
