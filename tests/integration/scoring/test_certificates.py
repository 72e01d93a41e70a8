"""A community on its way to its certificate and after it: by HTTP as its people act, with events as the others tell them."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.scoring.commands.certificates import Desk, ensure_dues, expire, keep_evidence, settle_dues
from services.scoring.commands.findings.effects import take_effect
from services.scoring.domain.findings import Finding, FindingState, FindingStep, Settled
from shared.events import Event
from shared.events.certificates import (
    CertificateGranted,
    CertificateMissed,
    CertificateRestored,
    CertificateRevoked,
    CertificateSuspended,
)
from shared.events.intake import PatrolCompleted, PlaceRegistered, SurveyRoundClosed
from shared.events.places import DenCleared, DenRecorded, PlaceSeenAgain
from shared.events.publicity import CampaignDone
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.scoring.conftest import Score, event

ROOT = Path(__file__).resolve().parents[3]
AREA, HOLDER = "xiyuan-meihong", "c-meihong"


class Round:
    """One round of a community of Xiyuan: people act by HTTP."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.desk: Desk = score.app.state.certificates
        self.id: str = ""
        self.version = 0
        self.keys = 0

        def bearer(**caller: Any) -> dict[str, str]:
            """An officer of their own: one of each agency and post."""
            return score.stack.bearer(principal_id=f"{caller['agency']}-{caller['posts'][0]}", **caller)

        self.bearer = bearer
        own: dict[str, Any] = {"plan": "xiyuan", "agency": HOLDER, "areas": (AREA,)}
        self.community = bearer(**own, posts=("head",))
        self.neighbour = bearer(plan="xiyuan", agency="c-hanjia", areas=("xiyuan-hanjia",), posts=("head",))
        self.politics = bearer(plan="xiyuan", agency="politics_law", posts=("head",))
        self.office = bearer(plan="xiyuan", agency="office", posts=("office-staff",))
        self.director = bearer(plan="xiyuan", agency="office", posts=("office-director",))
        self.leader = bearer(plan="xiyuan", agency="party_office", posts=("leader",))
        self.party = bearer(plan="xiyuan", agency="party_office", posts=("desk",))

    def _key(self) -> dict[str, str]:
        self.keys += 1
        return {"idempotency-key": f"certificate-{self.keys:04d}"}

    async def start(self, who: dict[str, str], **body: Any) -> httpx.Response:
        sent = {"standard": "free-community", "holder": HOLDER} | body
        answer = await self.score.client.post("/v1/certifications", headers=who | self._key(), json=sent)
        self._read(answer)
        return answer

    def _read(self, answer: httpx.Response) -> None:
        if answer.status_code < 300:
            self.id, self.version = answer.json()["id"], answer.json()["version"]

    async def step(self, who: dict[str, str], step: str, **body: Any) -> httpx.Response:
        headers = who | self._key() | {"if-match": f'"{self.version}"'}
        answer = await self.score.client.post(f"/v1/certifications/{self.id}/steps/{step}", headers=headers, json=body)
        self._read(answer)
        return answer

    async def done(self, who: dict[str, str], step: str, **body: Any) -> dict[str, Any]:
        answer = await self.step(who, step, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, who: dict[str, str], step: str, status: int, why: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.step(who, step, **body)
        assert answer.status_code == status and answer.json()["type"].endswith(why), answer.text
        return answer.json()

    async def full(self, who: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self.score.get(f"/v1/certifications/{self.id}", who or self.director)
        assert answer.status_code == 200, answer.text
        self.version = answer.json()["version"]
        return answer.json()

    async def hear(self, *events: Event[Any]) -> None:
        async with db.begin(self.score.service.engine) as conn:
            await keep_evidence(conn, self.desk, events, clock.now())

    async def events(self, kind: type) -> list[Any]:
        return [one for one in await self.score.events() if isinstance(one, kind)]

    # -- the road ---------------------------------------------------------------------------------------------------

    async def programme(self) -> None:
        assert (await self.start(self.politics)).status_code == 201
        await self.done(self.community, "do_step", programme="announce", note="居民大会，见美居〔2026〕4号")
        await self.done(self.community, "do_step", programme="self-check", note="自查表，存社区档案 12 卷")
        await self.done(self.politics, "do_step", programme="guidance", note="综治办指导记录 2026-3")
        for item in ("letter", "mechanism", "revisits"):
            await self.done(self.community, "attest", indicator=item, note="材料见社区档案 12 卷", sha256="ab" * 32)

    async def good_evidence(self, rentals: int = 24) -> None:
        now = clock.now()
        told: list[Any] = [
            PlaceRegistered(plan="xiyuan", area=AREA, place_id=new_id(), kind="rental", registered_at=now, dataref="x")
            for _ in range(rentals)
        ]
        told.append(
            SurveyRoundClosed(
                plan="xiyuan", area=AREA, round_id=new_id(), target=900, reached=900, found=0, done=True,
                due=date.today(), closed_at=now, dataref="x",
            )
        )  # fmt: skip
        told += [
            CampaignDone(
                plan="xiyuan", area=AREA, agency=HOLDER, unit=None, clause="X-D9", dataref="x", item_id=new_id(),
                campaign="letter", kind="campaign", target=AREA, period="1", due=now, late=False, reached=300,
                done_at=now, recorded_at=now,
            )
            for _ in range(2)
        ]  # fmt: skip
        await self.hear(*(event(one, now) for one in told))

    async def inspected(self) -> None:
        await self.programme()
        await self.good_evidence()
        await self.done(self.community, "apply")
        await self.done(self.office, "commit")
        full = await self.done(self.community, "draw", word="3 1 4 1 5")
        for one in full["samples"]:
            await self.done(self.office, "result", part=one["part"], code=one["code"], result="good")
        await self.done(self.office, "finish")

    async def granted(self) -> dict[str, Any]:
        await self.inspected()
        await self.done(self.leader, "propose_grant")
        return await self.done(self.director, "confirm")

    # -- facts ------------------------------------------------------------------------------------------------------

    def den(self, area: str = AREA) -> tuple[Event[Any], Event[Any]]:
        now, den_id = clock.now(), new_id()
        common = {"case_id": new_id(), "plan": "xiyuan", "area": area, "place_id": new_id(), "kind": "rental", "dataref": "x",
                  "den_id": den_id, "agency": "police", "unit": None, "officers": 6, "found_at": now}  # fmt: skip
        return (
            event(DenRecorded(**common, registered_id=None, people=9, again=False, recorded_at=now), now),
            event(DenCleared(**common, cleared_at=now), now),
        )

    async def settle(self, step: FindingStep, finding_id: UUID | None = None, **more: Any) -> UUID:
        finding_id = finding_id or new_id()
        values: dict[str, Any] = {
            "finding_id": finding_id, "plan": "xiyuan", "condition": "concealment", "clause": "X-R2", "matter": "x:1",
            "subject_kind": "community", "agency": HOLDER, "unit": None, "area": AREA, "case_id": None,
            "origin": "exposed", "occurred_at": clock.now(), "events": (new_id(),), "measure": {},
            "state": FindingState.CONFIRMED, "version": 2,
        }  # fmt: skip
        finding = Finding(**(values | more))
        async with db.begin(self.score.service.engine) as conn:
            await take_effect(conn, Settled(finding, step, new_id(), "officer:x", clock.now()), clock.now())
        return finding_id


@pytest.fixture
async def road(score: Score) -> AsyncIterator[Round]:
    yield Round(score)


async def test_a_community_reaches_the_standard_step_by_step__x_g4_x_d4(road: Round) -> None:
    """X-G4, X-D4: a programme organised by the 综治办, a checklist filled by events, sample, inspection, two persons."""
    full = await road.granted()
    assert full["state"] == "granted" and full["in_force"] and full["number"].startswith("西园街道无传销社区〔")
    assert full["score"] == "100" and {one["verdict"] for one in full["items"]} == {"met", "shown"}
    done = {one["step"] for one in full["programme"] if one["done_at"]}
    assert done == {"announce", "self-check", "guidance", "apply", "inspection"}, "the course ticks its own steps off"
    told = [type(one).__name__ for one in await road.score.events() if type(one).__module__.endswith("certificates")]
    assert told.count("CreationStepDone") == 5
    assert [one for one in told if one != "CreationStepDone"] == [
        "CreationStarted", "CertificateApplied", "CertificateSampleCommitted", "CertificateSampleDrawn",
        "CertificateInspected", "CertificateGranted",
    ]  # fmt: skip
    (granted,) = await road.events(CertificateGranted)
    assert granted.valid_until is not None and granted.holder == HOLDER and granted.clause == "X-G4"


async def test_the_standard_cannot_be_talked_to__x_g4(road: Round) -> None:
    """X-G4: without its evidence nothing is applied for, and what figures tell nobody can certify by hand."""
    await road.programme()
    missing = await road.refused(road.community, "apply", 409, "standard-not-reached")
    assert {one["field"] for one in missing["items"]} == {"publicity", "survey", "rentals"}
    await road.refused(road.community, "attest", 409, "figure-decides", indicator="publicity", note="做了很多")
    await road.good_evidence()
    found, cleared = road.den()
    await road.hear(found)
    vetoed = await road.refused(road.community, "apply", 409, "standard-not-reached")
    assert [one["field"] for one in vetoed["items"] if one["veto"]] == ["dens"]
    await road.hear(cleared, cleared)
    assert (await road.done(road.community, "apply"))["state"] == "applied"


async def test_the_programme_comes_first__x_d4(road: Round) -> None:
    """X-D4: what the programme asks is done, by whose it is, before anything is applied for."""
    await road.start(road.community)
    undone = await road.refused(road.community, "apply", 409, "programme-not-done")
    assert undone["steps"] == ["announce", "guidance", "self-check"]
    await road.refused(road.politics, "do_step", 403, "not-your-step", programme="announce", note="x")
    await road.refused(road.community, "do_step", 422, "unknown-step", programme="apply", note="x")
    await road.refused(road.community, "do_step", 422, "missing", programme="announce")
    again = await road.start(road.politics)
    assert again.status_code == 409 and again.json()["type"].endswith("round-open")


async def test_each_item_opens_to_its_events__x_d1d(road: Round) -> None:
    """X-D1d: every figure leads to the events behind it, each with where it is opened."""
    await road.programme()
    await road.good_evidence(rentals=7)
    full = await road.full()
    rentals = next(one for one in full["items"] if one["id"] == "rentals")
    assert rentals["value"] == "7" and rentals["evidence"].endswith("/items/rentals/evidence")
    path = f"/v1/certifications/{road.id}/items/rentals/evidence"
    first = (await road.score.get(path, road.community, limit=5)).json()
    rest = (await road.score.get(path, road.community, limit=5, cursor=first["next"])).json()
    ids = [one["event_id"] for one in first["items"] + rest["items"]]
    assert len(ids) == len(set(ids)) == 7 and rest["next"] is None
    heard = await road.score.rows("SELECT event_id FROM evidence_facts WHERE source = 'rentals'")
    assert {str(row.event_id) for row in heard} == set(ids)


async def test_anyone_can_compute_the_sample_again__x_d1d(road: Round, tmp_path: Path) -> None:
    """X-D1d: the list is frozen and a secret committed to; only then a word is given; the choice is computed again."""
    await road.programme()
    await road.good_evidence()
    await road.done(road.community, "apply")
    await road.refused(road.community, "commit", 403, "not-your-step")
    await road.done(road.office, "commit")
    before = (await road.score.get(f"/v1/certifications/{road.id}/draws", road.community)).json()["items"][0]
    assert before["codes"] == [] and before["secret"] is None and before["number"] == 10
    stored = await road.score.rows("SELECT secret, secret_sealed, digest, commitment FROM certification_draws")
    assert stored[0].secret is None and stored[0].secret_sealed is not None
    await road.refused(road.office, "draw", 403, "not-your-step", word="1 2 3 4")
    full = await road.done(road.community, "draw", word="6 6 2 1")
    drawn = await road.score.get(f"/v1/certifications/{road.id}/draws", road.community)
    after = drawn.json()["items"][0]
    assert (after["digest"], after["commitment"]) == (before["digest"], before["commitment"])
    assert [one["code"] for one in full["samples"]] == after["chosen"] and len(after["codes"]) == 24
    path = tmp_path / "draws.json"
    path.write_bytes(drawn.content)
    program = ROOT / "examples" / "certificate_sample" / "verify.py"
    assert subprocess.run([sys.executable, "-I", program, path], check=False).returncode == 0
    await road.refused(road.office, "finish", 409, "sample-not-done")
    await road.refused(
        road.office, "result", 422, "not-in-the-sample", part="rental", code=str(new_id()), result="good"
    )


async def test_two_persons_decide_and_the_applicant_is_neither__x_g4(road: Round) -> None:
    """X-G4: whoever applies neither inspects nor decides; whoever proposed cannot confirm; the post must be able to."""
    await road.inspected()
    await road.refused(road.community, "propose_grant", 403, "not-your-step")
    await road.refused(road.politics, "propose_grant", 403, "not-your-step")
    await road.done(road.director, "propose_grant")
    await road.refused(road.director, "confirm", 403, "second-person-needed")
    await road.refused(road.leader, "confirm", 403, "approval-needed")
    await road.done(road.leader, "object", note="抽查时间太短")
    await road.done(road.leader, "propose_grant")
    assert (await road.done(road.director, "confirm"))["in_force"]


async def test_what_is_bad_is_put_right_with_a_new_sample__d_p(road: Round) -> None:
    """D-P, X-D1d: 整改: a day, a new round, a new sample; then the decision."""
    await road.programme()
    await road.good_evidence()
    await road.done(road.community, "apply")
    await road.done(road.office, "commit")
    full = await road.done(road.community, "draw", word="1111")
    for number, one in enumerate(full["samples"]):
        more = {"result": "good"} if number else {"result": "bad", "note": "未登记承租人"}
        await road.done(road.office, "result", part=one["part"], code=one["code"], **more)
    await road.done(road.office, "finish")
    await road.refused(road.leader, "propose_grant", 422, "missing")
    by = (clock.now() + timedelta(days=10)).date().isoformat()
    assert (await road.done(road.office, "order_rectification", by=by, note="补登记"))["rectify_by"] == by
    full = await road.done(road.community, "rectified", note="已补登记，见台账")
    assert full["round"] == 2 and full["state"] == "applied"
    await road.done(road.office, "commit")
    again = await road.done(road.community, "draw", word="1111")
    chosen = [[one["code"] for one in again["samples"] if one["round"] == number] for number in (1, 2)]
    assert len(chosen[0]) == len(chosen[1]) == 10 and chosen[0] != chosen[1], "the same word draws another sample"


async def test_a_certificate_does_not_outlive_its_facts__x_g4(road: Round) -> None:
    """X-G4, point 10: a den found in the community suspends at once; restored by its procedure, never by itself."""
    await road.granted()
    elsewhere, _ = road.den("xiyuan-hanjia")
    await road.hear(elsewhere)
    assert (await road.full())["in_force"], "a den in another community is another's"
    found, cleared = road.den()
    await road.hear(found)
    full = await road.full()
    assert full["state"] == "suspended" and not full["in_force"]
    (told,) = await road.events(CertificateSuspended)
    assert (told.cause, told.what, told.events) == ("indicator", "dens", (found.id,))
    public = (await road.score.client.get("/v1/public/certificates")).json()["items"][0]
    assert public["status"] == "suspended" and public["causes"][0]["clause"] == "X-G2"
    early = await road.refused(road.community, "ask_restore", 409, "too-early", note="已清除")
    assert early["first"] > clock.now().isoformat()
    await road.score.rows(
        "UPDATE certifications SET suspended_at = suspended_at - interval '91 days' WHERE id = :id RETURNING id",
        id=road.id,
    )
    await road.done(road.community, "ask_restore", note="窝点已清除，房东签责任书")
    await road.done(road.leader, "propose_restore", note="已复查")
    await road.refused(road.director, "confirm", 409, "vetoed")
    await road.hear(cleared)
    full = await road.done(road.director, "confirm")
    assert full["in_force"] and all(one["lifted_at"] for one in full["reasons"])
    assert [one.cause for one in await road.events(CertificateRestored)] == ["procedure"]
    await road.hear(found, cleared)
    assert (await road.full())["in_force"], "what was told before does not suspend twice"
    again, _ = road.den()
    await road.hear(again)
    assert (await road.full())["state"] == "suspended", "what comes later does"


async def test_a_confirmed_finding_suspends_and_its_overturning_brings_back__x_g4(road: Round) -> None:
    """X-G4, D-Q1: a condition of the standard suspends with the decision; overturned in appeal, it is as before at once."""
    await road.granted()
    await road.settle(FindingStep.CONFIRM, condition="late_recording")
    assert (await road.full())["in_force"], (
        "a condition that the standard does not name costs points, not the certificate"
    )
    await road.settle(FindingStep.CONFIRM, agency="c-hanjia", area="xiyuan-hanjia")
    assert (await road.full())["in_force"]
    finding = await road.settle(FindingStep.CONFIRM, origin="self_reported")
    full = await road.full()
    assert full["state"] == "suspended" and full["reasons"][0]["origin"] == "self_reported"
    await road.settle(FindingStep.UPHOLD, finding)
    assert len((await road.full())["reasons"]) == 1, "upheld is no second reason"
    await road.settle(FindingStep.OVERTURN, finding)
    assert (await road.full())["in_force"]
    assert [one.cause for one in await road.events(CertificateRestored)] == ["taken_back"]


async def test_revoked_by_two_and_a_new_round_may_begin__x_g4(road: Round) -> None:
    """X-G4: what is not restored is taken away by two persons; the community may begin anew."""
    await road.granted()
    seen = PlaceSeenAgain(
        case_id=new_id(), plan="xiyuan", area=AREA, place_id=new_id(), kind="rental", dataref="x", what="place",
        cause="revisit", since=clock.now(), seen_at=clock.now(),
    )  # fmt: skip
    await road.hear(event(seen, clock.now()), road.den()[0])
    first = road.id
    await road.full()
    await road.done(road.director, "propose_revocation", note="死灰复燃")
    await road.refused(road.director, "confirm", 403, "second-person-needed")
    other = road.bearer(plan="xiyuan", agency="district_office", posts=("head",))
    assert (await road.done(other, "confirm"))["state"] == "revoked", "the district decides by its own standing"
    assert len(await road.events(CertificateRevoked)) == 1
    public = (await road.score.client.get("/v1/public/certificates")).json()["items"]
    assert [one["status"] for one in public] == ["revoked"]
    assert (await road.start(road.politics)).status_code == 201 and road.id != first


async def test_the_day_passes_without_a_certificate__d_q1_1(road: Round) -> None:
    """D-Q1.1: 未完成创建: whoever has none at its day is told of as missed, once; who has one is not."""
    await road.granted()
    engine, desk = road.score.service.engine, road.desk
    async with db.begin(engine) as conn:
        assert await ensure_dues(conn, desk, clock.now()) == 7, "six communities of Xiyuan, the town of Dayong"
        assert await ensure_dues(conn, desk, clock.now()) == 0
        assert await settle_dues(conn, desk, clock.now()) == 0
    later = clock.now() + timedelta(days=366)
    for _ in range(2):
        async with db.begin(engine) as conn:
            await settle_dues(conn, desk, later)
    missed = await road.events(CertificateMissed)
    assert len(missed) == 6 and HOLDER not in {one.holder for one in missed}
    town = next(one for one in missed if one.holder_kind == "town")
    assert (town.holder, town.agency, town.stood, town.clause) == ("dayong", "commerce", "none", "D-P")
    assert (town.due_on.month, town.due_on.day) == (12, 10)


async def test_a_suspended_certificate_is_none_at_the_day__d_q1_1(road: Round) -> None:
    """D-Q1.1: certified once is not certified: what counts is whether it stood at the end of the day."""
    await road.granted()
    async with db.begin(road.score.service.engine) as conn:
        await ensure_dues(conn, road.desk, clock.now())
    await road.hear(road.den()[0])
    async with db.begin(road.score.service.engine) as conn:
        await settle_dues(conn, road.desk, clock.now() + timedelta(days=366))
    mine = [one for one in await road.events(CertificateMissed) if one.holder == HOLDER]
    assert [one.stood for one in mine] == ["suspended"] and str(mine[0].certification_id) == road.id


async def test_time_ends_a_certificate__x_g4(road: Round) -> None:
    """X-G4: a certificate stands for the standard's months; afterwards there is a new round or none."""
    full = await road.granted()
    end = datetime.fromisoformat(full["valid_until"] + "T23:00:00+08:00")
    async with db.begin(road.score.service.engine) as conn:
        assert await expire(conn, road.desk, end) == 0
        assert await expire(conn, road.desk, end + timedelta(hours=2)) == 1
    assert (await road.full())["state"] == "expired"


async def test_who_may_read_what__x_d2(road: Round) -> None:
    """X-D2: the 党政办 sees where each stands; a community sees its own; the public list is anyone's and names nobody."""
    await road.granted()
    assert (await road.score.get(f"/v1/certifications/{road.id}", road.neighbour)).status_code == 404
    assert (await road.score.get("/v1/certifications", road.neighbour)).json()["items"] == []
    seen = (await road.score.get("/v1/certificates/standards", road.party)).json()["items"]
    (standard,) = [one for one in seen if one["id"] == "free-community"]
    states = {one["holder"]: one["state"] for one in standard["holders"]}
    assert len(states) == 6 and states[HOLDER] == "granted" and states["c-hanjia"] == "none"
    assert (await road.score.get("/v1/certifications", road.score.bearer("economy", ()))).status_code == 403
    answer = await road.score.client.get("/v1/public/certificates")
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    (item,) = answer.json()["items"]
    assert item["status"] == "in_force" and item["place"]["zh"] == "美虹社区"
    assert "officer" not in answer.text and "档案" not in answer.text


async def test_the_package_stands_on_its_own__x_d1d(road: Round) -> None:
    """X-D1d: 迎检材料: one ZIP, every file under its checksum, the report as Word, the ids of the events."""
    await road.granted()
    answer = await road.score.get(f"/v1/certifications/{road.id}/package.zip", road.director)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    package = zipfile.ZipFile(io.BytesIO(answer.content))
    names = set(package.namelist())
    assert {"README.txt", "report.docx", "checklist.csv", "draws.json", "verify.py", "events/rentals.csv"} <= names
    listed = dict(reversed(line.split("  ")) for line in package.read("manifest.txt").decode().splitlines())
    assert set(listed) == names - {"manifest.txt"}
    assert all(hashlib.sha256(package.read(name)).hexdigest() == digest for name, digest in listed.items())
    events = package.read("events/rentals.csv").decode("utf-8-sig").splitlines()
    assert len(events) == 25
    assert json.loads(package.read("certification.json"))["number"].endswith("号")
    with zipfile.ZipFile(io.BytesIO(package.read("report.docx"))) as word:
        assert "迎检材料" in word.read("word/document.xml").decode()
    assert "report.pdf" in names or "report.pdf.txt" in names
    assert (await road.score.get(f"/v1/certifications/{road.id}/package.zip", road.neighbour)).status_code == 404


async def test_a_town_is_recognised_by_the_city__d_p(road: Round) -> None:
    """D-P: acceptance indicators of the town; applied for by its office, recognised by the city, never by the town itself."""
    bearer = road.bearer
    office = bearer(plan="dayong", agency="commerce", posts=("office-director",))
    leader = bearer(plan="dayong", agency="politics_law", posts=("leader", "head"))
    city = [bearer(plan="dayong", agency="city_office", posts=(post,)) for post in ("head", "desk")]
    road.director = office
    assert (await road.start(office, standard="free-town", holder="dayong")).status_code == 201
    full = await road.full()
    assert full["due_on"].endswith("-12-10")
    for one in full["programme"]:
        if one["step"] in ("mobilise", "implement", "self-check"):
            await road.done(office, "do_step", programme=one["step"], note="见大打办〔2026〕记录")
    now, area = clock.now(), "dayong-antang"
    told: list[Any] = [
        PatrolCompleted(
            plan="dayong", area=area, task_id=new_id(), unit_id=new_id(), tier="key", cause="tier", agency="rental_mgmt",
            result="in_order", due=now.date(), in_time=True, missed=0, done_at=now, lead_id=None, dataref="x",
        )
        for _ in range(30)
    ]  # fmt: skip
    told += [
        PlaceRegistered(plan="dayong", area=area, place_id=new_id(), kind="rental", registered_at=now, dataref="x")
        for _ in range(30)
    ]
    told += [
        CampaignDone(
            plan="dayong", area=None, agency="propaganda", unit=None, clause="D-M4", dataref="x", item_id=new_id(),
            campaign="into", kind="campaign", target="schools", period="1", due=now, late=False, reached=None, done_at=now,
            recorded_at=now,
        )
        for _ in range(3)
    ]  # fmt: skip
    await road.hear(*(event(one, now) for one in told))
    for item in ("organisation", "communities", "funds"):
        await road.done(office, "attest", indicator=item, note="见大打办〔2026〕记录")
    applied = await road.done(office, "apply")
    assert applied["passes"], applied["items"]
    await road.done(leader, "commit")
    drawn = await road.done(office, "draw", word="2 4 6 8")
    parts = {one["part"] for one in drawn["samples"]}
    assert parts == {"community", "rental"}
    for one in drawn["samples"]:
        await road.done(city[1], "result", part=one["part"], code=one["code"], result="good")
    await road.done(city[1], "finish")
    await road.done(leader, "propose_grant")
    full = await road.done(city[0], "confirm")
    assert full["in_force"] and full["number"].startswith("大涌镇无传销镇区〔")
    await road.settle(
        FindingStep.CONFIRM, plan="dayong", condition="missed_rescue", subject_kind="town", agency="police", area=area,
    )  # fmt: skip
    assert (await road.full(office))["state"] == "suspended", "D-Q1.6: a missed rescue costs the town its certificate"


async def test_who_does_not_read_first_changes_nothing(road: Round) -> None:
    """Two officers cannot overwrite each other unknowingly, and the same request twice has its effect once."""
    await road.start(road.politics)
    path = f"/v1/certifications/{road.id}/steps/do_step"
    body = {"programme": "announce", "note": "居民大会"}
    key = {"idempotency-key": "the-same-key-0001"}
    bare = await road.score.client.post(path, headers=road.community | key, json=body)
    assert bare.status_code == 428
    sent = [
        await road.score.client.post(path, headers=road.community | key | {"if-match": '"1"'}, json=body)
        for _ in range(2)
    ]
    assert [one.status_code for one in sent] == [200, 200] and sent[1].json()["version"] == 2
    old = await road.score.client.post(
        path, headers=road.community | {"idempotency-key": "another-key-0001", "if-match": '"1"'},
        json=body | {"programme": "self-check"},
    )  # fmt: skip
    assert old.status_code == 412 and old.json()["changes"][0]["programme"] == "announce"
    system = await road.score.client.post(
        path.replace("do_step", "suspend"), headers=road.director | key | {"if-match": '"2"'}, json={}
    )
    assert system.status_code == 404
