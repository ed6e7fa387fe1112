"""Errors that are the user's to mend and have no place inside a policy."""


class InputError(Exception):
    """Something the user gave cannot be used (exit code 2): a file, an option, a name.

    `message` says what and why, `help` what to do (None when the message says it all).
    """

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
