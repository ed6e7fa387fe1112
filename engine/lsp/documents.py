"""Texts as an editor has them: between its places and ours, and what is known of each."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lsprotocol import types
from pygls.uris import to_fs_path
from pygls.workspace import PositionCodec

from seatwarden.engine.lsp.checks import CheckJob, Stage
from seatwarden.engine.lsp.policy_places import is_settings
from seatwarden.engine.lsp.words import SourceText
from seatwarden.policy.file_kinds import BUTLER, JSON_POLICY, RULES, kind_of_data

_POLICIES = (BUTLER, RULES, JSON_POLICY)
Numbers = tuple[int, int, int, int]
"""Line, column, end line and end column from 1, in characters."""


@dataclass
class Open:
    """A text that is open in the editor. `checked` is what was checked last, of this text or of an older one."""

    uri: str
    text: str
    version: int | None
    codec: PositionCodec
    checked: CheckJob | None = None
    stage: Stage = field(default_factory=Stage)

    @property
    def path(self) -> str:
        """The file; of a text that was never saved, a name of its own in the working folder."""
        return to_fs_path(self.uri) or str(Path(self.uri.rpartition("/")[2].rpartition(":")[2] or "policy").absolute())

    @property
    def concerns_us(self) -> bool:
        """Whether it is a policy: policy text always, YAML and JSON where there are license rules in it."""
        return not is_settings(self.path) or kind_of_data(self.text.encode(errors="replace")) in _POLICIES

    @property
    def is_current(self) -> bool:
        """Whether what was checked is the text as it is now."""
        return self.checked is not None and self.checked.text == self.text

    @cached_property
    def words(self) -> SourceText:
        """The text with its words."""
        return SourceText(self.text)

    @cached_property
    def _lines(self) -> list[str]:
        # Not `splitlines`: neither the policy's lines nor the editor's end at a form feed.
        return self.text.split("\n")

    def offset(self, position: types.Position) -> int:
        """The offset of an editor's place."""
        if position.line >= len(self._lines):
            return len(self.text)
        place = self.codec.position_from_client_units(self._lines, types.Position(position.line, position.character))
        return self.words.lines.offset(place.line + 1, place.character + 1)

    def range(self, start: int, end: int) -> types.Range:
        """The editor's range between two offsets."""
        return self.range_of((*self.words.lines.place(start), *self.words.lines.place(end)))

    def range_of(self, numbers: Numbers) -> types.Range:
        """The editor's range of a span."""
        line, column, end_line, end_column = numbers
        return types.Range(self._position(line, column), self._position(end_line, end_column))

    def _position(self, line: int, column: int) -> types.Position:
        if not 0 < line <= len(self._lines):
            return types.Position(0, 0)
        before = self._lines[line - 1][: column - 1]
        # The codec looks at each character; an outline of 500 rules has a thousand places.
        return types.Position(line - 1, len(before) if before.isascii() else self.codec.client_num_units(before))
