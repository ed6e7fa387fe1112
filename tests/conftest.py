"""What all tests share: how hypothesis searches.

`pytest --hypothesis-profile=thorough` searches for long, before a release.
"""

import os

from hypothesis import settings

settings.register_profile("seatwarden", deadline=None, max_examples=60, derandomize="CI" in os.environ)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("seatwarden")
