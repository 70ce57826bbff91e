"""Uses any model of the package timm, by its name."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from torch import nn
from typing_extensions import override

from stimgen.networks.graph_network import GraphNetwork
from stimgen.networks.graph_nodes import TracedModel, trace_model
from stimgen.networks.model_skeleton import build_skeleton
from stimgen.networks.normalisation import DEVIATION, MEAN, Colours
from stimgen.reading.model import Text, validation_error


def _check_model(model: str) -> str:
    if find_spec("timm") is None:
        raise validation_error(
            "networks of timm need the package timm, which is not installed",
            hint='install it with `pip install "stimgen[timm]"`',
        )
    import timm

    if not timm.is_model(model):
        known = timm.list_models()
        message = f"timm {timm.__version__} has no model {model!r}"
        raise validation_error(message, given=model, allowed=known)
    return model


class TimmModel(GraphNetwork):
    """Offers every traceable model of timm by its name, such as resnet26d; needs the extra `timm`."""

    phrase = "a network of timm"
    short_form = r"timm:[A-Za-z0-9_.]+"
    short_form_words = "timm:MODEL"

    name: Literal["timm"] = "timm"
    model: Annotated[Text, AfterValidator(_check_model)]
    """Name of the model in timm, such as ``resnet26d``; with a tag, that tag's preprocessing."""

    @property
    @override
    def weights_name(self) -> str:
        return self.title

    @override
    def build_model(self) -> nn.Module:
        import timm

        try:
            # Of transformers whose table of positions fits every size.
            model: nn.Module = timm.create_model(self.model, pretrained=False, dynamic_img_size=True)
        except TypeError:
            model = timm.create_model(self.model, pretrained=False)
        return model

    @override
    def normalisation(self) -> tuple[Colours, Colours]:
        """Return those of timm's configuration of the model."""
        import timm

        config: Any = timm.get_pretrained_cfg(self.model)
        mean, deviation = getattr(config, "mean", None), getattr(config, "std", None)
        return (tuple(mean), tuple(deviation)) if mean and deviation else (MEAN, DEVIATION)

    @override
    def trace(self) -> TracedModel:
        # The package says nothing of the types of what it exports here.
        parts: Any = import_module("timm.layers")
        functions = [function for function in parts.get_notrace_functions() if callable(function)]
        return trace_model(build_skeleton(self.build_model), parts.get_notrace_modules(), functions)
