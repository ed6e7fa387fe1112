"""`seatwarden init`: what it asks, what it writes, and that what it writes works against a site."""

import io
import os
import select
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import tzlocal

from seatwarden.engine.cli.commands import init
from seatwarden.engine.common.files import create_files
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT
from tests.platforms import WINDOWS, split_command

NAMES = ["license.policy", "license.test.yaml", "site.yaml"]
USUAL = ("--yes", "--host", "qlik.example.com")


class Terminal(io.StringIO):
    """Somebody who types these lines and then Ctrl-D."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, empty, of a machine in Stockholm."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tzlocal, "get_localzone_name", lambda: "Europe/Stockholm")
    return tmp_path


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _next(out: str) -> list[list[str]]:
    """The arguments of the commands that are suggested."""
    lines = [line for line in out.split("Next:")[1].splitlines() if line.strip()]
    commands = [split_command(line.strip()) for line in lines]
    assert all(command[0] == "seatwarden" for command in commands)
    return [command[1:] for command in commands]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--analyzer", "none"),
        ("--professional", "none", "--tag", "none"),
        ("--directories", "none", "--tag", 'VIP "gold" \'n silver', "--limit", "1"),
        ("--directories", ", ".join(f"DIRECTORY_NUMBER_{n}" for n in range(12)), "--timezone", "America/New_York"),
    ],
)
def test_what_it_writes_is_right(run: Run, here: Path, options: tuple[str, ...]) -> None:
    ran = run("init", *USUAL, *options)
    assert ran.code == 0
    assert _files(here) == NAMES
    assert run("fmt", "--check", "license.policy").code == 0
    assert run("lint", "--strict", "license.policy").code == 0
    tested = run("test", "--require-all-rules")
    assert (tested.code, tested.err) == (0, "")


def test_it_asks_what_no_option_says(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = ["https://qlik.example.com/qmc", "qlik.example.com", "3", "45", "none", "INTERNAL, ADMIN", ""]
    typed += ["Europe/Stockholm" if WINDOWS else "", "25"]
    monkeypatch.setattr(sys, "stdin", Terminal("\n".join(typed) + "\n"))
    ran = run("init", "new/site", "--certificates", r"C:\Qlik certs")
    assert ran.code == 0
    assert "like qlik.example.com" in ran.err
    assert "write 7 days" in ran.err
    policy = (here / "new/site/license.policy").read_text(encoding="utf-8")
    for line in (
        'timezone "Europe/Stockholm"',
        "limit release to 25 per run, longest unused first",
        'keep "protected directories" when user.userDirectory = ["INTERNAL", "ADMIN"]',
        'keep "marked in the QMC" when user.tags = "License do not release"',
        "release analyzer when unused for 45 days",
    ):
        assert f"\n{line}\n" in policy
    assert "\nrelease professional" not in policy
    assert r"clientCert: 'C:\Qlik certs\client.pem'" in (here / "new/site/site.yaml").read_text(encoding="utf-8")


def test_ctrl_d_leaves_nothing(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("qlik.example.com\n"))
    ran = run("init", "new")
    assert ran.code == 1
    assert "Nothing has been written." in ran.err
    assert _files(here) == []


def _take_terminal() -> None:
    """Makes stdin the terminal whose Ctrl-C ends this process."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
@pytest.mark.parametrize("interrupted", [False, True])
def test_on_a_real_terminal(tmp_path: Path, interrupted: bool) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "seatwarden", "init", "new"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TZ": "Europe/Oslo", "TERM": "dumb"}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    shown = ""

    def answer(prompt: str, typed: bytes = b"\n", meanwhile: bytes = b"") -> None:
        """Types when the prompt is there, not ahead of it: terminals lose what is typed between two questions."""
        nonlocal shown
        for _ in range(15):
            while prompt not in shown and select.select([ours], [], [], 2)[0]:
                shown += os.read(ours, 4096).decode()
            if prompt in shown:
                break
            os.write(ours, meanwhile)
        assert prompt in shown
        shown = shown.partition(prompt)[2]
        os.write(ours, typed)

    try:
        answer("its certificate): ", b"qlik.example.com\n")
        answer("[certificates]: ", b"\x03" if interrupted else b"\n")
        if interrupted:
            # Right after the prompt Python may not yet listen; people press again.
            answer("Nothing has been written.", meanwhile=b"\x03")
        else:
            for usual in ("30", "60", "INTERNAL", "License do not release", "Europe/Oslo", "50"):
                answer(f"[{usual}]: ")
            answer("Next:")
        assert process.wait(30) == (1 if interrupted else 0)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert _files(tmp_path) == ([] if interrupted else ["new"])


