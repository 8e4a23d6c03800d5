"""FFCV's pipeline graph, compiled and run for one batch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
from ffcv.pipeline import PipelineSpec
from ffcv.pipeline.graph import Graph

from fastload.engines.ffcv.installed import compiling, exclusively
from fastload.engines.ffcv.reading import PackMemory, PackReader, State

__all__ = ["Stages", "ordered_state"]


class Stages:
    """The code that FFCV makes of pipelines.

    Args:
        reader: fields and metadata.
        specs: a pipeline for each output.
        compiled: whether the operations' code is compiled already.

    Attributes:
        requirements: FFCV's queries for memory, by "operation" or "shared" and node.
    """

    def __init__(
        self, reader: PackReader, specs: Mapping[str, PipelineSpec], *, compiled: bool
    ) -> None:
        fields = {name: place for place, name in enumerate(reader.handlers)}
        self._memory = PackMemory(reader)
        with compiling(enabled=not compiled):
            graph = Graph(
                specs, reader.handlers, fields, reader.metadata, self._memory.compile_reader()
            )
            self.requirements, code = graph.collect_requirements()
            self._stages, self._outputs = graph.codegen_all(code)
        # numba's functions must not be compiled, or read from disk, by two threads at once.
        self._compiled = False

    def run(
        self,
        indices: npt.NDArray[Any],
        metadata: npt.NDArray[Any],
        state: State,
        memory: Mapping[str, Mapping[int, Any]],
    ) -> tuple[Any, ...]:
        """The outputs for some samples, in the order of the pipelines.

        Args:
            indices: rows of the metadata.
            metadata: of the reader's dtype.
            state: the bytes of these samples.
            memory: for each of ``requirements``.
        """
        values: dict[str, Any] = {
            "batch_indices": indices,
            "metadata": metadata,
            "storage_state": state,
            **{f"memory_{node}": room for node, room in memory["operation"].items()},
            **{f"shared_memory_{node}": room for node, room in memory["shared"].items()},
        }
        with nullcontext() if self._compiled else exclusively():
            outputs = self._run(values, state)
            self._compiled = True
        return outputs

    def _run(self, values: dict[str, Any], state: State) -> tuple[Any, ...]:
        with self._memory.schedule_epoch([state]):
            for stage, nodes in self._stages:
                results = stage(**values)
                values |= {
                    f"result_{node}": result for node, result in zip(nodes, results, strict=True)
                }
        return tuple(values[f"result_{node}"] for node in self._outputs)


def ordered_state(
    pointers: npt.NDArray[np.uint64],
    addresses: npt.NDArray[np.uint64],
    lengths: npt.NDArray[Any],
) -> State:
    """A state of records in any order, perhaps with repeats."""
    unique, first = np.unique(pointers, return_index=True)
    return unique, addresses[first], lengths[first].astype(np.uint64)
