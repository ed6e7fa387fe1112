"""The fleet file: what it says, and what is said of a wrong one, each with its place."""

from pathlib import Path

import pytest

from seatwarden.engine.fleet.settings import DEADLINE_SECONDS, Fleet, load_fleet
from seatwarden.grammar.ast import Limit
from seatwarden.policy.errors import InputError, PolicyError


def _load(folder: Path, text: str) -> Fleet:
    path = folder / "fleet.yaml"
    path.write_text(text, encoding="utf-8")
    return load_fleet(path, {"SITES": "elsewhere"})


def _findings(folder: Path, text: str) -> list[tuple[str, str, int, int]]:
    with pytest.raises(PolicyError) as refused:
        _load(folder, text)
    return [(one.code, one.message, one.span.line, one.span.column) for one in refused.value.diagnostics]


def test_sites_by_name_with_the_policies_they_share(tmp_path: Path) -> None:
    fleet = _load(
        tmp_path,
        "policy: policies/all.policy\nlimit: [300 per run, 5% of analyzer per run]\n"
        "sites:\n  paris: sites/paris.yaml\n  berlin:\n    site: ${SITES}/berlin.yaml\n    policy: de.policy\n",
    )
    assert [site.name for site in fleet.sites] == ["berlin", "paris"]
    berlin, paris = fleet.sites
    assert (berlin.file, berlin.policy) == (tmp_path / "elsewhere" / "berlin.yaml", tmp_path / "de.policy")
    assert (paris.file, paris.policy) == (tmp_path / "sites" / "paris.yaml", tmp_path / "policies" / "all.policy")
    assert fleet.limits == (Limit(300, None), Limit(None, 5, "analyzer"))
    assert fleet.deadline == DEADLINE_SECONDS
    assert _load(tmp_path, "sites: {paris: paris.yaml}\n").sites[0].policy is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("limit: 5\n", ("SW206", "`fleet` lacks the key `sites`", 1, 1)),
        ("sites: []\n", ("SW204", "`fleet.sites` must be a map of sites by name", 1, 8)),
        ("sites: {}\n", ("SW204", "`fleet.sites` must be a map of sites by name", 1, 8)),
        ("sites:\n  a: 1\n", ("SW204", "`a` must be text", 2, 6)),
        ("sites:\n  a b: a.yaml\n", ("SW205", "`a b` cannot be the name of a site", 2, 3)),
        ("sites:\n  ../a: a.yaml\n", ("SW205", "`../a` cannot be the name of a site", 2, 3)),
        ("sites:\n  NUL: a.yaml\n", ("SW205", "`NUL` cannot be the name of a site", 2, 3)),
        ("sites:\n  overview: a.yaml\n", ("SW205", "`overview` cannot be the name of a site", 2, 3)),
        ("sites:\n  a: a.yaml\n  A: b.yaml\n", ("SW205", "`A` and `a` differ only in case", 3, 3)),
        ("sites:\n  a: a.yaml\n  b: ./a.yaml\n", ("SW205", "`b` and `a` have the same site file", 3, 3)),
        ("sites:\n  a: {site: a.yaml, polcy: p}\n", ("SW203", "unknown key `polcy` in `sites.a`", 2, 21)),
        ("sites:\n  a: {policy: p}\n", ("SW206", "`sites.a` lacks the key `site`", 2, 7)),
        ("sites: {a: a.yaml}\nlimit: 2% of analyzer per 7 days\n", ("SW205", "a fleet is limited by run", 2, 8)),
        (
            "sites: {a: a.yaml}\nlimit: 'reach 20 free analyzer, longest unused first'\n",
            ("SW205", "a fleet is limited by run", 2, 8),
        ),
        ("sites: {a: a.yaml}\nlimit: 5 per rum\n", ("SW001", "unexpected `rum`", 2, 14)),
        ("sites: {a: a.yaml}\ndeadline: 5\n", ("SW205", "`deadline` is from 10 to 86,400", 2, 11)),
        ("sites: {a: a.yaml}\nsitess: 5\n", ("SW203", "unknown key `sitess` in `fleet`", 2, 1)),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, found: tuple[str, str, int, int]) -> None:
    assert _findings(tmp_path, text) == [found]


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = "limit: soon\nsites:\n  a b: a.yaml\n  c: [1]\n"
    assert [(code, line) for code, _, line, _ in _findings(tmp_path, text)] == [
        ("SW001", 1),
        ("SW205", 3),
        ("SW204", 4),
    ]


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("configQRS: {host: qlik}\ncert: {}\n", encoding="utf-8")
    with pytest.raises(InputError, match="is a site file, not a fleet file"):
        load_fleet(site, {})
    with pytest.raises(InputError, match="does not exist"):
        load_fleet(tmp_path / "none.yaml", {})


def test_many_sites_are_many_fleets(tmp_path: Path) -> None:
    text = "sites:\n" + "".join(f"  s{n}: {n}.yaml\n" for n in range(1_001))
    assert _findings(tmp_path, text) == [("SW205", "these are 1,001 sites", 1, 1)]
