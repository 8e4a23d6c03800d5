from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from train_ref.report.confusion import matrix_of, most_mixed_up
from train_ref.report.heat import LEVELS, SCHEMES, cell, contrast
from train_ref.report.mistakes import worst_mistakes

CONFUSION = np.array([[2, 0, 2], [1, 97, 2], [0, 0, 0]])
NAMES = ("ant", "bee", "cat")


def test_largest_class_is_first_and_rows_are_normalised() -> None:
    found = matrix_of(CONFUSION, NAMES, np.array([5, 900, 20]))
    assert found.names == ["bee", "cat", "ant"]
    assert [row.images for row in found.rows] == [100, 0, 4]
    assert found.rows[0].cells == [(97, 20), (2, 1), (1, 1)]
    assert found.rows[1].cells == [(0, 0)] * 3
    assert found.rows[2].cells == [(0, 0), (2, LEVELS // 2), (2, LEVELS // 2)]
    assert found.numbered and not found.left_out


def test_classes_with_fewest_mistakes_have_no_room() -> None:
    found = matrix_of(CONFUSION, NAMES, np.array([5, 900, 20]), most=2)
    assert found.names == ["cat", "ant"] and found.left_out == 1
    assert found.rows[1].cells == [(2, 10), (2, 10)] and found.rows[1].images == 4


def test_many_classes_have_no_numbers() -> None:
    names = tuple(map(str, range(200)))
    found = matrix_of(np.eye(200, dtype=np.int64), names, np.arange(200))
    assert not found.numbered
    assert len(found.rows) == 200 and all(len(row.cells) == 200 for row in found.rows)
    assert all(row.cells[at] == (1, LEVELS) for at, row in enumerate(found.rows))


def test_most_frequent_mistakes() -> None:
    found = most_mixed_up(CONFUSION, NAMES, most=2)
    said = [(one.true, one.answer, one.images, one.of) for one in found]
    assert said == [("ant", "cat", 2, 4), ("bee", "cat", 2, 100)]


@given(st.integers(1, 40), st.integers(2, 5), st.integers(0, 10), st.integers(0, 2**32))
def test_worst_mistakes_are_the_surest_wrong_answers(
    images: int, classes: int, most: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    answers = rng.dirichlet(np.ones(classes), images)
    labels = rng.integers(0, classes, images)
    found = worst_mistakes(answers, labels, most).tolist()
    wrong = [row for row in range(images) if answers[row].argmax() != labels[row]]
    assert found == sorted(wrong, key=lambda row: -answers[row].max())[:most]


def test_numbers_can_be_read_on_any_heat() -> None:
    for scheme in SCHEMES:
        for kind in "rw":
            cells = [cell(scheme, kind, level) for level in range(1, LEVELS + 1)]
            assert all(contrast(*one) >= 4.5 for one in cells)
            assert cells[-1][0] == SCHEMES[scheme][kind]
            # Each level has a colour of its own, further from the paper than the one before.
            distances = [contrast(colour, SCHEMES[scheme]["paper"]) for colour, _ in cells]
            assert distances == sorted(distances) and len(set(distances)) == LEVELS
