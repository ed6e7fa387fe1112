"""Ports of this machine: one for a server that is started now, and one at which nobody will ever listen."""

import socket
from functools import cache


def free_port() -> int:
    """A port that nothing listens on, for a server that is started right away."""
    with _bound() as probe:
        return _port(probe)


def dead_port() -> int:
    """A port that answers nobody as long as this process runs, the same each time.

    A port that is only free may be given to what another test starts meanwhile, which then answers.
    """
    return _port(_held())


@cache
def _held() -> socket.socket:
    return _bound()


def _bound() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


def _port(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])
