"""Small or large files made to exhaust a parser: each is refused with a message, soon and within little memory.

Run as a program (`python -m tests.fuzz.bombs`) it sets off each bomb in a process of its own under hard limits and
prints a JSON line for each: name, seconds of processor time, peak megabytes, what was said. POSIX only.
"""

import gc
import json
import os
import time
import traceback
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

from seatwarden.engine.snapshot.packed import compress
from tests.fuzz.targets import TARGETS

SECONDS, MEGABYTES = 5, 200  # all take less than a second; of what hangs five are enough
Bomb: TypeAlias = tuple[str, Callable[[], bytes]]


def _user(facts: str) -> bytes:
    return b'{"users": [{"id": "u", "userId": "a", "userDirectory": "B"%s}], "licenses": {}}' % facts.encode()


def _license(facts: str) -> bytes:
    return b'{"users": [], "licenses": {"analyzer": [{"id": "l"%s}]}}' % facts.encode()


def _laughs() -> bytes:
    """Nine aliases of nine aliases of …, twenty levels deep."""
    names = [chr(ord("a") + n) for n in range(21)]
    lines = [f"{names[0]}: &{names[0]} [x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join(['*' + before] * 9)}]" for before, name in pairwise(names)]
    return "\n".join([*lines, f"neverRelease: {{tag: *{names[-1]}}}"]).encode()


def _merges() -> bytes:
    """Each map has all keys of the one before and one more."""
    lines = ["a0: &a0 {k0: 1}"] + [f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}" for n in range(1, 1_500)]
    return "\n".join(lines).encode()


def _many_merges() -> bytes:
    """A map that merges another a thousand times."""
    keys = ", ".join(f"k{n}: 1" for n in range(3_000))
    return f"a: &a {{{keys}}}\nb: {{<<: [{', '.join(['*a'] * 3_000)}]}}".encode()


def _unknown_names() -> bytes:
    """Every one of many unknown names could be compared with every known one."""
    return ("".join(f"let name{n} = 1\n" for n in range(4_000)) + "keep when nmae and nmea\n" * 2_000).encode()


