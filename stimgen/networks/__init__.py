"""Offers the networks that turn images into named feature maps, one file each."""

from __future__ import annotations

from typing import Annotated

from stimgen.networks.base import Classifier, DeviceSpec, FeatureExtractor, Network, Validation
from stimgen.networks.python import register_network
from stimgen.reading.registry import Family

NETWORKS = Family("network", Network, default="embedded", fallback="vgg19")
AnyNetwork = Annotated[Network, NETWORKS]

__all__ = [
    "NETWORKS",
    "AnyNetwork",
    "Classifier",
    "DeviceSpec",
    "FeatureExtractor",
    "Network",
    "Validation",
    "register_network",
]
