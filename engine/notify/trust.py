"""TLS for notifications, which trusts this machine's authorities, or the one that the settings name."""

import ssl
from pathlib import Path

from seatwarden.engine.common.network import trust_in
from seatwarden.engine.notify.errors import NotDelivered


def make_context(authority: Path | None) -> ssl.SSLContext:
    """TLS that checks certificate and host name. Raises NotDelivered when the authority's file cannot be used."""
    try:
        return trust_in(authority)
    except OSError:
        raise NotDelivered(f"`certificateAuthority`: `{authority}` holds no certificate", "give a PEM file") from None
