"""Uses any classification model of the installed torchvision, by its name."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from torch import nn
from typing_extensions import override

from stimgen.networks.base import DeviceSpec
from stimgen.networks.graph_network import GraphClassifier, GraphNetwork
from stimgen.networks.graph_nodes import TracedModel
from stimgen.networks.normalisation import DEVIATION, MEAN, Colours
from stimgen.networks.position_embeddings import resize_positions
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Text, validation_error

# Models that a training needs a second output of, and that see values normalised in their own way.
WITH_AUXILIARY_OUTPUT = ("googlenet", "inception_v3")
# Where torchvision's vision transformers keep their positions, and what cuts a picture into tokens.
POSITIONS, PATCHES = "encoder.pos_embedding", "conv_proj"


@lru_cache(maxsize=1)
def list_models() -> tuple[str, ...]:
    """Return the names of all classification models of the installed torchvision."""
    import torchvision

    return tuple(torchvision.models.list_models(module=torchvision.models))


def _check_model(model: str) -> str:
    if model not in list_models():
        import torchvision

        raise validation_error(
            f"torchvision {torchvision.__version__} has no classification model {model!r}",
            given=model,
            allowed=list(list_models()),
        )
    return model


class TorchvisionModel(GraphNetwork):
    """Offers every classification model of torchvision by its name, such as convnext_tiny or vit_b_16."""

    phrase = "a classification network of torchvision"
    short_form = r"torchvision:[A-Za-z0-9_]+"
    short_form_words = "torchvision:MODEL"

    name: Literal["torchvision"] = "torchvision"
    model: Annotated[Text, AfterValidator(_check_model)]
    """Name of the model in torchvision, such as ``convnext_tiny``."""

    @property
    @override
    def weights_name(self) -> str:
        return self.model

    @override
    def build_model(self) -> nn.Module:
        import torchvision

        options: dict[str, Any] = {}
        if self.model in WITH_AUXILIARY_OUTPUT:
            options = {"aux_logits": False, "init_weights": False, "transform_input": True}
        model: nn.Module = torchvision.models.get_model(self.model, weights=None, **options)
        return model

    @override
    def normalisation(self) -> tuple[Colours, Colours]:
        """Return those of the model's own weights, and ImageNet's for random weights."""
        import torchvision

        if not self.weights.trained:
            return MEAN, DEVIATION
        version = getattr(self.weights, "version", None)
        published = torchvision.models.get_model_weights(self.model)
        transforms = (published[version] if version else next(iter(published))).transforms()
        return tuple(transforms.mean), tuple(transforms.std)

    @override
    def load_classifier(self, spec: DeviceSpec) -> GraphClassifier | None:
        """Return the whole model, pooling as it does for features; None if its weights have no head."""
        if not self.weights.have_head:
            return None
        last = list(self.layers())[-1]
        with suppress(StimgenError):  # the weights of the features alone
            return GraphClassifier(self.load((last,), spec), last, self._find_classes())
        return None

    def _find_classes(self) -> tuple[str, ...]:
        import torchvision

        return tuple(next(iter(torchvision.models.get_model_weights(self.model))).meta["categories"])

    @override
    def trace(self) -> TracedModel:
        traced = super().trace()
        if any(node.target == POSITIONS for node in traced.module.graph.nodes):
            resize_positions(traced.module, POSITIONS, PATCHES)
        return traced
