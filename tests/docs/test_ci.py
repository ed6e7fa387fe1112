"""docs/ci.md: what each system gives to a shell works in a repository with a change; the hooks call what there is."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from seatwarden.engine.cli.lazy import COMMANDS
from tests.paths import EXAMPLES, ROOT

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
HOOKS = YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
SYSTEMS = {
    "GitHub": ("jobs", "gh pr comment 7"),
    "GitLab": ("policies", "/merge_requests/7/notes"),
    "Azure DevOps": ("steps", "/pullRequests/7/threads"),
}
"""A key of each system's file, and what is called to comment."""
_FROM_THE_SYSTEM = {
    "GITHUB_BASE_REF": "main",
    "PULL_REQUEST": "7",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": "origin/main",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "3",
    "CI_MERGE_REQUEST_IID": "7",
    "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.example/acme/",
    "SYSTEM_TEAMPROJECTID": "3",
    "BUILD_REPOSITORY_ID": "5",
    "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
    "SEATWARDEN": "git+https://git.example.org/tools/seatwarden@v0.2.0",
}


def _pages() -> Iterator[Any]:
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        yield YAML(typ="safe").load(block)


def _scripts(page: Any) -> list[str]:
    """What a system gives to a shell, step by step; each stops at the first command that fails."""
    if "jobs" in page:
        return [step["run"] for step in page["jobs"]["check"]["steps"] if "run" in step]
    if "policies" in page:
        return ["\n".join(page["policies"]["script"])]
    return [step["bash"] for step in page["steps"] if "bash" in step]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone in which a policy has been changed, and in front of its PATH stand-ins that note their calls."""
    git = shutil.which("git")
    if git is None or os.name == "nt":
        pytest.skip("NOT RUN: the lines are for bash, and git is not installed")
    folder, clone = tmp_path / "origin" / "policies", tmp_path / "clone"
    folder.mkdir(parents=True)
    for ending in ("policy", "test.yaml"):
        text = (EXAMPLES / f"freeze.{ending}").read_text(encoding="utf-8").replace("freeze.policy", "license.policy")
        (folder / f"license.{ending}").write_text(text, encoding="utf-8")

    def run(*arguments: object, cwd: Path) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run([git, *identity, *map(str, arguments)], cwd=cwd, check=True, capture_output=True)

    run("init", "--quiet", "--initial-branch", "main", cwd=folder.parent)
    run("add", ".", cwd=folder.parent)
    run("commit", "--quiet", "--message", "a policy", cwd=folder.parent)
    run("clone", "--quiet", folder.parent, clone, cwd=tmp_path)
    with (clone / "policies" / "license.policy").open("a", encoding="utf-8") as file:
        file.write('keep "new" when user.roles = "AuditAdmin"\n')
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("pip", "gh", "curl"):
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/calls\n', encoding="utf-8")
    (tools / "seatwarden").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m seatwarden "$@"\n', encoding="utf-8")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    return clone


@pytest.mark.long
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_lines_for_a_shell_comment_on_a_change(repository: Path, system: str) -> None:
    (page,) = [page for page in _pages() if isinstance(page, dict) and SYSTEMS[system][0] in page]
    around = repository.parent
    settings = {**os.environ, **_FROM_THE_SYSTEM, "TOKEN": "t", "GITLAB_TOKEN": "t"}
    settings["PATH"] = f"{around / 'tools'}{os.pathsep}{settings['PATH']}"
    for script in _scripts(page):
        ran = subprocess.run(
            [str(shutil.which("bash")), "-e", "-c", script],
            cwd=repository, env=settings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
    comment = (around / "diff.md").read_text(encoding="utf-8")
    assert comment.startswith("### What `license.policy` would change\n\nThe policies differ.")
    calls = (around / "calls").read_text(encoding="utf-8")
    assert "pip install" in calls
    assert SYSTEMS[system][1] in calls
    if system == "Azure DevOps":
        assert json.loads((around / "thread.json").read_text())["comments"] == [{"content": comment}]


def test_the_page_has_all_hooks() -> None:
    (config,) = [page for page in _pages() if "repos" in page]
    assert [hook["id"] for hook in config["repos"][0]["hooks"]] == [hook["id"] for hook in HOOKS]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_calls_a_command_for_files_of_its_kind(hook: dict[str, Any]) -> None:
    program, command = hook["entry"].split()
    assert (program, hook["language"]) == ("seatwarden", "python")
    assert command in COMMANDS
    assert re.search(hook["files"], "policies/license.policy")
    assert not re.search(hook["files"], "policies/README.md")
