"""Defines what every kind of weights offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file
from stimgen.reading.registry import FamilyMember


@dataclass(frozen=True)
class StateDictSpec:
    """Says which tensors of a published state dict a network needs, as key to shape.

    If the network is a chain of convolutions, rectifications and poolings, `chain` holds its convolutions,
    shallow to deep, with their keys without ``.weight`` and ``.bias``; otherwise it is empty. `groups` are
    the filters whose groups see different inputs, with the number of groups. `constants` are what random
    weights use for parameters that are neither filters nor biases nor normalisations.
    """

    network: str
    shapes: dict[str, tuple[int, ...]]
    chain: dict[str, str] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


class Weights(FamilyMember, ABC):
    """Describes where a network's weights come from, as protocols name it."""

    name: str
    have_head: ClassVar[bool] = False
    """Whether a file of these weights may contain the layers that tell classes apart, unchanged."""

    @property
    @abstractmethod
    def trained(self) -> bool:
        """Return whether the numbers were learnt from pictures."""

    @abstractmethod
    def recipe(self, network: str) -> dict[str, Any]:
        """Return what determines the numbers, without paths: a recipe or a hash."""

    def check_network(self, network: str) -> None:
        """Refuse, by an error of validation, a network that has no such weights."""

    def is_available(self, network: str) -> bool:
        """Return whether `load_tensors` needs no download and finds all files."""
        del network
        return True

    @abstractmethod
    def load_tensors(self, spec: StateDictSpec) -> tuple[dict[str, Tensor], str]:
        """Return the tensors and the SHA-256 that identifies them.

        It raises `StimgenError` if the weights are missing, or are not the expected ones.
        """

    def provide_tensors(self, spec: StateDictSpec, device: torch.device) -> tuple[dict[str, Tensor], str]:
        """Return what `load_tensors` does; for the device ``meta``, tensors without numbers and no hash."""
        if device.type != "meta":
            return self.load_tensors(spec)
        return {key: torch.empty(shape, device=device) for key, shape in spec.shapes.items()}, ""


def read_weights(file: Path, sha256: str, spec: StateDictSpec) -> tuple[dict[str, Tensor], str]:
    """Return the tensors that `spec` needs from a safetensors file or a state dict, and the file's hash.

    `sha256` is the file's expected hash, or the first digits of it.

    It raises `StimgenError` for a missing or unreadable file, a wrong hash, pickled code, a missing tensor,
    or a wrong shape.
    """
    try:
        found = sha256_file(file)
    except OSError as error:
        raise StimgenError(f"the weights cannot be read: {error.strerror}", where=file) from None
    if not found.startswith(sha256):
        raise StimgenError(f"the weights have the SHA-256 {found}, not {sha256} as expected", where=file)
    state = _load_state(file)
    missing = [key for key in spec.shapes if key not in state]
    if missing:
        raise StimgenError(
            f"the weights have no tensor {missing[0]!r} ({len(missing)} of {len(spec.shapes)} missing), "
            f"so they are not those of {spec.network}",
            where=file,
        )
    for key, shape in spec.shapes.items():
        if tuple(state[key].shape) != shape:
            message = f"the tensor {key!r} has shape {tuple(state[key].shape)}; {spec.network} needs {shape}"
            raise StimgenError(message, where=file)
        if not state[key].isfinite().all():
            message = (
                f"the tensor {key!r} has numbers that are not finite: the training diverged, or the file"
            )
            raise StimgenError(f"{message} is damaged", where=file)
    return {key: state[key].float() for key in spec.shapes}, found


def _load_state(file: Path) -> dict[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        # Never without weights_only: a pickle can run any code.
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # the readers raise half a dozen kinds for damaged files
        message = f"the weights cannot be read: {error}".split("\n", 1)[0]
        hint = "accepted: a .safetensors file, or a PyTorch state dict that holds tensors only"
        raise StimgenError(message, where=file, hint=hint) from None
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise StimgenError("the weights are not a state dict of tensors", where=file)
    return state
