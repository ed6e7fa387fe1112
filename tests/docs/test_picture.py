"""The picture of a terminal shows what the command prints today, and loads nothing."""

import re

from tests.docs.blocks import pages
from tests.docs.picture import PICTURE, in_colour, words, words_in
from tests.paths import ROOT


def test_it_shows_what_the_command_prints() -> None:
    shown = words_in(PICTURE.read_text(encoding="utf-8"))
    assert shown == words(in_colour().plain.splitlines()), "draw it anew: python -m tests.docs.picture"


def test_it_has_colours_and_loads_nothing() -> None:
    picture = PICTURE.read_text(encoding="utf-8")
    assert len(set(re.findall(r"fill: (#[0-9a-f]{6})", picture))) >= 4
    assert not re.search(r"@font-face|@import|url\((?!#)|<script|<image|href", picture)


def test_every_picture_of_a_page_exists_and_says_what_it_shows() -> None:
    for page in pages():
        for words_for, target in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), page.relative_to(ROOT)
            assert len(words_for) > 20, page.relative_to(ROOT)
