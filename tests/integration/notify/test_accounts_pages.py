"""The account manager's pages: accounts and agencies' systems made, changed, ended, with every secret shown once."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import httpx

from shared.kit.ids import new_id
from tests.integration.notify.conftest import PASSWORD, House, told

ONCE = re.compile(r'<p class="dc-code"[^>]*>([^<]+)</p>')


async def ask(house: House, path: str) -> httpx.Response:
    return await house.client.get(path, headers=house.admin | {"accept": "text/html"})


async def post(house: House, path: str, who: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    headers = (who or house.admin) | {"accept": "text/html", "sec-fetch-site": "same-origin"}
    return await house.client.post(path, data={"idempotency_key": str(new_id()), **fields}, headers=headers)


def form(**more: Any) -> dict[str, Any]:
    return {"login": "li", "display": "测试乙", "plan": "dayong", "place": "police/command_centre", "posts": ["desk"]} | more


async def test_a_first_password_is_shown_once_and_works_until_it_is_changed(house: House) -> None:
    """The page that answers shows it; sent again nothing is made twice; no later page holds it."""
    sent = form(idempotency_key=str(new_id()))
    made = await post(house, "/accounts", **sent)
    assert made.status_code == 200 and made.headers["cache-control"] == "no-store", made.text
    [password] = ONCE.findall(made.text)
    [row] = await house.rows("SELECT id, must_change, posts, unit FROM accounts")
    assert row.must_change and row.posts == ["desk"] and row.unit == "command_centre"
    again = await post(house, "/accounts", **sent)
    assert again.status_code == 303 and again.headers["location"].startswith(f"/accounts/{row.id}?")
    later = [await ask(house, path) for path in (again.headers["location"], "/accounts", f"/accounts/{row.id}")]
    assert all(one.status_code == 200 and password not in one.text for one in later)
    assert "账号已建立" in told(later[2].text), "its history names the making"
    taken = await post(house, "/accounts", **form())
    assert taken.status_code == 409 and "未保存" in taken.text and "测试乙" in taken.text, "the form keeps what was typed"
    signed = await house.sign_in("li", password)
    assert signed.status_code != 303, "a first password opens only the choice of another"
    assert (await house.sign_in("li", password, new_password=PASSWORD, repeated=PASSWORD)).status_code == 303


async def test_nobody_else_opens_or_sends_these_pages(house: House) -> None:
    """An officer without the right is refused every page and form, and nothing changes."""
    who = await house.officer()
    desk = house.bearer(agency="police", unit="command_centre", posts=("desk",))
    for path in ("/accounts", "/accounts/new", f"/accounts/{who}", "/accounts/systems/new", f"/accounts/systems/{new_id()}"):
        assert (await house.client.get(path, headers=desk | {"accept": "text/html"})).status_code == 403, path
    for path in ("/accounts", "/accounts/systems", f"/accounts/{who}/password", f"/accounts/{who}/switch"):
        assert (await post(house, path, desk, version="1", active="false", **form())).status_code == 403, path
    elsewhere = await post(house, "/accounts", **form(plan="xiyuan"))
    assert elsewhere.status_code == 403
    [row] = await house.rows("SELECT login, active, version FROM accounts")
    assert tuple(row) == ("wang", True, 1)


async def test_what_the_plan_does_not_know_is_refused_and_what_was_typed_stays(house: House) -> None:
    """A wrong post, unit, login or area keeps nothing and says which; the empty forms are there in both languages."""
    for path, words in (("/accounts/new?lang=en", "Make the account"), ("/accounts/new?lang=zh-CN", "建立账号"), ("/accounts/systems/new", "建立客户端")):
        empty = await ask(house, path)
        assert empty.status_code == 200 and words in empty.text, path
    for wrong, said in (({"posts": ["king"]}, "king"), ({"place": "police/moon"}, "moon"), ({"login": "É"}, "登录名"), ({"areas": ["mars"]}, "mars")):
        answer = await post(house, "/accounts", **form(**wrong))
        assert answer.status_code == 422 and said in answer.text and "未保存" in answer.text, wrong
        assert "测试乙" in answer.text
    assert await house.rows("SELECT 1 FROM accounts") == []
    who = await house.officer()
    answer = await post(house, f"/accounts/{who}/standing", version="1", place="police", posts=["king"])
    assert answer.status_code == 422 and "king" in answer.text
    assert (await house.rows("SELECT version FROM accounts"))[0].version == 1


async def test_two_managers_change_one_account_and_the_second_is_told_what_changed(house: House) -> None:
    """The second change is not saved; its page says who changed what, shows how it stands, and works from there."""
    who = await house.officer()
    first = await house.officer("first", agency="commerce", unit="office", posts=("system-admin",))
    other = house.bearer(principal_id=str(first), agency="commerce", unit="office", posts=("system-admin",))
    done = await post(house, f"/accounts/{who}/standing", other, version="1", place="commerce", posts=["investigator"])
    assert done.status_code == 303, done.text
    late = await post(house, f"/accounts/{who}/switch", version="1", active="false")
    words = told(late.text)
    assert late.status_code == 412 and "您的更改未保存" in words and "测试甲" in words and "岗位" in words
    assert 'name="version" value="2"' in late.text
    [row] = await house.rows("SELECT agency, unit, posts, active FROM accounts WHERE login = 'wang'")
    assert tuple(row) == ("commerce", None, ["investigator"], True)
    sent = {"version": "2", "active": "false", "idempotency_key": str(new_id())}
    assert [(await post(house, f"/accounts/{who}/switch", **sent)).status_code for _ in range(2)] == [303, 303]
    [row] = await house.rows("SELECT active, version FROM accounts WHERE login = 'wang'")
    assert tuple(row) == (False, 3), "sent twice, done once"


async def test_a_locked_officer_without_phone_or_password_gets_in_again(house: House) -> None:
    """Those who need something stand first; unlock, remove the code, reset the password; each is in the history."""
    who = await house.officer("zhou")
    await house.officer("an")
    for _ in range(5):
        await house.sign_in("zhou", "wrong wrong wrong")
    await house.run("UPDATE accounts SET totp_secret = '\\x00' WHERE login = 'zhou'")
    listed = (await ask(house, "/accounts")).text
    assert listed.index("zhou") < listed.index(">an<") and "已锁定" in told(listed)
    assert "zhou" in (await ask(house, "/accounts?needs=locked")).text
    assert (await post(house, f"/accounts/{who}/unlock", version="1")).status_code == 303
    assert (await post(house, f"/accounts/{who}/totp", version="2")).status_code == 303
    assert (await house.sign_in("zhou")).status_code == 303
    reset = await post(house, f"/accounts/{who}/password", version="3")
    [password] = ONCE.findall(reset.text)
    assert (await house.sign_in("zhou")).status_code != 303, "the old one ended"
    page = await ask(house, f"/accounts/{who}")
    words = told(page.text)
    assert password not in page.text
    assert all(said in words for said in ("已解锁", "动态验证码已移除", "密码已重置", "多次登录失败后锁定")), words


async def test_search_finds_by_login_and_by_sealed_name(house: House) -> None:
    """A part of the login or of the name; the kept name is never in plain."""
    assert (await post(house, "/accounts", **form(login="sun.li", display="孙测试"))).status_code == 200
    await house.officer("other")
    for q in ("SUN.", "孙测"):
        found = (await ask(house, f"/accounts?q={q}")).text
        assert "sun.li" in found and ">other<" not in found, q
    assert "没有符合的账号" in told((await ask(house, "/accounts?q=nobody")).text)


async def test_a_systems_secret_is_shown_once_and_rotating_ends_the_old_one(house: House) -> None:
    """Scopes chosen from the list; a wrong one is refused; off, it gets no token."""
    body = {"client_id": "shop-floor", "plan": "dayong", "agency": "commerce"}
    refused = await post(house, "/accounts/systems", **body, scopes=["world.rule"])
    assert refused.status_code == 422 and "world.rule" in refused.text and "未保存" in refused.text
    made = await post(house, "/accounts/systems", **body, scopes=["notice.read", "tip.submit"])
    [secret] = ONCE.findall(made.text)
    [row] = await house.rows("SELECT id, scopes FROM systems")
    assert row.scopes == ["notice.read", "tip.submit"]
    assert (await house.token(("shop-floor", secret))).status_code == 401 and "第二人" in made.text
    await approve_on_the_page(house, row.id)
    assert (await house.token(("shop-floor", secret))).status_code == 200
    rotation = {"version": "1", "idempotency_key": str(new_id())}
    rotation["version"] = "2"
    rotated = await post(house, f"/accounts/systems/{row.id}/secret", **rotation)
    [fresh] = ONCE.findall(rotated.text)
    assert (await post(house, f"/accounts/systems/{row.id}/secret", **rotation)).status_code == 303
    for path in (f"/accounts/systems/{row.id}", "/accounts"):
        page = (await ask(house, path)).text
        assert secret not in page and fresh not in page
    assert (await house.token(("shop-floor", secret))).status_code == 401
    assert (await house.approve(row.id)).status_code == 200
    assert (await house.token(("shop-floor", fresh))).status_code == 200
    await change_and_end(house, row.id, fresh)


async def approve_on_the_page(house: House, system: UUID) -> None:
    """The second person sees what it may and lets it work; the account administrator has no such page."""
    page = house.director | {"accept": "text/html"}
    shown = await house.client.get("/approvals", headers=page)
    assert shown.status_code == 200 and "shop-floor" in shown.text and f"/approvals/{system}" in shown.text
    assert (await house.client.get("/approvals", headers=house.admin)).status_code == 403
    done = await post(house, f"/approvals/{system}", house.director, version="1")
    assert done.status_code == 303
    assert "shop-floor" not in (await house.client.get("/approvals", headers=page)).text


async def change_and_end(house: House, system: UUID, secret: str) -> None:
    path = f"/accounts/systems/{system}"
    assert (await post(house, f"{path}/scopes", version="4", scopes=["notice.read"])).status_code == 303
    stale = await post(house, f"{path}/switch", version="4", active="false")
    assert stale.status_code == 412 and "权限范围" in told(stale.text)
    assert (await post(house, f"{path}/switch", version="5", active="false")).status_code == 303
    assert (await house.token(("shop-floor", secret))).status_code == 401