BOMBS: dict[str, Bomb] = {
    "parentheses": ("policy_text", lambda: b"keep when " + b"(" * 1_000_000),
    "closed parentheses": ("policy_text", lambda: b"keep when " + b"(" * 400_000 + b"true" + b")" * 400_000),
    "not": ("policy_text", lambda: b"keep when " + b"not " * 900_000 + b"true"),
    "exclamation marks": ("policy_text", lambda: b"keep when " + b"!" * 1_000_000 + b"true"),
    "and": ("policy_text", lambda: b"keep when " + b"true and " * 400_000 + b"true"),
    "a million statements": ("policy_text", lambda: b"keep when true\n" * 1_000_000),
    "a million errors": ("policy_text", lambda: b"keep $\n" * 1_000_000),
    "statements with an error each": ("policy_text", lambda: b"keep $\n" * 20_000),
    "a list of a million": ("policy_text", lambda: b"let a = [" + b"1, " * 1_000_000 + b"1]"),
    "one long line": ("policy_text", lambda: b"x" * 50_000_000),
    "one long text": ("policy_text", lambda: b'timezone "' + b"x" * 3_900_000 + b'"'),
    "doubled quotes": ("policy_text", lambda: b"timezone '" + b"''" * 1_900_000 + b"x"),
    "one long number": ("policy_text", lambda: b"keep when month = " + b"1" * 3_900_000),
    "one long name": ("policy_text", lambda: b"keep when " + b"a" * 3_900_000),
    "one long field": ("policy_text", lambda: b"keep when user" + b".a" * 1_000_000),
    "unknown names": ("policy_text", _unknown_names),
    "nulls": ("policy_text", lambda: b"\0" * 1_000_000),
    "a policy of 50 MB": ("policy_file", lambda: b"# \n" * 17_000_000),
    "UTF-16 without its end": ("policy_file", lambda: b"\xff\xfe" + b"a\0" * 1_000_000 + b"\xd8\xd8\xd8"),
    "brackets": ("butler_yaml", lambda: b"[" * 900_000),
    "braces": ("butler_yaml", lambda: b"{" * 900_000),
    "braces with keys": ("butler_yaml", lambda: b"{a: " * 200_000),
    "brackets, a line each": ("butler_yaml", lambda: b"[\n" * 400_000),
    "brackets, short": ("butler_yaml", lambda: b"a: " + b"[" * 2_000),
    "dashes": ("butler_yaml", lambda: b"- " * 400_000),
    "question marks": ("butler_yaml", lambda: b"? " * 400_000),
    "indentation": ("butler_yaml", lambda: "".join(" " * n + "a:\n" for n in range(1_300)).encode()),
    "billion laughs": ("butler_yaml", _laughs),
    "a list in itself": ("butler_yaml", lambda: b"neverRelease: &a {user: [*a], tag: *a}\nlicenseType: *a"),
    "merges of merges": ("butler_yaml", _merges),
    "many merges": ("butler_yaml", _many_merges),
    "a long tag": ("butler_yaml", lambda: b"!" + b"a" * 900_000 + b" b"),
    "a long anchor": ("butler_yaml", lambda: b"&" + b"a" * 900_000 + b" b"),
    "a long key": ("butler_yaml", lambda: b"a" * 900_000 + b": 1"),
    "a hundred thousand keys": ("butler_yaml", lambda: b"a: 1\n" * 100_000),
    "a YAML of 50 MB": ("policy_test", lambda: b"a: b\n" * 10_000_000),
    "a YAML number": (
        "butler_yaml",
        lambda: b"licenseType: {analyzer: {enable: true, releaseThresholdDays: 1" + b"0" * 4_000,
    ),
    "a hexadecimal number": (
        "butler_yaml",
        lambda: b"licenseType: {analyzer: {enable: true, releaseThresholdDays: 0x" + b"f" * 900_000 + b"}}",
    ),
    "a surrogate": ("butler_yaml", lambda: b'neverRelease: {tag: ["\\ud800"]}\nlicenseType: {}'),
    "a character beyond Unicode": ("butler_yaml", lambda: b'neverRelease: {tag: ["\\UFFFFFFFF"]}\nlicenseType: {}'),
    "a site file of brackets": ("site_file", lambda: b"configQRS: " + b"[" * 900_000),
    "a test of braces": ("policy_test", lambda: b"cases: " + b"{" * 900_000),
    "deep JSON": ("snapshot", lambda: b'{"users": ' + b"[" * 50_000_000),
    "deep JSON objects": ("snapshot", lambda: b'{"a":' * 8_000_000),
    "deep JSON in a fact": ("snapshot", lambda: _license(', "lastUsed": ' + "[" * 1_000_000 + "]" * 1_000_000)),
    "deep JSON in what is not read": ("snapshot", lambda: _user(', "x": ' + "[" * 1_000_000 + "]" * 1_000_000)),
    "a JSON surrogate": ("snapshot", lambda: _user(', "name": "\\ud800"')),
    "a JSON without its end": ("snapshot", lambda: b'{"users": ["' + b"x" * 50_000_000),
    "a JSON of spaces": ("snapshot", lambda: b" " * 50_000_000),
    "a JSON of nothings": ("snapshot", lambda: b'{"users": [' + b"{}," * 1_000_000 + b'{}], "licenses": {}}'),
    "JSON nulls": ("snapshot", lambda: b"\0" * 1_000_000),
    "a small file that unpacks to a huge one": ("snapshot", lambda: compress(b" " * 100_000_000) * 30),
}
"""By name: the target, and what makes the bytes."""


def main() -> None:
    """Sets off all bombs."""
    for target, _ in BOMBS.values():
        TARGETS[target](b"")  # what is loaded only once is not the bomb's doing
    for name, (target, make) in BOMBS.items():
        data = make()
        gc.collect()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                print(json.dumps({"name": name, **_set_off(target, data)}), flush=True)  # noqa: T201
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps({"name": name, "died": status}), flush=True)  # noqa: T201


def _set_off(target: str, data: bytes) -> dict[str, object]:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))
    before, began = _resident(), time.process_time()
    said = TARGETS[target](data)
    seconds = time.process_time() - began
    return {"seconds": seconds, "megabytes": (_peak() - before) / 1e6, "said": said and said[:300]}


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(field: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))


if __name__ == "__main__":
    main()
