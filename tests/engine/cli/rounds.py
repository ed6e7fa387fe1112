"""Rounds of killing, each with kills of its own: two in every run of the suite, the others with `pytest -m rounds`."""

import pytest

_ROUNDS, _IN_EVERY_RUN = 10, 2

ROUNDS = [pytest.param(seed, marks=pytest.mark.rounds if seed >= _IN_EVERY_RUN else ()) for seed in range(_ROUNDS)]
