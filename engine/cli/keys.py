"""Keys that sign, on the command line: which one, and its passphrase, asked for without showing it."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from msgspec.structs import replace

from seatwarden.engine.plan.circumstances import Hand
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.common.signed_note import PublicKey
    from seatwarden.engine.common.signing_key import SigningKey
    from seatwarden.engine.site.settings import Settings

SignOption: TypeAlias = Annotated[
    Path | None, typer.Option("--sign", metavar="KEY", help="Sign with this key; its passphrase is asked for.")
]
PassphraseOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--passphrase-env", metavar="NAME", help="The variable that has the passphrase; nobody is asked."),
]


def key_in(path: Path, variable: str | None) -> "SigningKey":
    """The key in a file, opened by a passphrase. Raises InputError."""
    from seatwarden.engine.common.signing_key import public_key_in, read_signing_key  # takes a while to import

    public_key_in(path)  # whoever has named another file is not asked for its passphrase
    return read_signing_key(path, passphrase_of(f"Passphrase of {path.name}", variable))


def passphrase_of(prompt: str, variable: str | None, *, twice: bool = False) -> str:
    """A passphrase: what a variable has, what somebody types, or the first line of what is piped in. Raises InputError
    where there is none of these."""
    if variable is not None:
        found = os.environ.get(variable)
        if not found:
            raise InputError(f"--passphrase-env: there is no variable `{variable}`", "name the variable, without `$`")
        return found
    if sys.stdin is None or not sys.stdin.isatty():
        piped = sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""
        if piped:
            return piped
        help_ = "name the variable that has it with --passphrase-env NAME"
        raise InputError("nobody is here to type the passphrase", help_)
    typed: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
    return typed


def signing_hand(hand: Hand, settings: "Settings", sign: Path | None = None, variable: str | None = None) -> Hand:
    """The hand with the key that is named, or else that of the site file, if it has one. Raises InputError."""
    if sign is not None:
        return replace(hand, key=key_in(sign, variable))
    if settings.signing is None or settings.signing.key is None:
        return hand
    try:
        return replace(hand, key=settings.signing.read())
    except InputError as error:
        raise InputError(error.message, error.help or "or name a key of your own with --sign KEY") from None


def public_keys(asked: Iterable[str]) -> tuple["PublicKey", ...]:
    """The public keys that are written out, or stand in the files that are named. Raises InputError."""
    from seatwarden.engine.common.signed_note import NotSigned, PublicKey  # takes a while to import
    from seatwarden.engine.common.signing_key import public_key_in

    found = []
    for text in asked:
        try:
            found.append(PublicKey.parse(text))
        except NotSigned:
            found.append(public_key_in(Path(text)))
    return tuple(found)
