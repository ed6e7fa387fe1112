"""The policy as it was written: each rule's line is the one that its place names."""

from pathlib import Path

import pytest

from seatwarden.engine.report.listing import listing_of
from seatwarden.policy.loading import check_text
from tests.engine.report.runs import report_for, some_site, write_run

POLICY = 'keep "vip" when user.tags = "vip"\n\n# why\nrelease when unused for 30 days\n'


def test_the_files_own_lines_are_shown() -> None:
    rules = check_text(POLICY, "p.policy").rules
    listing = listing_of(rules, "canonical", {"p.policy": POLICY, "names.txt": "jdoe\n"})
    (file,) = listing.files
    assert (file.name, file.is_canonical, file.whole) == ("p.policy", False, 4)
    assert [line.text for line in file.lines] == POLICY.splitlines()
    assert [(line.number, line.rules) for line in file.lines if line.rules] == [(1, (0,)), (4, (1,))]
    assert listing.anchors == ("file1-1", "file1-4"), "of a list that names people nothing is shown"


def test_of_a_long_file_the_part_with_the_rules_is_shown() -> None:
    text = "\n" * 600 + POLICY + "\n" * 300
    (file,) = listing_of(check_text(text, "p.policy").rules, "", {"p.policy": text}).files
    assert (file.lines[0].number, file.lines[-1].number, file.whole) == (591, 629, 904)


@pytest.mark.parametrize("sources", [{}, {"other.policy": POLICY}, {"p.policy": "# shorter\n"}])
def test_without_the_files_it_is_the_canonical_text(sources: dict[str, str]) -> None:
    canonical = 'keep "vip"\n  when user.tags = "vip"\nrelease\n  when unused for 30 days\n'
    listing = listing_of(check_text(POLICY, "p.policy").rules, canonical, sources)
    assert listing.files[0].is_canonical
    assert listing.anchors == ("file1-1", "file1-3")


def test_a_file_that_was_changed_is_not_shown(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", some_site())
    (kept,) = (run / "policy").iterdir()
    kept.write_text(kept.read_text(encoding="utf-8").replace("vip", "nobody"), encoding="utf-8")
    (file,) = report_for(run).policy_files
    assert file.is_canonical
    assert "nobody" not in "".join(line.text for line in file.lines)
