"""Contrast, computed from the style's own variables: WCAG 2 level AA, on every ground a colour stands on."""

import re
from importlib.resources import files
from itertools import product

import pytest

STYLE = files("seatwarden.engine.report").joinpath("page.css").read_text(encoding="utf-8")
GROUNDS = ("ground", "raised")
TEXTS = ("text", "quiet", "link", "kept-text", "freed-text", "unknown")
PICTURES = ("kept", "freed", "focus", "quiet")


def _schemes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    light, dark, paper = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", block)) for block in blocks)
    return {"light": light, "dark": light | dark, "paper": light | paper}


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula() -> None:
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
def test_text_is_legible(scheme: str) -> None:
    colours = _schemes()[scheme]
    for text, ground in product(TEXTS, GROUNDS):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
def test_pictures_stand_out(scheme: str) -> None:
    colours = _schemes()[scheme]
    for picture in PICTURES:
        assert contrast(colours[picture], colours["ground"]) >= 3, picture
