"""Coverage-guided fuzzing with atheris: `python -m tests.fuzz.fuzz SECONDS [TARGET...]`, Linux.

Each target runs that many seconds in a process of its own, from the seeds and what earlier runs found
(`.fuzz/TARGET`, not in git). The first crash, hang (10 s) or waste of memory (500 MB) ends it with exit code 1; its
input is left in `.fuzz/TARGET-crash-…`.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(".fuzz")
_OPTIONS = ("-max_len=4096", "-timeout=10", "-rss_limit_mb=700", "-use_value_profile=1", "-print_final_stats=1")


def main() -> None:
    """Fuzzes all targets one after the other, or those that are named."""
    from tests.fuzz.seeds import SEEDS, words_of

    seconds, *names = sys.argv[1:]
    failed = []
    for name in names or SEEDS:
        corpus = FOLDER / name
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(SEEDS[name]):
            (corpus / f"seed-{number}").write_bytes(seed)
        words = FOLDER / f"{name}.dict"
        words.write_text("\n".join(_dictionary(words_of(name))) + "\n", encoding="ascii")
        options = (f"-max_total_time={seconds}", f"-dict={words}", f"-artifact_prefix={corpus}-", *_OPTIONS)
        if subprocess.run([sys.executable, "-m", "tests.fuzz.fuzz", "--one", name, *options, str(corpus)]).returncode:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def one() -> None:
    """Fuzzes one target in this process; libFuzzer ends it."""
    import atheris

    name = sys.argv.pop(2)
    del sys.argv[1]
    with atheris.instrument_imports(include=["seatwarden", "lark", "ruamel"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


def _dictionary(words: tuple[str, ...]) -> list[str]:
    """Words in libFuzzer's form."""
    return ['"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"' for word in words]


if __name__ == "__main__":
    one() if sys.argv[1:2] == ["--one"] else main()
