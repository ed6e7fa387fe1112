"""The snapshot of a run, kept in its folder: whoever has it can decide by any policy, as if it were that day."""

import hashlib
from pathlib import Path

from seatwarden.engine.common.files import read_file
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.run_folder import SNAPSHOT_FILE
from seatwarden.engine.log.writer import KeptFile
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.engine.snapshot.packed import compress, decompressed, is_packed
from seatwarden.engine.snapshot.reader import SECRET_LICENSE_FIELDS, decode_snapshot, site_license_fields
from seatwarden.policy.errors import InputError


def keep(snapshot: Snapshot) -> KeptFile:
    """A snapshot as it is kept: packed as zstd, byte for byte what was decided on. Raises InputError.

    A file that other tools have made may have the site's license key in it, which must stand in no record.
    """
    data = snapshot.data
    if data is None:
        raise InputError("there is no snapshot to keep", "the run that is decided on has not kept its own")
    secret = sorted(site_license_fields(data) & set(SECRET_LICENSE_FIELDS))
    if secret:
        named = ", ".join(f"`license.{name}`" for name in secret)
        raise InputError(f"the snapshot is not kept: it has {named}", "`seatwarden snapshot` takes one without them")
    packed = data if is_packed(data) else compress(data)
    return KeptFile(SNAPSHOT_FILE, packed, hashlib.sha256(packed).hexdigest())


def kept_data(folder: Path, header: PlanHeader) -> bytes | None:
    """The snapshot of a run as it was read then, packed or not; None where it was not kept. Raises InputError."""
    digest = header.snapshot.kept.get(SNAPSHOT_FILE)
    if digest is None:
        return None
    path = folder / SNAPSHOT_FILE
    try:
        data = read_file(path)
    except FileNotFoundError:
        raise InputError(f"the snapshot `{path}` is missing: the plan lists it") from None
    except OSError as error:
        raise InputError(f"the snapshot `{path}` cannot be read: {error.strerror}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise InputError(f"the snapshot `{path}` was changed: it is not the file that the plan lists")
    return data if found == header.snapshot.sha256 else decompressed(data, f"snapshot `{path}`")


def kept_snapshot(folder: Path, header: PlanHeader) -> Snapshot | None:
    """The snapshot that a run was decided on; None where it was not kept. Raises InputError."""
    data = kept_data(folder, header)
    if data is None:
        return None
    snapshot = decode_snapshot(data, f"snapshot `{folder / SNAPSHOT_FILE}`")
    snapshot.data = data
    return snapshot
