"""The terms that a site file sets for plans: until when, signed by whom, approved by whom, under which authority."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from seatwarden.engine.apply.approval import InForce
from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.plan.modes import MAX_AGE_HOURS
from seatwarden.engine.plan.terms import Terms
from seatwarden.engine.qrs.expiry import authorities
from seatwarden.engine.runs.record import SiteRecord
from seatwarden.engine.site.connection import Site
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.site.signing import Approvals, Signing


def terms_of(site: Site, signing: Signing | None, approvals: Approvals | None, now: datetime) -> Terms:
    """The terms of a plan that is made at `now`."""
    valid_for = approvals.valid_for if approvals else timedelta(hours=MAX_AGE_HOURS)
    keys = (
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for certificate in authorities(site)
    )
    return Terms(
        expires=format_instant(now + valid_for),
        authority=[hashlib.sha256(key).hexdigest() for key in keys],
        signed_by=list(map(str, signing.keys)) if signing else [],
        approvals=approvals.required if approvals else 0,
        approved_by=list(map(str, approvals.keys)) if approvals else [],
    )


def keys_in(signing: Signing | None, approvals: Approvals | None) -> Iterator[PublicKey]:
    """The public keys that a site file names."""
    yield from signing.keys if signing else ()
    yield from approvals.keys if approvals else ()


def in_force(settings: Settings, record: SiteRecord, now: datetime) -> InForce:
    """What a plan is held against when it is applied."""
    terms = terms_of(settings.site, settings.signing, settings.approvals, now)
    return InForce(terms, settings.policy.digest, record.register, now)
