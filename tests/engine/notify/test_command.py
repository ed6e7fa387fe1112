"""`seatwarden site notify`: a test message to every destination."""

from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run, run
from tests.engine.notify.servers import mail_server, receiver

__all__ = ["run"]


def site(folder: Path, notifications: str) -> Path:
    path = folder / "site.yaml"
    text = f"configQRS: {{host: qlik.example.com}}\nseatwarden:\n  notifications:\n{notifications}"
    path.write_text(text, encoding="utf-8")
    return path


def test_it_arrives(run: Run, tmp_path: Path) -> None:
    with receiver(200) as server, mail_server() as box:
        file = site(
            tmp_path,
            f"    webhook:\n      - {{url: http://127.0.0.1:{server.port}/x, events: [run-failed]}}\n"
            f"    email:\n      - {{host: localhost, port: {box.port}, security: none, from: a@b.de, to: [c@d.de]}}\n",
        )
        ran = run("site", "notify", "--site", file)
    assert (ran.code, ran.err) == (0, "")
    assert f"✓ webhook 1 (http://127.0.0.1:{server.port})" in ran.out
    assert f"✓ e-mail 1 (localhost:{box.port})" in ran.out
    assert len(server.requests) == len(box.messages) == 1


def test_it_does_not(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(410) as bad, receiver(200) as good:
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{bad.port}/pathSecret")
        file = site(
            tmp_path, f"    webhook:\n      - url: ${{HOOK}}\n      - url: http://127.0.0.1:{good.port}/pathSecret\n"
        )
        ran = run("site", "notify", "--site", file)
    assert ran.code == 3
    assert f"webhook 1 (http://127.0.0.1:{bad.port}): it answered 410 Gone" in ran.err
    assert "= help: " in ran.err
    assert "✓ webhook 2" in ran.out
    assert "pathSecret" not in ran.out + ran.err


def test_nobody(run: Run, tmp_path: Path) -> None:
    assert run("site", "notify", "--site", site(tmp_path, "    webhook: []\n")).code == 2
    assert run("site", "notify").code == 2
    assert run("site", "notify", "--site", site(tmp_path, "    webhook: [{url: x}]\n")).code == 2
