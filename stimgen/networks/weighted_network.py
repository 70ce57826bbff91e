"""Defines what networks with weights of a known kind have in common."""

from __future__ import annotations

from abc import ABC
from typing import Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.networks.base import Network, Validation
from stimgen.networks.weights import AnyWeights, RandomWeights


class WeightedNetwork(Network, ABC):
    """Describes a network with trained or random weights, which pools by averages or by maxima."""

    weights: AnyWeights = Field(default_factory=RandomWeights)
    """Where the weights come from."""
    pooling: Literal["average", "maximum"] = "average"
    """Average pooling (Gatys, Ecker & Bethge 2015), or maximum pooling, as the network was trained with.
    Networks without maximum pooling are the same with both."""

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        self.weights.check_network(self.weights_name)
        return self

    @property
    def weights_name(self) -> str:
        """Return the name under which kinds of weights know the network."""
        return self.name

    @override
    def is_available(self) -> bool:
        return self.weights.is_available(self.weights_name)

    @override
    def validation(self) -> Validation:
        if self.weights.trained:
            return Validation(False, "no published comparison with human observers used this network")
        return super().validation()
