"""Promises that only a GPU can test."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stimgen.protocol.load import load_protocol
from stimgen.stimulus_set import StimulusSet
from stimgen.workflow.generate import GenerateOptions, generate_set

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def make(folder: Path, options: GenerateOptions) -> StimulusSet:
    generate_set(load_protocol("smoke"), folder, options)
    return StimulusSet(folder)


def contents(stimuli: StimulusSet) -> dict:
    return {stimulus: record.content for stimulus, record in stimuli.records.items()}


def test_the_same_slots_give_the_same_bits(tmp_path: Path) -> None:
    first = make(tmp_path / "first", GenerateOptions("cuda"))
    again = make(tmp_path / "again", GenerateOptions("cuda"))
    assert contents(first) == contents(again)
    assert {record.made.slots for record in first.records.values()} == {64}


def test_the_gpu_reaches_the_losses_of_the_processor(tmp_path: Path) -> None:
    gpu = make(tmp_path / "gpu", GenerateOptions("cuda")).table
    cpu = make(tmp_path / "cpu", GenerateOptions("cpu")).table
    assert list(gpu.index) == list(cpu.index)
    ratio = (gpu.loss_end / cpu.loss_end).groupby(gpu.condition).mean()
    assert ratio.between(0.5, 2.0).all(), ratio
