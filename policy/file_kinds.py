"""What a file is by its content, whatever its name says, and what one does with such a file.

Who is handed the wrong file says what it is and where it belongs; who writes one looks here before it replaces
another. Only what is certain is said: a file that is not known for sure is nothing in particular.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from seatwarden.policy.errors import InputError

HEAD = 1 << 16
"""Bytes at the beginning of a file that tell what it is; of a snapshot also as many at its end."""
PLAN_NAME, JOURNAL_NAME = "plan.jsonl", "outcomes.jsonl"
"""The names of the two logs in a run folder."""


class FileKind(Struct, frozen=True):
    """A kind of file: what it is called, and what to do with one. `{path}` and `{folder}` in the help are its place."""

    name: str
    noun: str
    use: str


def _kind(name: str, noun: str, use: str) -> FileKind:
    return FileKind(name, noun, use)


POLICY = _kind("policy", "a policy", "name it with --policy; `seatwarden lint {path}` checks it")
JSON_POLICY = _kind("json-policy", "a policy in JSON", "name it with --policy")
BUTLER = _kind("butler", "a Butler config", "name it with --policy for its rules, with --site for the way to QRS")
RULES = _kind("rules", "a policy in Butler's YAML", "name it with --policy")
SITE = _kind("site", "a site file", "name it with --site")
FLEET = _kind("fleet", "a fleet file", "name it with --fleet")
SNAPSHOT = _kind("snapshot", "a snapshot", "name it with --snapshot")
PLAN = _kind("plan", "the log of a plan", "name its folder: {folder}")
JOURNAL = _kind("journal", "the journal of a run", "name its folder: {folder}")
PRINTED = _kind(
    "printed", "what `plan --format json` prints", "a plan to work with is a folder: `seatwarden plan -o DIR`"
)
TEST = _kind("test", "a policy test", "run it with `seatwarden test {path}`")
KEY = _kind("key", "a key for pseudonyms", "name it with --pseudonymize")
REPORT = _kind("report", "a report", "open it in a browser; its run is what commands read")
RECEIPT = _kind("receipt", "a receipt", "check it with `seatwarden log verify {path} --key PUB`")
SCHEMA = _kind("schema", "a JSON Schema", "editors read it; name the policy itself")
JUNIT = _kind("junit", "a JUnit report", "CI systems read it; name the test files themselves")
TESTED = _kind("tested", "what `seatwarden test` printed", "name the test files themselves")
CSV = _kind("csv", "a table (CSV)", "a snapshot is JSON: `seatwarden snapshot` writes one")
PARQUET = _kind("parquet", "a table (Parquet)", "a snapshot is JSON: `seatwarden snapshot` writes one")
EXCEL = _kind("excel", "an Excel workbook", "a list for a policy is a text file with one value a line")
WORD = _kind("word", "a Word document", "save what is meant as plain text")
ZIP = _kind("zip", "a ZIP archive", "unpack it, and name the file in it")
GZIP = _kind("gzip", "a gzip archive", "unpack it, and name the file in it")
PDF = _kind("pdf", "a PDF", "name the file that it was made from")
OFFICE = _kind("office", "a document of an older Office", "save what is meant as plain text")
IMAGE = _kind("image", "a picture", "name the file that is meant")
PROGRAM = _kind("program", "a program", "name the file that is meant")
CERTIFICATE = _kind("certificate", "a certificate (PEM)", "a site file names it under `cert`")
PRIVATE_KEY = _kind("private-key", "a private key (PEM)", "a site file names it under `cert`")
SIGNING_KEY = _kind("signing-key", "a key for signatures", "name it with --key or --sign")
PUBLIC_KEY = _kind("public-key", "a public key for signatures", "a site file names it, or name it with --key")
PFX = _kind("pfx", "a certificate with its key (PFX)", "a site file names it under `cert`")
HTML = _kind("html", "a web page (HTML)", "name the file that is meant")
UTF16 = _kind("utf-16", "text in UTF-16 without a mark", "save it as UTF-8 in your editor")
EMPTY = _kind("empty", "an empty file", "was it written whole?")

_POLICIES = (POLICY, JSON_POLICY, BUTLER, RULES, SITE)
_KEYS = (CERTIFICATE, PRIVATE_KEY, PFX, SIGNING_KEY, PUBLIC_KEY)
_FOREIGN = (ZIP, GZIP, PARQUET, EXCEL, WORD, PDF, OFFICE, IMAGE, PROGRAM, HTML, CSV, *_KEYS)
_RECORDS = (PLAN, JOURNAL, PRINTED, REPORT, RECEIPT, SCHEMA, JUNIT)

_REFUSED: Mapping[str, tuple[FileKind, ...]] = {
    "policy": (FLEET, SNAPSHOT, TEST, KEY, *_RECORDS, *_FOREIGN),
    "fleet file": (*_POLICIES, SNAPSHOT, TEST, KEY, EMPTY, *_RECORDS, *_FOREIGN),
    "site file": (FLEET, POLICY, JSON_POLICY, SNAPSHOT, TEST, KEY, EMPTY, *_RECORDS, *_FOREIGN),
    "Butler config": (FLEET, POLICY, JSON_POLICY, SNAPSHOT, TEST, KEY, EMPTY, *_RECORDS, *_FOREIGN),
    "policy test": (POLICY, JSON_POLICY, BUTLER, RULES, SITE, SNAPSHOT, KEY, EMPTY, *_RECORDS, *_FOREIGN),
    "list file": (*_RECORDS, SNAPSHOT, *(kind for kind in _FOREIGN if kind is not CSV)),
    # Its reader has words of its own for what is packed otherwise.
    "snapshot": (*_POLICIES, TEST, KEY, EMPTY, UTF16, *_RECORDS, *(k for k in _FOREIGN if k not in (ZIP, GZIP))),
    "plan": (*_POLICIES, SNAPSHOT, TEST, KEY, EMPTY, UTF16, JOURNAL, PRINTED, REPORT, SCHEMA, JUNIT, *_FOREIGN),
    "key file": (*_POLICIES, SNAPSHOT, TEST, UTF16, *_RECORDS, *_FOREIGN),
}
"""What is certainly not meant where such a file is read."""
_ARTICLES = {"key file": "a key for pseudonyms"}


def refuse_foreign(path: Path, data: bytes | None, wanted: str) -> None:
    """Raises InputError where the content is certainly of another kind than the `wanted` one: it says which, and what
    to do with such a file. What is not known for sure is left to its reader. Without `data` the file is looked at."""
    kind = kind_of(path) if data is None else kind_of_data(data)
    if kind is not None and kind in _REFUSED.get(wanted, ()):
        raise not_wanted(path, kind, wanted)


def not_wanted(path: Path, kind: FileKind, wanted: str) -> InputError:
    """The error of who needs one kind of file and is handed another."""
    if kind is EMPTY and wanted in _REFUSED:
        return InputError(f"{wanted} `{path}` is empty", EMPTY.use)
    noun = _ARTICLES.get(wanted, f"a {wanted}")
    return InputError(f"`{path}` is {kind.noun}, not {noun}", kind.use.format(path=path, folder=path.parent))


def folder_for_file(path: Path, wanted: str) -> InputError:
    """The error of who needs a file and is handed a folder."""
    if is_run_folder(path):
        help_ = "its policy is `policy.policy` in it" if wanted == "policy" else None
        return InputError(f"{wanted} `{path}` is the folder of a run, not a file", help_)
    return InputError(f"{wanted} `{path}` is a folder, not a file")


def kind_of(path: Path) -> FileKind | None:
    """The kind of a file; None where it is none that is known, or cannot be read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
            if size > 2 * HEAD:
                file.seek(-HEAD, 2)
            return kind_of_data(head + file.read(HEAD))
    except (OSError, ValueError):
        return None


