"""`seatwarden convert` from the outside."""

from pathlib import Path

import pytest

from seatwarden.grammar.errors import Defect
from seatwarden.policy.loading import load_policy
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES


@pytest.mark.parametrize("to", ["policy", "yaml", "json"])
def test_what_is_written_is_the_same_policy(run: Run, tmp_path: Path, to: str) -> None:
    output = tmp_path / f"site.{to}"
    ran = run("convert", EXAMPLES / "butler.yaml", "--to", to, "-o", output)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert load_policy(output).digest == load_policy(EXAMPLES / "butler.yaml").digest
    assert run("convert", EXAMPLES / "butler.yaml", "--to", to).out == output.read_bytes().decode()


def test_comments_stay_in_policy_text_and_are_counted_elsewhere(run: Run) -> None:
    season = EXAMPLES / "season.policy"
    assert run("convert", season, "--to", "policy").out == season.read_text(encoding="utf-8")
    assert "4 comments stayed" in run("convert", season, "--to", "yaml").err


def test_what_yaml_cannot_say(run: Run) -> None:
    ran = run("convert", EXAMPLES / "both-types.policy", "--to", "yaml")
    assert (ran.code, ran.out) == (1, "")
    assert "error[SW210]: " in ran.err
    assert "`holds both`" in ran.err
    assert "both-types.policy:16:18" in ran.err


def test_a_file_that_would_be_read_as_something_else(run: Run, tmp_path: Path) -> None:
    for to, name in (("json", "a.policy"), ("policy", "a.yaml"), ("yaml", "a.json")):
        ran = run("convert", EXAMPLES / "butler.yaml", "--to", to, "-o", tmp_path / name)
        assert ran.code == 2
        assert "would be read as something else" in ran.err
        assert not (tmp_path / name).exists()


def test_what_cannot_be_read_or_written(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.policy"
    broken.write_text("keep", encoding="utf-8")
    assert run("convert", broken, "--to", "json").code == 2
    assert run("convert", tmp_path / "nowhere.policy", "--to", "json").code == 2
    ran = run("convert", EXAMPLES / "butler.yaml", "--to", "json", "-o", tmp_path / "nowhere" / "a.json")
    assert ran.code == 2
    assert "cannot be written" in ran.err

    def wrong(*arguments: object) -> str:
        raise Defect("what was written would be read as something else")

    monkeypatch.setattr("seatwarden.engine.cli.commands.convert.convert", wrong)
    assert "please report it" in run("convert", EXAMPLES / "butler.yaml", "--to", "json").err


def test_an_existing_policy_is_replaced_when_asked_for(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "a.policy"
    output.write_text("release analyzer when unused for 5 days\n", encoding="utf-8")
    call = ("convert", EXAMPLES / "butler.yaml", "--to", "policy", "-o", output)
    assert run(*call).code == 2
    assert run(*call, "--force").code == 0
    assert output.read_text(encoding="utf-8").startswith('keep "user"')


@pytest.mark.parametrize("to", ["policy", "yaml", "json"])
def test_lists_are_read_from_beside_the_policy(run: Run, tmp_path: Path, to: str) -> None:
    policy, other = tmp_path / "a.policy", tmp_path / "other"
    policy.write_text('set vips from "lists/vips.txt"\nkeep "vips" when user == vips\n', encoding="utf-8")
    for folder, person in ((tmp_path, "CORP\\jdoe"), (other, "CORP\\pnovak")):
        (folder / "lists").mkdir(parents=True)
        (folder / "lists" / "vips.txt").write_text(f"{person}\n", encoding="utf-8")
    for folder in (tmp_path / "nowhere", other / "lists", other):
        ran = run("convert", policy, "--to", to, "-o", folder / f"b.{to}")
        assert (ran.code, ran.out) == (2, "")
        assert f"reads from beside itself are not the same in `{folder}`: lists/vips.txt" in ran.err
        assert "copy them" in ran.err
        assert not (folder / f"b.{to}").exists()
    (other / "lists" / "vips.txt").write_text("\nCORP\\jdoe\r\n", encoding="utf-8")  # the same list
    for folder in (tmp_path, other):
        assert run("convert", policy, "--to", to, "-o", folder / f"b.{to}").code == 0
        assert load_policy(folder / f"b.{to}").digest == load_policy(policy).digest
