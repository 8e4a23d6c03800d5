"""The colours of a confusion matrix's cells, by day and by night, and what is written on them."""

from __future__ import annotations

__all__ = ["LEVELS", "SCHEMES", "cell", "contrast", "style_of_cells"]

LEVELS = 20
"""Of heat, besides none: steps of 5 %, so that one cell's colour is five letters of the page."""

Colour = tuple[int, int, int]

SCHEMES: dict[str, dict[str, Colour]] = {
    "light": {"paper": (255, 255, 255), "r": (29, 91, 184), "w": (184, 74, 12)},
    "dark": {"paper": (22, 22, 22), "r": (122, 176, 255), "w": (255, 159, 90)},
}
"""The page's background, and of right and of wrong answers that are all of a class."""

_INKS: tuple[Colour, Colour] = ((0, 0, 0), (255, 255, 255))
# Of the full colour that the faintest cell has: one wrong answer of hundreds is seen.
_FAINTEST = 0.08


def cell(scheme: str, kind: str, level: int) -> tuple[Colour, Colour]:
    """Return a cell's colour and its ink.

    One of black and white can be read on any colour: where they are equal, the contrast is 4.58,
    and 4.5 is asked for by WCAG 2.1.

    Args:
        scheme: one of `SCHEMES`.
        kind: "r" for right answers, "w" for wrong ones.
        level: 1 to LEVELS.
    """
    share = _FAINTEST + (1 - _FAINTEST) * level / LEVELS
    paper, full = SCHEMES[scheme]["paper"], SCHEMES[scheme][kind]
    red, green, blue = (
        round(under + share * (over - under)) for under, over in zip(paper, full, strict=True)
    )
    colour = (red, green, blue)
    return colour, max(_INKS, key=lambda ink: contrast(ink, colour))


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of two sRGB colours, 1 to 21 (WCAG 2.1, "contrast ratio").

    >>> contrast((0, 0, 0), (255, 255, 255))
    21.0
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [
        level / 255 / 12.92 if level <= 10 else ((level / 255 + 0.055) / 1.055) ** 2.4
        for level in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def style_of_cells() -> str:
    """CSS of the classes r1 to r20 and w1 to w20."""
    light, dark = ("\n".join(_rules(scheme)) for scheme in SCHEMES)
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _rules(scheme: str) -> list[str]:
    return [
        f".matrix td.{kind}{level} {{ background: {_hex(colour)}; color: {_hex(ink)}; }}"
        for kind in ("r", "w")
        for level in range(1, LEVELS + 1)
        for colour, ink in [cell(scheme, kind, level)]
    ]


def _hex(colour: Colour) -> str:
    return "#" + bytes(colour).hex()
