"""The terms of a plan: until when it may be applied, whose signature it needs, and who must approve it.

They are what the site file said when the plan was made, and stand in its first line. Apply holds them against what the
site file says by then, and refuses where they differ.
"""

from collections.abc import Sequence

from msgspec import Struct

from seatwarden.engine.common.signed_note import PublicKey


class Terms(Struct, frozen=True, rename="camel"):
    """What an apply of the plan is held to.

    `expires` is an instant; `authority` has the SHA-256 of the public key of each authority by which the site is known,
    none where it is not checked. `signed_by` and `approved_by` are public keys, as they are written; without them no
    signature, or no approval, is needed.
    """

    expires: str
    authority: list[str]
    signed_by: list[str]
    approvals: int
    approved_by: list[str]

    @property
    def signers(self) -> tuple[PublicKey, ...]:
        """The keys of which one must have signed the plan. Raises NotSigned for what is no key."""
        return tuple(map(PublicKey.parse, self.signed_by))

    @property
    def approvers(self) -> tuple[PublicKey, ...]:
        """The keys that may approve it. Raises NotSigned for what is no key."""
        return tuple(map(PublicKey.parse, self.approved_by))

    def differences(self, now: "Terms") -> Sequence[str]:
        """What the site file demands otherwise by now, in words."""
        said = {
            "the keys that sign": (self.signed_by, now.signed_by),
            "the keys that approve": (self.approved_by, now.approved_by),
            "the number of approvals": (self.approvals, now.approvals),
            "the authority of the site's certificate": (self.authority, now.authority),
        }
        return [what for what, (before, after) in said.items() if before != after]
