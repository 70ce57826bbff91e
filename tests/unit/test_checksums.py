"""``checksums.sha256``: every file of a set, as the real ``sha256sum -c`` reads it, kept in step."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hand_made import Wanted, write_set
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.additions import Addition, open_addition, read_additions
from stimgen.stimulus_set.checksums import read_checksums, write_checksums
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.store import CHECKSUMS, MANIFEST, PLAN, Store, json_bytes
from stimgen.stimulus_set.verify import verify_set


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_set(tmp_path / "set")


def hashes(store: Store) -> dict[str, str]:
    there = [file for file in store.folder.rglob("*") if file.is_file()]
    found = {f.relative_to(store.folder).as_posix(): sha256_bytes(f.read_bytes()) for f in there}
    return {name: sha256 for name, sha256 in found.items() if name not in (CHECKSUMS, INDEX)}


def coreutils(store: Store) -> subprocess.CompletedProcess[str]:
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum of GNU coreutils is not here")
    command = ["sha256sum", "--check", "--strict", CHECKSUMS]
    return subprocess.run(command, cwd=store.folder, capture_output=True, text=True, check=False)


def test_every_file_is_listed_with_its_hash(store: Store) -> None:
    assert read_checksums(store) == (hashes(store), [])
    assert {MANIFEST, PLAN} < read_checksums(store)[0].keys()


def test_coreutils_accepts_it(store: Store) -> None:
    done = coreutils(store)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{name}: OK" for name in sorted(hashes(store))]


def test_coreutils_finds_what_changed(store: Store) -> None:
    (store.folder / "stimuli.csv").write_bytes(b"")
    done = coreutils(store)
    assert done.returncode == 1
    assert "stimuli.csv: FAILED" in done.stdout


def test_stimuli_of_an_older_protocol_are_listed(store: Store) -> None:
    plan = store.read_plan()
    store.write(PLAN, json_bytes(plan.replace(ids=plan.ids[:1]).to_dict()))
    write_derived_files(store)
    assert read_checksums(store) == (hashes(store), [])
    assert verify_set(store).problems == []


@pytest.mark.parametrize(
    "name", ["../outside", "a/../../b", "/etc/passwd", "two\nlines", "back\\slash", "", "x\r", "\x7f"]
)
def test_names_that_no_file_of_a_set_has(store: Store, name: str) -> None:
    before = store.read(CHECKSUMS)
    with pytest.raises(StimgenError, match="no name for a file of a set"):
        write_checksums(store, {name: "0" * 64})
    assert store.read(CHECKSUMS) == before


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.upper(), "is damaged"),  # which sha256sum would accept
        (lambda text: text.replace("  ", " *", 1), "is damaged"),
        (lambda text: "\\" + text, "is damaged"),
        (lambda text: text + text, "names a file twice"),
        (lambda text: text.rstrip("\n") + "?\n", "does not list"),
        (lambda text: text[:0], "does not list"),
    ],
)
def test_there_is_one_way_to_say_it(store: Store, change: object, problem: str) -> None:
    text = store.read(CHECKSUMS).decode()
    (store.folder / CHECKSUMS).write_text(change(text))  # type: ignore[operator] # a parameter
    assert any(problem in found and CHECKSUMS in found for found in verify_set(store).problems)


class TestAdditions:
    """Files that a later command adds."""

    def test_they_are_listed_and_verified(self, store: Store) -> None:
        with open_addition(store, "features", "stimgen features SET", {"network": "vgg19"}) as made:
            made.write("features/a.npy", b"first")
            with made.open_file("features/deep/b.npy") as stream:
                stream.write(b"second")
        assert read_checksums(store) == (hashes(store), [])
        assert verify_set(store).problems == []
        assert coreutils(store).returncode == 0
        ((addition, _),) = read_additions(store)
        assert (addition.command, addition.about) == ("stimgen features SET", {"network": "vgg19"})
        assert [file.file for file in addition.files] == ["features/a.npy", "features/deep/b.npy"]

    def test_they_stay_when_the_set_is_derived_again(self, store: Store) -> None:
        with open_addition(store, "features", "stimgen features SET", {}) as made:
            made.write("features/a.npy", b"first")
        before = store.read(CHECKSUMS)
        write_derived_files(store)
        assert store.read(CHECKSUMS) == before

    def test_one_of_the_same_name_is_replaced(self, store: Store) -> None:
        for name in ("a", "b"):
            with open_addition(store, "features", "stimgen features SET", {}) as made:
                made.write(f"features/{name}.npy", b"data")
        assert not store.has("features/a.npy")
        assert read_checksums(store) == (hashes(store), [])
        assert verify_set(store).problems == []

    def test_what_was_interrupted_is_no_part_of_the_set(self, store: Store) -> None:
        with pytest.raises(KeyboardInterrupt):
            self.interrupted(store)
        assert verify_set(store).problems == ["features/a.npy: is not part of the set"]
        with open_addition(store, "features", "it", {}) as made:
            made.write("features/a.npy", b"first")
        assert verify_set(store).sound

    @staticmethod
    def interrupted(store: Store) -> None:
        with open_addition(store, "features", "it", {}) as made:
            made.write("features/a.npy", b"first")
            raise KeyboardInterrupt

    @pytest.mark.parametrize(
        "name", ["images/x.png", MANIFEST, CHECKSUMS, ".index", ".lock", "records/a", "../x"]
    )
    def test_names_that_are_the_sets_own(self, store: Store, name: str) -> None:
        before = hashes(store)
        with pytest.raises(StimgenError), open_addition(store, "features", "it", {}) as made:
            made.write(name, b"x")
        assert hashes(store) == before

    def test_a_strangers_record_cannot_claim_the_sets_own_files(self, store: Store) -> None:
        entry = {"file": MANIFEST, "sha256": "0" * 64}
        with pytest.raises(ValueError, match="name of the set's own"):
            Addition.model_validate({"name": "x", "command": "it", "files": [entry]})
        store.write("additions/x.json", json.dumps({"name": "x", "command": "it", "files": [entry]}).encode())
        assert any("additions/x.json" in problem for problem in verify_set(store).problems)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = write_set(tmp_path_factory.mktemp("sound") / "set", Wanted(sources=("brick",)))
    with open_addition(store, "features", "stimgen features SET", {}) as made:
        made.write("features/a.npy", b"0123456789")
    return store


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_bit_in_any_file_is_found_and_the_file_named(sound: Store, data: st.DataObject) -> None:
    """Two copies of most facts are in a set: whichever is spoilt, its file is named."""
    name = data.draw(st.sampled_from(sorted([*hashes(sound), CHECKSUMS])))
    whole = sound.read(name)
    i = data.draw(st.integers(0, 8 * len(whole) - 1))
    spoilt = bytearray(whole)
    spoilt[i // 8] ^= 1 << i % 8
    (sound.folder / name).write_bytes(spoilt)
    try:
        problems = verify_set(sound).problems
    finally:
        (sound.folder / name).write_bytes(whole)
    assert any(name in problem for problem in problems)
