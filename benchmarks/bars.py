"""What fastload promises, and whether a run's figures keep it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.round_robin import Measurement
from benchmarks.suites import OURS


@dataclass(frozen=True)
class Verdict:
    """A bar's figure in one run: its median and spread over the rounds, or why there is none."""

    values: tuple[float, ...] = ()
    held: bool = False
    missing: str = ""

    @property
    def value(self) -> float:
        """The median over the rounds."""
        return median(self.values)


def of(measurements: Iterable[Measurement], suite: str, peer: str) -> list[Measurement]:
    """A peer's entrants in a suite, those with figures."""
    return [
        m
        for m in measurements
        if m.suite == suite and m.job.peer == peer and m.rates and not m.error
    ]


def best(entrants: Sequence[Measurement]) -> Measurement:
    """The fastest by its median."""
    return max(entrants, key=lambda m: median(m.rates))


@dataclass(frozen=True)
class AtLeast:
    """Ours is this many times as fast as the peer's best setting; one ratio a round."""

    what: str
    suite: str
    peer: str
    times: float

    @property
    def promise(self) -> str:
        """The bound in words."""
        return f">= {self.times:g} times"

    def judge(self, measurements: Sequence[Measurement]) -> Verdict:
        """Compare the run's figures with the bound."""
        ours, theirs = (of(measurements, self.suite, peer) for peer in (OURS, self.peer))
        if not (ours and theirs):
            return Verdict(missing=f"no figures of {self.peer if ours else OURS}")
        pairs = zip(best(ours).rates, best(theirs).rates, strict=True)
        ratios = tuple(our / their for our, their in pairs)
        return Verdict(ratios, median(ratios) >= self.times)


@dataclass(frozen=True)
class AtMost:
    """A figure of ours must not exceed a limit; ``figure`` is an attribute of ``Measurement``."""

    what: str
    suite: str
    figure: str
    limit: float
    unit: str

    @property
    def promise(self) -> str:
        """The bound in words."""
        return f"<= {self.limit:g} {self.unit}"

    def judge(self, measurements: Sequence[Measurement]) -> Verdict:
        """Compare the run's figures with the bound."""
        ours = of(measurements, self.suite, OURS)
        if not ours:
            return Verdict(missing=f"no figures of {OURS}")
        values = tuple(getattr(best(ours), self.figure))
        return Verdict(values, median(values) <= self.limit)


Bar = AtLeast | AtMost

BARS: tuple[Bar, ...] = (
    AtLeast("native against DALI on the CPU, best threads", "loader", "dali", 2.2),
    AtLeast("native against ImageFolder, best workers", "loader", "imagefolder", 2.8),
    AtLeast("the same, ToTensor + Normalize", "float loader", "imagefolder", 4.0),
    AtLeast("native against FFCV, JPEG q95", "loader", "ffcv", 3.0),
    AtLeast("Resize + CenterCrop against ImageFolder", "eval loader", "imagefolder", 2.5),
    AtLeast("lossless pack against FFCV's writer", "pack", "ffcv", 2.5),
    AtMost("resize of a mean crop", "resize of a mean crop", "microseconds", 70, "us"),
    AtLeast("the same against Pillow-SIMD", "resize of a mean crop", "pillow_simd", 1.0),
    AtLeast("resize of drawn crops against Pillow-SIMD", "resize", "pillow_simd", 1.0),
    AtMost("first batch after construction", "first batch", "first_batch", 0.3, "s"),
    AtMost("memory beyond torch, anonymous", "memory", "anonymous_megabytes", 250, "MB"),
    AtMost("memory beyond torch, with file pages", "memory", "pss_megabytes", 250, "MB"),
)
