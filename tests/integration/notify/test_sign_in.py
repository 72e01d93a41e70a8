"""Signing in: lock-out, one-time codes, where it leads, and how it ends."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pyotp

from shared.kit import clock
from tests.integration.notify.conftest import PASSWORD, House

COOKIE = "dachuan_session"


async def signed_in(house: House) -> bool:
    return (await house.page("/account")).status_code == 200


async def test_a_password_opens_a_session_for_all_services(house: House) -> None:
    await house.officer()
    answer = await house.sign_in("Wang ")
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie, "the local mode has no TLS"
    assert await signed_in(house)


async def test_without_local_mode_the_cookie_is_secure(house: House) -> None:
    await house.officer()
    object.__setattr__(house.settings, "local_mode", False)
    answer = await house.sign_in("wang")
    assert "Secure" in answer.headers["set-cookie"]


async def test_five_failures_lock_even_the_right_password_out(house: House) -> None:
    await house.officer()
    for _ in range(5):
        assert (await house.sign_in("wang", "wrong wrong wrong")).status_code == 401
    refused = await house.sign_in("wang")
    assert refused.status_code == 401 and "set-cookie" not in refused.headers
    (row,) = await house.rows("SELECT failed, locked_until FROM accounts WHERE login = 'wang'")
    assert row.failed == 5 and timedelta(minutes=14) < row.locked_until - clock.now() <= timedelta(minutes=15)
    await house.run("UPDATE accounts SET locked_until = now() - interval '1 second'")
    assert (await house.sign_in("wang", "wrong again and again")).status_code == 401
    (row,) = await house.rows("SELECT locked_until FROM accounts WHERE login = 'wang'")
    assert row.locked_until - clock.now() > timedelta(minutes=29), "the lock grows"
    await house.run("UPDATE accounts SET locked_until = now() - interval '1 second'")
    assert (await house.sign_in("wang")).status_code == 303
    (row,) = await house.rows("SELECT failed, locked_until FROM accounts WHERE login = 'wang'")
    assert row.failed == 0 and row.locked_until is None


async def test_guesses_sent_at_once_cannot_outrun_the_lock(house: House) -> None:
    await house.officer()
    answers = await asyncio.gather(*(house.sign_in("wang", f"guess number {n}") for n in range(9)))
    assert {a.status_code for a in answers} == {401}
    (row,) = await house.rows("SELECT failed FROM accounts WHERE login = 'wang'")
    assert row.failed == 5
    assert (await house.sign_in("wang")).status_code == 401


async def test_an_unknown_login_is_answered_alike_and_as_slowly(house: House) -> None:
    await house.officer()

    async def timed(login: str) -> tuple[float, int, str]:
        begun = time.perf_counter()
        answer = await house.sign_in(login, "not the password")
        text = answer.text.replace(login, "LOGIN")
        # every form carries a fresh key
        text = "".join(line for line in text.splitlines() if "idempotency_key" not in line)
        return time.perf_counter() - begun, answer.status_code, text

    await timed("warm-up")
    known = [await timed("wang") for _ in range(3)]
    unknown = [await timed("nobody") for _ in range(3)]
    assert known[0][1:] == unknown[0][1:]
    assert min(t for t, *_ in unknown) > 0.5 * min(t for t, *_ in known)


async def test_odd_logins_are_refused_not_failed(house: House) -> None:
    for login in ["\x00", "a' OR 1=1 --", "王" * 80, "", "a" * 3000]:
        assert (await house.sign_in(login)).status_code in (400, 401)


async def test_a_sign_in_leads_only_to_our_own_pages(house: House) -> None:
    await house.officer()
    ours = "http://127.0.0.1:8402/cases/1?x=1"
    assert (await house.sign_in("wang", next=ours)).headers["location"] == ours
    assert (await house.sign_in("wang", next="//evil.example/")).headers["location"] == "/"
    shown = (await house.page("/sign-in?next=http://evil.example/")).text
    assert 'name="next" value=""' in shown and '"http://evil.example' not in shown


async def test_another_site_cannot_sign_a_browser_in(house: House) -> None:
    await house.officer()
    answer = await house.client.post(
        "/sign-in",
        data={"login": "wang", "password": PASSWORD, "idempotency_key": "0190a5c0-0000-7000-8000-000000000000"},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


async def test_signing_out_ends_every_session_at_once(house: House) -> None:
    await house.officer()
    await house.sign_in("wang")
    first = house.client.cookies[COOKIE]
    await house.sign_in("wang")
    answer = await house.post("/sign-out")
    assert answer.status_code == 303
    for token in (first, house.client.cookies.get(COOKIE) or first):
        refused = await house.client.get("/account", headers={"authorization": f"Bearer {token}"})
        assert refused.status_code == 401
    assert not await signed_in(house)
    published = await house.rows("SELECT count(*) AS n FROM outbox WHERE topic = 'notify.directory.v1'")
    assert published[0].n == 2, "made, then withdrawn: the other services hear of both"
    await house.sign_in("wang")
    assert await signed_in(house), "a new sign-in within the same second counts"


async def test_a_disabled_account_is_refused(house: House) -> None:
    account = await house.officer()
    await house.sign_in("wang")
    assert await signed_in(house)
    read = await house.client.get(f"/v1/directory/accounts/{account}", headers=house.admin)
    answer = await house.client.patch(
        f"/v1/directory/accounts/{account}",
        json={"active": False},
        headers=house.admin | {"if-match": read.headers["etag"]},
    )
    assert answer.status_code == 200 and answer.json()["active"] is False
    assert not await signed_in(house), "its session has ended"
    assert (await house.sign_in("wang")).status_code == 401


async def test_a_one_time_code_works_once(house: House) -> None:
    await house.officer()
    await house.sign_in("wang")
    await house.post("/account/totp")
    shown = await house.page("/account")
    assert "<svg" in shown.text
    secret = shown.text.split("<code>")[1].split("</code>")[0]
    totp = pyotp.TOTP(secret)
    assert (await house.post("/account/totp/confirm", code="000000")).status_code == 422
    (row,) = await house.rows("SELECT totp_secret, totp_pending FROM accounts")
    assert row.totp_secret is None and secret.encode() not in row.totp_pending
    now = clock.now()
    assert (await house.post("/account/totp/confirm", code=totp.at(now - timedelta(seconds=30)))).status_code == 303
    house.client.cookies.clear()
    assert (await house.sign_in("wang")).status_code == 401, "the password alone no longer opens"
    code = totp.at(now)
    assert (await house.sign_in("wang", code=code)).status_code == 303
    house.client.cookies.clear()
    assert (await house.sign_in("wang", code=code)).status_code == 401, "a code is not taken twice"
    assert (await house.sign_in("wang", code=totp.at(now + timedelta(seconds=30)))).status_code == 303


async def test_a_new_password_ends_other_sessions_and_keeps_this_one(house: House) -> None:
    await house.officer()
    await house.sign_in("wang")
    old = house.client.cookies[COOKIE]
    fields = {"new_password": "a fresh long password", "repeated": "a fresh long password"}
    assert (await house.post("/account/password", password="wrong wrong wrong", **fields)).status_code == 422
    weak = {"new_password": "wang-wang-wang", "repeated": "wang-wang-wang"}
    assert (await house.post("/account/password", password=PASSWORD, **weak)).status_code == 422
    assert (await house.post("/account/password", password=PASSWORD, **fields)).status_code == 303
    assert await signed_in(house)
    refused = await house.client.get("/account", headers={"authorization": f"Bearer {old}"})
    assert refused.status_code == 401
    assert (await house.sign_in("wang")).status_code == 401
    assert (await house.sign_in("wang", "a fresh long password")).status_code == 303


async def test_an_initial_password_must_be_replaced_first(house: House) -> None:
    body = {"login": "zhao", "display": "测试乙", "plan": "dayong", "agency": "police", "posts": ["desk"]}
    made = await house.client.post("/v1/directory/accounts", json=body, headers=house.admin)
    assert made.status_code == 201
    initial = made.json()["initial_password"]
    answer = await house.sign_in("zhao", initial)
    assert answer.status_code == 200 and "set-cookie" not in answer.headers and "new_password" in answer.text
    own = {"new_password": "my very own words", "repeated": "my very own words"}
    assert (await house.sign_in("zhao", initial, **own)).status_code == 303
    assert (await house.sign_in("zhao", initial)).status_code == 401


async def test_names_and_passwords_stand_nowhere_in_clear(house: House) -> None:
    await house.officer()
    await house.sign_in("wang")
    for table in ("accounts", "audit", "outbox", "principal"):
        text = str(await house.rows(f"SELECT row_to_json(t)::text AS j FROM {table} t"))
        assert "测试甲" not in text and PASSWORD not in text
    events = await house.rows("SELECT convert_from(data, 'UTF8') AS d FROM outbox")
    assert events and all("wang" not in row.d and "测试甲" not in row.d for row in events)
