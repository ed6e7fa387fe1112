"""The page on the architecture says what is there: every room once, in the order of the contract, and no stale name."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FLOORS = ("engine", "policy", "grammar")
_FENCE = re.compile(r"^```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
DRAWING, WAY_OF_THE_DATA = _FENCE.findall(PAGE)
_CODE = re.compile(r"^```\w*\n(.*?)^```$|`([^`\n]+)`", re.DOTALL | re.MULTILINE)
_PATH = re.compile(r"(?!\.venv/)[\w.-]+(?:/[\w.-]*)+|\.?[\w-]+\.(?:json|lark|md|py|toml|yml)")
# A run folder's policy.policy is no module.
_MODULE = re.compile(
    r"(?!policy\.policy$)(?:seatwarden\.)?((?:grammar|policy|engine|tests|bench)(?:\.\w+)+)|seatwarden\.(\w+)"
)


def named_places(page: str) -> dict[str, Path]:
    """The files, folders and dotted modules that a page's code speaks of, and where each should be."""
    found = {}
    for fence, quoted in _CODE.findall(page):
        for word in (fence or quoted).split():
            name, _, _ = word.partition("::")
            if _PATH.fullmatch(name):
                found[word] = ROOT / name
            elif module := _MODULE.fullmatch(name):
                place = ROOT.joinpath(*(module[1] or module[2]).split("."))
                found[word] = place if place.is_dir() else place.with_suffix(".py")
    return found


def _rooms(floor: str) -> list[str]:
    """What stands in a floor's folder and can be imported, by name."""
    return sorted(
        path.stem
        for path in (ROOT / floor).iterdir()
        if path.name != "__init__.py" and (path.suffix == ".py" or (path / "__init__.py").is_file())
    )


def _layers(container: str) -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (contract,) = (c for c in contracts if c["type"] == "layers" and c["containers"] == [container])
    layers: list[str] = contract["layers"]
    return layers


def _drawn() -> Iterator[tuple[str, str]]:
    """Each row of the drawing: whose it is, and the rooms in it."""
    whose = ""
    for label, rooms in re.findall(r"^ {2}([\w/]*) *│ (.+?) +│", DRAWING, re.MULTILINE):
        whose = label or whose
        yield whose, rooms


@pytest.mark.parametrize("floor", FLOORS)
def test_every_room_has_its_line_once(floor: str) -> None:
    table = re.search(rf"^\| rooms? of `{floor}` \|.*\n(?:\|.*\n)+", PAGE, re.MULTILINE)
    assert table is not None
    rows = [line.split("|")[1:3] for line in table[0].splitlines()[2:]]
    listed = [name for first, _ in rows for name in re.findall(r"`(\w+)`", first)]
    assert sorted(listed) == _rooms(floor)
    assert all(says.strip() for _, says in rows)


@pytest.mark.parametrize("floor", ["engine", "policy"])
def test_the_drawing_has_the_layers_of_the_contract(floor: str) -> None:
    # The roof is the engine's uppermost layer: the drawing has its rooms above.
    drawn = ["cli"] if floor == "engine" else []
    drawn += [rooms for whose, rooms in _drawn() if whose == floor]
    assert drawn == _layers(f"seatwarden.{floor}")


def test_the_drawing_has_the_rooms_of_the_roof() -> None:
    assert [rooms for whose, rooms in _drawn() if whose == "engine/cli"] == _layers("seatwarden.engine.cli")


def test_the_floors_stand_in_their_order() -> None:
    order = list(dict.fromkeys(whose for whose, _ in _drawn()))
    assert [{"face": "api"}.get(whose, whose) for whose in order if whose != "engine/cli"] == _layers("seatwarden")
    assert order[:2] == ["face", "engine/cli"]


def test_what_is_named_exists() -> None:
    named = named_places(PAGE)
    assert {"engine/errors.py", "pyproject.toml", "seatwarden.engine", "policy.butler"} <= set(named)
    for name, path in named.items():
        assert path.exists(), name


def test_the_way_of_the_data_goes_through_rooms_that_exist() -> None:
    passed = set(re.findall(rf"\b({'|'.join(FLOORS)})\.(\w+)", WAY_OF_THE_DATA))
    assert len(passed) > 12
    for floor, room in passed:
        assert room in _rooms(floor), f"{floor}.{room}"


def test_lines_fit() -> None:
    assert max(map(len, PAGE.splitlines())) <= 120
