"""Names and addresses of hosts, alone and in URLs: what can be one at all, before any network is asked."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit


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


def bracketed(host: str) -> str:
    """A host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def web_parts(url: str) -> SplitResult | None:
    """The parts of a URL of http or https that can be asked; None when it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.hostname and is_host(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable and parts.scheme in ("http", "https") and url.isascii() and url.isprintable() else None


def origin(url: str) -> str:
    """Scheme and host of a URL: neither user nor path, which may be secret."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{bracketed(parts.hostname or '')}{port}"
