"""The run folder: which files a run has, and how it is found."""

from pathlib import Path

from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import JOURNAL_NAME, PLAN_NAME, kind_of, not_wanted
from seatwarden.policy.files import near_file

PLAN_FILE, JOURNAL_FILE = PLAN_NAME, JOURNAL_NAME
RESTORE_FILE = "restore.jsonl"
"""In place of a plan: what a run released is given back."""
CANONICAL_FILE, SUMMARY_FILE, REPORT_FILE = "policy.policy", "summary.txt", "report.html"
"""Beside the plan, for people: they are derived from it, and can be made again."""
POLICY_FOLDER = "policy"
"""The policy's files as they were, byte for byte."""
NOTES = ("plan.note", "outcomes.note", "runs.note")
"""Signatures, each with its own proof: on the plan, on the journal, on the register of runs when it was closed."""
NOTES_FOLDER = "notes"
"""In the state folder: what was signed of runs that are pruned, by their names."""
APPROVALS_FOLDER = "approvals"
"""Answers of people about the plan, each with its own proof, and their comments."""
COMMENT = ".comment"
"""How the file of a comment ends."""
SNAPSHOT_FILE = "snapshot.json.zst"
"""The snapshot that was decided on, where it is kept."""

_WRITTEN = "plans are written by `seatwarden plan -o DIR`"


def proves_itself(name: str) -> bool:
    """Whether a file of that name in a run folder carries its own proof, or is a comment on one."""
    return name in NOTES or name.startswith(f"{APPROVALS_FOLDER}/")


def log_path(place: Path) -> Path:
    """The log file of a run folder; a file is taken as it is. Raises InputError when it may not be looked at."""
    try:
        return place / PLAN_FILE if place.is_dir() else place
    except OSError as error:
        raise InputError(f"log `{place}` cannot be read: {error.strerror}") from None


def is_named(place: Path, name: str) -> bool:
    """Whether a file has a name, in any case where the system does not tell files apart by it."""
    return place.name != "" and place == place.with_name(name)


def run_folders(place: Path) -> list[Path]:
    """The run folders in a folder and below it, by name; a run folder is its own only one.

    Names that begin with a dot are those of what is on its way out.
    """
    if (place / PLAN_FILE).exists():
        return [place]
    found = (path.parent for path in place.rglob(PLAN_FILE))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(place).parts))


def restore_folders(place: Path) -> list[Path]:
    """The folders of restores in a folder and below it, by name; that of a restore is its own only one."""
    if (place / RESTORE_FILE).exists():
        return [place]
    found = (path.parent for path in place.rglob(RESTORE_FILE))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(place).parts))


def no_runs(place: Path) -> InputError:
    """The error of who looked for runs where there is none."""
    if place.is_file():
        kind = kind_of(place)
        if kind is not None:
            return not_wanted(place, kind, "folder of runs")
        return InputError(f"`{place}` is a file, not a folder of runs")
    if not place.exists():
        return InputError(f"there is no folder `{place}`", near_file(place) or _WRITTEN)
    return InputError(f"`{place}` holds no plan", _WRITTEN)


def which_run(place: Path) -> str:
    """Help for who named a folder without a plan: the last by name of the run folders in it."""
    runs = sorted(path.parent for path in place.glob(f"*/{PLAN_FILE}"))
    if not runs:
        return _WRITTEN
    return f"name the folder of one run, like `{runs[-1]}`; `seatwarden log list {place}` lists them"
