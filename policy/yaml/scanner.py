"""Tabs in YAML as js-yaml, with which Butler reads, has them: between tokens they are space, in indentation an error.

ruamel.yaml refuses them nearly everywhere.
"""

from typing import Any

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.scanner import Scanner

TAB = "a tab is used for indentation"
_ENDS = "\0\r\n\x85\u2028\u2029"


class TabScanner(Scanner):
    """ruamel's scanner, but for tabs."""

    def scan_to_next_token(self) -> None:
        """Goes over white space, tabs too, and comments."""
        super().scan_to_next_token()
        while self.reader.peek() == "\t" and not self.flow_level:
            indents = self._starts_its_line()
            mark = self.reader.get_mark()
            self._skip_white()
            if indents and self.reader.peek() not in "#" + _ENDS:
                raise MarkedYAMLError(problem=TAB, problem_mark=mark)
            # As behind `- `: what follows a tab on its line is one value, no map and no list of many lines.
            self.allow_simple_key = False
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: Any, start_mark: Any) -> Any:
        """What stands between the words of a value without quotes."""
        length = 0
        while self.reader.peek(length) in " \t":
            length += 1
        white = self.reader.prefix(length)
        if "\t" not in white:
            return super().scan_plain_spaces(indent, start_mark)
        self.reader.forward(length)
        return super().scan_plain_spaces(indent, start_mark) if self.reader.peek() in _ENDS else [white]

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> Any:
        """The rest of the line that opens a block of text."""
        self._skip_white()
        return super().scan_block_scalar_ignored_line(start_mark)

    def scan_directive_ignored_line(self, start_mark: Any) -> None:
        """The rest of a line like `%YAML 1.2`."""
        self._skip_white()
        super().scan_directive_ignored_line(start_mark)

    def _skip_white(self) -> None:
        while self.reader.peek() in " \t":
            self.reader.forward()

    def _starts_its_line(self) -> bool:
        """Whether nothing but white space stands before this place on its line."""
        reader = self.reader
        return not reader.buffer[reader.pointer - reader.column : reader.pointer].strip(" \t")
