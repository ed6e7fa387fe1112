"""The one session of a page: begun by a token that works once, known by a cookie, and a proof in its form.

What listens on loopback can be asked by every account of the machine, and by every page that is open in a browser
there. The token is seen by who started the page; the cookie has it go on in one browser; the proof shows that a form
was sent by our page, of one plan. None of them is ever written anywhere. The cookie is none of another port's, but a
browser sends it there, too: so it opens the page, and signs nothing, which only the passphrase does.
"""

import hmac
import threading
from collections.abc import Callable
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie

_BYTES = 32


class PageSession:
    """The session of a page on a port; `draw` gives random bytes."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._lock = threading.Lock()
        self._token: str | None = draw(_BYTES).hex()
        self._secret = draw(_BYTES).hex()
        self._key = draw(_BYTES)

    @property
    def token(self) -> str:
        """The token, as long as nobody has used it."""
        return self._token or ""

    def begin(self, token: str) -> bool:
        """Whether this is the token. It is nobody's any more then."""
        with self._lock:
            known = self._token is not None and _same(token, self._token)
            if known:
                self._token = None
            return known

    def cookie(self, port: int) -> str:
        """The header that sets the cookie. Its name has the port: a browser keeps cookies by host alone."""
        return f"{_name(port)}={self._secret}; HttpOnly; SameSite=Strict; Path=/"

    def is_begun_by(self, header: str | None, port: int) -> bool:
        """Whether a header `Cookie` has our cookie."""
        if self._token is not None or header is None:
            return False
        try:
            found = SimpleCookie(header).get(_name(port))
        except CookieError:
            return False
        return found is not None and _same(found.value, self._secret)

    def proof(self, root: str) -> str:
        """What the form about the plan with that root has in it."""
        return hmac.new(self._key, root.encode(), sha256).hexdigest()

    def proves(self, proof: str, root: str) -> bool:
        """Whether a form about that plan is from our page."""
        return _same(proof, self.proof(root))


def _name(port: int) -> str:
    return f"seatwarden-review-{port}"


def _same(one: str, other: str) -> bool:
    """Whether both are equal, found in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())
