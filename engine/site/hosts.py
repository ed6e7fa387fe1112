"""Names and addresses of hosts: what can be one at all, before any network is asked."""

from ipaddress import IPv4Address, IPv6Address, ip_address


def is_host(host: str) -> bool:
    """Whether this can be a host's name or address; an IPv6 address stands without brackets."""
    if ":" in host:
        return address_of(host) is not None
    try:
        name = host.encode("idna").decode()  # also refuses empty labels, and those of more than 63 letters
    except UnicodeError:
        return False
    return bool(name) and all(c.isalnum() or c in "-._" for c in name)


def is_loopback(host: str) -> bool:
    """Whether it is this machine, seen from itself."""
    address = address_of(host)
    return address.is_loopback if address else host.lower() == "localhost"


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is, None when it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
