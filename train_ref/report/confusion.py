"""Which classes are taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train_ref.report.heat import LEVELS

__all__ = ["MOST_CLASSES", "Matrix", "MatrixRow", "Mixup", "matrix_of", "most_mixed_up"]

MOST_CLASSES = 250
"""That a matrix shows: with more, the page is slow on a telephone and nothing can be found."""

# Up to so many, cells have room for numbers.
_NUMBERED = 30


@dataclass(frozen=True)
class MatrixRow:
    """The answers for the images of one class.

    Attributes:
        name: of the class.
        images: how many it has.
        cells: (answers, level of heat from 0 to LEVELS) for each class of the matrix.
    """

    name: str
    images: int
    cells: list[tuple[int, int]]


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix to be shown.

    Attributes:
        names: of its classes, those with most training images first.
        rows: one for each.
        numbered: whether its cells have room for numbers.
        left_out: classes for which there was no room, those with the fewest mistakes.
    """

    names: list[str]
    rows: list[MatrixRow]
    numbered: bool
    left_out: int


def matrix_of(
    confusion: npt.NDArray[np.int64],
    names: tuple[str, ...],
    counts: npt.NDArray[np.int64],
    most: int = MOST_CLASSES,
) -> Matrix:
    """Normalise the rows, order the classes by their size.

    Args:
        confusion: shape (classes, classes): images of a row's class that were given a column's.
        names: of the classes.
        counts: shape (classes,): training images.
        most: classes that are shown.
    """
    mistakes = confusion.sum(axis=0) + confusion.sum(axis=1) - 2 * confusion.diagonal()
    shown = np.argsort(-mistakes, kind="stable")[:most]
    shown = shown[np.lexsort((shown, -counts[shown]))]
    images = confusion.sum(axis=1)
    shares = confusion / np.maximum(images, 1)[:, None]
    # What is there at all has a colour, however faint.
    levels = np.ceil(shares * LEVELS - 1e-9).astype(np.int64)
    rows = [
        MatrixRow(
            names[row],
            int(images[row]),
            list(zip(confusion[row, shown].tolist(), levels[row, shown].tolist(), strict=True)),
        )
        for row in shown.tolist()
    ]
    chosen = [names[one] for one in shown.tolist()]
    return Matrix(chosen, rows, len(shown) <= _NUMBERED, len(names) - len(shown))


@dataclass(frozen=True)
class Mixup:
    """A class that is taken for another.

    Attributes:
        true: the class of the images.
        answer: what the model says.
        images: how often.
        of: images that the class has.
    """

    true: str
    answer: str
    images: int
    of: int


def most_mixed_up(
    confusion: npt.NDArray[np.int64], names: tuple[str, ...], most: int = 12
) -> list[Mixup]:
    """List the pairs that cost most images, most first; of equals, the larger share first.

    Example:
        >>> [one] = most_mixed_up(np.array([[5, 0], [3, 1]]), ("cat", "dog"))
        >>> one.true, one.answer, one.images, one.of
        ('dog', 'cat', 3, 4)
    """
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    images = confusion.sum(axis=1)
    rows, columns = np.nonzero(wrong)
    order = np.lexsort((columns, rows, images[rows], -wrong[rows, columns]))[:most]
    return [
        Mixup(names[row], names[column], int(wrong[row, column]), int(images[row]))
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True)
    ]
