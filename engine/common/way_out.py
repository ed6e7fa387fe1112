"""The one way out for files that a person asks for: nothing is overwritten in silence.

A file of another kind is never replaced, nor any file of a run. One of its own kind is where that is said below: what
can be made again at any time is made anew, all else needs `--force`, a key and a recorded test are never replaced.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seatwarden.engine.common.files import make_private_folder, replace_file, write_atomically
from seatwarden.engine.common.rights import FOR_US
from seatwarden.policy import file_kinds as kinds
from seatwarden.policy.errors import InputError

REPORT_NAME = "report.html"
_RUN_FILES = (kinds.PLAN_NAME, kinds.JOURNAL_NAME, "policy.policy", "summary.txt", "published", "told")
"""The files of a run that are its record, or tell what became of it."""
_DEPTH = 4
"""How far below a run's folder a file may be that is the run's: the policy's files are, with their own folders."""


@dataclass(frozen=True, slots=True)
class Output:
    """A kind of output: what it is called, and the kind of file it is.

    `over` says what happens to one that is there. A `private` one is for its owner's eyes, and its folder is made.
    `example` is what one may be called.
    """

    what: str
    kind: kinds.FileKind
    example: str
    over: Literal["anew", "force", "never"] = "force"
    private: bool = False
    why_never: str = ""


SNAPSHOT = Output("the snapshot", kinds.SNAPSHOT, "site.json", private=True)
REPORT = Output("the report", kinds.REPORT, "report.html", private=True)
PAGE_OF_RUN = Output("the report", kinds.REPORT, "report.html", "anew", private=True)
"""The page in the folder of its run."""
POLICY_TEXT = Output("the policy", kinds.POLICY, "site.policy")
POLICY_YAML = Output("the policy", kinds.RULES, "policy.yaml")
POLICY_JSON = Output("the policy", kinds.JSON_POLICY, "policy.json")
FLEET = Output("the fleet", kinds.FLEET, "fleet.yaml")
SCHEMA = Output("the schema", kinds.SCHEMA, "seatwarden.schema.json", "anew")
JUNIT = Output("the report", kinds.JUNIT, "tests.xml", "anew")
TEST_REPORT = Output("the report", kinds.TESTED, "tests.txt", "anew")
TABLE = Output("the table", kinds.PARQUET, "licenses.parquet", "anew", private=True)
RECORD = Output(
    "the test",
    kinds.TEST,
    "site.test.yaml",
    "never",
    why_never="a recorded test is never overwritten: choose another name",
)
KEY = Output(
    "the key",
    kinds.KEY,
    "site.key",
    "never",
    private=True,
    why_never="a key is never overwritten: old logs would lose their people",
)
SIGNING_KEY = Output(
    "the key",
    kinds.SIGNING_KEY,
    "anna.key",
    "never",
    private=True,
    why_never="a key is never overwritten: nothing could be signed by it any more",
)
PUBLIC_KEY = Output("the public key", kinds.PUBLIC_KEY, "anna.pub", "never", why_never="name another file for the key")
RECEIPT = Output("the receipt", kinds.RECEIPT, "jdoe.html", private=True)
OUTPUTS = (
    SNAPSHOT, REPORT, PAGE_OF_RUN, POLICY_TEXT, POLICY_YAML, POLICY_JSON, FLEET, SCHEMA, JUNIT, TEST_REPORT, TABLE,
    RECORD, KEY, SIGNING_KEY, PUBLIC_KEY, RECEIPT,
)  # fmt: skip


def check_way_out(path: Path, output: Output, *, force: bool = False) -> None:
    """Raises InputError where nothing may be written, before the work is done that would be lost."""
    try:
        if path.is_dir():
            raise InputError(f"`{path}` is a folder, not a file", f"name a file in it: {path / output.example}")
        if output.over == "never" and os.path.lexists(path):
            raise InputError(f"`{path}` exists already", output.why_never)
        target = path.resolve()
        page = output is PAGE_OF_RUN and target.name == REPORT_NAME
        run = next((folder for folder in target.parents[:_DEPTH] if kinds.is_run_folder(folder)), None)
        if run is not None and not page and (target.name in _RUN_FILES or target.exists()):
            message = f"`{path}` is a file of the run in `{path.parent}`: none of them is overwritten"
            raise InputError(message, "name a file somewhere else")
        if not _is_plain(target):
            return
        found = kinds.kind_of(target)
    except (OSError, ValueError, RuntimeError) as error:  # links in a circle, a name that no file has
        raise _failed(path, output, error) from None
    if found is kinds.EMPTY:
        return
    if found is not output.kind:
        noun = found.noun if found else "another file"
        raise InputError(f"`{path}` is {noun}, not {output.kind.noun}: it is not overwritten", "name another file")
    if output.over == "force" and not force:
        raise InputError(f"`{path}` exists already", "write to another file, or overwrite it with --force")


def write_out(path: Path, data: bytes | Iterable[bytes], output: Output, *, force: bool = False) -> None:
    """Writes a file beside its place and moves it there. Raises InputError as `check_way_out`, or if it cannot be
    written."""
    check_way_out(path, output, force=force)
    try:
        if output.private:
            make_private_folder(path.parent)
        if not path.exists():
            write_atomically(path, data, mode=FOR_US if output.private else 0o666)
        elif _is_plain(path):
            replace_file(path, data)
        else:  # a device or a pipe, which takes what comes
            with path.open("wb") as file:
                file.writelines([data] if isinstance(data, bytes) else data)
    except OSError as error:
        raise _failed(path, output, error) from None


def _is_plain(path: Path) -> bool:
    """Whether it is a file that is there, and no device or pipe."""
    return path.exists() and stat.S_ISREG(path.stat().st_mode)


def _failed(path: Path, output: Output, error: Exception) -> InputError:
    why = error.strerror if isinstance(error, OSError) else "no file can have this name"
    return InputError(f"{output.what} cannot be written to `{path}`: {why}")
