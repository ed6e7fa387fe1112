"""Places inside of text that YAML has put together: of several lines, of a block, of quotes in quotes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import load_text

_RULES = "licenseType: {analyzer: {enable: true, releaseThresholdDays: 30}}\nneverRelease:\n  when:\n    - name: x\n"


def _marked(written: str) -> str:
    """The text that is marked as no field, by its place in the file."""
    text = _RULES + written
    with pytest.raises(PolicyError) as caught:
        load_text(text, Path("p.yaml"))
    (found,) = caught.value.diagnostics
    assert found.code == "SW101"
    span, lines = found.span, text.split("\n")
    assert span.line == span.end_line
    return lines[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.mark.parametrize(
    "written",
    [
        'when: |\n        user.tags = "a"\n        and user.wrong',
        'when: |2-\n        user.tags = "a"\n          and user.wrong',
        'when: >-\n        user.tags = "a"\n          and (user.inactive\n\n        or user.wrong)',
        'when: user.tags = "a"\n        and user.wrong',
        "when: 'user.name = ''O''\n        and user.wrong'",
        "when: 'user.name = ''O'' and user.wrong'",
        'when: "user.inactive\n        and user.wrong"',
        "when: user.wrong",
    ],
)
def test_a_place_in_text_of_several_lines(written: str) -> None:
    assert _marked("      " + written) == "user.wrong"


def test_of_escapes_the_whole_text_is_marked() -> None:
    assert _marked('      when: "user.name = \\"O\\" and user.wrong"') == '"user.name = \\"O\\" and user.wrong"'


@given(st.lists(st.sampled_from(["user.inactive", "not user.blocked", 'user.tags = "x y"', "never used"]), max_size=6))
def test_wherever_lines_are_folded(parts: list[str]) -> None:
    condition = "\n          and ".join([*parts, "user.wrong"])
    for mark in ("|", ">", ">-", "|+"):
        assert _marked(f"      when: {mark}\n        {condition}\n") == "user.wrong"
