"""The circumstances of this process: account, host, command, terminal; and its clock.

Told by the system, not by the environment.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from seatwarden.engine.cli.called import command_called
from seatwarden.engine.plan.circumstances import Circumstances, Hand


def this_hand(clock: Callable[[], datetime], qlik_user: str | None = None) -> Hand:
    """The hand of who runs this command; `qlik_user` is who QRS takes us for."""
    return Hand(circumstances(qlik_user), clock, draw)


def clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def draw(size: int) -> bytes:
    """Random bytes of the system's."""
    return os.urandom(size)


def circumstances(qlik_user: str | None = None) -> Circumstances:
    """Who runs this command, where and how; `qlik_user` is who QRS takes us for."""
    return Circumstances(
        account=_account(),
        host=_host(),
        command=command_called(),
        interactive=sys.stdin is not None and sys.stdin.isatty(),
        qlik_user=qlik_user,
    )


def _host() -> str:
    if os.name != "nt":
        return os.uname().nodename
    import socket

    return socket.gethostname()


def _account() -> str:
    if os.name == "nt":
        return _windows_account()
    import pwd

    uid = os.getuid()
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def _windows_account() -> str:
    """`DOMAIN\\name` of the process's token."""
    import ctypes

    size = ctypes.c_ulong(512)
    name = ctypes.create_unicode_buffer(size.value)
    same_as_domain = 2  # NameSamCompatible
    if ctypes.windll.secur32.GetUserNameExW(same_as_domain, name, ctypes.byref(size)):  # type: ignore[attr-defined,unused-ignore]
        return name.value
    return "unknown"
