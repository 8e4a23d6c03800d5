"""One run beside another: what became faster or slower by more than the noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastload.bench.columns import name_of, ordered
from fastload.bench.fields import ResultsError
from fastload.bench.markdown import escaped, table
from fastload.bench.noise import LEVEL, Ratio, ratio_of
from fastload.bench.results import Document, Result

__all__ = ["Change", "changes", "comparison"]

_MARKS = {1: "faster", -1: "slower", 0: "within the noise"}


@dataclass(frozen=True)
class Change:
    """What became of one entrant of one suite.

    Attributes:
        suite: its name.
        before: the entrant in the run that is compared with.
        after: the same entrant in the other run.
        ratio: of images/s, after to before; or of how many times as fast as the reference.
    """

    suite: str
    before: Result
    after: Result
    ratio: Ratio

    @property
    def slower(self) -> bool:
        """Whether something of ours became slower by more than the noise."""
        return self.after.ours and self.ratio.changed < 0

    @property
    def verdict(self) -> str:
        """The same in words."""
        return _MARKS[self.ratio.changed] if self.ratio.enough else "too few rounds to tell"


def changes(before: Document, after: Document, reference: str | None = None) -> list[Change]:
    """What both documents have, entrant by entrant.

    Args:
        before: what is compared with.
        after: the other.
        reference: a peer, whose fastest entrant of the same suite every round is divided by: what
            slows the whole machine slows both. Suites without it, and it itself, are left out.

    Raises:
        ResultsError: nothing is in both, or no suite of both has the reference.
    """
    found = list(_changes(before, after, reference))
    if not found:
        beside = f" beside the peer {reference!r}" if reference else ""
        raise ResultsError(
            f"{before.file} and {after.file} have nothing in common{beside} to be compared: the "
            "former has "
            f"{', '.join(sorted({f'{one.suite}: {one.label}' for one in before.results}))}."
        )
    return found


def _changes(before: Document, after: Document, reference: str | None) -> Iterator[Change]:
    before_suites = before.suites
    for suite, results in after.suites.items():
        earlier = before_suites.get(suite, [])
        named = {result.label: result for result in earlier}
        figures, earlier_figures = _figures(results, reference), _figures(earlier, reference)
        for result in ordered(results):
            if result.label in figures and result.label in earlier_figures:
                _check_same(before, named[result.label], after, result)
                ratio = ratio_of(earlier_figures[result.label], figures[result.label])
                yield Change(suite, named[result.label], result, ratio)


def _figures(results: Sequence[Result], reference: str | None) -> dict[str, tuple[float, ...]]:
    """What is compared of each entrant, round by round: images/s, or times as fast."""
    if reference is None:
        return {result.label: result.rates for result in results}
    peers = [result for result in results if result.peer == reference]
    if not peers:
        return {}
    base = max(peers, key=lambda result: result.rate)
    # Entrants took turns: what belongs to one round was measured at about one time.
    return {
        result.label: tuple(
            rate / other for rate, other in zip(result.rates, base.rates, strict=False)
        )
        for result in results
        if result.peer != reference
    }


def _check_same(before: Document, old: Result, after: Document, new: Result) -> None:
    photos = (before.photos.get(old.photos), after.photos.get(new.photos))
    for what, one, other in (
        ("recipe", old.recipe, new.recipe),
        ("batch", old.batch, new.batch),
        ("images", photos[0] and photos[0].images, photos[1] and photos[1].images),
        ("bytes of images", photos[0] and photos[0].bytes, photos[1] and photos[1].bytes),
    ):
        if one != other:
            raise ResultsError(
                f"{new.suite}: {new.label} is not the same work in both: {what} is {one} in "
                f"{before.file} and {other} in {after.file}. Compare runs of the same work."
            )


def comparison(
    before: Document, after: Document, found: Sequence[Change], reference: str | None = None
) -> str:
    """The changes as Markdown."""
    what = f"times as fast as {reference}" if reference else "images/s"
    rows = [
        [
            escaped(change.suite),
            escaped(_name(change.after)),
            f"{change.ratio.value:.3f}",
            f"{change.ratio.low:.3f} to {change.ratio.high:.3f}",
            f"**{change.verdict}**" if change.ratio.changed else change.verdict,
        ]
        for change in found
    ]
    heads = ["suite", "entrant", escaped(f"{what}, ratio"), "interval", ""]
    chance = f"{LEVEL * len(found):.1g}"
    parts = [
        f"# {escaped(after.file)} beside {escaped(before.file)}",
        *_other_machines(before, after, reference),
        table(heads, [False, False, True, True, False], rows),
        (
            "Above 1: the former is faster. A change is beyond the noise where the interval leaves "
            f"1 out. Of the {len(found)} comparisons chance alone flags {chance} on average, if "
            "nothing has changed and rounds are independent of one another."
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _name(result: Result) -> str:
    return f"{name_of(result)} ({result.label})"


def _other_machines(before: Document, after: Document, reference: str | None) -> list[str]:
    one, other = before.machine, after.machine
    if (one.processor, one.cpus) == (other.processor, other.cpus) or reference:
        return []
    machines = f"Two machines: {escaped(str(one))}; {escaped(str(other))}."
    return [f"{machines} Only ratios to a peer can be expected to agree (--relative-to)."]
