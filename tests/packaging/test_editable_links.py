"""The links of an editable install: what they are made of, and what they do with what is there already."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.paths import ROOT


def _load() -> Any:
    spec = spec_from_file_location("editable_links", ROOT / "packaging" / "editable_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


editable_links = _load()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the link is made, in a checkout with a module to be found by it."""
    (tmp_path / "checkout" / "policy").mkdir(parents=True)
    (tmp_path / "checkout" / "seatwarden").mkdir()
    for package in ("policy", "seatwarden"):
        (tmp_path / "checkout" / package / "__init__.py").write_text("")
    (tmp_path / "checkout" / "policy" / "codes.py").write_text("print(__name__)\n")
    return tmp_path / "checkout" / "seatwarden" / "policy"


def _target(place: Path) -> Path:
    return place.parent.parent / "policy"


def _imported(place: Path) -> list[str]:
    """What Python finds in the checkout: a module of the linked folder, by its name, and the folder's own place."""
    code = "import sys; sys.path.insert(0, sys.argv[1])\nimport seatwarden.policy.codes\n"
    code += "from importlib.resources import files; print(files('seatwarden.policy').joinpath('codes.py').is_file())"
    command = [sys.executable, "-I", "-c", code, str(place.parent.parent)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


FOUND = ["seatwarden.policy.codes", "True"]


def test_a_new_link(place: Path) -> None:
    editable_links.link(place, _target(place))
    assert _imported(place) == FOUND


def test_a_link_that_is_there_stays(place: Path) -> None:
    editable_links.link(place, _target(place))
    before = place.lstat()
    editable_links.link(place, _target(place))
    assert place.lstat() == before


def test_a_folder_in_its_place_is_not_touched(place: Path) -> None:
    place.mkdir()
    (place / "mine.py").write_text("")
    with pytest.raises(FileExistsError, match="remove it and install again"):
        editable_links.link(place, _target(place))
    assert (place / "mine.py").exists()


def test_a_link_that_leads_nowhere_is_made_anew(place: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    editable_links.link(place, gone)
    gone.rmdir()
    editable_links.link(place, _target(place))
    assert _imported(place) == FOUND


@pytest.mark.skipif(sys.platform == "win32", reason="the link is a junction there")
def test_a_link_moves_with_the_checkout(place: Path) -> None:
    editable_links.link(place, _target(place))
    checkout = place.parent.parent
    moved = checkout.rename(checkout.with_name("moved"))
    assert _imported(moved / "seatwarden" / "policy") == FOUND


def _no_junctions(target: str, place: str) -> None:
    Path(place).mkdir()  # as Windows does before it finds out
    raise OSError(50, "Request not supported")


def test_where_there_are_no_junctions_a_package_stands_in(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as windows:
        windows.setattr(editable_links, "sys", SimpleNamespace(platform="win32"))
        windows.setitem(sys.modules, "_winapi", _module(CreateJunction=_no_junctions))
        editable_links.link(place, _target(place))
        assert not place.is_symlink()
        assert _imported(place) == FOUND
        editable_links.link(place, _target(place))
        assert _imported(place) == FOUND
    editable_links.link(place, _target(place))
    assert place.is_symlink() or sys.platform == "win32", "a link takes the place of what stood in for it"


def _module(**content: object) -> ModuleType:
    module = ModuleType("_winapi")
    vars(module).update(content)
    return module


def test_only_an_editable_install_makes_links(place: Path) -> None:
    checkout = place.parent.parent
    for floor in ("grammar", "engine"):
        (checkout / floor).mkdir()
    hook = editable_links.EditableLinks(str(checkout), {}, None, None, str(checkout), "wheel")
    hook.initialize("standard", {})
    assert sorted(path.name for path in place.parent.iterdir()) == ["__init__.py"]
    hook.initialize("editable", {})
    assert sorted(path.name for path in place.parent.iterdir()) == ["__init__.py", "engine", "grammar", "policy"]
