"""The evaluation of a downline: small networks in a thread, large ones in a process of their own.

A million edges take seconds of processor time: in our own process they would keep a held person's case waiting.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.casework.domain.downline.evaluation import Evaluation
    from services.casework.domain.downline.network import Network
    from services.casework.domain.downline.thresholds import Bounds

ALONE_FROM = 20_000
"""Edges from which an evaluation gets a process of its own."""
TIMEOUT_S = 120


class EvaluationFailed(Exception):
    """The process ended without an answer."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The evaluation and the picture of one network."""

    evaluation: Evaluation
    picture: dict[str, Any]


def work(network: Network, bounds: Bounds) -> Evaluated:
    """Evaluate and draw."""
    from services.casework.domain.downline.evaluation import evaluate
    from services.casework.domain.downline.views import picture

    return Evaluated(evaluate(network, bounds), picture(network))


async def evaluate_network(network: Network, bounds: Bounds) -> Evaluated:
    """Evaluate a network without holding up the service. Raises `EvaluationFailed`."""
    if len(network.upline) < ALONE_FROM:
        return await asyncio.to_thread(work, network, bounds)
    # only what this very program wrote is unpickled, from its own child
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.casework.adapters.evaluator",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer, _ = await child.communicate(pickle.dumps((network, bounds), protocol=5))
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise EvaluationFailed(f"exit {child.returncode}")
    return pickle.loads(answer)


def main() -> None:
    """Read a network, write its evaluation."""
    # under its real name, so that the parent knows the class of the answer
    from services.casework.adapters import evaluator

    network, bounds = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps(evaluator.work(network, bounds), protocol=5))


if __name__ == "__main__":
    main()
