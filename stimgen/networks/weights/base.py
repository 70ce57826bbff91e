"""What every kind of weights offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field, ValidationInfo
from torch import Tensor

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file
from stimgen.reading.model import Text
from stimgen.reading.registry import FamilyMember


@dataclass(frozen=True)
class StateDictSpec:
    """Which tensors a network needs.

    Attributes
    ----------
    network : str
        Name of the network.
    prefix : str
        What the caller does not want before the keys, where it uses one part of a published state dict.
    shapes : dict
        Key in the published state dict to shape.
    chain : dict
        Where the network is a chain of convolutions, rectifications and poolings: its convolutions, shallow
        to deep, with what stands before ``.weight`` and ``.bias`` in their keys. Otherwise nothing.
    """

    network: str
    prefix: str
    shapes: dict[str, tuple[int, ...]]
    chain: dict[str, str] = field(default_factory=dict)


class Weights(FamilyMember, ABC):
    """The origin of a network's weights as a protocol names it."""

    name: str

    @property
    @abstractmethod
    def trained(self) -> bool:
        """Whether the numbers were learnt from pictures."""

    @abstractmethod
    def recipe(self, network: str) -> dict[str, Any]:
        """Return what determines the numbers, without paths: a recipe or a hash."""

    def is_available(self, network: str) -> bool:
        """Return whether `load_tensors` has nothing to fetch, and no file to miss."""
        del network
        return True

    @abstractmethod
    def load_tensors(self, blueprint: StateDictSpec) -> tuple[dict[str, Tensor], str]:
        """Return the tensors, keys without the blueprint's prefix, and the SHA-256 that stands for them.

        Raises
        ------
        StimgenError
            The weights are missing, or not what they should be.
        """


def _resolve_from_protocol(file: str, info: ValidationInfo) -> str:
    folder = (info.context or {}).get("folder")
    return str(Path(folder) / file) if folder is not None else file


ProtocolFile = Annotated[Text, Field(min_length=1), AfterValidator(_resolve_from_protocol)]
"""A file that a protocol names, relative to the protocol's folder."""
Sha256 = Annotated[Text, Field(pattern=r"^[0-9a-f]{64}$")]


def read_weights(file: Path, sha256: str, blueprint: StateDictSpec) -> tuple[dict[str, Tensor], str]:
    """Read a safetensors file or a state dict, check its hash, and pick what the blueprint needs.

    Parameters
    ----------
    file : Path
        Where it lies.
    sha256 : str
        Its hash, or the first digits of it.
    blueprint : StateDictSpec
        Which tensors are needed.

    Returns
    -------
    tuple
        The tensors, and the whole hash.

    Raises
    ------
    StimgenError
        Missing or unreadable file, wrong hash, pickled code, missing tensor, wrong shape.
    """
    try:
        found = sha256_file(file)
    except OSError as error:
        raise StimgenError(f"the weights cannot be read: {error.strerror}", where=file) from None
    if not found.startswith(sha256):
        raise StimgenError(
            f"the weights' SHA-256 is {found}, not the {sha256} that was asked for", where=file
        )
    state = _load_state(file)
    missing = [key for key in blueprint.shapes if key not in state]
    if missing:
        raise StimgenError(
            f"the weights hold no tensor {missing[0]!r} ({len(missing)} of {len(blueprint.shapes)} missing), "
            f"so they are not those of {blueprint.network}",
            where=file,
        )
    for key, shape in blueprint.shapes.items():
        if tuple(state[key].shape) != shape:
            raise StimgenError(
                f"the tensor {key!r} has shape {tuple(state[key].shape)}; {blueprint.network} needs {shape}",
                where=file,
            )
    return {key.removeprefix(blueprint.prefix): state[key].float() for key in blueprint.shapes}, found


def _load_state(file: Path) -> dict[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        # Never without weights_only: a pickle can run any code.
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # the readers raise half a dozen kinds for damaged files
        reason = str(error).split("\n", 1)[0]
        raise StimgenError(
            f"the weights cannot be read: {reason}",
            where=file,
            hint="accepted: a .safetensors file, or a PyTorch state dict that holds tensors only",
        ) from None
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise StimgenError("the weights are not a state dict of tensors", where=file)
    return state
