"""Officers of the town as a test lets them act, over HTTP and the real services."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.instances import Stack
from tests.patience import until

AREA = "dayong-antang"


class People:
    """Officers of the town, and what they do by HTTP."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.director = stack.bearer(
            agency="commerce", unit="office", posts=("office-director",), principal_id="director"
        )
        self.staff = stack.bearer(agency="commerce", unit="office", posts=("office-staff",), principal_id="staff")
        self.leader = stack.bearer(agency="politics_law", posts=("leader",), principal_id="leader")
        self.police = stack.bearer(agency="police", posts=("head", "desk", "investigator"), principal_id="police")
        self.commerce = stack.bearer(agency="commerce", posts=("head", "desk"), principal_id="market")
        self.food = stack.bearer(agency="food_drug", posts=("head", "desk"), principal_id="food")
        self.labour = stack.bearer(agency="labour", posts=("head",), principal_id="labour")

    def send(
        self,
        service: str,
        path: str,
        who: dict[str, str],
        body: Any,
        version: int | None = None,
        expect: int | None = None,
    ) -> Any:
        headers = {**who, "idempotency-key": uuid.uuid4().hex} | ({"if-match": f'"{version}"'} if version else {})
        done = httpx.post(f"{self.stack.url(service)}{path}", headers=headers, json=body, timeout=30)
        assert done.status_code in ((expect,) if expect else (200, 201)), f"{path}: {done.text}"
        return done.json() if done.content else None

    def read(self, service: str, path: str, who: dict[str, str], **params: Any) -> Any:
        got = httpx.get(f"{self.stack.url(service)}{path}", headers=who, params=params, timeout=30)
        return got.json() if got.status_code == 200 else None

    def opened(
        self, kind: str, who: dict[str, str], values: dict[str, Any], to: str | None = None, case: str | None = None
    ) -> Any:
        body: dict[str, Any] = {"kind": kind, "values": values, "area": AREA}
        if to:
            body["counterpart"] = {"agency": to}
        return self.send("casework", f"/v1/cases/{case}/proceedings" if case else "/v1/proceedings", who, body)

    def step(self, made: Any, name: str, who: dict[str, str], **values: Any) -> Any:
        path = f"/v1/proceedings/{made['proceeding_id']}"
        version = self.read("casework", path, self.director)["version"]
        return self.send("casework", f"{path}/steps/{name}", who, {"values": values}, version)

    def tip(self) -> Any:
        """A tip that police and commerce work on, about a place nobody has told of."""
        place = f"安堂社区兴华里{uuid.uuid4().int % 900 + 100}栋{uuid.uuid4().int % 900 + 100}"
        body = {
            "plan": "dayong", "channel": "hotline",
            "text": f"{place}有人搞传销，每天拉人头听课，发展下线，每人交3900元",
        }  # fmt: skip
        return self.send("intake", "/v1/tips", self.staff, body)

    def case(self, lead_id: str) -> str:
        def look() -> Any:
            page = httpx.get(f"{self.stack.url('casework')}/cases/of-lead/{lead_id}", headers=self.police, timeout=30)
            return page.headers.get("location", "").rsplit("/", 1)[-1] if page.status_code == 303 else None

        return until("a case of the tip", look)

    def finding(self, condition: str, about: str) -> Any:
        """The finding of a condition about a matter, as soon as scoring proposes it."""

        def look() -> Any:
            page = self.read("scoring", "/v1/findings", self.leader, condition=condition, limit=200) or {"items": []}
            return next((one for one in page["items"] if about in one["matter"]), None)

        return until(f"{condition} about {about}", look)

    def no_finding(self, condition: str, about: str) -> None:
        """Nothing of the kind, after something told later has arrived."""
        page = self.read("scoring", "/v1/findings", self.leader, condition=condition, limit=200)
        assert not [one for one in page["items"] if about in one["matter"] and one["state"] != "lapsed"]
