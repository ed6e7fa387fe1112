"""Loading policies and the list files they read."""

import codecs
import os
from pathlib import Path

import pytest

from seatwarden.grammar.ast import Limit, ListOf, Text
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import near_file, read_text
from seatwarden.policy.loading import CheckedPolicy, check_text, load_policy

USES_VIPS = 'set vips from "{}"\nkeep "vips" when user = vips\n'


def _policy(folder: Path, text: str, name: str = "site.policy") -> CheckedPolicy:
    (folder / name).write_text(text, encoding="utf-8")
    return load_policy(folder / name)


def _values(policy: CheckedPolicy) -> list[str]:
    value = policy.names["vips"]
    assert isinstance(value, ListOf)
    return [item.value for item in value.items if isinstance(item, Text)]


@pytest.mark.parametrize(
    ("kind", "lines", "wrong"),
    [
        ("dates", "2026-12-24\n2026-12-25\n2026-12-24", None),
        ("dates", "2026-12-24\n24.12.2026", "no date: `24.12.2026`"),
        ("dates", "2026-02-30", "no date: `2026-02-30`"),
        ("numbers", "7\n030", None),
        ("numbers", "7 days", "no number: `7 days`"),
        ("numbers", "1234567890", "no number: `1234567890`"),
        ("numbers", "-1", "no number: `-1`"),
    ],
)
def test_what_the_lines_of_a_file_are_is_said_by_the_policy(
    tmp_path: Path, kind: str, lines: str, wrong: str | None
) -> None:
    (tmp_path / "listed.txt").write_text(lines)
    field = "today" if kind == "dates" else "license.unusedDays"
    text = f'set listed from "listed.txt" as {kind}\nkeep when {field} = listed'
    if wrong is None:
        listed = _policy(tmp_path, text).names["listed"]
        assert isinstance(listed, ListOf)
        assert len(listed.items) == 2
        return
    with pytest.raises(PolicyError, match=wrong) as caught:
        _policy(tmp_path, text)
    assert [one.code for one in caught.value.diagnostics] == ["SW207"]


@pytest.mark.parametrize(
    "content",
    [
        b"ADMIN\\ann\nACME\\bob\n",
        b"\n  ADMIN\\ann\t\r\n\r\nACME\\bob\r\nADMIN\\ann",
        codecs.BOM_UTF8 + b"ADMIN\\ann\rACME\\bob",
        "\ufeffADMIN\\ann\r\nACME\\bob\r\n".encode("utf-16-le"),
        "\ufeffADMIN\\ann\nACME\\bob".encode("utf-16-be"),
    ],
)
def test_a_list_has_one_value_a_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vips.txt").write_bytes(content)
    policy = _policy(tmp_path, USES_VIPS.format("vips.txt"))
    assert _values(policy) == ["ADMIN\\ann", "ACME\\bob"]
    assert policy.text.startswith('let vips = ["ADMIN\\ann", "ACME\\bob"]\n')  # it stands on its own
    assert check_text(policy.text, "elsewhere").digest == policy.digest


def test_the_digest_tells_the_content_of_lists(tmp_path: Path) -> None:
    (tmp_path / "vips.txt").write_text("a")
    before = _policy(tmp_path, USES_VIPS.format("vips.txt")).digest
    (tmp_path / "vips.txt").write_text("b")
    assert load_policy(tmp_path / "site.policy").digest != before


def test_an_empty_list_matches_nobody(tmp_path: Path) -> None:
    (tmp_path / "vips.txt").write_text("\n")
    assert _values(_policy(tmp_path, USES_VIPS.format("vips.txt"))) == []


def test_a_list_in_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "vips.txt").write_text("a")
    assert _values(_policy(tmp_path, USES_VIPS.format("lists/../lists/vips.txt"))) == ["a"]


def _refusal(folder: Path, text: str) -> tuple[str, str, str | None]:
    with pytest.raises(PolicyError) as caught:
        _policy(folder, text)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code, diagnostic.message, diagnostic.help


