"""`seatwarden init`: a first policy with its test and a site file, from a few answers or from a Butler config."""

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.terminal.output import command_line, note, say, warn
from seatwarden.engine.common.files import create_files
from seatwarden.engine.common.text import printable
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.starter.answers import (
    NONE,
    Answers,
    WrongAnswer,
    read_days,
    read_directories,
    read_folder,
    read_host,
    read_limit,
    read_professional_days,
    read_tag,
    read_timezone,
)
from seatwarden.engine.starter.cases import starter_test
from seatwarden.engine.starter.files import POLICY_NAME, SITE_NAME, TEST_NAME, starter_policy, starter_site
from seatwarden.grammar.errors import Defect
from seatwarden.grammar.formatter import format_policy
from seatwarden.policy.butler.sections import butler_section
from seatwarden.policy.conversion import convert
from seatwarden.policy.errors import InputError
from seatwarden.policy.files import read_text
from seatwarden.policy.loading import YAML_SUFFIXES, check_text, lists_left_behind, parse_surface
from seatwarden.policy.yaml.nodes import read_yaml
from seatwarden.policy.zones import is_timezone

_T = TypeVar("_T")


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to write; made if need be.", show_default="this folder")
    ] = Path(),
    butler: Annotated[
        Path | None,
        typer.Option("--butler", metavar="FILE", help="Convert this Butler config; nothing else is asked then."),
    ] = None,
    host: Annotated[str | None, typer.Option("--host", metavar="NAME", help="The Qlik Sense server.")] = None,
    certificates: Annotated[
        str | None, typer.Option("--certificates", metavar="DIR", help="The folder of the exported certificates.")
    ] = None,
    analyzer: Annotated[
        str | None, typer.Option("--analyzer", metavar="DAYS", help="Days without use, or none for never.")
    ] = None,
    professional: Annotated[
        str | None, typer.Option("--professional", metavar="DAYS", help="Days without use, or none for never.")
    ] = None,
    directories: Annotated[
        str | None, typer.Option("--directories", metavar="A,B", help="User directories never to touch, or none.")
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", metavar="NAME", help="The tag that protects, or none.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="IANA zone in which days are counted.")
    ] = None,
    limit: Annotated[
        str | None, typer.Option("--limit", metavar="COUNT", help="Most licenses that one run releases.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what is usual where no option says.")] = False,
) -> None:
    """Write a first policy, its test and a site file.

    Asks for what no option says, or takes the rules of a Butler config. Never overwrites a file.

    Example: seatwarden init qlik
    """
    given = {
        "--host": host,
        "--certificates": certificates,
        "--analyzer": analyzer,
        "--professional": professional,
        "--directories": directories,
        "--tag": tag,
        "--timezone": timezone,
        "--limit": limit,
    }
    if butler is not None:
        _from_butler(folder, butler, given)
    else:
        _from_answers(folder, _Asker(given, asking=not yes and sys.stdin.isatty()))


def _from_butler(folder: Path, butler: Path, given: Mapping[str, str | None]) -> None:
    """Writes the rules of a Butler config as a policy, and its test."""
    named = [option for option, text in given.items() if text is not None]
    if named:
        raise InputError(f"{named[0]} does not go with --butler", "the Butler config says it already")
    _refuse_existing(folder, (POLICY_NAME, TEST_NAME))
    _write(folder, _converted(butler, folder))
    _say_next(_commands_for_butler(butler, folder))


def _from_answers(folder: Path, ask: "_Asker") -> None:
    """Writes policy, test and site file from the answers."""
    _refuse_existing(folder, (POLICY_NAME, TEST_NAME, SITE_NAME))
    if ask.asking:
        note(f"Three files will be written: {POLICY_NAME}, {TEST_NAME} and {SITE_NAME}.")
        note("Enter takes the answer in brackets. Ctrl-C ends this, and nothing is written.\n")
    try:
        answers = _answers(ask)
    except typer.Abort:
        note("\nNothing has been written.")
        raise typer.Exit(ExitCode.NO) from None
    policy = starter_policy(answers)
    _write(folder, {POLICY_NAME: policy, TEST_NAME: _test(policy, folder), SITE_NAME: starter_site(answers)})
    _warn_of_certificates(folder, answers.certificates)
    site, first = folder / SITE_NAME, folder / "plans" / "first"
    _say_next(
        [
            ("site", "check", "--site", str(site)),
            ("plan", "--site", str(site), "-o", str(first)),
            ("explain", "DIRECTORY\\userId", "--plan", str(first)),
        ]
    )


# Answers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asker:
    """Takes each answer from its option, else from the person at the terminal, else what is usual."""

    given: Mapping[str, str | None]
    asking: bool

    def __call__(self, option: str, question: str, usual: str | None, read: Callable[[str], _T]) -> _T:
        text = self.given[option]
        if text is None and self.asking:
            return self._ask(question, usual, read)
        if text is None and usual is None:
            raise InputError(f"{option} is missing", "name the Qlik Sense server, as in its certificate")
        try:
            return read(text if text is not None else usual or "")
        except WrongAnswer as wrong:
            raise InputError(f"{option}: {wrong}") from None

    def _ask(self, question: str, usual: str | None, read: Callable[[str], _T]) -> _T:
        while True:
            text: str = typer.prompt(question, default=usual, err=True)
            try:
                return read(text)
            except WrongAnswer as wrong:
                note(f"  {printable(str(wrong))}")


