"""Citations of a set: right, complete, and escaped as every format wants it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hand_made import Wanted, write_set

from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.protocol.publication import build_publication
from stimgen.reading.errors import StimgenError
from stimgen.reading.papers import load_papers
from stimgen.stimulus_set.citing import list_citation_formats, read_citation, render_citation
from stimgen.stimulus_set.citing.by_condition import combine_clauses
from stimgen.stimulus_set.citing.methods_sentences import list_layers
from stimgen.stimulus_set.citing.references import References
from stimgen.stimulus_set.citing.summary import SetSummary
from stimgen.stimulus_set.store import CITATION, PLAN, Store, json_bytes
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.cite import cite_set

HOSTILE = '100 % of <b>R&D</b> #1 {x} \\cmd $m_1^2$ ~ \u202egnp.exe \x1b[31m =1+1 | "q" and \u65e5\u672c'
SHOWN = '100 % of <b>R&D</b> #1 {x} \\cmd $m_1^2$ ~ gnp.exe [31m =1+1 | "q" and \u65e5\u672c'
AUTHORS = [
    {"name": "Lov\u00e9lace, Ada Byron", "orcid": "0000-0002-1825-0097", "affiliation": "London & Son"},
    {"name": "van der Walt, St\u00e9fan"},
    {"name": "Smith and Sons"},
]


def published(folder: Path, **about: Any) -> Store:
    told = {"title": "Two textures", "authors": AUTHORS, "licence": "CC-BY-4.0", "version": "1.0", **about}
    return write_set(folder, Wanted(about=told))


# What LaTeX prints for these, in any encoding of fonts (LaTeX's own definitions).
PRINTED = {
    "textbackslash": "\\",
    "textbraceleft": "{",
    "textbraceright": "}",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
}


def typeset(source: str) -> str:
    """Return what LaTeX prints of a title in its braces; fail on what it would act on otherwise."""
    assert source.startswith("{")
    assert source.endswith("}")
    rest = re.sub(r"\{\\text\w+\}|\\[&%$#_]", "", source[1:-1])
    assert not re.search(r"[\\{}~^&%$#_]", rest)
    plain = re.sub(r"\\([&%$#_])", r"\1", source[1:-1])
    return re.sub(r"\{\\(text\w+)\}", lambda found: PRINTED[found[1]], plain)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return published(tmp_path / "set", **build_publication(load_protocol("wallis2017_ps").protocol))


def test_the_content_hash_is_that_of_sha256sum(store: Store) -> None:
    lines = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (store.folder / "images").iterdir()]
    wanted = hashlib.sha256("".join(f"{line}\n" for line in sorted(lines)).encode()).hexdigest()
    assert read_citation(store).summary.content_hash == wanted
    assert wanted in (store.folder / CITATION).read_text()


def test_the_papers_style_is_apas(store: Store) -> None:
    # As the publisher's page of the paper has it.
    wanted = (
        "Portilla, J., & Simoncelli, E. P. (2000). A parametric texture model based on joint statistics of "
        "complex wavelet coefficients. International Journal of Computer Vision, 40(1), 49\u201370. "
        "https://doi.org/10.1023/A:1026553619983"
    )
    assert wanted in render_citation(read_citation(store), "apa").splitlines()


def test_apa_has_authors_year_version_and_doi(tmp_path: Path) -> None:
    text = render_citation(read_citation(published(tmp_path / "set", doi="10.5281/zenodo.1234")), "apa")
    assert text == (
        "Lov\u00e9lace, A. B., van der Walt, S., & Smith and Sons (2026). Two textures (Version 1.0) "
        "[Data set]. https://doi.org/10.5281/zenodo.1234\n"
    )


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ({"a": 1.0, "b": 1.0}, "from the layers a and b (weight = 1 each)"),
        ({"a": 0.2, "b": 0.2}, "from the layers a and b (weight = 0.2 each)"),
        ({"a": 1.0, "b": 0.5}, "from the layers a (weight = 1) and b (weight = 0.5)"),
        ({"a": 1.0}, "from the layer a"),
        ({"a": 5.0}, "from the layer a (weight = 5)"),
    ],
)
def test_weights_of_layers_are_told_also_if_equal(layers: dict[str, float], told: str) -> None:
    assert list_layers({"layers": layers}) == told


def test_papers_that_look_alike_are_told_apart() -> None:
    he = [load_papers()["he2016"], load_papers()["he2016random"]]
    references = References(he)
    assert references.in_text(he) == "He et al., 2016a; He et al., 2016b"
    assert references.in_text(he[:1]) == "He et al., 2016b"  # Zhang, the second author, comes after Wang
    wang, zhang = references.lines()
    assert wang.startswith("He, K., Wang, Y., & Hopcroft, J. (2016a).")
    assert zhang.startswith("He, K., Zhang, X., Ren, S., & Sun, J. (2016b).")


def test_bibtex_is_read_back(tmp_path: Path) -> None:
    about = build_publication(load_protocol("heitz2021").protocol)
    store = published(tmp_path / "set", title=HOSTILE, licence=HOSTILE, **about)
    database = pytest.importorskip("pybtex.database", reason="pybtex is not installed")
    found = database.parse_string(render_citation(read_citation(store), "bibtex"), "bibtex").entries
    ours = found["hand-made"]
    assert typeset(ours.fields["title"]) == SHOWN
    assert [str(person) for person in ours.persons["author"]] == [
        "Lov\u00e9lace, Ada Byron",
        "van der Walt, St\u00e9fan",
        "{Smith and Sons}",
    ]
    assert found["heitz2021"].fields["eprint"] == "2006.07229"
    assert [len(found[key].persons["author"]) for key in ("heitz2021", "simonyan2015")] == [4, 2]


def test_the_citation_file_says_what_the_protocol_says(tmp_path: Path) -> None:
    store = published(tmp_path / "set", title=HOSTILE, notes="One.\nTwo.", doi="10.5281/zenodo.1234")
    found = yaml.safe_load((store.folder / CITATION).read_text())
    assert found["title"] == SHOWN
    assert (found["license"], found["version"], found["doi"]) == ("CC-BY-4.0", "1.0", "10.5281/zenodo.1234")
    assert found["date-released"] == "2026-01-01"
    assert found["authors"][0] == {
        "family-names": "Lov\u00e9lace",
        "given-names": "Ada Byron",
        "orcid": "https://orcid.org/0000-0002-1825-0097",
        "affiliation": "London & Son",
    }
    assert found["authors"][2] == {"name": "Smith and Sons"}
    assert found["abstract"] == "4 stimuli of 1 condition from 2 pictures, made with stimgen. One. Two."


@pytest.mark.parametrize(
    ("licence", "key", "value"),
    [
        ("cc0-1.0", "license", "CC0-1.0"),
        ("CC-BY-3.0-DE", "license-url", "https://spdx.org/licenses/CC-BY-3.0-DE.html"),
        ("ask the museum", "license", None),
    ],
)
def test_licences_stand_where_the_format_wants_them(
    tmp_path: Path, licence: str, key: str, value: str | None
) -> None:
    found = yaml.safe_load((published(tmp_path / "set", licence=licence).folder / CITATION).read_text())
    assert found.get(key) == value
    assert ("Licence: ask the museum" in found["abstract"]) is (value is None)


def test_methods_say_what_was_done(store: Store) -> None:
    text = render_citation(read_citation(store), "methods")
    for wanted in (
        "4 stimuli in 1 condition",
        "brick (skimage:brick; CC0-1.0)",
        "seeds were 1\u20132",
        "2,080 parameters",
        "12 \u00d7 10 pixels (at most 3 evaluations of the loss)",
        "python 3.11",
        "(Portilla & Simoncelli, 2000; Wallis et al., 2017)",
    ):
        assert wanted in text


QUICK_START = (
    "Stimuli were synthesised to match their source images in Gram matrices of feature maps (centred; "
    "normalisation: relative; Brochard et al., 2022; Gatys et al., 2015) of rectified wavelets and the first "
    "block of a VGG-19 with random weights (Brochard et al., 2022; He et al., 2016).",
    "In condition texture, statistics were computed over the whole image; in condition texform, in pooling "
    "regions on a grid (rows = 2; columns = 2; overlap = 0.5).",
    "The loss, the mismatch between stimulus and target, was minimised starting from Gaussian noise (mean = "
    "0.5; standard deviation = 0.2) and using L-BFGS with a strong Wolfe line search (history = 20; "
    "tolerance = 0; Liu & Nocedal, 1989), with a penalty on pixel values outside the displayable range "
    "(penalty weight = 10), in float32 precision (Gatys et al., 2015).",
)


def test_methods_read_like_a_papers(tmp_path: Path) -> None:
    loaded = load_protocol("quickstart")
    store = published(tmp_path / "set", **build_publication(loaded.protocol))
    citation, (record, *_) = read_citation(store), store.read_records()
    summary = SetSummary()
    for condition in make_plan(loaded).conditions:
        content = record.content.model_copy(update={**condition.recipe, "condition": condition.id})
        summary.add(record.model_copy(update={"content": content}))
    text = render_citation(replace(citation, summary=summary), "methods").split("\n\nReferences")[0]
    for sentence in QUICK_START:
        assert sentence in text
    assert all(sentence[0].isupper() for sentence in re.split(r"(?<=[a-z0-9)])\. ", text))


class TestConditions:
    """What is the same is said once; what differs, with the names of conditions."""

    @pytest.mark.parametrize(
        ("clauses", "said"),
        [
            ({"a": "grey", "b": "grey"}, ["images were grey"]),
            ({"a": "", "b": ""}, []),
            ({"a": "grey", "b": ""}, ["in condition a, images were grey"]),
            ({"a": "", "b": "grey", "c": "grey"}, ["in all conditions except a, images were grey"]),
            (
                {"a": "grey", "b": "red", "c": "red"},
                ["in condition a, images were grey; in the other conditions, red"],
            ),
            (
                {"a": "grey", "b": "red", "c": "red", "d": "large", "e": "large"},
                [
                    "in condition a, images were grey; in conditions b and c, red; "
                    "in the other conditions, large"
                ],
            ),
        ],
    )
    def test_what_differs_has_their_names(self, clauses: dict[str, str], said: list[str]) -> None:
        assert list(combine_clauses("images were", clauses)) == said

    def test_values_are_said_together(self) -> None:
        clauses = {"a": "2 of 8 (x = 0.5)", "b": "3 of 9 (x = 0.5)", "c": "whole"}
        assert list(combine_clauses("parts were", clauses)) == [
            "in conditions a and b, respectively, parts were 2 and 3 of 8 and 9 (x = 0.5); "
            "in condition c, whole"
        ]

    def test_values_of_several_conditions_each_are_not(self) -> None:
        clauses = {"a": "size 2", "b": "size 2", "c": "size 3"}
        assert list(combine_clauses("parts had", clauses)) == [
            "in all conditions except c, parts had size 2; in condition c, size 3"
        ]


def test_members_of_one_name_are_cited_by_their_settings(tmp_path: Path) -> None:
    protocol = tmp_path / "p.yaml"
    protocol.write_text(
        "name: p\nsources: [{file: skimage:brick}]\nconditions:\n"
        "  - {id: a, depth: scale1}\n"
        "  - {id: b, depth: scale1, statistic: {name: gram, normalisation: gatys2016}}\n"
    )
    metadata = read_citation(
        published(tmp_path / "set", **build_publication(load_protocol(protocol).protocol))
    ).metadata
    grams = [choice.fields[0] for choice in metadata.choices if choice.name == "gram"]
    cited = {
        gram["normalisation"]: [p.key for p in metadata.papers_for("statistics", gram)] for gram in grams
    }
    assert cited == {"relative": ["brochard2022", "gatys2015"], "gatys2016": ["gatys2015", "gatys2016"]}


def test_hidden_characters_reach_no_format(tmp_path: Path) -> None:
    store = published(tmp_path / "set", title=HOSTILE, notes=HOSTILE, authors=[{"name": HOSTILE}])
    for name in list_citation_formats():
        assert not re.search("[\u202e\x1b]", render_citation(read_citation(store), name)), name


def test_an_unfinished_set_says_so_everywhere(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set", unfinished=1)
    for name in list_citation_formats():
        assert "not complete: 3 of 4 stimuli" in render_citation(read_citation(store), name).replace(
            "Not", "not"
        ), name


def test_a_set_from_before_there_were_citations_is_cited_with_a_notice(tmp_path: Path) -> None:
    text, notices = cite_set(write_set(tmp_path / "set").folder)
    assert all(f"== {name}" in text for name in list_citation_formats())
    assert "hand-made" in text
    assert any("generate it again" in notice for notice in notices)


def test_a_changed_citation_file_is_found(store: Store) -> None:
    assert verify_set(store).sound
    file = store.folder / CITATION
    file.write_bytes(file.read_bytes().replace(b"Two textures", b"Six textures"))
    assert any(problem.startswith(CITATION) for problem in verify_set(store).problems)


@pytest.mark.parametrize(
    "about",
    [
        {"authors": "nobody"},
        {"doi": "javascript:alert(1)"},
        {"papers": [{"key": "x"}]},
        {"choices": [3]},
        {"title": 7},
    ],
)
def test_damaged_metadata_are_an_error_with_its_place(tmp_path: Path, about: dict[str, Any]) -> None:
    store = published(tmp_path / "set")
    plan = json.loads(store.read(PLAN))
    (store.folder / PLAN).write_bytes(json_bytes(plan | {"protocol": plan["protocol"] | about}))
    with pytest.raises(StimgenError, match=rf"plan.json: is damaged: protocol\.{next(iter(about))}"):
        cite_set(store.folder)


def test_an_unknown_format_names_the_known_ones(store: Store) -> None:
    with pytest.raises(StimgenError, match=r"did you mean 'bibtex'") as caught:
        cite_set(store.folder, "bibtxt")
    assert caught.value.allowed == ("apa", "bibtex", "cff", "methods")
