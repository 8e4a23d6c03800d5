"""Sentences that tell CLIP's text tower what the classes are."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from train_ref.errors import TrainError

__all__ = ["DEFAULT_TEMPLATE", "class_sentences", "read_prompts"]

DEFAULT_TEMPLATE = "a photo of a {}."
"""Of Radford et al. (2021), section 3.1.4."""


def read_prompts(path: Path | None, classes: tuple[str, ...]) -> list[list[str]]:
    """Read a file of prompts, see :func:`class_sentences`.

    Args:
        path: UTF-8; None for none, when all classes get `DEFAULT_TEMPLATE`.
        classes: names, in the order of the labels.

    Raises:
        TrainError: the file cannot be read or does not give each class a sentence.
    """
    if path is None:
        return class_sentences(DEFAULT_TEMPLATE, classes)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainError(f"--prompts {path} cannot be read: {error}") from error
    try:
        return class_sentences(text, classes)
    except TrainError as error:
        raise TrainError(f"--prompts {path}: {error}") from error


def class_sentences(text: str, classes: tuple[str, ...]) -> list[list[str]]:
    r"""Return the sentences of each class.

    A line is ``name: sentence``, for one class, or has ``{}`` in the place of the name, for all
    classes that have no sentence of their own. Several lines for a class are averaged later.
    Empty lines and those that begin with # are left out.

    Args:
        text: of the file.
        classes: names, in the order of the labels; a name may have a colon in it.

    Raises:
        TrainError: a line is neither of both, or a class is left without a sentence.

    Example:
        >>> class_sentences("a tile with a {}.\nfree: an intact tile.", ("crack", "free"))
        [['a tile with a crack.'], ['an intact tile.']]
    """
    own: dict[str, list[str]] = {_normal(name): [] for name in classes}
    # Of "wall: wet" and "wall" the longer one is meant where both fit.
    longest_first = sorted(own, key=len, reverse=True)
    templates: list[str] = []
    for number, line in enumerate(map(str.strip, _normal(text).splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        name = next((one for one in longest_first if line.startswith(f"{one}:")), None)
        sentence = line if name is None else line[len(name) + 1 :].strip()
        if name is not None and sentence:
            own[name].append(sentence)
        elif name is None and "{}" in line:
            templates.append(line)
        else:
            raise TrainError(
                f"line {number}, {line!r}, is neither 'class name: sentence' nor has it {{}} in "
                "the place of a class's name."
            )
    lacking = [name for name in own if not own[name]]
    if lacking and not templates:
        raise TrainError(
            f"there is no sentence for {', '.join(lacking)}; "
            f"a line such as '{DEFAULT_TEMPLATE}' gives one to all that have none."
        )
    return [
        own[name] or [template.replace("{}", name) for template in templates]
        for name in map(_normal, classes)
    ]


def _normal(text: str) -> str:
    """Hangul and accents in one form, for a class's folder may be spelt in the other."""
    return unicodedata.normalize("NFC", text)
