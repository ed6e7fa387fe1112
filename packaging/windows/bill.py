"""What the Windows zip says of what it is made of: the license texts, and a bill of materials in CycloneDX."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name, parse_wheel_filename

OURS = "seatwarden"


def licenses(packages: Iterable[Distribution], python: Path) -> str:
    """The license texts of all that is not ours. Raises SystemExit for a library that comes without one."""
    texts = [f"Python\n\n{(python / 'LICENSE.txt').read_text(encoding='utf-8')}"]
    for package in packages:
        if package.name == OURS:
            continue
        files = sorted(path for path in package.files or () if _is_license(path))
        if not files:
            raise SystemExit(f"{package.name} comes without its license")
        name = f"{canonicalize_name(package.name)} {package.version}"
        texts += [f"{name}, {path.name}\n\n{path.read_text('utf-8')}" for path in files]
    return f"\n\n{'=' * 80}\n\n".join(texts)


def bill(packages: Iterable[Distribution], python: str, digests: Mapping[str, str], made: datetime) -> str:
    """The bill of materials, as JSON. It says when it was made, and is otherwise made of what is in the zip."""
    parts = {canonicalize_name(package.name): _component(package, digests) for package in packages}
    whole = parts.pop(canonicalize_name(OURS))
    whole.type = ComponentType.APPLICATION
    cpe = f"cpe:2.3:a:python:python:{python}:*:*:*:*:*:*:*"
    interpreter = Component(name="python", version=python, type=ComponentType.PLATFORM, cpe=cpe, bom_ref="python")
    components = [interpreter, *parts.values()]
    serial = uuid5(NAMESPACE_URL, " ".join(sorted(digests.values())))
    listed = Bom(components=components, metadata=BomMetaData(component=whole, timestamp=made), serial_number=serial)
    listed.register_dependency(whole, components)
    return JsonV1Dot6(listed).output_as_string(indent=2) + "\n"


def name_of(wheel: Path) -> str:
    """Which library a wheel is."""
    return parse_wheel_filename(wheel.name)[0]


def digest(file: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _component(package: Distribution, digests: Mapping[str, str]) -> Component:
    name = canonicalize_name(package.name)
    address = PackageURL("pypi", name=name, version=package.version)
    return Component(
        name=name,
        version=package.version,
        purl=address,
        bom_ref=str(address),
        licenses=[_license(package)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digests[name])],
    )


def _license(package: Distribution) -> License:
    """The license as the library names it: in its own field, or among its classifiers."""
    said = package.metadata.json
    named = [kind.rpartition(" :: ")[2] for kind in said.get("classifier", ()) if kind.startswith("License :: ")]
    return LicenseFactory().make_from_string(str(said.get("license_expression") or said.get("license") or named[0]))


def _is_license(path: PurePosixPath) -> bool:
    """Whether a file of a library is one of its license texts."""
    if not path.parts[0].endswith(".dist-info"):
        return False
    return "licenses" in path.parts or path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))
