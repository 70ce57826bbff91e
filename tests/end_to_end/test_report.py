"""The page of a set, in a browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hand_made import Wanted, write_set

from stimgen.workflow.report import write_report

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e{{ 7*7 }}"


@dataclass
class Watched:
    """A page, and all that it should not have done."""

    page: Any
    faults: list[str] = field(default_factory=list)


def expect(locator: Any) -> Any:
    """Wait for a property of an element, which the page's policy lets no script of the test do."""
    return pytest.importorskip("playwright.sync_api").expect(locator)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no browser: chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright, which drives the browser")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    wanted = Wanted(conditions=("texture", "texform"), seeds=(1, 2, 3))
    write_set(folder / "set", wanted, unfinished=1)
    return write_report(folder / "set")[0]


@pytest.fixture
def opened(browser: Any, written: Path) -> Iterator[Watched]:
    yield from watched(browser, written)


def watched(browser: Any, file: Path, **options: Any) -> Iterator[Watched]:
    """Open a page; whatever it asks for, says or fails at is a fault."""
    context = browser.new_context(**options)
    found = Watched(context.new_page())
    page = found.page
    page.on("console", lambda message: found.faults.append(message.text))
    page.on("pageerror", lambda error: found.faults.append(str(error)))
    page.on("dialog", lambda dialog: found.faults.append(dialog.message))
    page.on("request", lambda request: _note(found, request.url, file))
    page.goto(file.as_uri())
    yield found
    assert found.faults == []
    context.close()


def _note(found: Watched, address: str, file: Path) -> None:
    if address != file.as_uri() and not address.startswith("data:image/"):
        found.faults.append(address)


def visible(page: Any) -> list[str]:
    """Return the captions of the stimuli that are shown."""
    captions: list[str] = page.locator(".stimulus:visible .caption").all_inner_texts()
    return captions


def test_the_filters_choose_stimuli(opened: Watched) -> None:
    page = opened.page
    assert len(visible(page)) == 11
    page.get_by_label("Condition", exact=True).select_option(label="texform")
    page.get_by_label("Seed", exact=True).select_option(label="2")
    assert visible(page) == ["texform, seed 2"] * 2
    assert page.locator("#shown").inner_text() == "2 of 11 stimuli"
    page.get_by_label("Source", exact=True).select_option(label="coffee")
    assert page.locator(".source:visible h3").all_inner_texts() == ["coffee"]
    assert visible(page) == ["texform, seed 2"]
    page.get_by_label("Warning", exact=True).select_option(label="Not converged")
    assert len(visible(page)) == 1  # of even seeds, and so is this one
    page.get_by_label("Seed", exact=True).select_option(label="1")
    assert visible(page) == []
    assert page.locator("#nothing").is_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#shown")).to_have_text("11 stimuli")


def test_a_warning_leads_to_its_stimuli(opened: Watched) -> None:
    page = opened.page
    page.get_by_role("button", name="Show these 4 stimuli").click()
    expect(page.locator("#shown")).to_have_text("4 of 11 stimuli")
    assert {caption[-1] for caption in visible(page)} == {"2"}
    assert page.locator("#stimuli").evaluate("it => it === document.activeElement")


def test_the_keyboard_suffices(opened: Watched) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the stimuli"
    first = page.locator(".stimulus").first
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    viewer, title = page.locator("#viewer"), page.locator("#viewer-title")
    assert title.inner_text() == "brick, texture, seed 2"
    assert page.locator("#viewer-place").inner_text() == "2 of 11"
    page.keyboard.press("ArrowRight")
    assert title.inner_text() == "brick, texture, seed 3"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # there is none before the first
    assert title.inner_text() == "brick, texture, seed 1"
    for _ in range(8):  # the focus stays inside
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    assert not viewer.is_visible()
    expect(page.locator(".stimulus").first).to_be_focused()


def test_full_size_tells_all(opened: Watched, written: Path) -> None:
    page = opened.page
    page.locator(".stimulus").first.click()
    said = page.locator("#viewer").inner_text()
    record = next(
        r for r in records(written) if r["id"] == page.locator(".stimulus").first.get_attribute("id")
    )
    for sha256 in (record["sha256"], record["pixels_sha256"], record["trace"]["sha256"]):
        assert sha256 in said
    assert "12 \u00d7 10 pixels, shown 32 times as large" in said
    picture = page.locator("#viewer-stimulus")
    assert picture.evaluate("it => [it.naturalWidth, it.naturalHeight, it.width]") == [12, 10, 384]
    assert picture.get_attribute("alt") == "Stimulus: brick, texture, seed 1"
    assert page.locator("#curve svg").get_attribute("aria-label").startswith("Loss of 0.6 at evaluation 1")
    assert page.locator("#viewer-snapshots").is_hidden()


