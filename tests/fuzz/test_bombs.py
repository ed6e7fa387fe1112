"""What is made to exhaust a parser is refused with a message, within a second and 200 MB, each in its own process."""

import json
import subprocess
import sys

import pytest

from tests.fuzz.bombs import BOMBS, MEGABYTES, SECONDS
from tests.paths import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="NOT CHECKED HERE: limits and memory are measured on Linux only")
def test_every_bomb_is_refused_in_time_and_memory() -> None:
    ran = subprocess.run([sys.executable, "-m", "tests.fuzz.bombs"], cwd=ROOT, capture_output=True, timeout=300)
    measured = {line["name"]: line for line in map(json.loads, ran.stdout.splitlines())}
    assert set(measured) == set(BOMBS), ran.stderr.decode()
    dangerous = [
        line
        for line in measured.values()
        if "died" in line or not line["said"] or line["seconds"] > SECONDS or line["megabytes"] > MEGABYTES
    ]
    assert dangerous == [], ran.stderr.decode()
