"""Certificates without a database: every pair of state and step, figures, the checklist, the random sample, due days."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.domain.certificates import sampling
from services.scoring.domain.certificates.checklist import Verdict, back, check, next_due, shift, watched
from services.scoring.domain.certificates.evidence import TYPES, fact_of
from services.scoring.domain.certificates.figures import FIGURES
from services.scoring.domain.certificates.states import (
    BY_APPLICANT,
    BY_DECIDER,
    BY_INSPECTOR,
    BY_SYSTEM,
    ENDED,
    TRANSITIONS,
    WATCHED,
    CertificationRefused,
    CertificationState,
    CertificationStep,
    after,
    right_of,
)
from services.scoring.domain.rulebooks import Standard
from shared.events import EVENT_TYPES

S, T = CertificationState, CertificationStep
ROOT = Path(__file__).resolve().parents[3]

ALLOWED = {
    S.CREATING: "do_step attest apply",
    S.APPLIED: "withdraw commit propose_refusal",
    S.COMMITTED: "draw",
    S.DRAWN: "result finish",
    S.INSPECTED: "order_rectification propose_grant propose_refusal",
    S.RECTIFYING: "do_step attest rectified propose_refusal",
    S.GRANT_PROPOSED: "confirm object",
    S.REFUSAL_PROPOSED: "confirm object",
    S.GRANTED: "suspend expire",
    S.SUSPENDED: "suspend reinstate ask_restore propose_revocation expire",
    S.RESTORE_ASKED: "suspend reinstate deny_restore propose_restore propose_revocation expire",
    S.RESTORE_PROPOSED: "suspend reinstate confirm object expire",
    S.REVOCATION_PROPOSED: "suspend reinstate confirm object expire",
    S.REFUSED: "",
    S.REVOKED: "",
    S.EXPIRED: "",
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(S, T)))
def test_every_pair_of_state_and_step_is_allowed_or_refused(state: S, step: T) -> None:
    if step.value in ALLOWED[state].split():
        assert after(state, step) in S
    else:
        with pytest.raises(CertificationRefused):
            after(state, step)


def test_every_step_is_somebodys_and_nothing_leaves_an_end() -> None:
    people = [*BY_APPLICANT, *BY_INSPECTOR, *BY_DECIDER]
    assert sorted([*people, *BY_SYSTEM]) == sorted(T) and len(set(people)) == len(people)
    assert {right_of(step) for step in people} == {"certificate.apply", "certificate.inspect", "certificate.decide"}
    assert all(right_of(step) is None for step in BY_SYSTEM)
    assert not [pair for pair in TRANSITIONS if pair[0] in ENDED]


def test_a_veto_reaches_every_certificate_that_was_ever_granted() -> None:
    """No state of a granted certificate is out of a veto's reach, and none is in force after it."""
    assert all(after(state, T.SUSPEND) not in (S.GRANTED, *ENDED) for state in WATCHED)
    assert all(after(state, T.REINSTATE) is S.GRANTED for state in WATCHED if state is not S.GRANTED)


def standard(**more: object) -> Standard:
    return Standard.model_validate(
        {
            "id": "free", "name": {"zh": "无传销社区", "en": "free"}, "subject": "community", "pass_mark": 50,
            "indicators": [
                {"id": "dens", "name": {"zh": "窝点", "en": "dens"}, "points": 40, "veto": True,
                 "needs": {"figure": "dens_standing", "at_most": 0}},
                {"id": "patrols", "name": {"zh": "巡查", "en": "patrols"}, "points": 40,
                 "needs": {"figure": "patrols_share", "at_least": 90, "months": 3}},
                {"id": "letter", "name": {"zh": "一封信", "en": "letter"}, "points": 20, "evidence": ["document"]},
            ],
        }
        | more
    )  # fmt: skip


def told(**sources: dict[str, int]) -> dict[str, dict[frozenset[str], int]]:
    return {name: {frozenset(whats.split("+")): n for whats, n in rows.items()} for name, rows in sources.items()}