def test_in_a_job_it_asks_nothing(run: Run, here: Path) -> None:
    ran = run("init")  # a test's stdin is no terminal
    assert (ran.code, _files(here)) == (2, [])
    assert "--host is missing" in ran.err
    assert run("init", "--host", "qlik").code == 0
    assert _files(here) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_overwritten(run: Run, here: Path, name: str) -> None:
    (here / name).write_text("mine", encoding="utf-8")
    ran = run("init", *USUAL)
    assert ran.code == 2
    assert f"`{name}` exists already" in ran.err
    assert _files(here) == [name]
    assert (here / name).read_text(encoding="utf-8") == "mine"


def test_a_file_is_no_folder(run: Run, here: Path) -> None:
    (here / "site").touch()
    ran = run("init", "site", *USUAL)
    assert (ran.code, "error: `site` " in ran.err) == (2, True)


def test_all_or_nothing(run: Run, here: Path) -> None:
    (here / "folder").write_text("a file", encoding="utf-8")
    ran = run("init", Path("folder/new/er"), *USUAL)
    assert (ran.code, "error: `folder` is a file, not a folder" in ran.err) == (2, True)
    assert _files(here) == ["folder"]


def test_what_is_written_goes_when_the_rest_cannot_be(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "site"
    with pytest.raises(OSError, match="No such file"):
        create_files(folder, {"a": b"1", "b": b"2", "there/is/no": b"3"})
    assert _files(tmp_path) == []
    (tmp_path / "b").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        create_files(tmp_path, {"a": b"1", "b": b"2"})
    assert _files(tmp_path) == ["b"]


@pytest.mark.skipif(WINDOWS, reason="making links needs a privilege there")
def test_links_to_nowhere_are_not_followed(run: Run, here: Path) -> None:
    (here / "site.yaml").symlink_to("elsewhere")
    assert run("init", *USUAL).code == 2
    assert _files(here) == ["site.yaml"]


@pytest.mark.parametrize("option", ["--analyzer", "--timezone", "--limit", "--directories"])
def test_wrong_options(run: Run, here: Path, option: str) -> None:
    ran = run("init", *USUAL, option, "")
    assert ran.code == 2
    assert ran.err.startswith(f"error: {option}: ")
    assert _files(here) == []


@pytest.mark.parametrize("failure", [LookupError, OSError, ValueError, None])
def test_a_machine_without_a_time_zone(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, failure: type[Exception] | None
) -> None:
    def fail() -> str:
        if failure is not None:
            raise failure
        return "local"

    monkeypatch.setattr(tzlocal, "get_localzone_name", fail)
    assert run("init", *USUAL).code == 0
    assert '\ntimezone "UTC"\n' in (here / "license.policy").read_text(encoding="utf-8")


def test_windows_does_not_say_which_city(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name != "nt":
        monkeypatch.setattr(init, "os", SimpleNamespace(name="nt", path=os.path))
    monkeypatch.setattr(tzlocal, "get_localzone_name", lambda: "Europe/Berlin")
    monkeypatch.setattr(sys, "stdin", Terminal("qlik.example.com\n" + "\n" * 6 + "Europe/Stockholm\n\n"))
    ran = run("init")
    assert "by its city, such as Europe/Berlin:" in ran.err
    assert '\ntimezone "Europe/Stockholm"\n' in (here / "license.policy").read_text(encoding="utf-8")


def test_the_next_commands_work(run: Run, here: Path, qrs: SimulatedQrs, certificates: CertificateFiles) -> None:
    folder = here / "Qlik's site"
    ran = run("init", folder, "--yes", "--host", "localhost", "--certificates", certificates.client.parent)
    assert (ran.code, ran.err) == (0, "")
    site = folder / "site.yaml"
    site.write_text(site.read_text(encoding="utf-8").replace("port: 4242", f"port: {qrs.port}"), encoding="utf-8")
    check, plan, explain = _next(ran.out)
    assert run(*check).code == 0
    planned = run(*plan)
    assert planned.code == 0
    assert "license.policy (sha256" in planned.out
    told = run(*(word.replace("DIRECTORY\\userId", "CORP\\pnovak") for word in explain))
    assert "professional · IN THIS RUN" in told.out
    ran = run("run", "--site", site)
    assert (ran.code, qrs.deleted) == (0, [])
    assert "Dry run: " in ran.out
    assert list((folder / "records").rglob("plan.jsonl"))


def test_the_policy_that_a_site_file_names_must_be_a_name(run: Run, here: Path) -> None:
    assert run("init", *USUAL).code == 0
    site = here / "site.yaml"
    site.write_text(site.read_text(encoding="utf-8").replace("policy: license.policy", "policy: [a]"), encoding="utf-8")
    ran = run("plan", "--site", "site.yaml")
    assert ran.code == 2
    assert "error[SW204]" in ran.err
    assert "--> site.yaml:" in ran.err


def test_missing_certificates_are_told(run: Run, here: Path) -> None:
    ran = run("init", *USUAL)
    assert "client.pem, client_key.pem, root.pem" in ran.err


BUTLER = """\
Butler:
  configQRS: {authentication: jwt, host: localhost, port: 443, jwt: s3cret-token}
  qlikSenseLicense:
    licenseRelease:
      enable: false
      dryRun: true
      frequency: every 24 hours
      neverRelease:
        user: [{userDir: INTERNAL, userId: sa_api}]
        tag: [License do not release]
        customProperty: []
        userDirectory: []
        inactive: No
        blocked: Ignore
        removedExternally: Yes
      licenseType:
        analyzer: {enable: true, releaseThresholdDays: 30}
        professional: {enable: false, releaseThresholdDays: 30}
      destination: {influxDb: {enable: false, tag: {static: []}}}
"""


def test_from_butler(run: Run, here: Path) -> None:
    (here / "butler.yaml").write_text(BUTLER, encoding="utf-8")
    ran = run("init", "--butler", "butler.yaml", "new")
    assert (ran.code, ran.err) == (0, "")
    assert _files(here / "new") == ["license.policy", "license.test.yaml"]
    assert "s3cret" not in "".join(path.read_text(encoding="utf-8") for path in (here / "new").iterdir()) + ran.out
    assert run("fmt", "--check", "new/license.policy").code == 0
    assert run("test", "new", "--require-all-rules").code == 0
    diff, plan, explain = _next(ran.out)
    assert "the same verdicts" in run(*diff).out
    assert plan[:5] == ["plan", "--policy", str(Path("new/license.policy")), "--site", "butler.yaml"]
    assert explain[-1] == plan[-1]


def test_a_butler_config_that_names_no_site(run: Run, here: Path) -> None:
    ran = run("init", "--butler", EXAMPLES / "butler.yaml")
    assert ran.code == 0
    assert "has no `configQRS`" in ran.err
    plan = _next(ran.out)[1]
    assert run(*(EXAMPLES / word if word == "site.json" else word for word in plan)).code == 0


def test_wrong_butler_configs(run: Run, here: Path) -> None:
    ran = run("init", "--butler", "nowhere.yaml")
    assert (ran.code, "`nowhere.yaml`" in ran.err) == (2, True)
    (here / "butler.yaml").write_text(BUTLER.replace("enable: true, ", ""), encoding="utf-8")
    ran = run("init", "--butler", "butler.yaml", "new")
    assert ran.code == 2
    assert "--> butler.yaml:" in ran.err
    assert "--host does not go with --butler" in run("init", "--butler", "butler.yaml", "--host", "q").err
    assert "is a policy, not a Butler config" in run("init", "--butler", EXAMPLES / "season.policy").err
    (here / "listed.yaml").write_text("set: {vips: vips.txt}\nlicenseType: {}\n", encoding="utf-8")
    ran = run("init", "--butler", "listed.yaml", "new")
    assert (ran.code, _files(here)) == (2, ["butler.yaml", "listed.yaml"])
    assert "`new`: vips.txt" in ran.err
    (here / "vips.txt").write_text("CORP\\jdoe\n", encoding="utf-8")
    (here / "new").mkdir()
    (here / "new" / "vips.txt").write_text("CORP\\pnovak\n", encoding="utf-8")
    assert run("init", "--butler", "listed.yaml", "new").code == 2
    (here / "new" / "vips.txt").write_text("CORP\\jdoe\r\n", encoding="utf-8")
    assert run("init", "--butler", "listed.yaml", "new").code == 0
    assert run("init", "--butler", "listed.yaml").code == 0