def _answers(ask: _Asker) -> Answers:
    """All answers. Raises InputError for a wrong option, typer.Abort when the person at the terminal goes."""
    host = ask("--host", "Qlik Sense server (the central node, by the name in its certificate)", None, read_host)
    folder = ask("--certificates", "Folder with client.pem, client_key.pem and root.pem", "certificates", read_folder)
    analyzer = ask(
        "--analyzer", f"Release Analyzer licenses after how many days without use, or {NONE}", "30", read_days
    )
    professional = ask(
        "--professional",
        f"Release Professional licenses after how many days, or {NONE}",
        "60",
        lambda text: read_professional_days(text, analyzer),
    )
    return Answers(
        host=host,
        certificates=os.path.expanduser(folder),
        analyzer_days=analyzer,
        professional_days=professional,
        directories=ask(
            "--directories",
            f"User directories never to touch, with commas between them, or {NONE}",
            "INTERNAL",
            read_directories,
        ),
        tag=ask("--tag", f"Tag in the QMC that protects a user, or {NONE}", "License do not release", read_tag),
        timezone=ask("--timezone", *_zone_question(ask.asking), read_timezone),
        limit=ask("--limit", "Most licenses that one run may release", "50", read_limit),
    )


def _zone_question(asking: bool) -> tuple[str, str | None]:
    """The question for the time zone, and what is usual."""
    question, usual = "Time zone in which days are counted", _local_timezone()
    if os.name == "nt" and asking:
        # Windows has one zone for all of Western Europe: taking Berlin for Stockholm is not for us to do.
        return f"{question}, by its city, such as {usual}", None
    return question, usual


def _local_timezone() -> str:
    """The IANA name of this machine's zone; UTC where the machine does not say."""
    import tzlocal

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about files of the system that do not agree; the name is a suggestion
        try:
            name = tzlocal.get_localzone_name()
        except (LookupError, OSError, ValueError):
            name = None
    return name if name and name != "Etc/UTC" and is_timezone(name) else "UTC"


# Files ---------------------------------------------------------------------------------------------------


def _converted(butler: Path, folder: Path) -> dict[str, str]:
    """Policy and test from a Butler config. Raises InputError, PolicyError."""
    source = read_text(butler, "Butler config")
    if butler.suffix.lower() not in YAML_SUFFIXES:
        raise InputError(f"`{butler}` is no Butler config", "it is a .yaml file")
    head = (
        f"# What {printable(butler.name)} says, in the policy language. Comparison is exact (==), as in Butler.\n"
        "# Change it as you like, and then: seatwarden lint license.policy, seatwarden test\n\n"
    )
    tree = parse_surface(source, str(butler))
    if lists := lists_left_behind(tree, butler.parent, folder):
        help_ = f"copy them from `{butler.parent}` to `{folder}` first, or begin in the folder of `{butler.name}`"
        message = f"lists that the policy reads from beside itself are not the same in `{folder}`: {', '.join(lists)}"
        raise InputError(message, help_)
    try:
        policy = head + convert(tree, "policy", str(butler), source)
    except Defect as defect:
        help_ = "this is a defect of seatwarden: please report it"
        raise InputError(f"`{butler}` cannot be converted: {defect}", help_) from None
    return {POLICY_NAME: format_policy(policy, POLICY_NAME), TEST_NAME: _test(policy, folder)}


def _test(policy: str, folder: Path) -> str:
    checked = check_text(policy, str(folder / POLICY_NAME), folder)
    return starter_test(checked, POLICY_NAME, make_day(datetime.now(UTC), checked.timezone))


def _refuse_existing(folder: Path, names: tuple[str, ...]) -> None:
    help_ = "name another folder: seatwarden init FOLDER"
    there_already = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if there_already.is_file():
        raise InputError(f"`{there_already}` is a file, not a folder", help_)
    there = [str(folder / name) for name in names if os.path.lexists(folder / name)]
    if there:
        exist = "exists" if len(there) == 1 else "exist"
        raise InputError(f"`{'`, `'.join(there)}` {exist} already, and nothing is overwritten", help_)


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    try:
        create_files(folder, {name: text.encode() for name, text in texts.items()})
    except FileExistsError as error:
        raise InputError(f"`{error.filename}` exists already, and nothing is overwritten") from None
    except OSError as error:
        raise InputError(f"`{error.filename or folder}` cannot be written: {error.strerror}") from None
    for name in texts:
        say(f"Written: {printable(str(folder / name))}")


def _warn_of_certificates(folder: Path, certificates: str) -> None:
    missing = [
        name
        for name in ("client.pem", "client_key.pem", "root.pem")
        if not os.path.exists(folder / certificates / name)
    ]
    if missing:
        warn(f"{', '.join(missing)} not found in `{folder / certificates}`")
        note("  = help: export them in the QMC under Certificates, in PEM format, for this machine, and put them there")


# What to do next -----------------------------------------------------------------------------------------


def _commands_for_butler(butler: Path, folder: Path) -> list[tuple[str, ...]]:
    """A Butler config stays the site file: its secrets are not copied around."""
    policy, first = str(folder / POLICY_NAME), str(folder / "plans" / "first")
    root = read_yaml(read_text(butler, "Butler config"), str(butler))
    reachable = butler_section(root, "configQRS") is not None
    if not reachable:
        warn(f"`{butler}` has no `configQRS`: it does not say how to reach Qlik Sense")
        note("  = help: name a file that does with --site, or a snapshot with --snapshot")
    way = ("--site", str(butler)) if reachable else ("--snapshot", "site.json")
    return [
        ("diff", str(butler), policy),
        ("plan", "--policy", policy, *way, "-o", first),
        ("explain", "DIRECTORY\\userId", "--plan", first),
    ]


def _say_next(commands: list[tuple[str, ...]]) -> None:
    say("\nNext:")
    for command in commands:
        say(f"  {command_line(command)}")
