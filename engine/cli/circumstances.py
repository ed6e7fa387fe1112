"""The circumstances of this process: account, host, command, terminal. Told by the system, not by the environment."""

import os
import sys

# Typer has its own copy of Click inside, and no public way to the context: `click` itself would know of none.
from typer._click.globals import get_current_context
from typer.core import TyperOption

from seatwarden.engine.plan.circumstances import Circumstances


def circumstances(qlik_user: str | None = None) -> Circumstances:
    """Who runs this command, where and how; `qlik_user` is who QRS takes us for."""
    return Circumstances(
        account=_account(),
        host=_host(),
        command=_command(),
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


def _command() -> str:
    """The command with the options that were given. An operand may name somebody: it is left out."""
    context = get_current_context(silent=True)
    if context is None:
        return "a program"
    words = context.command_path.split()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is None or source.name != "COMMANDLINE":
            continue
        value = context.params.get(parameter.name or "")
        if not isinstance(parameter, TyperOption):
            words.append("…")
        elif parameter.is_flag or isinstance(value, bool):
            words.append(max(parameter.opts if value else parameter.secondary_opts or parameter.opts, key=len))
        else:
            several = value if isinstance(value, list | tuple) else [value]
            words += [word for one in several for word in (max(parameter.opts, key=len), str(one))]
    return " ".join(words)
