"""Neovim, with the file that editors/neovim has for it: what somebody sees there who opens a policy with a slip."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import EXAMPLES, ROOT

POLICY = """\
let vips = ["ADMIN\\jdoe"]
keep "vips" when user = vips or user.tgas = "Lic"
release when unused for 30 days
"""
BUTLER = "neverRelease:\n  userDirectry: [ADMIN]\nlicenseType:\n  analyzer: {enable: true, releaseThresholdDays: 30}\n"


NEOVIM = shutil.which("nvim")


@pytest.mark.skipif(NEOVIM is None, reason="NOT RUN: Neovim is not installed (Debian: neovim)")
def test_a_policy_and_butler_s_settings_with_a_slip(tmp_path: Path) -> None:
    (tmp_path / "slip.policy").write_text(POLICY, encoding="utf-8")
    (tmp_path / "butler.yaml").write_text(BUTLER, encoding="utf-8")
    settings = {
        "command": [sys.executable, "-P", "-m", "seatwarden", "lsp", "--now", "2026-11-21"],
        "snapshot": str(EXAMPLES / "site.json"),
    }
    given = f"let g:seatwarden = json_decode({json.dumps(json.dumps(settings))})"
    plugin, questions = ROOT / "editors" / "neovim" / "seatwarden.lua", ROOT / "tests" / "editors" / "neovim.lua"
    ran = subprocess.run(
        [str(NEOVIM), "--headless", "--clean", "--cmd", given, "-c", f"luafile {plugin}", "-c", f"luafile {questions}"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert ran.stdout, ran.stderr
    answers = json.loads(ran.stdout)
    assert answers["policy"].startswith("SW101 1:32 unknown field `user.tgas`")
    assert answers["policy_fix"] == "Write user.tags"
    assert "begins the condition of a rule" in answers["hover"]
    mended = POLICY.replace("vips =", "chiefs =").replace("user = vips", "user = chiefs").replace("tgas", "tags")
    assert answers["policy_text"] == mended.rstrip("\n")
    assert '"License do not release"' in answers["completion"]
    assert answers["butler"].startswith("SW203 unknown key `userDirectry`")
    assert answers["butler_fix"] == "Write userDirectory"
    assert answers["butler_text"] == BUTLER.replace("userDirectry", "userDirectory").rstrip("\n")
