"""Whom we trust with notifications: this machine's authorities, or the one that the settings name."""

import ssl
from pathlib import Path

from seatwarden.engine.notify.errors import NotDelivered


def make_context(authority: Path | None) -> ssl.SSLContext:
    """TLS that checks certificate and host name. Raises NotDelivered when the authority's file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority else None)
    except OSError:  # ssl.SSLError is one
        raise NotDelivered(f"`certificateAuthority`: `{authority}` holds no certificate", "give a PEM file") from None
    # Authorities that companies run for themselves often lack extensions that strict checking demands.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
