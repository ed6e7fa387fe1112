"""What can go wrong on the way to QRS."""


class RemoteError(Exception):
    """QRS could not be reached, did not accept us, or did not answer as it should (exit code 3).

    `message` says what and where, `help` what to do. Neither ever holds a key, a token or a header's value.
    """

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class NotAuthorized(RemoteError):
    """QRS does not accept us (401, 403, a login page): nothing that follows can succeed either."""


class NoAnswer(RemoteError):
    """The connection failed before an answer came: whether QRS acted is not known."""
