"""The inspection: what can be inspected is frozen, a secret committed to, a word given, a sample drawn, results kept."""

from __future__ import annotations

import os
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates.applying import by_the_course, needed
from services.scoring.commands.certificates.rows import Round, facts, saved, told
from services.scoring.domain.certificates import sampling
from services.scoring.queries import certificates as queries
from services.scoring.schemas.certificates import CertificationStepIn
from services.scoring.tables import certification_draws, certification_samples
from shared.events.certificates import CertificateInspected, CertificateSampleCommitted, CertificateSampleDrawn
from shared.kit.db import insert_many
from shared.kit.problem import Conflict, Invalid

d, p = certification_draws.c, certification_samples.c


async def commit(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """Freeze the lists of what can be inspected, and commit to a secret before anyone can choose (X-D1d, D-P).

    A list that no event tells (`lists`) is given by the inspector; it is published like the others.
    """
    secret = os.urandom(32).hex()
    commitment, rows = sampling.commitment_of(secret), []
    for sample in one.standard.sample:
        codes = await queries.population(conn, one.plan, one.row, sample.of)
        if codes is None:
            codes = [str(code) for code in body.lists.get(sample.of, [])]
            if not codes:
                raise needed(
                    f"lists.{sample.of}", f"请提供可抽查对象“{sample.of}”的清单",
                    f"Give the list of “{sample.of}” that can be inspected",
                )  # fmt: skip
        frozen = sampling.frozen_list(codes)
        rows.append(
            {
                "certification_id": one.row.id, "round": one.row.round, "part": sample.of, "codes": list(frozen),
                "digest": sampling.digest_of(frozen), "commitment": commitment,
                "number": sampling.how_many(len(frozen), sample.percent, sample.at_least),
                "secret_sealed": one.desk.seal(one.row.id, secret), "committed_at": one.now,
                "committed_by": one.caller.actor,
            }
        )  # fmt: skip
    await insert_many(conn, certification_draws, rows)
    row = await saved(conn, one, body.note, line={"round": one.row.round, "commitment": commitment})
    event = CertificateSampleCommitted(
        **facts(one.desk, row), round=one.row.round, digests={r["part"]: r["digest"] for r in rows},
        sizes={r["part"]: len(r["codes"]) for r in rows}, commitment=commitment, committed_at=one.now,
    )  # fmt: skip
    return await told(conn, one, [event], commitment=commitment)


async def draw_sample(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """The applicant's word reveals the secret, and both choose the sample; anyone can compute it again."""
    if body.word is None:
        raise needed(
            "word",
            "请填写抽样词（字母、数字，例如当场掷骰子的点数）",
            "Give a word: letters and digits, thrown dice say",
        )
    draws = (
        await conn.execute(
            select(certification_draws)
            .where(d.certification_id == one.row.id, d.round == one.row.round)
            .order_by(d.part)
            .with_for_update()
        )
    ).all()
    chosen: dict[str, tuple[str, ...]] = {}
    seeds: dict[str, str] = {}
    secret = ""
    for row in draws:
        secret = one.desk.open(one.row.id, row.secret_sealed)
        seeds[row.part] = sampling.seed_of(str(one.row.id), row.part, row.digest, secret, body.word)
        chosen[row.part] = sampling.draw(row.codes, row.number, seeds[row.part]).chosen
        await conn.execute(
            update(certification_draws)
            .where(d.certification_id == one.row.id, d.round == row.round, d.part == row.part)
            .values(
                secret=secret, word=body.word, seed=seeds[row.part], drawn_at=one.now, drawn_by=one.caller.actor,
                secret_sealed=None,
            )
        )  # fmt: skip
    await insert_many(
        conn,
        certification_samples,
        [
            {"certification_id": one.row.id, "round": one.row.round, "part": part, "code": code, "position": position}
            for part, codes in chosen.items()
            for position, code in enumerate(codes, 1)
        ],
    )
    saved_row = await saved(conn, one, line={"round": one.row.round})
    event = CertificateSampleDrawn(
        **facts(one.desk, saved_row), round=one.row.round, secret=secret, word=body.word, seeds=seeds,
        chosen={part: len(codes) for part, codes in chosen.items()}, drawn_at=one.now,
    )  # fmt: skip
    return await told(conn, one, [event])


async def result(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """What was found at one of the sample. What is not good needs a note."""
    if body.result is None or body.part is None or body.code is None:
        raise needed("result", "请选择样本和检查结果", "Choose one of the sample and its result")
    if body.result != "good" and not body.note:
        raise needed("note", "不合格或无法检查的，请写明情况", "Say why it is not good, or could not be seen")
    changed = (
        update(certification_samples)
        .where(
            p.certification_id == one.row.id, p.round == one.row.round, p.part == body.part, p.code == body.code
        )
        .values(
            result=body.result, note=one.desk.seal(one.row.id, body.note) if body.note else None, inspected_at=one.now,
            inspected_by=one.caller.actor,
        )
        .returning(p.code)
    )  # fmt: skip
    if (await conn.execute(changed)).first() is None:
        raise Invalid(
            "它不在抽到的样本里；未保存。 It is not one of the sample; nothing was kept.", code="not-in-the-sample"
        )
    await saved(conn, one, line={"part": body.part, "code": body.code, "result": body.result})
    return await told(conn, one, [], result=body.result)


async def counts(conn: AsyncConnection, one: Round) -> dict[str | None, int]:
    """Result → how many of this round's sample; None: not inspected yet."""
    rows = await conn.execute(
        select(p.result, func.count())
        .where(p.certification_id == one.row.id, p.round == one.row.round)
        .group_by(p.result)
    )
    return {found: number for found, number in rows}


async def finish(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """The inspection ends when the whole sample has a result."""
    found = await counts(conn, one)
    if found.get(None):
        raise Conflict(
            f"还有 {found[None]} 个样本没有检查结果；未作更改。 {found[None]} of the sample have no result yet; nothing was changed.",
            code="sample-not-done",
            left=found[None],
        )
    events = await by_the_course(conn, one)
    row = await saved(conn, one, body.note, line={"round": one.row.round, "bad": found.get("bad", 0)})
    event = CertificateInspected(
        **facts(one.desk, row), round=one.row.round, good=found.get("good", 0), bad=found.get("bad", 0),
        unreachable=found.get("unreachable", 0), inspected_at=one.now,
    )  # fmt: skip
    return await told(conn, one, [*events, event])
