"""What people are told of wrong settings, word for word: a sample of the ways in which a file can be wrong."""

import gzip
import json
from pathlib import Path

from tests.settings_findings import EVERY, RECORDED, cases, prepare, said_of


def test_word_for_word(tmp_path: Path) -> None:
    prepare(tmp_path)
    recorded = dict(json.loads(line) for line in gzip.decompress(RECORDED.read_bytes()).decode().splitlines())
    sample = list(cases(EVERY))
    assert list(recorded) == [label for label, _, _ in sample], "record anew: python -m tests.settings_findings"
    for label, file, text in sample:
        assert said_of(file, text, tmp_path) == recorded[label], label