def test_a_figure_decides_and_a_person_shows_only_what_no_figure_tells() -> None:
    tally = told(dens={"found+cleared": 2}, patrols={"in_time": 8, "overdue+late": 2})
    found = check(standard(), {"dens": tally, "patrols": tally}, {"patrols", "letter"})
    verdicts = {item.id: item.verdict for item in found.items}
    assert verdicts == {"dens": Verdict.MET, "patrols": Verdict.UNMET, "letter": Verdict.SHOWN}
    assert found.items[1].value == Decimal("80.00"), "late after overdue is one late patrol"
    assert found.score == 60 and found.passes


def test_a_veto_item_cannot_be_made_up_for() -> None:
    tally = told(dens={"found": 1, "found+cleared": 3}, patrols={"in_time": 10})
    found = check(standard(), {"dens": tally, "patrols": tally}, {"letter", "dens"})
    assert found.score == 60 and not found.passes and [item.id for item in found.vetoed] == ["dens"]


def test_silence_is_not_success() -> None:
    """Where nothing fell due a share says nothing, and nothing is taken for granted."""
    found = check(standard(), {"dens": told(dens={}), "patrols": told(patrols={})}, ())
    assert {item.id: item.verdict for item in found.items}["patrols"] is Verdict.SILENT and not found.passes
    shown = check(standard(), {"dens": told(dens={}), "patrols": told(patrols={})}, {"patrols"})
    assert shown.passes, "a person has shown how patrols stand"


def test_what_was_dropped_counts_nowhere() -> None:
    tally = told(duties={"missed+dropped": 4, "missed": 1, "missed+late": 1, "in_time": 2})
    assert FIGURES["duties_missed"].of(tally) == 1
    assert FIGURES["duties_share"].of(tally) == Decimal("50.00")
    assert FIGURES["findings"].of(told(findings={"confirmed": 1, "veto": 1, "confirmed+dropped": 5})) == 2
    assert FIGURES["exposures"].of(told(exposures={"exposed": 1, "known_before": 7})) == 1


def test_only_what_spoils_a_veto_is_weighed_at_once() -> None:
    assert [one.id for one in watched(standard(), "dens", "found")] == ["dens"]
    assert not watched(standard(), "dens", "cleared") and not watched(standard(), "patrols", "overdue")


def test_every_figure_of_the_shipped_standards_is_known() -> None:
    """X-G4, D-P: no indicator of a shipped standard asks for a figure that nobody computes."""
    from services.scoring.domain.certificates.figures import OTHERS
    from services.scoring.domain.rulebooks import load_tree

    named = {
        item.needs.figure
        for book in load_tree(ROOT / "deploy" / "rulebooks")
        for one in book.standards
        for item in one.indicators
        if item.needs is not None
    }
    assert named and named <= {*FIGURES, *OTHERS}


def test_every_example_of_an_event_that_is_evidence_becomes_a_fact() -> None:
    """The table of evidence fits the published language: every type exists, and its example gives a fact."""
    kept = 0
    for path in (ROOT / "shared" / "contracts" / "examples").glob("*.json"):
        example = json.loads(path.read_text(encoding="utf-8"))
        kind = example["headers"]["ce_type"]
        if kind in TYPES:
            data = EVENT_TYPES[kind].model_validate(example["data"]).model_dump()
            fact = fact_of(kind, data, UUID(example["headers"]["ce_id"]), datetime.now(UTC))
            kept += fact is not None and fact.plan == data["plan"]
    assert set(TYPES) <= set(EVENT_TYPES)
    assert kept >= len(TYPES) - 1, "a verification without a clock is none"


