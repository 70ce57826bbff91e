"""All that is derived from plan and records, derived again."""

from __future__ import annotations

from stimgen.stimulus_set.additions import addition_name, additions
from stimgen.stimulus_set.checksums import sha256_of, write_checksums
from stimgen.stimulus_set.contact_sheet import write_sheet
from stimgen.stimulus_set.index import DERIVED_TOGETHER, write_index
from stimgen.stimulus_set.leftovers import remove_leftovers
from stimgen.stimulus_set.manifest import hashed_record, write_manifest
from stimgen.stimulus_set.store import CHECKSUMS, SHEET, Store


def derive(store: Store, *, sheet: bool = True, tidy: bool = True) -> list[str]:
    """Write manifest, table, citation file, contact sheet, checksums and index, and remove what is left over.

    The checksums come last of what belongs to the set: where they agree, all of it was written. Files are
    not read for them: their hashes stand in the records.

    Parameters
    ----------
    store : Store
        The set, locked.
    sheet : bool
        Draw the contact sheet; otherwise one that is there stays, and the index does not vouch for it.
    tidy : bool
        Remove what is left over; not while others may still write what they had begun.

    Returns
    -------
    list of str
        What was removed.

    Raises
    ------
    StimgenError
        A record is damaged, a picture cannot be drawn, or the set cannot be written.
    """
    seen = write_manifest(store)
    if sheet:
        write_sheet(store)
    hashes, planned, finished = seen.hashes, store.read_plan().ids, store.finished()
    for stimulus in sorted(finished.difference(planned)):  # an older protocol's
        hashed_record(store, stimulus, hashes)
    for addition, sha256 in additions(store):
        hashes[addition_name(addition.name)] = sha256
        hashes |= {file.file: file.sha256 for file in addition.files}
    there = (name for name in DERIVED_TOGETHER if name != CHECKSUMS and store.has(name))
    hashes |= {name: sha256_of(store, name) for name in there}
    removed = remove_leftovers(store, hashes, finished.union(planned)) if tidy else []
    write_checksums(store, hashes)
    write_index(store, seen.lines, *(name for name in DERIVED_TOGETHER if sheet or name != SHEET))
    return removed
