"""The versions: the lowest that pyproject.toml allows, and the set in constraints.txt for who wants what was tried."""

import re
import subprocess
import sys
from importlib import metadata
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.conftest import Built, Environment
from tests.paths import ROOT


def _script() -> Any:
    spec = spec_from_file_location("lowest", ROOT / "packaging" / "lowest.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lowest, requirements = _script().lowest, _script().requirements
CONSTRAINTS = ROOT / "constraints.txt"
_PIN = re.compile(
    r"^(?P<pin>[a-z\d-]+==[^\s;]+)(?: ; (?P<marker>[^\\]+?))? \\\n(?P<hashes>(?:    --hash=.+\n)+)", re.MULTILINE
)
_HERE: dict[str, Any] = {**default_environment(), "extra": ""}
_WINDOWS: dict[str, Any] = {**_HERE, "sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}


def _pins() -> dict[str, tuple[Requirement, list[str]]]:
    """Each library with its version and the hashes of its files."""
    found: dict[str, tuple[Requirement, list[str]]] = {}
    for match in _PIN.finditer(CONSTRAINTS.read_text(encoding="utf-8")):
        pin = Requirement(f"{match['pin']} ; {match['marker']}" if match["marker"] else match["pin"])
        found[canonicalize_name(pin.name)] = (pin, re.findall(r"--hash=(\S+)", match["hashes"]))
    return found


def _version(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")


def test_nothing_else_stands_in_it() -> None:
    """No index, no file of this machine: what pip is set up with is asked."""
    rest = _PIN.sub("", CONSTRAINTS.read_text(encoding="utf-8"))
    assert all(line.startswith("#") for line in rest.splitlines())
    assert "make constraints" in rest
    assert "://" not in CONSTRAINTS.read_text(encoding="utf-8")


def test_every_library_is_in_it_and_fits() -> None:
    pins = _pins()
    for required in requirements():
        pin, _ = pins[canonicalize_name(required.name)]
        assert required.specifier.contains(_version(pin)), f"{pin} does not fit {required}: make constraints"


def test_every_file_has_a_hash() -> None:
    for pin, hashes in _pins().values():
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[\da-f]{64}", one) for one in hashes), pin


def test_what_the_libraries_need_is_in_it() -> None:
    """As far as they are installed here: what they ask for on this system, and on Windows."""
    pins = _pins()
    looked_at = 0
    for name, (pin, _) in pins.items():
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        if metadata.version(name) != _version(pin):
            continue
        looked_at += 1
        for needed in map(Requirement, needs):
            for system in (_HERE, _WINDOWS):
                if needed.marker is None or needed.marker.evaluate(system):
                    found = pins.get(canonicalize_name(needed.name))
                    assert found is not None, f"{name} needs {needed}: make constraints"
                    assert needed.specifier.contains(_version(found[0])), f"{name} needs {needed}: make constraints"
    assert looked_at


def test_windows_has_what_it_needs() -> None:
    pins = _pins()
    assert {"pywin32", "colorama", "tzdata"} <= {
        name for name, (pin, _) in pins.items() if pin.marker is None or pin.marker.evaluate(_WINDOWS)
    }


def test_the_lowest_are_those_of_pyproject() -> None:
    written = subprocess.run(  # as `make lowest` calls it
        [sys.executable, ROOT / "packaging" / "lowest.py"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert written == [lowest(required) for required in requirements()]
    assert "apscheduler==3.10" in written
    assert any(line.startswith("paho-mqtt==") for line in written)
    assert lowest(Requirement("a<4,>=3.10")) == "a==3.10"
    with pytest.raises(ValueError, match="unpack"):
        lowest(Requirement("a"))


@pytest.mark.long
@pytest.mark.usefixtures("strangers")
def test_the_set_can_be_installed_with_its_hashes(built: Built, environment: Environment) -> None:
    environment.install("--require-hashes", "--requirement", CONSTRAINTS)
    environment.install("--no-deps", built.wheel)
    assert environment.run("seatwarden", "--version")
