"""The Merkle tree over the ledger: hashes, roots and proofs of RFC 9162 (section 2), the same as RFC 6962's.

Perfect subtrees of 2^8, 2^16, … leaves are kept by whoever keeps the tree; from them and the leaves beside them any
root and any proof comes in a few hundred hashes, however long the ledger is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

STEP = 8
LEVELS = (8, 16, 24, 32)
"""Heights of the subtrees that are kept."""

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows to the right, kept as the roots of its perfect subtrees: one a bit of its size."""

    __slots__ = ("_stack", "size")

    def __init__(self) -> None:
        self.size = 0
        self._stack: list[tuple[int, bytes]] = []

    def push(self, root: bytes, height: int = 0) -> None:
        """Add a perfect subtree of 2^height leaves; the size must be a multiple of that."""
        self.size += 1 << height
        stack = self._stack
        while stack and stack[-1][0] == height:
            root = node_hash(stack.pop()[1], root)
            height += 1
        stack.append((height, root))

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._stack:
            return EMPTY
        folded = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            folded = node_hash(left, folded)
        return folded


class Subtrees:
    """The roots of the perfect subtrees of the kept heights, as leaves come. `whole`: how many leaves are in blocks."""

    def __init__(self) -> None:
        self.whole = 0
        self._block: list[bytes] = []
        self._open: dict[int, list[bytes]] = {level: [] for level in LEVELS}

    def resume(self, level: int, root: bytes) -> None:
        """Take over a subtree that is known, whose parent is not complete; highest level first."""
        self._open[level].append(root)
        self.whole += 1 << level

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; returns the subtrees it completes as (level, index, root)."""
        self._block.append(leaf)
        if len(self._block) < 1 << STEP:
            return []
        done: list[tuple[int, int, bytes]] = []
        parts, self._block = self._block, []
        self.whole += 1 << STEP
        for level in LEVELS:
            root = root_of(parts)
            done.append((level, (self.whole >> level) - 1, root))
            group = self._open[level]
            group.append(root)
            if len(group) < 1 << STEP or level == LEVELS[-1]:
                break
            parts, self._open[level] = group, []
        return done


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


RangeHash = Callable[[int, int], bytes]
"""The hash of the subtree over leaves [low, high), as the tree of RFC 9162 has it."""


def _split(count: int) -> int:
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def inclusion_path(index: int, size: int, hash_of: RangeHash) -> list[bytes]:
    """The audit path of a leaf in the tree of a size (RFC 9162, 2.1.3.1). ValueError outside the tree."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(hash_of(middle, high))
            high = middle
        else:
            path.append(hash_of(low, middle))
            low = middle
    return path[::-1]


def consistency_path(first: int, second: int, hash_of: RangeHash) -> list[bytes]:
    """The proof that the tree of `second` leaves extends that of `first` (RFC 9162, 2.1.4.1)."""
    if not 0 < first <= second:
        raise ValueError(f"no proof from {first} to {second}")
    path: list[bytes] = []
    low, high, known = 0, second, True
    while first != high:
        middle = low + _split(high - low)
        if first <= middle:
            path.append(hash_of(middle, high))
            high = middle
        else:
            path.append(hash_of(low, middle))
            low, known = middle, False
    if not known:
        path.append(hash_of(low, high))
    return path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf hash is at its place in the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = node_hash(found, step)
        place >>= 1
        last >>= 1
    return last == 0 and found == root


def check_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree with the second root extends the one with the first (RFC 9162, 2.1.4.2)."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second or not path:
        return False
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    place, last = first - 1, second - 1
    while place & 1:
        place >>= 1
        last >>= 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        place >>= 1
        last >>= 1
    return last == 0 and old == first_root and new == second_root
