import ssl

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from seatwarden.engine.common.network import ConnectionFault
from seatwarden.engine.errors import NoAnswer, RemoteError
from seatwarden.engine.qrs.faults import in_words, unreachable
from seatwarden.engine.site.connection import Site

SITE = Site("qlik", 4242, True, {}, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ConnectionRefusedError(111, "refused"), RemoteError, "nothing listens on qlik:4242"),
        (TimeoutError("timed out"), NoAnswer, "qlik:4242 stopped answering"),
        (
            ConnectionResetError(104, "reset"),
            NoAnswer,
            "qlik:4242 closed the connection before it had answered",
        ),
        (OSError(113, "No route to host"), NoAnswer, "qlik:4242 cannot be reached: ConnectionError"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "HIDDEN"), NoAnswer, "the request to qlik:4242 could not be made"),
        (requests.exceptions.InvalidURL("HIDDEN"), NoAnswer, "the request to qlik:4242 could not be made"),
        (ValueError("HIDDEN"), NoAnswer, "the request to qlik:4242 could not be made"),
        (ssl.SSLError(1, "[SSL] bad record mac (_ssl.c:1)"), NoAnswer, "TLS to qlik:4242 failed"),
    ],
)
def test_what_may_have_been_sent_is_no_answer(error: Exception, kind: type[RemoteError], message: str) -> None:
    """A DELETE that QRS may have acted on is looked up before it is sent again."""
    told = unreachable(requests.ConnectionError(error), SITE)
    assert (type(told), told.message) == (kind, message)


def test_no_way_to_the_site() -> None:
    reason = NewConnectionError(None, "HIDDEN")  # type: ignore[arg-type]
    reason.__cause__ = OSError(113, "No route to host")
    told = unreachable(requests.ConnectionError(MaxRetryError(None, "HIDDEN", reason)), SITE)  # type: ignore[arg-type]
    assert (type(told), told.message) == (RemoteError, "qlik:4242 cannot be reached: No route to host")


@pytest.mark.parametrize(
    "fault", [fault for fault in ConnectionFault if fault not in (ConnectionFault.CLOSED, ConnectionFault.UNREACHABLE)]
)
def test_every_fault_has_its_words(fault: ConnectionFault) -> None:
    told = in_words(fault, SITE)
    assert "qlik" in told.message
    assert "{" not in told.message
    assert told.help
