"""The processes of one training: which of them this is, and what they tell one another.

``torchrun`` starts them and says so by environment variables. What is exchanged here are small
tensors in main memory, by gloo, so that no GPU has to wait for it; gradients are DDP's business.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import distributed, nn

from train_ref.errors import TrainError

__all__ = [
    "Place",
    "agreed_text",
    "any_rank",
    "device_of",
    "first_before_others",
    "gather_rows",
    "gather_states",
    "is_first",
    "joined",
    "ranks",
    "share_buffers",
]


@dataclass(frozen=True)
class Place:
    """This process among those of one training.

    Attributes:
        device: where it computes.
        rank: its number.
        ranks: how many there are.
    """

    device: torch.device
    rank: int = 0
    ranks: int = 1


def device_of(wanted: str) -> torch.device:
    """Return the device of a setting.

    Args:
        wanted: cpu, cuda, cuda:1 or auto, which takes a GPU where there is one.

    Raises:
        TrainError: it is none, or there is no such GPU.

    Example:
        >>> device_of("cpu")
        device(type='cpu')
    """
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise TrainError(f"--device is {wanted!r}; it is cpu, cuda, cuda:NUMBER or auto.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise TrainError(
            f"--device is {wanted}, but torch finds {torch.cuda.device_count() or 'no'} GPU"
            f"{'s' if torch.cuda.device_count() > 1 else ''} here. Take --device cpu, or a torch "
            "that was built for the machine's GPU and driver."
        )
    return device


@contextlib.contextmanager
def joined(wanted: str) -> Iterator[Place]:
    """Join the processes that torchrun has started; alone, there is nothing to join.

    Args:
        wanted: the setting `device`; cuda is the GPU of this process's number on its machine.

    Raises:
        TrainError: there is no such device.
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    count = int(os.environ.get("WORLD_SIZE", "1"))
    device = device_of(wanted)
    if device.type == "cuda":
        if str(device) == "cuda":
            device = device_of(f"cuda:{local}")
        torch.cuda.set_device(device)
    if count == 1:
        yield Place(device)
        return
    if device.type == "cuda":
        distributed.init_process_group("cpu:gloo,cuda:nccl", device_id=device)
    else:
        distributed.init_process_group("gloo")
    try:
        yield Place(device, distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()


def ranks() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if _joined() else 1


def is_first() -> bool:
    """Return whether this is the process that writes files and talks to the user."""
    return not _joined() or distributed.get_rank() == 0


def _joined() -> bool:
    return distributed.is_available() and distributed.is_initialized()


@contextlib.contextmanager
def first_before_others() -> Iterator[None]:
    """Let the first process do what is within, then all others, which find it done."""
    first = is_first()
    if not first:
        distributed.barrier()
    yield
    if first and _joined():
        distributed.barrier()


def gather_rows(rows: torch.Tensor) -> torch.Tensor:
    """Put the shares of all processes together again, in the order of the data.

    Process r of W has rows r, r + W, r + 2 W and so on, so that some have one row less.

    Args:
        rows: shape (n, ...), in main memory; the same behind the first axis on all that have rows.

    Returns:
        Shape (sum of n, ...), on all of them.
    """
    if ranks() == 1:
        return rows
    counts = torch.stack(_exchanged(torch.tensor([len(rows)])))[:, 0]
    shape = _shape_of_rows(rows)
    padded = rows.new_zeros((int(counts.max()), *shape))
    padded[: len(rows)] = rows.reshape(len(rows), *shape)
    whole = torch.stack(_exchanged(padded), dim=1).flatten(0, 1)
    return whole[: int(counts.sum())]


def _shape_of_rows(rows: torch.Tensor) -> torch.Size:
    """The shape of one row: that of the first process, which has one if any has."""
    shape = torch.tensor(rows.shape[1:], dtype=torch.int64)
    distributed.broadcast(shape, 0)
    return torch.Size(shape.tolist())


def gather_states(state: torch.Tensor) -> list[torch.Tensor]:
    """Return the tensors of all processes, by rank; they are of one shape."""
    return _exchanged(state) if ranks() > 1 else [state]


def _exchanged(tensor: torch.Tensor) -> list[torch.Tensor]:
    parts = [torch.empty_like(tensor) for _ in range(ranks())]
    distributed.all_gather(parts, tensor.contiguous())
    return parts


def any_rank(flag: bool) -> bool:
    """Return whether any of the processes says yes; all of them have to ask."""
    if ranks() == 1:
        return flag
    said = torch.tensor([int(flag)])
    distributed.all_reduce(said, distributed.ReduceOp.MAX)
    return bool(said.item())


def mean_over_ranks(values: torch.Tensor) -> torch.Tensor:
    """Return the mean of the processes' tensors; all of them have to ask."""
    if ranks() == 1:
        return values
    total = values.to("cpu", copy=True)
    distributed.all_reduce(total)
    return total / ranks()


def agreed_text(text: str) -> str:
    """Return the first process's text, on all of them."""
    if ranks() == 1:
        return text
    written = torch.tensor(list(text.encode()), dtype=torch.uint8)
    length = torch.tensor([len(written)])
    distributed.broadcast(length, 0)
    if not is_first():
        written = torch.zeros(int(length), dtype=torch.uint8)
    distributed.broadcast(written, 0)
    return bytes(written.tolist()).decode()


def share_buffers(model: nn.Module) -> None:
    """Give all processes the first one's buffers: statistics of BatchNorm are each one's own."""
    if ranks() == 1:
        return
    for buffer in model.buffers():
        held = buffer.detach().cpu()
        distributed.broadcast(held, 0)
        buffer.copy_(held)
