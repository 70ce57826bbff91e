"""Describes what a protocol will generate, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stimgen.execution.device import find_device
from stimgen.execution.pace import estimate_batch_seconds
from stimgen.execution.slots import MIN_SLOTS, default_batch_size
from stimgen.execution.synthesize import stimulus_item
from stimgen.images.object_mask import ComputedMask
from stimgen.protocol.files import list_skipped
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.overdetermined import count_excess_parameters
from stimgen.protocol.plan import PlannedCondition, PlannedStimulus, ProtocolPlan, make_plan
from stimgen.protocol.schema import OutputSettings
from stimgen.synthesis.methods import SynthesisBatch

# Size of a texture's PNG file relative to its raw 8-bit values; bytes of a line of a trace and of a record.
PNG_COMPRESSION = 0.9
TRACE_LINE, RECORD_BYTES, ARRAY_NUMBER = 70, 6000, 4

# Keys of a source's recipe beside its size and channels.
PRESENTATION_KEYS = ("mask", "background", "before", "canvas", "encoding", "bits")


def describe_plan(
    loaded: LoadedProtocol, root: Path | None = None, probe: str | None = None
) -> dict[str, Any]:
    """Return what `stimgen plan --json` prints; `probe` is a device on which to measure some evaluations.

    Returns
    -------
    dict
        ``conditions`` with layers, parameters, stimuli, terms, settings, evaluations, bytes; ``stimuli`` with
        id, source, condition, seed; totals; ``skipped`` files that are no pictures.

    Raises
    ------
    StimgenError
        As `make_plan`.
    """
    plan = make_plan(loaded, root)
    for source in plan.sources:
        if isinstance(source.spec.mask, ComputedMask):
            source.read_unprocessed()  # which tells whether the mask leaves anything
    conditions = [_describe_condition(condition, plan) for condition in plan.conditions]
    if probe is not None:
        for summary, condition in zip(conditions, plan.conditions, strict=True):
            summary["seconds"] = _estimate_seconds(condition, plan, probe)
    return {
        "protocol": loaded.protocol.name,
        "protocol_sha256": loaded.sha256,
        "sources": [_describe_source(plan, i) for i in range(len(plan.sources))],
        "conditions": conditions,
        "stimuli": [
            {"id": s.id, "source": s.source.id, "condition": s.condition.id, "seed": s.seed}
            for s in plan.stimuli
        ],
        "bytes": sum(summary["bytes"] for summary in conditions),
        "skipped": _list_skipped(loaded),
    }


def _list_skipped(loaded: LoadedProtocol) -> list[str]:
    """Return the files that a pattern matches, but which are no pictures."""
    specs = (*loaded.protocol.sources, *loaded.protocol.references)
    return list(dict.fromkeys(name for spec in specs for name in list_skipped(spec.file, loaded.folder)))


def _describe_source(plan: ProtocolPlan, i: int) -> dict[str, Any]:
    source = plan.sources[i]
    return {
        "id": source.id,
        "file": source.name,
        "sha256": source.sha256,
        "size": [source.shape[1], source.shape[0]],
        "channels": source.shape[2],
        "factors": dict(source.factors),
        **({"read": source.conversions} if source.conversions else {}),
        "presentation": {key: source.recipe[key] for key in PRESENTATION_KEYS if key in source.recipe},
    }


def _describe_condition(condition: PlannedCondition, plan: ProtocolPlan) -> dict[str, Any]:
    stimuli = plan.stimuli_of(condition)
    method = condition.method
    evaluations = [method.count_evaluations(s.source.shape[1], s.source.shape[0]) for s in stimuli]
    return {
        "id": condition.id,
        "layers": list(method.layers),
        "parameters": max(
            method.count_parameters(s.shape[1], s.shape[0], s.shape[2]) for s in condition.sources
        ),
        "excess_parameters": list(excess) if (excess := count_excess_parameters(condition)) else None,
        "stimuli": len(stimuli),
        "evaluations": max(evaluations),
        "bytes": sum(
            _estimate_bytes(stimulus, count, plan.loaded.protocol.output)
            for stimulus, count in zip(stimuli, evaluations, strict=True)
        ),
        "memory": max(method.estimate_memory(s.shape[1], s.shape[0], s.shape[2]) for s in condition.sources),
        "targets": {picture.recipe["sha256"]: picture.id for picture in condition.pictures},
        "schedules": [condition.schedule(shape) for shape in _find_shapes(condition)],
        "gpu_slots": [default_batch_size("cuda", shape) for shape in _find_shapes(condition)],
        **condition.recipe,
    }


def _find_shapes(condition: PlannedCondition) -> Iterable[tuple[int, int, int]]:
    """Return one shape for every size that sources have."""
    return {source.shape[:2]: source.shape for source in condition.sources}.values()


def _estimate_bytes(stimulus: PlannedStimulus, evaluations: int, output: OutputSettings) -> int:
    height, width, channels = stimulus.source.shape
    numbers = height * width * channels
    kept = ARRAY_NUMBER * numbers if output.array else 0
    if output.snapshots:
        scales = stimulus.condition.method.schedule(width, height)
        # The first and last evaluations of a scale are always among its snapshots.
        counts = [min(count, 2 + count // output.snapshots) for _, _, count in scales]
        taken = sum(n * w * h for n, (w, h, _) in zip(counts, scales, strict=True))
        kept += round(PNG_COMPRESSION * channels * taken)
    in_file = PNG_COMPRESSION * numbers * stimulus.source.bits / 8
    return round(in_file) + kept + TRACE_LINE * evaluations + RECORD_BYTES


def _estimate_seconds(condition: PlannedCondition, plan: ProtocolPlan, device_name: str) -> float:
    """Return the seconds that a condition's stimuli will take, from some evaluations at every scale."""
    device = find_device(device_name)
    stimuli = plan.stimuli_of(condition)
    groups = {stimulus.source.shape: stimulus for stimulus in stimuli}
    seconds = 0.0
    for shape, example in groups.items():
        count = sum(stimulus.source.shape == shape for stimulus in stimuli)
        most = default_batch_size(device.type, shape)
        size = min(count, most)
        item = stimulus_item(example, example.source.pixels())
        pictures = {picture.id: picture.pixels() for picture in condition.pictures}
        slots = max(MIN_SLOTS, size) if device.type == "cpu" else most
        batch = SynthesisBatch([item] * size, slots, pictures)
        seconds += estimate_batch_seconds(condition.method, batch, device) * math.ceil(count / size)
    return seconds
