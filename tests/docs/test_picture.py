"""The pictures show what the commands show today, and load nothing."""

import re
import xml.etree.ElementTree as ET

import pytest

from tests.docs.blocks import pages
from tests.docs.picture import CURVES, PICTURE, draw_curves, in_colour, words, words_in
from tests.paths import ROOT


def test_it_shows_what_the_command_prints() -> None:
    shown = words_in(PICTURE.read_text(encoding="utf-8"))
    assert shown == words(in_colour().plain.splitlines()), "draw it anew: python -m tests.docs.picture"


def test_it_has_colours_and_loads_nothing() -> None:
    picture = PICTURE.read_text(encoding="utf-8")
    assert len(set(re.findall(r"fill: (#[0-9a-f]{6})", picture))) >= 4
    assert not re.search(r"@font-face|@import|url\((?!#)|<script|<image|href", picture)


@pytest.mark.long
def test_the_curves_are_those_of_the_page_of_today() -> None:
    assert CURVES.read_text(encoding="utf-8") == draw_curves(), "draw them anew: python -m tests.docs.picture"


def test_the_curves_load_nothing_and_follow_light_and_dark() -> None:
    picture = CURVES.read_text(encoding="utf-8")
    assert not re.search(r"@font-face|@import|url\((?!#)|<script|<image|href", picture)
    shapes = [element.tag.rpartition("}")[2] for element in ET.fromstring(picture).iter()]  # noqa: S314 - our own file
    assert (shapes.count("polygon"), shapes.count("polyline")) == (3, 3)
    assert "prefers-color-scheme: dark" in picture


def test_every_picture_of_a_page_exists_and_says_what_it_shows() -> None:
    for page in pages():
        for words_for, target in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), page.relative_to(ROOT)
            assert len(words_for) > 20, page.relative_to(ROOT)
