"""Rounds of killing, each with kills of its own: one in every run of the suite, the others with `pytest -m long`."""

import pytest

_ROUNDS = 10
ROUNDS = [pytest.param(seed, marks=pytest.mark.long if seed > 0 else ()) for seed in range(_ROUNDS)]
