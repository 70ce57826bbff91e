"""Reads the user's own weights from a file with a known hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from torch import Tensor
from typing_extensions import override

from stimgen.networks.weights.base import StateDictSpec, Weights, read_weights
from stimgen.reading.protocol_files import ProtocolFile, Sha256


class FileWeights(Weights):
    """Reads a safetensors file, or a PyTorch state dict of tensors, in torchvision's layout."""

    phrase = "weights from a file"

    have_head = True

    name: Literal["file"] = "file"
    file: ProtocolFile
    """Path, relative to the protocol."""
    sha256: Sha256
    """The file's SHA-256, lower case."""

    @property
    def trained(self) -> bool:
        """Return true: weights from a file are assumed to be trained."""
        return True

    def recipe(self, network: str) -> dict[str, Any]:
        """Return the hash: the same numbers in another place are the same weights."""
        return {"name": self.name, "network": network, "sha256": self.sha256}

    @override
    def is_available(self, network: str) -> bool:
        return Path(self.file).is_file()

    @override
    def load_tensors(self, spec: StateDictSpec) -> tuple[dict[str, Tensor], str]:
        return read_weights(Path(self.file), self.sha256, spec)