def is_run_folder(folder: Path) -> bool:
    """Whether the folder is that of a run: it holds a plan or a journal."""
    try:
        return any((folder / name).is_file() for name in (PLAN_NAME, JOURNAL_NAME))
    except (OSError, ValueError):
        return False


def kind_of_data(data: bytes) -> FileKind | None:
    """The kind of a content; None where it is none that is known."""
    found = next((kind for start, kind in _MAGIC if data.startswith(start)), None)
    if found is ZIP:
        return EXCEL if b"xl/" in data else WORD if b"word/" in data else ZIP
    if found:
        return found
    if re.match(_PFX, data):
        return PFX
    text = _text(data)
    if text is None:
        return UTF16 if re.match(_UTF16, data) else None
    if not text.strip("\0 \t\r\n\ufeff"):
        return EMPTY
    return next((kind for is_one, kind in _TEXTS if is_one(text)), None)


def _text(data: bytes) -> str | None:
    """The content as text; None where it is none. In the middle of a long one a letter may be cut."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data[: len(data) // 2 * 2].decode("utf-16", "replace")
    if b"\0" in data[:HEAD]:
        return None
    return data[:HEAD].decode("utf-8-sig", "replace") + data[max(HEAD, len(data) - HEAD) :].decode("utf-8", "replace")


# What tells them -----------------------------------------------------------------------------------------

_MAGIC = (
    (b"PK\x03\x04", ZIP),
    (b"\x1f\x8b", GZIP),
    (b"PAR1", PARQUET),
    (b"%PDF-", PDF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OFFICE),
    (b"\x89PNG\r\n", IMAGE),
    (b"\xff\xd8\xff", IMAGE),
    (b"GIF8", IMAGE),
    (b"MZ\x90\x00", PROGRAM),
    (b"\x7fELF", PROGRAM),
    (b"\x28\xb5\x2f\xfd", SNAPSHOT),  # zstd, which nothing else here is packed with
)
# Patterns are texts, which `re` compiles when one is first asked for: of most files a few, of none all.
_PFX = rb"(?s)\x30[\x82-\x84].{2,4}\x02\x01\x03"
"""The beginning of a PKCS #12 file (RFC 7292): a sequence whose first element is version 3."""
_PEM = r"(?m)^-----BEGIN ([A-Z0-9 ]+)-----"
_UTF16 = rb"(?:[\t\r\n -~]\0){8}|(?:\0[\t\r\n -~]){8}"
"""Letters of ASCII with a NUL beside each."""
_COMMENT = r"\s*(?:#[^\n]*\n\s*)*"
_STATEMENT = (
    r"""(?i)(?:keep|release|downgrade)\s+(?:["']|(?:when|until|analyzer|professional)\b)"""
    r"""|let\s+\w+\s*=|set\s+\w+\s+from\b|limit\s+release\b|timezone\s+["']"""
    r"""|guarantee\s+(?:["']|(?:never|always)\b)"""
)
"""The beginnings of statements."""
_TOP_KEY = r"(?m)^([A-Za-z]\w*)\s*:(?=\s|$)"
_JSON_KEY = '"{}"\\s*:'
_ROWS = r'"users"\s*:\s*\[\s*\{|"licenses"\s*:\s*\{\s*"(?:professional|analyzer)"\s*:\s*\['
"""How rows of QRS begin in a snapshot."""
_HEX_KEY = r"\s*[0-9a-f]{64}\s*"
_PUBLIC_KEY = r"[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n?"
_SUMMARY = r"(?m)^\S.*: [\d,]+ passed(?:, [\d,]+ failed)?\s*\Z"
_LONGEST_ROW = 10_000


