"""The loop: steps, epochs, what is kept of them, and going on after a stop.

All that decides a step is a function of the settings and of what :meth:`Training.state` holds, so
that a run which was killed ends in the very figures of one which was not (on the CPU to the bit).
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from train_ref.batches import Batches
from train_ref.checkpoint import Loaded, load_state, model_state, save_state
from train_ref.distributed import (
    Place,
    gather_states,
    is_first,
    mean_over_ranks,
    ranks,
    share_buffers,
)
from train_ref.ema import Ema
from train_ref.errors import TrainError
from train_ref.evaluation import Answers
from train_ref.events import Events
from train_ref.losses import Loss
from train_ref.metrics import Scores, score
from train_ref.optimizer import make_optimizer
from train_ref.precision import Precision
from train_ref.progress import Bar, bar, say
from train_ref.run_folder import MetricLog, RunFolder, written_whole
from train_ref.schedule import Schedule
from train_ref.stopping import Stop

__all__ = ["Standing", "Training"]

# Reading a loss waits for the GPU and for the other processes: they do not wait at every step.
_STEPS_UNREAD = 10
# Images of the first batch that are kept to be looked at.
_SEEN = 64


@dataclass
class Standing:
    """Where a run stands.

    Attributes:
        epoch: the running one, or the next.
        step: steps made.
        best: the best epoch's metric; None before there is one.
        waiting: epochs since then.
        loss: sum of the epoch's losses so far.
        images: of the epoch so far, of all processes.
        seconds: that they took.
        waited: seconds of these in which there was no batch.
    """

    epoch: int = 0
    step: int = 0
    best: float | None = None
    waiting: int = 0
    loss: float = 0.0
    images: int = 0
    seconds: float = 0.0
    waited: float = 0.0

    def next_epoch(self) -> None:
        """The epoch is over."""
        self.epoch += 1
        self.loss, self.images, self.seconds, self.waited = 0.0, 0, 0.0, 0.0


@dataclass(frozen=True)
class _Step:
    """What is told of a step, its numbers still where they were computed."""

    number: int
    loss: torch.Tensor
    norm: torch.Tensor
    lr: float


class Training:
    """A model that learns.

    Args:
        whole: the model, on the device, and what is said of it in checkpoints.
        model: what is trained: the model, or its head alone on features.
        batches: what it learns from.
        loss: what is minimised.
        precision: of forward passes.
        validation: asks the model about the validation images; None where there are none.
        place: this process.
        folder: where figures and checkpoints go.
        stop: says when to stop.
    """

    def __init__(
        self,
        whole: Loaded,
        model: nn.Module,
        batches: Batches,
        loss: Loss,
        precision: Precision,
        validation: Answers | None,
        place: Place,
        folder: RunFolder,
        stop: Stop,
    ) -> None:
        config = whole.config
        self.config = config
        self.standing = Standing()
        self._whole = whole
        self._model = model
        self._batches = batches
        self._loss = loss.to(place.device)
        self._precision = precision
        self._validation = validation
        self._place = place
        self._folder = folder
        self._stop = stop
        self._optimizer = make_optimizer(model, config)
        self._schedule = Schedule(config, batches.steps)
        self._ema = Ema(model, config.ema) if config.ema else None
        self._parallel = _parallel(model, place)
        self._forward = torch.compile(self._parallel) if config.compile else self._parallel
        self._log = MetricLog(folder.metrics)
        self._unread: list[_Step] = []
        alone = place.ranks == 1 and place.device.type == "cpu"
        self._read_every = 1 if alone else _STEPS_UNREAD
        self._events: Events | None = None

    def run(self) -> None:
        """Train until the last epoch, or until no epoch gets better.

        Raises:
            StoppedError: a signal has come; all is saved.
            TrainError: the loss is no number any more, or a checkpoint cannot be written.
        """
        self._events = Events(self._folder.path, self.standing.step) if is_first() else None
        try:
            while self.standing.epoch < self.config.epochs and not self._is_enough():
                self._train_epoch()
                scores = self._validate()
                self._end_epoch(scores)
                if self._stop.asked():
                    raise self._stop.error(self._folder.path)
        finally:
            if self._events is not None:
                self._events.close()

    def _is_enough(self) -> bool:
        return 0 < self.config.early_stop <= self.standing.waiting

    def _train_epoch(self) -> None:
        standing, steps = self.standing, self._batches.steps
        self._model.train()
        self._loss.set_epoch(standing.epoch, self.config.epochs)
        doing = f"epoch {standing.epoch + 1}/{self.config.epochs}"
        began = time.monotonic() - standing.seconds
        with bar(doing, steps) as shown:
            for inputs, targets in self._waited_for(self._batches.begin(standing.epoch)):
                if standing.step == 0:
                    self._keep_seen(inputs, targets)
                self._unread.append(self._step(inputs, targets))
                standing.images += len(inputs) * self._place.ranks
                standing.seconds = time.monotonic() - began
                done = standing.step - standing.epoch * steps
                if done < steps:
                    self._between_steps(shown, done)
        self._read_steps()

    def _waited_for(
        self, batches: Iterator[tuple[torch.Tensor, torch.Tensor]]
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The batches, with the time counted in which there was none."""
        while True:
            before = time.monotonic()
            batch = next(batches, None)
            self.standing.waited += time.monotonic() - before
            if batch is None:
                return
            yield batch

    def _step(self, inputs: torch.Tensor, targets: torch.Tensor) -> _Step:
        """Make one step; its loss is the mean over all its images, however many parts they are."""
        lr = self._schedule.apply(self._optimizer, self.standing.step)
        parts = min(self.config.accumulate, len(inputs))
        cut = zip(inputs.tensor_split(parts), targets.tensor_split(parts), strict=True)
        losses = []
        for number, (some, wanted) in enumerate(cut, 1):
            with self._gradients_exchanged(number == parts):
                with self._precision.autocast():
                    logits = self._forward(self._batches.model_input(some))
                    loss = self._loss(logits, wanted) * (len(some) / len(inputs))
                self._precision.backward(loss)
            losses.append(loss.detach())
        parameters = self._model.parameters()
        norm = self._precision.step(self._optimizer, parameters, self.config.clip_norm)
        self.standing.step += 1
        if self._ema is not None:
            self._ema.update(self.standing.step)
        return _Step(self.standing.step, torch.stack(losses).sum(), norm, lr)

    def _gradients_exchanged(self, now: bool) -> contextlib.AbstractContextManager[Any]:
        """Processes exchange gradients once a step, with its last part."""
        if now or not isinstance(self._parallel, DistributedDataParallel):
            return contextlib.nullcontext()
        return self._parallel.no_sync()

    def _between_steps(self, shown: Bar, done: int) -> None:
        step, every = self.standing.step, self.config.save_every
        reads = step % self._read_every == 0
        if reads:
            self._read_steps()
            shown.update(done, self._words())
        if every and step % every == 0:
            self._save()
        if reads and self._stop.asked():
            self._save()
            raise self._stop.error(self._folder.path)

    def _read_steps(self) -> None:
        """Log the steps that were made since this was last called."""
        if not self._unread:
            return
        losses = mean_over_ranks(torch.stack([step.loss for step in self._unread]).cpu())
        norms = torch.stack([step.norm for step in self._unread]).cpu()
        for step, loss, norm in zip(self._unread, losses.tolist(), norms.tolist(), strict=True):
            if not math.isfinite(loss):
                raise TrainError(
                    f"The loss of step {step.number} is {loss}: training has diverged. Lower --lr, "
                    "or set --clip-norm 1."
                )
            self.standing.loss += loss
            self._figures(
                "step",
                step=step.number,
                epoch=self.standing.epoch,
                loss=loss,
                lr=step.lr,
                # With fp16 a step whose gradients are not finite is left out.
                grad_norm=norm if math.isfinite(norm) else None,
            )
        self._unread.clear()

    def _figures(self, kind: str, **figures: Any) -> None:
        if not is_first():
            return
        self._log.append(kind=kind, **figures)
        if self._events is not None:
            self._events.add(figures["step"], figures, kind)

    def _words(self) -> str:
        standing = self.standing
        seconds = max(standing.seconds, 1e-9)
        steps = standing.step - standing.epoch * self._batches.steps
        best = "" if standing.best is None else f", best {self.config.metric} {standing.best:.4f}"
        return (
            f"{standing.images / seconds:,.0f} images/s, waiting {standing.waited / seconds:.1%}, "
            f"loss {standing.loss / max(steps, 1):.4f}{best}"
        )

    def _keep_seen(self, images: torch.Tensor, targets: torch.Tensor) -> None:
        if images.dtype != torch.uint8 or not is_first():
            return
        labels = targets.argmax(dim=1) if targets.is_floating_point() else targets
        pixels = images[:_SEEN].permute(0, 2, 3, 1).contiguous().cpu().numpy()
        with written_whole(self._folder.seen) as file:
            np.savez(file, images=pixels, labels=labels[:_SEEN].cpu().numpy())

    def _validate(self) -> Scores | None:
        """Score the model, or its moving average; keep it where it is the best so far."""
        swapped = contextlib.nullcontext() if self._ema is None else self._ema.swapped()
        with swapped:
            # Each process has statistics of its own for BatchNorm.
            share_buffers(self._model)
            scores = None
            if self._validation is not None:
                scores = score(*self._validation.logits(), self._whole.counts)
            value = None if scores is None else scores.value(self.config.metric)
            best = self.standing.best
            self.standing.waiting += 1
            if value is None or best is None or value > best:
                self.standing.best = value
                self.standing.waiting = 0
                if is_first():
                    save_state(self._folder.best, model_state(self._whole))
        return scores

    def _end_epoch(self, scores: Scores | None) -> None:
        standing = self.standing
        seconds = max(standing.seconds, 1e-9)
        self._figures(
            "epoch",
            epoch=standing.epoch,
            step=standing.step,
            train_loss=standing.loss / self._batches.steps,
            seconds=standing.seconds,
            images_per_second=standing.images / seconds,
            data_wait=standing.waited / seconds,
            resolution=self._batches.resolution,
            val=None if scores is None else scores.headline(),
        )
        metric = self.config.metric
        found = "" if scores is None else f"{metric} {scores.value(metric):.4f}, "
        say(f"epoch {standing.epoch + 1}/{self.config.epochs}: {found}{self._words()}")
        standing.next_epoch()
        self._save()

    def _save(self) -> None:
        """Write last.pt; all processes have to ask."""
        self._read_steps()
        state = self.state()
        if is_first():
            save_state(self._folder.last, state)

    def state(self) -> dict[str, Any]:
        """Return what training goes on from; the schedule is a function of the step alone."""
        return {
            **model_state(self._whole),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._precision.state_dict(),
            "ema": None if self._ema is None else self._ema.state_dict(),
            "loader": self._batches.state_dict(),
            "rng": _generator_states(self._place.device),
            "threads": torch.get_num_threads(),
            "epoch": self.standing.epoch,
            "step": self.standing.step,
            "standing": asdict(self.standing),
        }

    def go_on(self) -> None:
        """Take up training where it was last saved, and forget figures of later steps.

        Without a checkpoint, which a run has that was killed early, it begins anew.

        Raises:
            TrainError: the checkpoint cannot be read, or is of other data or another model.
        """
        if self._folder.last.exists():
            self._load(load_state(self._folder.last))
        if is_first():
            self._log.cut(self.standing.step)

    def _load(self, state: dict[str, Any]) -> None:
        path = self._folder.last
        if "standing" not in state:
            raise TrainError(f"{path} is a model alone, nothing that training goes on from.")
        try:
            self._whole.model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise TrainError(f"{path} does not fit the model: {error}") from error
        self._precision.load_state_dict(state["scaler"])
        if self._ema is not None and state["ema"] is not None:
            self._ema.load_state_dict(state["ema"])
        self._batches.load_state_dict(state["loader"])
        _restore_generators(state["rng"], self._place)
        threads, before = torch.get_num_threads(), state["threads"]
        if threads != before and self._place.device.type == "cpu":
            # Sums of shares that threads have made depend on how many these are.
            say(
                f"The run goes on with {threads} of torch's threads instead of {before} "
                "(OMP_NUM_THREADS sets them): as good, but not to the bit what it would have been."
            )
        known = {one.name for one in fields(Standing)}
        self.standing = Standing(**{k: v for k, v in state["standing"].items() if k in known})


def _parallel(model: nn.Module, place: Place) -> nn.Module:
    if place.ranks == 1:
        return model
    on_gpu = place.device.type == "cuda"
    return DistributedDataParallel(model, device_ids=[place.device] if on_gpu else None)


def _generator_states(device: torch.device) -> list[dict[str, torch.Tensor]]:
    """What dropout draws from, of each process."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    gathered = {name: gather_states(state) for name, state in states.items()}
    return [{name: gathered[name][rank] for name in gathered} for rank in range(ranks())]


def _restore_generators(states: list[dict[str, torch.Tensor]], place: Place) -> None:
    if len(states) != place.ranks:
        say(
            f"The run goes on with {place.ranks} processes instead of {len(states)}: as good, but "
            "not to the bit what it would have been."
        )
        return
    mine = states[place.rank]
    torch.set_rng_state(mine["cpu"])
    if "cuda" in mine and place.device.type == "cuda":
        torch.cuda.set_rng_state(mine["cuda"], place.device)
