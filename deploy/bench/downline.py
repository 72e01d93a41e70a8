"""The evaluation of a downline at full size: shapes that are wide, deep, random, and with cycles.

Each shape is evaluated in a process of its own, as the service does it, and timed there without the making of the
shape; the memory is the most that the process ever held.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import date
from typing import Any

from deploy.local.state import REPOSITORY

SHAPES = ("wide", "chain", "tree", "many", "cycles")
WANTED_SECONDS, WANTED_MIB = 5.0, 2048


def measure(edges: int, say: Any) -> dict[str, Any]:
    """Seconds and memory by shape."""
    figures: dict[str, Any] = {"edges": edges, "shapes": {}}
    for shape in SHAPES:
        done = subprocess.run(
            [sys.executable, "-m", "deploy.bench.downline", shape, str(edges)],
            cwd=REPOSITORY, capture_output=True, check=True, text=True,
        )  # fmt: skip
        figures["shapes"][shape] = found = json.loads(done.stdout)
        say(f"  {shape}: {found['seconds']} s, {found['mib']} MiB, {found['levels']} levels")
    return figures


def table(figures: dict[str, Any]) -> list[str]:
    """The figures beside what the design wants."""
    return [
        f"{shape:<8} {figures['edges']:>9,} edges {one['seconds']:>7} s (≤ {WANTED_SECONDS:g}) {one['mib']:>6} MiB"
        f" (≤ {WANTED_MIB}) {one['levels']:>9,} levels {one['heads']:>9,} heads {one['cycles']:>6} cycles"
        for shape, one in figures["shapes"].items()
    ]


def network(shape: str, edges: int) -> Any:
    """A network of a shape: `many` is ten thousand tops, `cycles` a random tree with a twentieth of edges upwards."""
    import numpy as np

    from services.casework.domain.downline.network import Network, Standing

    chance = np.random.default_rng(20260101)
    down = np.arange(1, edges + 1)
    if shape == "wide":
        up = np.where(down < 4, down - 1, 0)
    elif shape == "chain":
        up = down - 1
    elif shape == "many":
        tops = max(edges // 100, 1)
        down = np.arange(tops, edges + tops)
        up = (chance.random(edges) * np.minimum(down, 3 * tops)).astype(np.int64)
    else:
        up = (chance.random(edges) * down).astype(np.int64)
    members = int(down.max()) + 1
    if shape == "cycles":
        back = edges // 20
        # half of these lead to the own grandparent and close circles, half anywhere: members with two uplines
        one, other = chance.integers(0, members, back), chance.integers(0, members, back)
        parent = np.concatenate([[0], up])
        other[: back // 2] = parent[parent[one[: back // 2]]]
        apart = one != other
        up, down = np.concatenate([up[: edges - back], one[apart]]), np.concatenate([down[: edges - back], other[apart]])
    kinds = chance.choice(np.array([1, 1, 2, 3, 5, 8, 17], np.uint8), len(up))
    return Network(
        members=members,
        person=np.arange(members),
        organisation=np.zeros(members, np.int64),
        upline=up,
        downline=down,
        kinds=kinds,
        denied=chance.random(len(up)) < 0.01,
        day=chance.integers(738_000, 739_000, len(up)),
        paid=np.full(len(up), 380_000, np.int64),
        standing={0: Standing(roles=frozenset({"initiator"})), members // 2: Standing(convicted=True)},
    )


def main(shape: str, edges: int) -> None:
    """Make, evaluate, tell."""
    from services.casework.domain.downline.evaluation import evaluate
    from services.casework.domain.downline.thresholds import Bounds
    from shared.rules.law import LawBook

    bounds = Bounds.of(LawBook.load(REPOSITORY / "deploy" / "law"), date(2026, 1, 1))
    made = network(shape, edges)
    began, spent = time.perf_counter(), time.process_time()
    found = evaluate(made, bounds)
    told = {
        "seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(time.process_time() - spent, 2),
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "levels": found.levels,
        "heads": max((one.own.heads for one in found.organisers), default=0),
        "cycles": found.cycles_total,
        "reached": list(found.reached),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
