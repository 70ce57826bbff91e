"""Families: one file a member, told apart by name; and what is said when none fits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import create_model

from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Model, validate
from stimgen.reading.registry import Family

PACKAGE = {
    "__init__.py": "",
    "base.py": """
from abc import ABC, abstractmethod
from stimgen.reading.registry import FamilyMember
class Shape(FamilyMember, ABC):
    name: str
    @abstractmethod
    def area(self) -> float: ...
""",
    "circle.py": '''
from typing import Literal
from stimgen.reading.model import Number
from zoo.base import Shape
from zoo.square import Square  # an imported member is not this module's
class Circle(Shape):
    """Round.

    More about it.
    """
    name: Literal["circle"] = "circle"
    radius: Number
    def area(self) -> float:
        return 3 * self.radius**2
''',
    "square.py": '''
from typing import ClassVar, Literal
from stimgen.reading.model import Integer, Number
from zoo.base import Shape
class Square(Shape):
    """Has corners."""
    name: Literal["square"] = "square"
    side: Number = 1.0
    square: Integer = 0
    short_form: ClassVar[str] = "[0-9]+cm"
    short_form_words: ClassVar[str] = "Ncm"
    @classmethod
    def from_text(cls, text):
        return {"name": "square", "side": int(text[:-2])}
    def area(self) -> float:
        return self.side**2
class Unfinished(Shape):
    name: str = "unfinished"
''',
    "inner/__init__.py": "raise ImportError('packages hold families of their own')",
}


@pytest.fixture
def shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Family:
    for name, text in PACKAGE.items():
        file = tmp_path / "zoo" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "zoo"]:
        monkeypatch.delitem(sys.modules, name)
    from zoo.base import Shape

    return Family("shape", Shape, default="square")


@pytest.fixture
def drawing(shapes: Family) -> type[Model]:
    shape = Annotated[shapes.base, shapes]
    return create_model(
        "Drawing", __base__=Model, title=(str, ""), shape=(shape, ...), others=(tuple[shape, ...], ())
    )


def read(model: type[Model], text: str) -> Any:
    document = parse_document(text, Path("p.yaml"))
    return validate(model, document.data, document)


def message(model: type[Model], text: str) -> str:
    with pytest.raises(StimgenError) as caught:
        read(model, text)
    return str(caught.value)


def test_members_are_found_by_looking_into_the_package(shapes: Family) -> None:
    assert list(shapes.members) == ["circle", "square"]
    assert shapes.summaries() == {"circle": "Round.", "square": "Has corners."}


def test_a_new_file_is_a_new_member(shapes: Family, tmp_path: Path) -> None:
    text = PACKAGE["circle.py"].replace("Circle", "Ball").replace('"circle"', '"ball"')
    (tmp_path / "zoo" / "ball.py").write_text(text)
    assert list(Family("shape", shapes.base, default="square").members) == ["ball", "circle", "square"]


@pytest.mark.parametrize(
    ("written", "name", "area"),
    [
        ("{name: circle, radius: 2}", "circle", 12.0),
        ("{radius: 2}", "circle", 12.0),  # only a circle has such a key
        ("{name: square}", "square", 1.0),
        ("square", "square", 1.0),
        ("{side: 3}", "square", 9.0),
        ("{}", "square", 1.0),
        ("4cm", "square", 16.0),
    ],
)
def test_ways_of_writing_a_member(drawing: type[Model], written: str, name: str, area: float) -> None:
    found = read(drawing, f"shape: {written}\nothers: [{written}]\n")
    assert (found.shape.name, found.shape.area()) == (name, area)
    assert found.others == (found.shape,)
    assert drawing.model_validate(found.to_dict()) == found


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "cirle",
            "shape: unknown shape 'cirle'\n  allowed: circle, square, Ncm\n  did you mean 'circle'?",
        ),
        (
            "{name: cirle}",
            "shape: unknown shape 'cirle'\n  allowed: circle, square, Ncm\n  did you mean",
        ),
        ("zebra", "shape: unknown shape 'zebra'\n  allowed: circle, square, Ncm"),
        ("4cm2", "shape: unknown shape '4cm2'"),
        ("unfinished", "shape: unknown shape 'unfinished'"),
        ("base", "shape: unknown shape 'base'"),
        ("{name: [circle]}", "shape: unknown shape ['circle']"),
        ("{name: {}}", "shape: unknown shape {}"),
        ("{name: 3}", "shape: unknown shape 3"),
        ("{name: }", "shape: unknown shape None"),
        ("5", "shape: neither the name of a shape nor a mapping\n  allowed: circle, square"),
        ("[circle]", "shape: neither the name of a shape nor a mapping"),
        ("~", "shape: neither the name of a shape nor a mapping"),
        ("circle", "shape.radius: is missing"),
        ("{name: circle, side: 2}", "shape: unknown key 'side'\n  allowed: name, radius"),
        ("{radius: 2, sied: 2}", "shape: unknown key 'sied'\n  allowed: name, radius"),
        ("{radius: 2, side: 2}", "shape: unknown key 'radius'\n  allowed: name, side, square"),
    ],
)
def test_what_is_said_when_none_fits(drawing: type[Model], written: str, told: str) -> None:
    assert message(drawing, f"title: x\nshape: {written}\n").startswith(f"p.yaml:2: {told}")


def test_a_field_called_like_a_member_does_not_confuse_places(drawing: type[Model]) -> None:
    text = "shape:\n  name: square\n  square: 1\n  side: wide\n"
    assert message(drawing, text) == "p.yaml:4: shape.side: should be a valid number, not 'wide'"


def test_the_json_schema_has_every_way_of_writing(drawing: type[Model]) -> None:
    schema = drawing.model_json_schema()
    for good in ("square", "4cm", {"name": "circle", "radius": 1}, {"radius": 1}, {"side": 2}, {}):
        jsonschema.validate({"shape": good}, schema)
    for bad in ("cirle", 5, None, {"name": "cirle"}, {"name": "square", "radius": 1}, []):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"shape": bad}, schema)
