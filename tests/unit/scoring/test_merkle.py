"""The tree over the ledger: the hashes of RFC 6962/9162, proofs for every leaf and size, and signed notes."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.scoring.domain import notes
from services.scoring.domain.merkle import (
    Frontier,
    Subtrees,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
)
from services.scoring.domain.notes import BadNote, Checkpoint, Closing

INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The inputs and roots that Certificate Transparency's own tests use."""


def test_roots_are_those_of_certificate_transparency() -> None:
    hashes = [leaf_hash(bytes.fromhex(one)) for one in INPUTS]
    assert [root_of(hashes[:size]).hex() for size in range(1, 9)] == list(ROOTS)
    assert root_of([]) == sha256(b"").digest()


def test_every_proof_of_every_size_is_checked_and_fits_nothing_else() -> None:
    hashes = [leaf_hash(bytes([n])) for n in range(40)]

    def over(low: int, high: int) -> bytes:
        return root_of(hashes[low:high])

    for size in range(1, 41):
        root = over(0, size)
        for index in range(size):
            path = inclusion_path(index, size, over)
            assert check_inclusion(hashes[index], index, size, path, root)
            assert not check_inclusion(hashes[(index + 1) % 40], index, size, path, root)
            assert not check_inclusion(hashes[index], index, size, [*path, root], root)
            if path:
                assert not check_inclusion(hashes[index], index ^ 1, size, path, root) or index ^ 1 >= size
        for first in range(1, size + 1):
            path = consistency_path(first, size, over)
            assert check_consistency(first, size, over(0, first), root, path)
            if first < size:
                assert not check_consistency(first, size, leaf_hash(b"x"), root, path)
                assert not check_consistency(first, size, over(0, first), root, path[:-1])
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_path(3, 3, over)
    with pytest.raises(ValueError, match="no proof"):
        consistency_path(0, 3, over)


def test_kept_subtrees_are_those_of_the_tree_also_after_a_rest() -> None:
    hashes = [leaf_hash(n.to_bytes(4, "big")) for n in range(256 * 256 + 700)]
    whole, done, kept = Frontier(), Subtrees(), {}
    for leaf in hashes:
        whole.push(leaf)
        kept |= {(level, index): root for level, index, root in done.add(leaf)}
    assert set(kept) == {(8, n) for n in range(258)} | {(16, 0)}
    assert kept[8, 5] == root_of(hashes[5 * 256 : 6 * 256])
    resumed, rest = Frontier(), Subtrees()
    for level, index in ((16, 0), (8, 256)):
        resumed.push(kept[level, index], level)
        rest.resume(level, kept[level, index])
    more = {}
    for leaf in hashes[257 * 256 :]:
        resumed.push(leaf)
        more |= {(level, index): root for level, index, root in rest.add(leaf)}
    assert resumed.root() == whole.root() and resumed.size == whole.size == len(hashes)
    assert more == {(8, 257): kept[8, 257]}


KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
MADE = Checkpoint(
    "a.example/ledger", 7, sha256(b"x").digest(), datetime(2026, 11, 30, 16, 0, 1, 5, tzinfo=UTC), 9,
    Closing("dayong", "2026-11", sha256(b"y").digest()),
)  # fmt: skip


def test_a_note_is_opened_by_its_key_alone() -> None:
    note = notes.signed(MADE, KEY.sign, KEY.public_key())
    assert notes.opened(note, [OTHER.public_key(), KEY.public_key()]) == MADE
    with pytest.raises(BadNote):
        notes.opened(note, [OTHER.public_key()])
    assert notes.verifier_key("a.example/ledger", KEY.public_key()).startswith("a.example/ledger+")


def test_no_changed_character_of_a_note_passes() -> None:
    note = notes.signed(MADE, KEY.sign, KEY.public_key())
    chance = random.Random(3)
    for place in range(len(note)):
        other = chr(33 + chance.randrange(90))
        changed = note[:place] + other + note[place + 1 :]
        if changed == note:
            continue
        try:
            opened = notes.opened(changed, [KEY.public_key()])
        except BadNote:
            continue
        pytest.fail(f"{changed!r} was opened as {opened}")
