"""Rescales weights so that the mean activation of every filter is one (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict
from torch import Tensor
from typing_extensions import override

from stimgen.networks.weights import AnyWeights
from stimgen.networks.weights.base import StateDictSpec, Weights
from stimgen.networks.weights.mean_activations import read_mean_activations, rescale_weights
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.protocol_files import ProtocolFile, Sha256


class NormalisedWeights(Weights):
    """Rescales other weights to a mean activation of one for each filter; `stimgen weights normalize`."""

    # The kinds of weights that `base` may be are not all defined yet.
    model_config = ConfigDict(defer_build=True)

    phrase = "weights rescaled to a mean activation of one"
    papers = ("gatys2015",)

    name: Literal["normalised"] = "normalised"
    base: AnyWeights
    """The weights to rescale."""
    file: ProtocolFile
    """File of the mean activations, relative to the protocol, as `stimgen weights normalize` writes it."""
    sha256: Sha256
    """The file's SHA-256, lower case."""

    @property
    @override
    def trained(self) -> bool:
        return self.base.trained

    @override
    def recipe(self, network: str) -> dict[str, Any]:
        return {"name": self.name, "base": self.base.recipe(network), "means_sha256": self.sha256}

    @override
    def is_available(self, network: str) -> bool:
        return Path(self.file).is_file() and self.base.is_available(network)

    def load_tensors(self, spec: StateDictSpec) -> tuple[dict[str, Tensor], str]:
        """Return the rescaled tensors, and a hash over that of the base and that of the means."""
        tensors, base_sha256 = self.base.load_tensors(spec)
        means = read_mean_activations(Path(self.file), self.sha256)
        means.check_measured_in(spec, self.base.recipe(spec.network))
        return rescale_weights(tensors, spec, means), sha256_bytes((base_sha256 + self.sha256).encode())