@pytest.mark.parametrize("where", ["../vips.txt", "../policies/../vips.txt", "{absolute}", "/etc/passwd"])
def test_lists_outside_the_folder_are_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "vips.txt").write_text("secret")
    folder = tmp_path / "policies"
    folder.mkdir()
    code, message, _ = _refusal(folder, USES_VIPS.format(where.format(absolute=tmp_path / "vips.txt")))
    assert code == "SW207"
    assert "is outside the policy's folder" in message


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege there")
def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "vips.txt").symlink_to(tmp_path / "secret.txt")
    assert _refusal(folder, USES_VIPS.format("vips.txt"))[0] == "SW207"
    (folder / "inside.txt").write_text("a")
    (folder / "vips.txt").unlink()
    (folder / "vips.txt").symlink_to(folder / "inside.txt")
    assert _values(load_policy(folder / "site.policy")) == ["a"]


def test_a_missing_list_is_told_with_its_place_and_once(tmp_path: Path) -> None:
    (tmp_path / "vips.txt").write_text("a")
    with pytest.raises(PolicyError) as caught:
        _policy(tmp_path, USES_VIPS.format("vip.txt"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span.place == f"{tmp_path / 'site.policy'}:1:15"
    assert diagnostic.message == f"list file `{tmp_path / 'vip.txt'}` does not exist"
    assert diagnostic.help == f"did you mean `{tmp_path / 'vips.txt'}`?"


@pytest.mark.parametrize("content", [b"\xff\xfeA", b"a\n\xe4\n"])
def test_a_list_that_is_no_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vips.txt").write_bytes(content)
    code, message, help_ = _refusal(tmp_path, USES_VIPS.format("vips.txt"))
    assert (code, help_) == ("SW207", "save it as UTF-8 in your editor")
    assert "is not UTF-8 text" in message


def test_a_list_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "vips.txt").mkdir()
    assert "is a folder, not a file" in _refusal(tmp_path, USES_VIPS.format("vips.txt"))[1]


def test_a_list_with_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    assert _refusal(tmp_path, USES_VIPS.format("a" * 5000))[0] == "SW207"


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege there")
def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "vips.txt").symlink_to(tmp_path / "vips.txt")
    assert _refusal(tmp_path, USES_VIPS.format("vips.txt"))[0] == "SW207"


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json", ".YAML"])
def test_the_suffix_tells_the_surface(tmp_path: Path, suffix: str) -> None:
    policy = _policy(tmp_path, '{"licenseType": {}}', "butler" + suffix)
    assert policy.rules == ()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "site.policy").write_bytes(b"keep when\xff")
    with pytest.raises(InputError, match=r"is not UTF-8 text \(line 1, byte 9\)"):
        load_policy(tmp_path / "site.policy")
    (tmp_path / "site.policy").write_bytes("keep when user.inactive".encode("utf-16-le"))
    with pytest.raises(InputError, match="it has NUL characters") as caught:
        load_policy(tmp_path / "site.policy")
    assert "UTF-16" in str(caught.value.help)
    with pytest.raises(InputError, match="does not exist") as caught:
        load_policy(tmp_path / "sit.policy")
    assert caught.value.help == f"did you mean `{tmp_path / 'site.policy'}`?"
    with pytest.raises(InputError, match="does not exist") as caught:
        load_policy(tmp_path / "nowhere" / "site.policy")
    assert caught.value.help == f"there is no folder `{tmp_path / 'nowhere'}` here"
    with pytest.raises(InputError, match="is a folder"):
        load_policy(tmp_path)


def test_an_equal_ending_makes_no_file_near(tmp_path: Path) -> None:
    for name in ("link.txt", "sites.policy", "butler.test.yaml"):
        (tmp_path / name).write_text("")
    assert near_file(tmp_path / "missing.txt") is None
    assert near_file(tmp_path / "a.test.yaml") is None
    assert near_file(tmp_path / "site.policy") == f"did you mean `{tmp_path / 'sites.policy'}`?"
    assert near_file(tmp_path / "link.text") == f"did you mean `{tmp_path / 'link.txt'}`?"


def test_too_large_a_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(8_000_001)
    with pytest.raises(InputError, match="is too large"):
        read_text(path, "policy")


def test_what_a_policy_holds() -> None:
    policy = check_text('timezone "Europe/Stockholm"\nlet a = 5\nlimit release to 5 per run\nkeep when month = a', "p")
    assert policy.timezone == "Europe/Stockholm"
    assert policy.limits == (Limit(5, None),)
    assert [rule.kind for rule in policy.rules] == ["keep"]
    assert check_text("", "p").timezone == "UTC"
