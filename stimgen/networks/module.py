"""Uses a class of the user's own Python file as a network, with the nodes of its graph as layers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, ValidationInfo, model_validator
from pydantic_core import CoreSchema
from torch import fx
from typing_extensions import override

from stimgen.networks.base import DeviceSpec, Validation
from stimgen.networks.callable_check import check_callable
from stimgen.networks.graph_network import GraphFeatures, TracedNetwork
from stimgen.networks.graph_nodes import COLOURS, PROBES, NodeGraph, trace_model
from stimgen.networks.model_skeleton import list_tensors
from stimgen.networks.normalisation import Colours
from stimgen.networks.trusted_code import CodeFile, read_code
from stimgen.networks.weights import AnyWeights
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number, Text, validation_error
from stimgen.reading.protocol_files import Sha256

Deviation = Annotated[Number, Field(gt=0.0)]


def _read_none(value: Any) -> Any:
    return None if value == "none" else value


class ModuleNetwork(TracedNetwork):
    """Uses a torch.nn.Module of your own file, which runs only if the command says --trust FILE."""

    phrase = "the authors' own network"
    # Code that calls `view` may fail on maps that lie otherwise.
    memory_format: ClassVar[torch.memory_format] = torch.contiguous_format

    name: Literal["module"] = "module"
    file: Text
    """A Python file in the protocol's folder or below, which may import installed packages only."""
    class_: Text
    """In protocols `class`: a subclass of ``torch.nn.Module`` that is made without arguments. It gets images
    of batch x 3 x height x width, sRGB-encoded, in [0, 1], less `mean` and over `deviation`."""
    weights: Annotated[AnyWeights | None, BeforeValidator(_read_none)] = None
    """``{file, sha256}``: a state dict of the class; ``random``; or ``none``, the numbers that the class
    gives itself, with torch's random numbers of the seed 0."""
    mean: tuple[Number, Number, Number] = (0.0, 0.0, 0.0)
    """Subtracted from red, green and blue; of networks trained on ImageNet usually [0.485, 0.456, 0.406]."""
    deviation: tuple[Deviation, Deviation, Deviation] = (1.0, 1.0, 1.0)
    """What the difference is divided by; usually [0.229, 0.224, 0.225]."""
    sha256: Sha256 | None = None
    """The file's SHA-256, if only this version may be used."""

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, Mapping):
            return data
        found = {("class_" if key == "class" else key): value for key, value in data.items()}
        if not isinstance(found.get("file"), str) or not isinstance(found.get("class_"), str):
            return found
        code = _read_inside(found["file"], (info.context or {}).get("folder"))
        if found.get("sha256") not in (None, code.sha256):
            message = f"{code.file.name} has the SHA-256 {code.sha256}, not {found['sha256']} as expected"
            raise validation_error(message, at="sha256")
        return {**found, "file": str(code.file), "sha256": code.sha256}

    @model_validator(mode="after")
    def _trace(self) -> ModuleNetwork:
        try:
            self.graph()
        except StimgenError as error:
            raise validation_error(
                error.message, given=error.given, allowed=list(error.allowed), hint=error.hint, at=None
            ) from None
        return self

    @classmethod
    @override
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(super().__get_pydantic_json_schema__(core, handler))
        schema["properties"]["class"] = {**schema["properties"].pop("class_"), "title": "Class"}
        schema["required"] = ["class" if key == "class_" else key for key in schema["required"]]
        return schema

    @property
    def code(self) -> CodeFile:
        """Return the file; raise `StimgenError` if it has changed since the protocol was loaded."""
        code = read_code(Path(self.file))
        if code.sha256 != self.sha256:
            raise StimgenError("the code has changed since the protocol was loaded", where=code.file)
        return code

    @override
    def graph(self) -> NodeGraph:
        return _find_graph(self.model_copy(update={"weights": None}))

    @override
    def cut(self, layers: tuple[str, ...], device: torch.device) -> tuple[fx.GraphModule, str]:
        module = trace_model(self.code.build_model(self.class_)).cut(layers)
        return module, "" if device.type == "meta" else _load_weights(module, self)

    @override
    def normalisation(self) -> tuple[Colours, Colours]:
        return self.mean, self.deviation

    @override
    def recipe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "class": self.class_,
            "code_sha256": self.sha256,
            "weights": self.weights.recipe(self.class_) if self.weights else {"name": "none"},
            "mean": list(self.mean),
            "deviation": list(self.deviation),
        }

    @override
    def is_available(self) -> bool:
        return self.weights is None or self.weights.is_available(self.class_)

    @override
    def validation(self) -> Validation:
        return Validation(False, "a network of the user's own: nothing is known of its validation")

    @override
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> GraphFeatures:
        """Return the network, after checking that it behaves as a network must."""
        names = tuple(layers)
        features = GraphFeatures(self, names, spec)
        if spec.device.type == "meta":
            return features
        side = max(32, *(self.smallest_side(layer, positions=2) for layer in names))
        sides = {n: self.map_side(n, side) for n in names}
        shapes = {n: (self.layers()[n], sides[n], sides[n]) for n in names}
        check_callable(self.class_, features, shapes, torch.Size((3, COLOURS, side, side)), spec.device)
        return features


def _read_inside(file: str, folder: Path | None) -> CodeFile:
    """Return a file of code, which lies in the protocol's folder or below."""
    place = Path(folder, file) if folder is not None else Path(file)
    if folder is not None and not place.resolve().is_relative_to(Path(folder).resolve()):
        raise validation_error(
            f"the code lies outside of {folder}", at="file", hint="code stays in the protocol's folder"
        )
    try:
        return read_code(place)
    except StimgenError as error:
        raise validation_error(f"{error.where or place}: {error.message}", at="file") from None


@lru_cache(maxsize=16)
def _find_graph(network: ModuleNetwork) -> NodeGraph:
    code, name = network.code, network.class_
    model = code.build_model(name)
    try:
        traced = trace_model(model)
    except Exception as error:  # whatever the user's code or its tracing raises
        failed = code.describe_error(error, f"the layers of {name} cannot be found: `forward` failed")
        failed.hint = (
            "`forward` takes one tensor, on whose values no `if` may depend; or register a "
            "function with stimgen.register_network"
        )
        raise failed from error
    traced.module.to("meta")
    graph = NodeGraph(traced)
    if not any(layout.has_maps for layout in graph.layouts.values()):
        raise StimgenError(
            f"{name} has no layer with maps, batch x channels x rows x columns, for images of "
            f"batch x 3 x {PROBES[0]} x {PROBES[0]}"
        )
    return graph


def _load_weights(module: fx.GraphModule, network: ModuleNetwork) -> str:
    """Give a cut network its weights, and return their hash; buffers are constants of the class."""
    needed = list_tensors(network.class_, module)
    if network.weights is not None:
        state, sha256 = network.weights.load_tensors(needed)
        module.load_state_dict(state, strict=False)
        return sha256
    digest, state = hashlib.sha256(), module.state_dict()
    for key, shape in needed.shapes.items():
        digest.update(f"{key}{shape}".encode() + state[key].numpy().astype("<f4").tobytes())
    return digest.hexdigest()
