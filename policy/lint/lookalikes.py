"""Texts that look alike: what is left of a text when one only looks at it.

Unicode's own table of confusable characters says which letters look the same (the Cyrillic and the Latin a, 1 and l);
compatibility forms, invisible characters, repeated spaces and case are dropped before.
"""

import pkgutil
import unicodedata
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct


class _Other(Struct, gc=False):
    """A text that a character looks like, as Unicode's table has it."""

    c: str


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Raw]:
    """Unicode's table: for each character what it looks like, not looked into before somebody asks."""
    # The package that has it would first load HTTP and TLS, to fetch newer ones: six times as long as all of this.
    data = pkgutil.get_data("confusable_homoglyphs", "confusables.json")
    assert data is not None  # noqa: S101 - for the type checker: a package whose files can be read
    return msgspec.json.decode(data, type=dict[str, Raw])


def _others(character: str) -> list[_Other]:
    listed = _table().get(character)
    return msgspec.json.decode(listed, type=list[_Other]) if listed is not None else []


@lru_cache(maxsize=10_000)
def _prototype(character: str) -> str:
    """The character that stands for all that look like this one."""
    others = _others(character)
    if len(others) != 1:
        return character
    other = others[0].c
    # Of two that look only like each other neither is the usual one: both get the same, the lower one.
    mutual = len(_others(other)) == 1
    return min(character, other) if mutual else other


_ASCII = str.maketrans({"|": "l", "1": "l", "I": "l", "0": "O", "m": "rn", "`": "'", '"': "''", "%": "\u00ba/\u2080"})
"""Unicode's table, as far as it speaks of ASCII: most names need no more, and to read the whole takes a while."""


@lru_cache(maxsize=100_000)
def looks(text: str) -> tuple[str, str]:
    """The shapes of a text as it is, and in small letters. Texts that share one of the two look alike."""
    if text.isascii() and text.isprintable():
        visible = " ".join(text.split())
        return visible.translate(_ASCII).casefold(), visible.casefold().translate(_ASCII).casefold()
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in ("Cf", "Cc"))
    visible = " ".join(visible.split())
    return _shape(visible), _shape(visible.casefold())


def find_alike(texts: Collection[str], sought: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """For each of the `sought` the first text that is the same but for case, and the first that looks the same.

    Of many texts only those are looked at closely that can be meant: nearly all names are plain, and are folded
    together, in a tenth of the time.
    """
    shapes = {text: looks(text) for text in sought}
    wanted = frozenset(shape for both in shapes.values() for shape in both)
    letters = frozenset("".join(wanted))
    plain = [text for text in texts if text.isascii() and text.isprintable()]
    odd = [text for text in texts if not (text.isascii() and text.isprintable())]
    near = [text for text in _worth_a_look(odd, plain_only=letters <= _LETTERS) if _may_look(text, letters)]
    coarse = {_coarse(shape) for shape in wanted}
    near += [text for text, shape in zip(plain, _together(plain, _coarse), strict=True) if shape in coarse]
    alike: dict[str, str] = {}
    for text in sorted(near, reverse=True):
        alike |= dict.fromkeys(looks(text), text)
    folded = {text.casefold() for text in shapes}
    same = (text for text, small in zip(texts, _together(list(texts), str.casefold), strict=True) if small in folded)
    cased = {text.casefold(): text for text in sorted(same, reverse=True)}
    return (
        {text: cased[text.casefold()] for text in shapes if text.casefold() in cased},
        {text: alike[shape] for text, both in shapes.items() for shape in reversed(both) if shape in alike},
    )


def _together(texts: list[str], fold: Callable[[str], str]) -> list[str]:
    """Each text folded; all at once where no line break is in one."""
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1:
        return [fold(text) for text in texts]
    return fold(joined).split("\n")


_LETTERS = frozenset(map(chr, range(128)))


def _worth_a_look(odd: list[str], *, plain_only: bool) -> list[str]:
    """Of texts that are not plain those that can look like something, like a plain text only if `plain_only`."""
    # A letter with an accent looks like no other, and most are that: the whole table need not even be read.
    others = [letter for letter in set("".join(odd)) - _LETTERS if not (plain_only and _is_accented(letter))]
    return [text for text in odd if any(letter in text for letter in others) or not text.isprintable()] if odd else []


def _is_accented(letter: str) -> bool:
    """Whether a letter is a plain one with an accent, like \u00e5; a horn, though, looks like an apostrophe."""
    base, _, accent = unicodedata.decomposition(letter).partition(" ")
    return accent not in ("", "031B") and not base.startswith("<") and int(base, 16) < 128 and " " not in accent


def _may_look(text: str, letters: frozenset[str]) -> bool:
    """Whether the plain letters of a text are among these: only then the whole table of letters is asked."""
    plain = "".join(letter for letter in text if letter.isascii() and letter.isprintable() and letter != " ")
    return letters.issuperset(_fold(plain)) or letters.issuperset(_fold_small(plain))


_ONE = str.maketrans("i1|0`", "lllo'")


def _coarse(text: str) -> str:
    """A fold in which plain texts are the same that share a shape, and some that do not: a tenth of the work."""
    folded = text.casefold().replace(" ", "").replace("rn", "m").replace('"', "''").translate(_ONE)
    return folded.replace("\u00ba/\u2080", "%")  # how the table writes it


def _fold(text: str) -> str:
    return text.translate(_ASCII).casefold()


def _fold_small(text: str) -> str:
    return _fold(text.casefold())


def _shape(text: str) -> str:
    return "".join(map(_prototype, text)).casefold()