@given(
    st.sets(st.text("abc0123456789-", min_size=1, max_size=12), max_size=60),
    st.decimals(0, 100, places=1), st.integers(1, 30), st.text("abcXYZ 123", min_size=4, max_size=20),
)  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_a_sample_follows_from_list_secret_and_word_and_from_nothing_else(
    codes: set[str], percent: Decimal, at_least: int, word: str
) -> None:
    frozen = sampling.frozen_list(reversed(sorted(codes)))
    secret = hashlib.sha256(word.encode()).hexdigest()
    digest, number = sampling.digest_of(frozen), sampling.how_many(len(frozen), percent, at_least)
    assert min(len(frozen), at_least) <= number <= len(frozen)
    seed = sampling.seed_of("c", "rental", digest, secret, word)
    drawn = sampling.draw(frozen, number, seed)
    assert len(drawn.chosen) == len(set(drawn.chosen)) == number and set(drawn.chosen) <= codes
    published = {
        "certification": "c", "part": "rental", "codes": frozen, "digest": digest,
        "commitment": sampling.commitment_of(secret), "secret": secret, "word": word, "seed": seed, "number": number,
        "chosen": drawn.chosen,
    }  # fmt: skip
    assert not sampling.wrong_with(**published)  # type: ignore[arg-type]
    assert sampling.wrong_with(**(published | {"word": word + "x"}))  # type: ignore[arg-type]
    assert sampling.wrong_with(**(published | {"secret": "00" * 32}))  # type: ignore[arg-type]
    if 0 < number < len(frozen):
        other = next(code for code in frozen if code not in drawn.chosen)
        swapped = (*drawn.chosen[:-1], other)
        assert sampling.wrong_with(**(published | {"chosen": swapped}))  # type: ignore[arg-type]


def test_every_code_has_its_chance() -> None:
    """Over many words each of ten codes is chosen about as often as any other (three of ten, 2,000 draws)."""
    codes = [f"unit-{n}" for n in range(10)]
    digest = sampling.digest_of(codes)
    times = dict.fromkeys(codes, 0)
    for n in range(2000):
        seed = sampling.seed_of("c", "rental", digest, "11" * 32, f"word {n}")
        for code in sampling.draw(codes, 3, seed).chosen:
            times[code] += 1
    assert all(500 < number < 700 for number in times.values()), times


def test_the_outsiders_program_agrees_and_finds_a_change(tmp_path: Path) -> None:
    """X-D1d: who was to be inspected can be computed again by anyone, with plain Python."""
    codes = sampling.frozen_list(str(uuid4()) for _ in range(40))
    secret, word = "5a" * 32, "3 1 4 1 5"
    digest = sampling.digest_of(codes)
    seed = sampling.seed_of("7f", "rental", digest, secret, word)
    published = {
        "certification": "7f", "scheme": sampling.SCHEME, "round": 1, "part": "rental", "codes": list(codes),
        "digest": digest, "commitment": sampling.commitment_of(secret), "number": 4, "secret": secret, "word": word,
        "seed": seed, "chosen": list(sampling.draw(codes, 4, seed).chosen),
    }  # fmt: skip
    program, path = ROOT / "examples" / "certificate_sample" / "verify.py", tmp_path / "draws.json"

    def verify(draw: dict[str, object]) -> int:
        path.write_text(json.dumps({"items": [draw]}), encoding="utf-8")
        return subprocess.run([sys.executable, "-I", program, path], capture_output=True, check=False).returncode

    assert verify(published) == 0
    assert verify(published | {"chosen": list(codes[:4])}) == 1
    assert verify(published | {"codes": list(codes[1:])}) == 1
    assert verify({}) == 2


def test_due_days_and_months() -> None:
    assert next_due("12-10", date(2026, 12, 10)) == date(2026, 12, 10)
    assert next_due("12-10", date(2026, 12, 11)) == date(2027, 12, 10)
    assert next_due("02-29", date(2026, 1, 1)) == date(2026, 2, 28)
    assert shift(date(2026, 8, 31), 6) == date(2027, 2, 28) and shift(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert back(datetime(2026, 1, 31, 18, tzinfo=UTC), 3).date() == date(2025, 11, 1), "by the day in China"