def _has(*names: str) -> Callable[[str], bool]:
    """Whether a JSON text has all of these keys."""
    patterns = [_JSON_KEY.format(re.escape(name)) for name in names]
    return lambda text: _is_json(text) and all(re.search(pattern, text) for pattern in patterns)


def _is_json(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def _is_snapshot(text: str) -> bool:
    """Whether it has users and licenses. Of a large one only the start and the end are looked at, and may show one."""
    return _has("users", "licenses")(text) or (_is_json(text) and re.search(_ROWS, text) is not None)


def _first_line_says(kind: str) -> Callable[[str], bool]:
    """Whether the first line is that of a log of ours."""
    pattern = rf'\{{[^\n]{{0,40}}"kind"\s*:\s*"{kind}"'
    return lambda text: re.match(pattern, text.lstrip("\ufeff")) is not None


def _has_keys(*names: str) -> Callable[[str], bool]:
    """Whether a YAML text has one of these keys at its left margin."""
    return lambda text: (
        not _is_json(text) and not {key.group(1) for key in re.finditer(_TOP_KEY, text)}.isdisjoint(names)
    )


def _is_test(text: str) -> bool:
    keys = {key.group(1) for key in re.finditer(_TOP_KEY, text)}
    return not _is_json(text) and "policy" in keys and not keys.isdisjoint({"cases", "expect"})


def _is_fleet(text: str) -> bool:
    """Whether it has sites, and none of the keys of a single one."""
    keys = {key.group(1) for key in re.finditer(_TOP_KEY, text)}
    return not _is_json(text) and "sites" in keys and keys.isdisjoint({"Butler", "configQRS", "cert", "seatwarden"})


def _is_policy(text: str) -> bool:
    """Whether the first word that is not in a comment begins a statement."""
    text = text.removeprefix("\ufeff")
    comment = re.match(_COMMENT, text)
    return comment is not None and re.match(_STATEMENT, text[comment.end() :]) is not None


def _pem(word: str) -> Callable[[str], bool]:
    """Whether it is PEM, and the first part of it is that."""
    return lambda text: (found := re.search(_PEM, text)) is not None and found.group(1).endswith(word)


def _is_csv(text: str) -> bool:
    """Whether its first rows have the same number of cells, at least three, and it has no other form."""
    lines = text.splitlines()[:5]
    if _is_json(text) or re.match(_TOP_KEY, text) or any(len(line) > _LONGEST_ROW for line in lines):
        return False
    import csv  # hardly any file comes this far

    return any(_is_table(list(csv.reader(lines, delimiter=sign))) for sign in ",;\t")


def _is_table(rows: list[list[str]]) -> bool:
    """Whether rows have one width; the first of them, names, have no blank at their ends."""
    widths = {len(row) for row in rows}
    return len(rows) > 1 and len(widths) == 1 and min(widths) > 2 and all(name == name.strip() for name in rows[0])


def _starts(*beginnings: str) -> Callable[[str], bool]:
    return lambda text: text.lstrip("\ufeff \t\r\n")[:200].lower().startswith(beginnings)


_TEXTS: tuple[tuple[Callable[[str], bool], FileKind], ...] = (
    (_pem("CERTIFICATE"), CERTIFICATE),
    (lambda text: "-----BEGIN SEATWARDEN RECEIPT-----" in text or text.startswith('{"receipt":'), RECEIPT),
    (lambda text: re.match(_PUBLIC_KEY, text) is not None and _pem("KEY")(text), SIGNING_KEY),
    (_pem("KEY"), PRIVATE_KEY),
    (lambda text: re.fullmatch(_PUBLIC_KEY, text) is not None, PUBLIC_KEY),
    (_first_line_says("plan"), PLAN),
    (_first_line_says("apply"), JOURNAL),
    (lambda text: _has("$id")(text) and "urn:seatwarden:schema:" in text, SCHEMA),
    (_has("seatwarden", "statements"), JSON_POLICY),
    (_has("run", "decisions", "summary"), PRINTED),
    (_is_snapshot, SNAPSHOT),
    (lambda text: _has("qlikSenseLicense")(text) and _has("Butler")(text), BUTLER),
    (lambda text: _starts("<!doctype html")(text) and "· seatwarden</title>" in text, REPORT),
    (_starts("<!doctype html", "<html"), HTML),
    (lambda text: _starts("<?xml", "<testsuites")(text) and "<testsuite" in text, JUNIT),
    (lambda text: re.fullmatch(_HEX_KEY, text) is not None, KEY),
    (_is_policy, POLICY),
    (_is_test, TEST),
    (_is_fleet, FLEET),
    (_has_keys("Butler"), BUTLER),
    (_has_keys("neverRelease", "licenseType", "licenseRelease", "qlikSenseLicense"), RULES),
    (_has_keys("configQRS", "cert", "seatwarden"), SITE),
    (lambda text: re.search(_SUMMARY, text) is not None, TESTED),
    (_is_csv, CSV),
)
"""In this order: the first that is seen is what it is."""
