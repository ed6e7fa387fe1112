"""Mutants: small faults put into the code one at a time, to see whether a test notices each.

python -m bench.mutants [--all | --sample N] [--seed N] [--rooms ROOM …] [--since COMMIT] [--minutes N]

mutmut makes them and runs, for each, the tests that come by the changed function, in a process forked for it. It wants
the package as a real folder, and ours are links: so it works on a copy laid out as the wheel is. mutmut changes the
bodies of functions and methods; tables at a module's top and properties it leaves alone, and so do we.

What survives is a missing test, or a change that changes nothing. The latter stand in `bench/mutants.toml` with a
reason each, by the text of the line, so that they are found again when the lines around them move.
"""

import argparse
import ast
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("grammar", "policy", "engine")
SETTINGS = """
[tool.mutmut]
source_paths = ["seatwarden"]
only_mutate = {only}
also_copy = {also}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=mutants"]
timeout_constant = 10.0
timeout_multiplier = 2.0
"""
NOTICED = ("killed", "timeout", "segfault", "suspicious", "caught by type check")


@dataclass(frozen=True)
class Room:
    """Some modules, and the tests that are to notice what goes wrong in them. CI guards some rooms."""

    name: str
    tests: tuple[str, ...]
    guarded: bool

    def has(self, file: str) -> bool:
        """Whether a file lies in the room."""
        return file in (self.name, f"{self.name}.py") or file.startswith(f"{self.name}/")


@dataclass(frozen=True)
class Change:
    """What a mutant changes: lines of a file, and what becomes of them."""

    file: str
    was: str
    becomes: str


@dataclass(frozen=True)
class Mutant:
    """A mutant by mutmut's name, with its fate: whether it was `noticed`; None when it was not run."""

    name: str
    change: Change
    noticed: bool | None


def rooms() -> list[Room]:
    """The rooms of bench/mutants.toml."""
    table = _table()["rooms"]
    return [Room(name, tuple(room["tests"]), room.get("guarded", False)) for name, room in table.items()]


def accepted() -> dict[Change, str]:
    """The mutants that may survive, with their reasons."""
    return {
        Change(file, entry["was"], entry["becomes"]): entry["reason"]
        for file, entries in _table().get("accepted", {}).items()
        for entry in entries
    }


def called_at_import() -> frozenset[tuple[str, str]]:
    """Functions that have done their work before a mutant is switched on: by file and name."""
    return frozenset((file, name) for file, names in _table().get("at_import", {}).items() for name in names)


def _table() -> dict[str, Any]:
    return tomllib.loads((ROOT / "bench" / "mutants.toml").read_text(encoding="utf-8"))


Functions: TypeAlias = frozenset[tuple[str, str | None]]
"""Functions of a file: by name, and for methods the class."""


