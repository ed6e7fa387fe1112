"""Policies to measure with: Butler's sample, and a large one of which a part hits people of the site."""

from pathlib import Path

from bench.measure import ROOT
from bench.sites import Site

BUTLER = ROOT / "examples" / "butler.policy"
"""What Butler's sample configuration says; small."""


def large_policy(site: Site, users: int = 2_000, tags: int = 50, properties: int = 100, directories: int = 50) -> str:
    """A policy of Butler's four lists, each long; half of the users it names are of the site."""
    named = [f"{user['userDirectory']}\\{user['userId']}" for (user, _, _), _ in zip(site.rows(), range(users // 2))]  # noqa: B905 - the first of many
    named += [f"CORP\\left{number}" for number in range(users - len(named))]
    tagged = ["License do not release", *(f"tag {number}" for number in range(tags - 1))]
    valued = [("LicenseManage", "do-not-release"), *((f"Property{n}", f"value {n}") for n in range(properties - 1))]
    inside = ["INTERNAL", "ADMIN", *(f"DIRECTORY{number}" for number in range(directories - 2))]
    return "\n".join(
        (
            f'keep "user" when user == {_list(named)}',
            f'keep "tag" when user.tags == {_list(tagged)}',
            f'keep "customProperty" when {" or ".join(f"user.@{name} == {_text(value)}" for name, value in valued)}',
            f'keep "userDirectory" when user.userDirectory == {_list(inside)}',
            "release analyzer when unused for 30 days",
            "release professional when unused for 30 days",
            "",
        )
    )


def write_large_policy(folder: Path, site: Site) -> Path:
    """The large policy in a file."""
    path = folder / "large.policy"
    path.write_text(large_policy(site), encoding="utf-8")
    return path


def _list(values: list[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
