"""`seatwarden log new-key` and `log keys`: keys for pseudonyms and for signatures, and which of these count."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.cli.by_hand import open_record, site_settings
from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import SiteOption, TextFormat
from seatwarden.engine.cli.keys import PassphraseOption, passphrase_of
from seatwarden.engine.cli.terminal.output import note, print_result, say
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.common.reasons import needed_reason
from seatwarden.engine.common.signed_note import NotSigned, PublicKey
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import printable
from seatwarden.engine.common.way_out import KEY, PUBLIC_KEY, SIGNING_KEY, check_way_out, write_out
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.log.register import REGISTER_FILE, RegisterState, read_register
from seatwarden.engine.log.signing_lines import KeyNoted, KeyState
from seatwarden.engine.runs.terms import keys_in
from seatwarden.policy.errors import InputError

app = typer.Typer(rich_markup_mode=None)
"""Commands of the group `log`."""

_DRAWN = 64
_COLUMNS = (Column("Key", least=12), Column("State"), Column("Since"), Column("Site file"))


@app.command("new-key")
def new_key(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; must not exist yet.")],
    sign: Annotated[
        bool, typer.Option("--sign", help="A key for signatures, with a passphrase and a FILE.pub.")
    ] = False,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="With --sign: what the key is called, without spaces.")
    ] = None,
    passphrase_env: PassphraseOption = None,
) -> None:
    """Write a new random key, for --pseudonymize or --sign.

    Who loses the key of pseudonyms can never find the people again. A key for signatures is one file, which its
    passphrase opens, and one ending in .pub, which everybody may have.

    Example: seatwarden log new-key site.key
    """
    if not sign:
        if name is not None or passphrase_env is not None:
            raise InputError("--name and --passphrase-env are for a key that signs", "add --sign")
        write_out(path, secrets.token_hex(32).encode() + b"\n", KEY)
        say(f"{path}: new key written; keep a copy in a safe place")
        return
    from seatwarden.engine.common.signing_key import LEAST_LETTERS, new_signing_key  # takes a while to import

    public_file = path.with_name(f"{path.stem}.pub")
    check_way_out(path, SIGNING_KEY)
    check_way_out(public_file, PUBLIC_KEY)
    called = _checked_name(name or path.stem)
    passphrase = passphrase_of(f"New passphrase of {path.name}", passphrase_env, twice=True)
    if len(passphrase) < LEAST_LETTERS:
        raise InputError(
            f"the passphrase has fewer than {LEAST_LETTERS} letters", "take some words that nobody guesses"
        )
    public, data = new_signing_key(called, passphrase, this_hand(clock).draw(_DRAWN))
    write_out(path, data, SIGNING_KEY)
    write_out(public_file, f"{public}\n".encode(), PUBLIC_KEY)
    say(f"{path}: new key written; whoever has it and its passphrase signs as `{called}`")
    say(f"{public_file}: its public key, for site files and for whoever checks signatures:")
    say(str(public))


def _checked_name(name: str) -> str:
    try:
        return PublicKey.parse(str(PublicKey(name, bytes(32)))).name
    except NotSigned:
        raise InputError(f"`{name}` is no name of a key", "use letters, digits, - and .: --name anna") from None


@app.command("keys")
def keys(
    site: SiteOption = None,
    retire: Annotated[
        str | None, typer.Option("--retire", metavar="KEY", help="This key counts no longer; what it signed stays.")
    ] = None,
    compromised: Annotated[
        str | None, typer.Option("--compromised", metavar="KEY", help="Others may have this key: it never counts.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")] = "",
    format: TextFormat = "text",
) -> None:
    """List the keys for signatures, or say which count no longer.

    Of a site: those that its site file names, and those that its register of runs has seen. A KEY is its name, its id,
    or its whole public key.

    Example: seatwarden log keys --site butler.yaml --retire anna --reason "left the company"
    """
    settings = site_settings(site)
    if retire is not None and compromised is not None:
        raise InputError("--retire and --compromised exclude each other", "a key that others may have is compromised")
    asked = retire or compromised
    named = list(dict.fromkeys(map(str, keys_in(settings.signing, settings.approvals))))
    if asked is not None:
        why, state = needed_reason(reason, "left the company"), "retired" if retire is not None else "compromised"
        try:
            with open_record(settings) as record:
                record.know_keys(map(PublicKey.parse, named))
                key = _the_key(asked, record.register)
                record.note_key(key, state, why)  # type: ignore[arg-type]
        except PlanRefused as refusal:
            note(f"refused: {printable(str(refusal))}")
            raise typer.Exit(ExitCode.NO) from None
        say(printable(f"{_short(str(key))} is {state}: {why}"))
        if str(key) in named:
            say("The site file still names it: take it out there, or no plan is applied that needs it.")
        return
    _list(read_register(settings.folder / REGISTER_FILE), named, format)


def _the_key(asked: str, register: RegisterState) -> PublicKey:
    known = {line.key: PublicKey.parse(line.key) for line in register.of_kind(KeyNoted)}
    found = [key for text, key in known.items() if asked in (text, key.name, key.id.hex(), _short(text))]
    if len(found) == 1:
        return found[0]
    names = ", ".join(map(_short, known)) or "none"
    problem = "is no key of this site" if not found else "can be several keys"
    raise InputError(f"`{asked}` {problem}", f"these are: {names}")


def _list(register: RegisterState | None, named: list[str], format_: str) -> None:
    since: dict[str, tuple[KeyState, str]] = {}
    for line in register.of_kind(KeyNoted) if register else ():
        since[line.key] = (line.state, line.at)
    rows = [(key, *since.get(key, ("not seen yet", "")), key in named) for key in dict.fromkeys([*since, *named])]
    if format_ == "json":
        fields = ("key", "state", "since", "inSiteFile")
        print_result({"keys": [dict(zip(fields, row, strict=True)) for row in rows]})
        return
    cells = [[_short(key), state, at, "yes" if inside else "no"] for key, state, at, inside in rows]
    if cells:
        print_rows(_COLUMNS, cells)
    say(f"{len(cells)} keys")


def _short(key: str) -> str:
    found = PublicKey.parse(key)
    return printable(f"{found.name}+{found.id.hex()}")
