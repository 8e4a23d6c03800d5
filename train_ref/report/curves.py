"""How a run went, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from train_ref.report.calibration import Calibration
from train_ref.report.figure import FAINT, INK, LINE, SERIES, Key, Picture, as_svg, drawing
from train_ref.report.read_run import Run
from train_ref.report.words import METRICS

__all__ = [
    "best_epoch",
    "curves_of",
    "folds_curve",
    "reliability",
    "size_against_f1",
    "speed",
]

_POINTS = 300
"""Of a line at most: a figure is some 300 dots wide."""

_DASHES = ("", "5 2", "1.5 2", "6 2 1.5 2")
_LINESTYLES: list[Any] = ["-", (0, (3, 1.2)), (0, (1, 1.3)), (0, (4, 1.3, 1, 1.3))]

Numbers = npt.NDArray[np.float64]


def curves_of(run: Run) -> list[Picture]:
    """The learning curves for which there are figures."""
    drawn = [_loss(run), _metrics(run), _learning_rate(run)]
    return [picture for picture in drawn if picture is not None]


def best_epoch(epochs: Sequence[dict[str, Any]], metric: str) -> int | None:
    """Which epoch, from 1 on, was the best; None where nothing was validated."""
    values = _values(epochs, metric)
    return None if np.isnan(values).all() else int(np.nanargmax(values)) + 1


def _loss(run: Run) -> Picture | None:
    steps = [one for one in run.steps if one.get("loss") is not None]
    trained = np.array([_number(one.get("train_loss")) for one in run.epochs])
    if not steps and np.isnan(trained).all():
        return None
    keys = []
    with drawing() as figure:
        [axes] = figure.axes
        if steps:
            losses = np.array([_number(one["loss"]) for one in steps])
            where, means, least, most = _thinned(_epochs_at(run, steps), losses)
            axes.fill_between(where, least, most, color=SERIES[0], alpha=0.18, linewidth=0)
            axes.plot(where, means, color=SERIES[0], linewidth=0.9)
            keys.append(Key("each step", 1))
        if not np.isnan(trained).all():
            # A mean of an epoch is in the middle of what it is the mean of.
            middles = _whole_epochs(run.epochs) - 0.5
            marker = "o" if len(middles) == 1 else ""
            axes.plot(middles, trained, color=SERIES[1], linestyle=_LINESTYLES[1], marker=marker)
            keys.append(Key("mean of an epoch", 2, _DASHES[1]))
        _epochs_axis(axes)
        _from_zero(axes)
        svg = as_svg(figure, "loss")
    last = [value for value in trained.tolist() if np.isfinite(value)]
    says = f"Training loss by epoch, from {last[0]:.3g} to {last[-1]:.3g}." if last else "Loss."
    return Picture("Training loss", svg, says, keys)


def _metrics(run: Run) -> Picture | None:
    lines = {name: _values(run.epochs, name) for name in METRICS}
    lines = {name: line for name, line in lines.items() if not np.isnan(line).all()}
    if not lines:
        return None
    best = best_epoch(run.epochs, run.config.metric)
    keys = []
    with drawing() as figure:
        [axes] = figure.axes
        epochs = _whole_epochs(run.epochs)
        for number, (name, line) in enumerate(lines.items()):
            chosen = name == run.config.metric
            axes.plot(
                epochs,
                line,
                color=SERIES[number],
                linestyle=_LINESTYLES[number],
                linewidth=2.2 if chosen else 1.3,
                marker="o" if len(epochs) == 1 else "",
            )
            keys.append(Key(METRICS[name], number + 1, _DASHES[number]))
        if best is not None:
            axes.axvline(best, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.set_ylim(0, 1)
        _epochs_axis(axes)
        svg = as_svg(figure, "metrics")
    says = f"The metrics on the validation images by epoch; the best epoch is {best}."
    return Picture("Validation", svg, says, keys)


def _learning_rate(run: Run) -> Picture | None:
    steps = [one for one in run.steps if one.get("lr") is not None]
    if not steps:
        return None
    rates = np.array([_number(one["lr"]) for one in steps])
    with drawing() as figure:
        [axes] = figure.axes
        where, means, _, _ = _thinned(_epochs_at(run, steps), rates)
        axes.plot(where, means, color=SERIES[2])
        axes.ticklabel_format(axis="y", style="plain", useOffset=False)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        _epochs_axis(axes)
        _from_zero(axes)
        svg = as_svg(figure, "learning-rate")
    return Picture("Learning rate", svg, f"Learning rate by step, {rates.max():.3g} at most.")


def speed(run: Run) -> Picture | None:
    """Images a second, and the share of the time that went into waiting for them, by epoch."""
    speeds = np.array([_number(one.get("images_per_second")) for one in run.epochs])
    waits = np.array([_number(one.get("data_wait")) for one in run.epochs]) * 100
    if np.isnan(speeds).all() or np.isnan(waits).all():
        return None
    with drawing((1.4, 1), height=2.9) as figure:
        upper, lower = figure.axes
        epochs = _whole_epochs(run.epochs)
        marker = "o" if len(epochs) == 1 else ""
        upper.plot(epochs, speeds, color=SERIES[3], marker=marker)
        upper.set_ylabel("images / s")
        upper.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        _from_zero(upper)
        lower.plot(epochs, waits, color=SERIES[1], linestyle=_LINESTYLES[1], marker=marker)
        lower.set_ylabel("waiting, %")
        lower.set_ylim(0, max(5.0, 1.15 * float(np.nanmax(waits))))
        _epochs_axis(lower)
        figure.align_ylabels()
        svg = as_svg(figure, "speed")
    says = f"{np.nanmean(speeds):,.0f} images a second; {np.nanmean(waits):.1f} % of it waiting."
    keys = [Key("speed", 4), Key("share of time waiting for data", 2, _DASHES[1])]
    return Picture("Speed", svg, says, keys)


def reliability(found: Calibration) -> Picture:
    """Accuracy by confidence, and how many images are how sure."""
    bins = len(found.images)
    left = np.arange(bins) / bins
    with drawing((2.4, 1), height=3.4) as figure:
        upper, lower = figure.axes
        accuracy, confidence = np.nan_to_num(found.accuracy), np.nan_to_num(found.confidence)
        bar: dict[str, Any] = {"width": 1 / bins * 0.9, "align": "edge", "linewidth": 0}
        common = np.minimum(accuracy, confidence)
        upper.bar(left, common, color=SERIES[0], **bar)
        upper.bar(left, confidence - common, bottom=common, color=SERIES[1], **bar)
        upper.bar(left, accuracy - common, bottom=common, color=SERIES[2], **bar)
        upper.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (3, 2)))
        upper.set_ylabel("accuracy")
        upper.set_ylim(0, 1)
        lower.bar(left, found.images, color=FAINT, alpha=0.7, **bar)
        lower.set_ylabel("images")
        lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        lower.set_xlabel("confidence")
        lower.set_xlim(0, 1)
        figure.align_ylabels()
        svg = as_svg(figure, "reliability")
    keys = [Key("right as often as said", 1), Key("more sure than right", 2)]
    keys.append(Key("more right than sure", 3))
    says = f"Accuracy by confidence; the expected calibration error is {found.error:.3f}."
    return Picture("Reliability", svg, says, keys)


def size_against_f1(
    counts: npt.NDArray[np.int64], f1: Numbers, validated: npt.NDArray[np.int64]
) -> Picture:
    """Each class's F1 by its training images.

    Args:
        counts: shape (classes,): training images.
        f1: shape (classes,).
        validated: shape (classes,): validation images; a class without is not drawn.
    """
    shown = (validated > 0) & (counts > 0)
    with drawing(height=3.0) as figure:
        [axes] = figure.axes
        area = np.clip(10 * np.sqrt(validated[shown]), 12, 160)
        axes.scatter(
            counts[shown],
            f1[shown],
            s=area,
            color=SERIES[0],
            alpha=0.75,
            linewidths=0,
            clip_on=False,
        )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.set_xlabel("training images")
        axes.set_ylabel("F1")
        axes.set_ylim(-0.03, 1.03)
        svg = as_svg(figure, "sizes")
    says = f"F1 of {int(shown.sum())} classes by the number of their training images."
    return Picture("F1 by class size", svg, says)


def folds_curve(runs: Sequence[Run], metric: str) -> Picture | None:
    """One metric of all runs by epoch, and their mean as far as all have gone."""
    lines = [_values(run.epochs, metric) for run in runs]
    lines = [line for line in lines if len(line) and not np.isnan(line).all()]
    if not lines:
        return None
    with drawing() as figure:
        [axes] = figure.axes
        for line in lines:
            axes.plot(np.arange(1, len(line) + 1), line, color=SERIES[0], linewidth=0.8, alpha=0.5)
        common = min(map(len, lines))
        mean = np.mean([line[:common] for line in lines], axis=0)
        marker = "o" if common == 1 else ""
        axes.plot(np.arange(1, common + 1), mean, color=SERIES[0], linewidth=2.2, marker=marker)
        axes.set_ylim(0, 1)
        _epochs_axis(axes)
        svg = as_svg(figure, "folds")
    says = f"{METRICS[metric]} by epoch in {len(lines)} runs; its mean ends at {mean[-1]:.3f}."
    return Picture(f"{METRICS[metric]}, each run and their mean", svg, says)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _values(epochs: Sequence[dict[str, Any]], name: str) -> Numbers:
    return np.array([_number((one.get("val") or {}).get(name)) for one in epochs], np.float64)


def _whole_epochs(epochs: Sequence[dict[str, Any]]) -> Numbers:
    return np.arange(1, len(epochs) + 1, dtype=np.float64)


def _epochs_at(run: Run, steps: Sequence[dict[str, Any]]) -> Numbers:
    """Where in the epochs each step was; a running epoch is as long as the one before."""
    at = np.array([_number(one.get("step")) for one in steps])
    ends = np.array([0.0] + [_number(one.get("step")) for one in run.epochs])
    if len(ends) == 1:
        return at / max(float(at.max()), 1.0)
    ends = np.append(ends, 2 * ends[-1] - ends[-2])
    places: Numbers = np.interp(at, ends, np.arange(len(ends)))
    return places


def _thinned(where: Numbers, values: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Mean place, mean, least and most of neighbours, so that a line has few points."""
    parts = [part for part in np.array_split(np.arange(len(where)), _POINTS) if len(part)]
    return (
        np.array([where[part].mean() for part in parts]),
        np.array([values[part].mean() for part in parts]),
        np.array([values[part].min() for part in parts]),
        np.array([values[part].max() for part in parts]),
    )


def _epochs_axis(axes: Axes) -> None:
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.tick_params(length=2.5, color=LINE)


def _from_zero(axes: Axes) -> None:
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