def changed_functions(commit: str) -> dict[str, Functions]:
    """The functions that a line was changed in since that commit, by file; none where there is no such commit."""
    command = ["git", "diff", "--unified=0", "--no-prefix", commit, "--", *(f"{floor}/*.py" for floor in FLOORS)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    found: dict[str, Functions] = {}
    for part in re.split(r"^diff --git ", ran.stdout if ran.returncode == 0 else "", flags=re.MULTILINE)[1:]:
        file = re.search(r"^\+\+\+ (\S+)", part, re.MULTILINE)
        if file and (ROOT / file[1]).is_file():
            lines = {int(line) for line in re.findall(r"^@@ -\S+ \+(\d+)", part, re.MULTILINE)}
            lines |= {
                int(first) + more
                for first, count in re.findall(r"^@@ -\S+ \+(\d+),(\d+) @@", part, re.MULTILINE)
                for more in range(int(count))
            }
            found[file[1]] = functions_at((ROOT / file[1]).read_text(encoding="utf-8"), lines)
    return {file: functions for file, functions in found.items() if functions}


def functions_at(code: str, lines: Set[int]) -> Functions:
    """The functions and methods that have one of these lines in them."""
    return frozenset(
        (function.name, owner.name if isinstance(owner, ast.ClassDef) else None)
        for owner in ast.walk(ast.parse(code))
        if isinstance(owner, ast.Module | ast.ClassDef)
        for function in owner.body
        if isinstance(function, ast.FunctionDef)
        and not lines.isdisjoint(range(function.lineno, (function.end_lineno or function.lineno) + 1))
    )


# The copy ------------------------------------------------------------------------------------------------


def lay_out(place: Path, files: Sequence[str], tests: Sequence[str]) -> None:
    """Copy what the tests need, with the floors as folders below `seatwarden`, and mutmut's settings."""
    ignore = shutil.ignore_patterns("__pycache__", *FLOORS)
    shutil.copytree(ROOT / "seatwarden", place / "seatwarden", ignore=ignore)
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, place / "seatwarden" / floor, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs" / "codes", place / "seatwarden" / "policy" / "pages")
    also = ["bench", "docs", "examples", "README.md", "CHANGELOG.md"]
    for name in (*also, "tests"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, place / name)
    only = [f"seatwarden/{file}" for file in files]
    there = [test for test in tests if (ROOT / test).exists()]
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings += SETTINGS.format(only=_quoted(only), also=_quoted(also), tests=_quoted(there))
    (place / "pyproject.toml").write_text(settings, encoding="utf-8")
    # A folder on the path that is not there when Python starts is never looked into.
    (place / "mutants").mkdir()


def _quoted(texts: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


# The mutants ---------------------------------------------------------------------------------------------


def names_of(files: Sequence[str], within: Mapping[str, Functions] | None = None) -> list[str]:
    """Every mutant that these files give, by mutmut's names; where functions are named, of these alone."""
    # Only now: not every machine that tests us has mutmut, and it reads its settings in the copy.
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name, orig_function_and_class_names_from_key

    from bench import mutant_kinds

    mutant_kinds.teach()
    names, too_early = [], called_at_import()
    for file in files:
        path = Path("seatwarden") / file
        mutated = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
        for name in mutated.mutant_names:
            function, owner = orig_function_and_class_names_from_key(name)
            wanted = within is None or (function, owner) in within[file]
            if wanted and (file, function) not in too_early:
                names.append(get_mutant_name(path, name))
    return names


def run(names: Sequence[str], minutes: int | None) -> None:
    """Run mutmut on the copy, which is the current folder."""
    from mutmut import __main__ as mutmut

    def enough(*_: object) -> None:
        raise KeyboardInterrupt  # on which mutmut keeps what it has

    prepare = mutmut.run_forced_fail_test

    def prepared(runner: Any) -> None:
        prepare(runner)
        if minutes is not None:  # of mutants: how long the tests take before is not theirs
            signal.signal(signal.SIGALRM, enough)
            signal.alarm(minutes * 60)

    mutmut.run_forced_fail_test = prepared
    mutmut._run(list(names), os.cpu_count())
    signal.alarm(0)


def results(names: Iterable[str], files: Sequence[str]) -> Iterator[Mutant]:
    """What became of the mutants."""
    from mutmut.mutation.data import SourceFileMutationData
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code

    wanted = set(names)
    for file in files:
        path = Path("seatwarden") / file
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            if name not in wanted:
                continue
            noticed = None if code is None else status_by_exit_code[code] in NOTICED
            # To read what was changed takes longer than to forget it again.
            change = _change(file, get_diff_for_mutant(name, path=path)) if noticed is False else Change(file, "", "")
            yield Mutant(name, change, noticed)


def _change(file: str, diff: str) -> Change:
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    was, becomes = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    return Change(file, "\n".join(was), "\n".join(becomes))


# The report ----------------------------------------------------------------------------------------------


def report(mutants: Sequence[Mutant], allowed: Mapping[Change, str], guarded: Sequence[Room]) -> bool:
    """Print a table and the survivors; whether all that survived in guarded rooms is accepted."""
    counts: dict[str, Counter[str]] = {}
    new = []
    for mutant in mutants:
        fate = "not run" if mutant.noticed is None else "noticed" if mutant.noticed else "survived"
        if fate == "survived" and (mutant.change in allowed or _only_less_strict(mutant.change)):
            fate = "accepted"
        elif fate == "survived":
            new.append(mutant)
        counts.setdefault(mutant.change.file, Counter())[fate] += 1
    for mutant in new:
        was, becomes = (json.dumps(text, ensure_ascii=False) for text in (mutant.change.was, mutant.change.becomes))
        _say(f'\n[[accepted."{mutant.change.file}"]]\nwas = {was}\nbecomes = {becomes}\nreason = "" # {mutant.name}')
    fates = ("noticed", "accepted", "survived", "not run")
    _say(f"\n{'module':<36}{'mutants':>9}" + "".join(f"{fate:>10}" for fate in fates))
    for file, count in (*counts.items(), ("all", sum(counts.values(), Counter()))):
        _say(f"{file:<36}{count.total():>9}" + "".join(f"{count[fate]:>10}" for fate in fates))
    return not any(room.has(mutant.change.file) for mutant in new for room in guarded)


_STRICT = re.compile(r",? *(strict=\w+)?(?=\))")


def _only_less_strict(change: Change) -> bool:
    """Whether a `zip` only lost its `strict`, which never comes to bear: it tells of a defect elsewhere."""
    was, becomes = (_STRICT.sub("", text) for text in (change.was, change.becomes))
    return "strict=True" in change.was and was == becomes


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> int:
    """Make mutants, run them and report."""
    known = {room.name: room for room in rooms()}
    parser = argparse.ArgumentParser(prog="python -m bench.mutants")
    parser.add_argument("--rooms", nargs="*", choices=known, default=list(known), metavar="ROOM", help=", ".join(known))
    parser.add_argument("--since", metavar="COMMIT", help="only functions in guarded rooms that it has not so")
    parser.add_argument("--all", action="store_true", help="all mutants, not a sample")
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=int, help="how long mutants are run, once the tests have been")
    options = parser.parse_args()
    chosen = [known[name] for name in options.rooms]
    files = [str(path.relative_to(ROOT)) for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
    within = changed_functions(options.since) if options.since else None
    if within is not None:
        chosen = [room for room in chosen if room.guarded]
        files = [file for file in files if file in within]
    files = [file for file in files if any(room.has(file) for room in chosen)]
    tests = dict.fromkeys(test for room in chosen if any(map(room.has, files)) for test in room.tests)
    if not files:
        _say("nothing to mutate")
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        lay_out(Path(folder), files, list(tests))
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(Path(folder) / "mutants")  # for the commands that tests start
        sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
        names = names_of(files, within)
        if not names:
            os.chdir(ROOT)
            _say("nothing to mutate")
            return 0
        if not options.all and len(names) > options.sample:
            names = sorted(random.Random(options.seed).sample(names, options.sample))  # noqa: S311
        run(names, options.minutes)
        mutants = list(results(names, files))
        fine = report(mutants, accepted(), [room for room in known.values() if room.guarded])
        fine = fine and any(mutant.noticed is not None for mutant in mutants)
        os.chdir(ROOT)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
