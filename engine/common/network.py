"""HTTPS by requests with TLS settings of our own: a private key's passphrase, an authority, how strict to be."""

import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry


class TlsAdapter(HTTPAdapter):
    """Mounted on a session, it makes every connection with the given context and these retries."""

    def __init__(self, context: ssl.SSLContext, retries: Retry, parallel: int = 1) -> None:
        self._context = context
        super().__init__(max_retries=retries, pool_maxsize=parallel)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Called by requests for its pool of connections."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
