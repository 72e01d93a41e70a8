"""Learn `learned.txt` anew from the invented messages: `python -m tests.unit.intake.reading.learning`.

Logistic regression over pairs of characters with an L2 penalty, solved in its dual by Newton's method: as many unknowns as messages, one
optimum, and no chance in it, so that the same messages give the same weights.
"""

from collections.abc import Sequence
from math import sqrt
from pathlib import Path

import numpy as np

from services.intake.domain.reading import learned
from services.intake.domain.reading.reader import without_name
from tests.unit.intake.reading.cases import Case, cases

FILE = Path(learned.__file__).parent / "lexicon" / "learned.txt"
PENALTY = 0.5
ROUNDS = 12
_LEAST = 2
"""Messages a pair must stand in."""


def learn(known: Sequence[Case]) -> tuple[dict[str, float], float]:
    """Weight of each pair in units of log-odds, and the bias."""
    texts = [without_name(case.subject, case.text) for case in known]
    met = [_pairs(text) for text in texts]
    count: dict[str, int] = {}
    for pairs in met:
        for pair in pairs:
            count[pair] = count.get(pair, 0) + 1
    kept = [sorted(pair for pair in pairs if count[pair] >= _LEAST) for pairs in met]
    column = {pair: number for number, pair in enumerate(sorted({pair for pairs in kept for pair in pairs}))}
    rows = np.zeros((len(known), len(column) + 1))
    rows[:, -1] = 1.0
    for number, pairs in enumerate(kept):
        if pairs:
            rows[number, [column[pair] for pair in pairs]] = 1 / sqrt(len(pairs))
    wanted = np.array([case.relevant for case in known], dtype=float)
    kernel = rows @ rows.T
    score = np.zeros(len(known))
    alpha = score
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-score))
        spread = np.maximum(chance * (1 - chance), 1e-9)
        alpha = np.linalg.solve(kernel + PENALTY * np.diag(1 / spread), score + (wanted - chance) / spread)
        score = kernel @ alpha
    weights = rows.T @ alpha
    return {pair: float(weights[number]) for pair, number in column.items()}, float(weights[-1])


def _pairs(text: str) -> set[str]:
    return {
        text[at : at + 2] for at in range(len(text) - 1) if learned.pairs(text[at : at + 2]) and ord(max(text[at : at + 2])) < 65536
    }


def written(weights: dict[str, float], bias: float) -> str:
    """The text of `learned.txt`."""
    steps = {pair: max(-127, min(127, round(weight * learned.SCALE))) for pair, weight in weights.items()}
    lines = ["# A pair of characters and what it weighs; learned from the messages of tests/unit/intake/reading (learning.py there)."]
    lines += [f"bias\t{round(bias * learned.SCALE)}", *(f"{pair}\t{step}" for pair, step in sorted(steps.items()) if step)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(*learn(list(cases()))), encoding="utf-8")
