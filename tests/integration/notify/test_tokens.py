"""Tokens of agencies' systems, their errors to the letter of RFC 6749, and the directory behind them."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.integration.notify.conftest import House


def basic(user: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


async def test_a_system_gets_a_token_both_ways_and_uses_it(house: House) -> None:
    secret = await house.system(scopes=("notice.read", "tip.submit"))
    by_header = await house.token(("shop-floor", secret))
    assert by_header.status_code == 200 and by_header.headers["cache-control"] == "no-store"
    told = by_header.json()
    assert told["token_type"] == "Bearer" and told["expires_in"] == 3600 and told["scope"] == "notice.read tip.submit"
    by_form = await house.token(None, client_id="shop-floor", client_secret=secret, scope="notice.read")
    assert by_form.json()["scope"] == "notice.read"
    read = await house.client.get("/v1/notices", headers={"authorization": f"Bearer {told['access_token']}"})
    assert read.status_code == 200
    metadata = (await house.client.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["token_endpoint"] == f"{metadata['issuer']}/oauth2/token"
    keys = (await house.client.get("/.well-known/jwks.json")).json()
    assert all("d" not in key for key in keys["keys"])
    claims = jwt.decode(told["access_token"], KeySet.import_key_set(keys), algorithms=["Ed25519"]).claims
    assert claims["agency"] == "commerce" and claims["kind"] == "system"


def refused(answer: httpx.Response, error: str, status: int = 400) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_every_mistake_has_its_error(house: House) -> None:
    secret = await house.system()
    right = ("shop-floor", secret)
    refused(await house.token(("shop-floor", "wrong")), "invalid_client", 401)
    refused(await house.token(("nobody", secret)), "invalid_client", 401)
    refused(await house.token(("no\0body", secret)), "invalid_client", 401)
    refused(await house.token(None), "invalid_client", 401)
    refused(await house.token(None, client_id="shop-floor"), "invalid_client", 401)
    refused(await house.token(right, client_secret=secret), "invalid_request")
    refused(await house.token(right, client_id="other-one"), "invalid_request")
    refused(await house.token(right, scope="notice.read case.accept"), "invalid_scope")
    refused(await house.token(right, grant_type="password"), "unsupported_grant_type")
    post = house.client.post
    refused(
        await post("/oauth2/token", data={}, auth=right, headers={"content-type": "application/x-www-form-urlencoded"}),
        "invalid_request",
    )
    twice = "grant_type=client_credentials&grant_type=client_credentials"
    form = {"content-type": "application/x-www-form-urlencoded"}
    refused(await post("/oauth2/token", content=twice, headers=form | basic(*right)), "invalid_request")
    refused(await post("/oauth2/token", json={"grant_type": "client_credentials"}, auth=right), "invalid_request")
    good = "grant_type=client_credentials"
    for header in ("Basic !!!", "Basic " + base64.b64encode(b"no-colon").decode(), "Basic /////w==", "Digest x"):
        refused(
            await post("/oauth2/token", content=good, headers=form | {"authorization": header}), "invalid_client", 401
        )


async def test_a_new_secret_ends_the_old_one_and_its_tokens(house: House) -> None:
    secret = await house.system()
    token = (await house.token(("shop-floor", secret))).json()["access_token"]
    (row,) = await house.rows("SELECT id, version FROM systems")
    path, match = f"/v1/directory/systems/{row.id}/secret", {"if-match": f'"{row.version}"'}
    assert (await house.client.post(path, headers=house.admin)).status_code == 428
    fresh = await house.client.post(path, headers=house.admin | match)
    assert fresh.status_code == 200
    assert (await house.client.post(path, headers=house.admin | match)).status_code == 412
    refused(await house.token(("shop-floor", secret)), "invalid_client", 401)
    refused(await house.token(("shop-floor", fresh.json()["client_secret"])), "invalid_client", 401)
    assert fresh.json()["waiting"] and (await house.approve(row.id, house.admin)).status_code == 403
    approved = await house.approve(row.id)
    assert approved.status_code == 200 and not approved.json()["waiting"]
    old = await house.client.get("/v1/notices", headers={"authorization": f"Bearer {token}"})
    assert old.status_code == 401
    again = await house.token(("shop-floor", fresh.json()["client_secret"]))
    new = await house.client.get("/v1/notices", headers={"authorization": f"Bearer {again.json()['access_token']}"})
    assert new.status_code == 200
    off = await house.client.patch(
        f"/v1/directory/systems/{row.id}",
        json={"active": False},
        headers=house.admin | {"if-match": approved.headers["etag"]},
    )
    assert off.status_code == 200
    refused(await house.token(("shop-floor", fresh.json()["client_secret"])), "invalid_client", 401)


async def test_what_gives_a_system_more_waits_for_a_second_person(house: House) -> None:
    """Four eyes for taking on an agency (design): made, widened, switched on again: another person, of a post that
    approves, lets it work; who asked never does. What takes away needs nobody."""
    both = house.bearer(principal_id="both", agency="commerce", unit="office", posts=("system-admin", "office-director"))
    body = {"client_id": "shop-floor", "plan": "dayong", "agency": "commerce", "scopes": ["notice.read"]}
    made = (await house.client.post("/v1/directory/systems", json=body, headers=both)).json()
    auth, path = ("shop-floor", made["client_secret"]), f"/v1/directory/systems/{made['id']}"
    refused(await house.token(auth), "invalid_client", 401)
    same = await house.approve(made["id"], both)
    assert same.status_code == 403 and same.json()["type"].endswith("second-person")
    listed = (await house.client.get("/v1/directory/approvals", headers=house.director)).json()["items"]
    assert [one["client_id"] for one in listed] == ["shop-floor"]
    assert (await house.client.get("/v1/directory/approvals", headers=house.admin)).status_code == 403
    stale = await house.client.post(f"{path}/approve", headers=house.director | {"if-match": '"7"'})
    assert stale.status_code == 412
    assert (await house.approve(made["id"])).status_code == 200
    assert (await house.approve(made["id"])).status_code == 409
    answer = await house.token(auth)
    assert answer.status_code == 200
    claims = json.loads(base64.urlsafe_b64decode(answer.json()["access_token"].split(".")[1] + "=="))
    told = (await house.client.get("/.well-known/oauth-authorization-server")).json()
    assert claims["iss"] == told["issuer"]

    async def change(**what: object) -> dict[str, Any]:
        [row] = await house.rows("SELECT version FROM systems")
        done = await house.client.patch(path, json=what, headers=both | {"if-match": f'"{row.version}"'})
        assert done.status_code == 200, done.text
        return done.json()

    assert (await change(scopes=["notice.read", "tip.submit"]))["waiting"]
    refused(await house.token(auth), "invalid_client", 401)
    assert (await house.approve(made["id"])).status_code == 200
    assert not (await change(scopes=["tip.submit"]))["waiting"]
    assert (await house.token(auth)).status_code == 200
    assert not (await change(active=False))["waiting"] and (await change(active=True))["waiting"]
    refused(await house.token(auth), "invalid_client", 401)


async def test_secrets_are_kept_as_hashes_and_events_name_nobody(house: House) -> None:
    secret = await house.system()
    (row,) = await house.rows("SELECT row_to_json(s)::text AS j FROM systems s")
    assert secret not in row.j
    first, sent = await house.rows("SELECT convert_from(data, 'UTF8') AS d FROM outbox ORDER BY seq")
    assert json.loads(first.d)["active"] is False, "nobody has approved it yet"
    data = json.loads(sent.d)
    assert data["kind"] == "system" and data["scopes"] == ["notice.read"] and "shop-floor" not in sent.d
    (principal,) = await house.rows("SELECT * FROM principal")
    assert principal.id == data["principal_id"] and principal.active == 1


async def test_an_account_must_fit_the_plan(house: House) -> None:
    good = {"login": "zhao", "display": "测试乙", "plan": "dayong", "agency": "police", "posts": ["desk"]}
    for change, status in (
        ({"agency": "nobody"}, 422),
        ({"unit": "kitchen"}, 422),
        ({"posts": ["emperor"]}, 422),
        ({"areas": ["atlantis"]}, 422),
        ({"plan": "xiyuan", "agency": "police"}, 403),
        ({"login": "Wang Wei"}, 422),
        ({"surprise": 1}, 422),
    ):
        answer = await house.client.post("/v1/directory/accounts", json=good | change, headers=house.admin)
        assert answer.status_code == status, change
    assert not await house.rows("SELECT 1 FROM accounts")


async def test_only_the_account_manager_manages_accounts(house: House) -> None:
    for who in (
        {"agency": "police", "posts": ("head",)},
        {"agency": "commerce", "unit": "office", "posts": ("office-director",)},
    ):
        assert (await house.client.get("/v1/directory/accounts", headers=house.bearer(**who))).status_code == 403
    assert (await house.client.get("/v1/directory/accounts")).status_code == 401
    await house.officer("a-one")
    await house.officer("b-two")
    await house.officer("c-other", plan="xiyuan", agency="police", unit=None)
    page = await house.client.get("/v1/directory/accounts", params={"limit": 1}, headers=house.admin)
    logins = [page.json()["items"][0]["login"]]
    page = await house.client.get("/v1/directory/accounts", params={"cursor": page.json()["next"]}, headers=house.admin)
    logins += [item["login"] for item in page.json()["items"]]
    assert logins == ["a-one", "b-two"] and page.json()["next"] is None
    twice = {"login": "a-one", "display": "测试乙", "plan": "dayong", "agency": "police"}
    assert (await house.client.post("/v1/directory/accounts", json=twice, headers=house.admin)).status_code == 409
