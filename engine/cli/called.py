"""The command that was called, remembered for what is written: it says by which command it was made."""

from typing import Any

_called: list[str] = []
"""The command under way, as `remember_call` was told of it."""


def remember_call(context: Any) -> None:
    """Takes note of the command that a context of Typer's is about to run: it is on record what was asked for."""
    _called[:] = _words_of(context)


def remembered() -> list[str]:
    """The words of the command under way, for a process that works for this one."""
    return list(_called)


def remember_words(words: list[str]) -> None:
    """Takes note of the command that another process was called with, which this one works for."""
    _called[:] = words


def command_called() -> str:
    """The command under way, with the options that were given. An operand, and a text that is free, may name somebody:
    they are left out."""
    return " ".join(_called) or "a program"


def _words_of(context: Any) -> list[str]:
    words: list[str] = context.command_path.split()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if source is None or source.name != "COMMANDLINE":
            continue
        value = context.params.get(parameter.name)
        if parameter.param_type_name != "option":
            words.append("…")
        elif isinstance(value, bool):
            words.append(max(parameter.opts if value else parameter.secondary_opts or parameter.opts, key=len))
        else:
            several = value if isinstance(value, list | tuple) else [value if parameter.metavar != "TEXT" else "…"]
            words += [word for one in several for word in (max(parameter.opts, key=len), str(one))]
    return words