def records(page: Path) -> list[dict[str, Any]]:
    files = (page.parent / "set" / "records").glob("*/*.json")
    return [json.loads(file.read_text())["content"] for file in files]


def test_everything_has_a_name_for_those_who_cannot_see_it(opened: Watched) -> None:
    page = opened.page
    nameless = """() => [...document.querySelectorAll('img, button, select, section, [role=region]')]
        .filter(it => !it.closest('dialog'))
        .filter(it => !(it.alt || it.textContent.trim() || it.labels?.length || it.ariaLabel))
        .map(it => it.outerHTML)"""
    assert page.evaluate(nameless) == []
    levels = page.evaluate(
        "[...document.querySelectorAll('body > :not(dialog) :is(h1, h2, h3)')].map(it => +it.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - level <= 1 for level, later in zip(levels, levels[1:], strict=False))
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(it => it.id)")
    assert len(ids) == len(set(ids))
    assert page.get_by_role("button", name=re.compile("Stimulus of brick: *texture, seed 1")).count() == 1


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_it_without_scrolling_sideways(browser: Any, written: Path, width: int) -> None:
    options = {"viewport": {"width": width, "height": 700}, "is_mobile": True, "has_touch": True}
    for found in watched(browser, written, **options):
        assert found.page.evaluate("document.documentElement.scrollWidth") == width
        found.page.locator(".stimulus").first.tap()
        assert found.page.locator("#viewer").evaluate("it => it.scrollWidth <= it.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser: Any, written: Path, scheme: str) -> None:
    """Of 4.5 to 1 at the least: level AA of the Web Content Accessibility Guidelines 2.1."""
    for found in watched(browser, written, color_scheme=scheme):
        colours = found.page.evaluate(
            """() => ['dt', 'dd', '.caption', '.where', '.flags', '.only', 'footer'].map(name => {
                const it = document.querySelector(name), behind = it.closest('.only, .warnings li, body');
                return [getComputedStyle(it).color, getComputedStyle(behind).backgroundColor]; })"""
        )
        for ink, paper in colours:
            bright, dark = sorted((_luminance(ink), _luminance(paper)), reverse=True)
            assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ink, paper)


def _luminance(colour: str) -> float:
    levels = [int(level) / 255 for level in re.findall(r"\d+", colour)[:3]]
    light = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def test_names_and_texts_of_strangers_are_only_text(browser: Any, tmp_path: Path) -> None:
    about = {
        "title": HOSTILE,
        "text": HOSTILE,
        "sha256": HOSTILE,
        "licence": HOSTILE,
        "authors": [{"name": HOSTILE}],
    }
    store = write_set(tmp_path / "set", Wanted(sources=("brick",), seeds=(2,), licence=HOSTILE, about=about))
    for file in (store.folder / "records").glob("*/*.json"):
        record = json.loads(file.read_text())
        record["content"].update(condition=HOSTILE, stopped=HOSTILE, encoding="srgb", changes=[HOSTILE])
        record["content"]["settings"][HOSTILE] = HOSTILE
        record["content"]["source"].update(id=HOSTILE, file=HOSTILE, credit=HOSTILE)
        record["made"].update(device=HOSTILE, versions={HOSTILE: HOSTILE})
        file.write_text(json.dumps(record))
    page = write_report(store.folder)[0]
    for found in watched(browser, page):
        found.page.locator(".stimulus").click()
        assert (
            found.page.locator("#viewer-title")
            .inner_text()
            .startswith("</script><img src=x onerror=alert(1)>{{ 7*7 }}")
        )
        assert found.page.locator("img[src=x]").count() == 0
        found.page.wait_for_timeout(50)
    assert "\u202e" not in page.read_text(encoding="utf-8")


def test_the_policy_lets_no_other_script_run(browser: Any, written: Path, tmp_path: Path) -> None:
    """Even what had got through would not run, and would fetch nothing."""
    other = tmp_path / "page.html"
    injected = "<main><script>document.title = 'run'</script><img src='http://127.0.0.1:9/x'>"
    other.write_text(written.read_text(encoding="utf-8").replace("<main>", injected, 1), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(other.as_uri())
    assert page.title() == "hand-made"
    assert len([text for text in refused if "Content Security Policy" in text]) == 2
    context.close()
