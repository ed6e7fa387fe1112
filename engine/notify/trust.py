"""TLS for notifications, which trusts this machine's authorities, or the one that the settings name."""

import ssl
from pathlib import Path

from seatwarden.engine.common.network import trust_in
from seatwarden.engine.notify.errors import NotDelivered


def make_context(authority: Path | None, setting: str = "certificateAuthority", verify: bool = True) -> ssl.SSLContext:
    """TLS that checks certificate and host name, unless it is not to `verify`.

    Raises NotDelivered when the authority's file, named under `setting`, cannot be used.
    """
    try:
        return trust_in(authority, verify)
    except OSError:
        raise NotDelivered(f"`{setting}`: `{authority}` holds no certificate", "give a PEM file") from None
