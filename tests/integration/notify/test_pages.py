"""The pages: they open, speak both languages, and one tap signs."""

from __future__ import annotations

from datetime import timedelta

from shared.kit import clock
from shared.kit.ids import new_id
from tests.integration.notify.conftest import House, told
from tests.integration.notify.test_notices import opened


async def test_the_inbox_shows_what_is_late_first_and_one_tap_signs(house: House) -> None:
    await house.officer(unit=None, posts=("head", "conference-member"))
    await house.sign_in("wang")
    now = clock.now()
    await house.tell(
        opened(number="DY-2", due=now + timedelta(hours=3)), opened(number="DY-1", due=now - timedelta(hours=2))
    )
    shown = await house.page("/")
    assert shown.status_code == 200
    words = told(shown.text)
    assert words.index("DY-1") < words.index("DY-2") and "1 份通知已超时" in words
    (first, second) = await house.rows("SELECT id, version FROM notices WHERE agency = 'police' ORDER BY due")
    answer = await house.post(f"/notices/{first.id}/sign", version=first.version)
    assert answer.status_code == 303 and answer.headers["location"] == "/?done=signed"
    words = told((await house.page("/")).text)
    assert "DY-1" not in words and "DY-2" in words
    assert "DY-1" in told((await house.page("/?show=signed")).text)
    again = await house.post(f"/notices/{first.id}/sign", version=first.version)
    assert again.status_code == 303, "a second tap says the same"
    assert (await house.post(f"/notices/{second.id}/sign", version=7)).status_code == 412


async def test_the_inbox_links_to_the_case(house: House) -> None:
    await house.officer()
    await house.sign_in("wang")
    case = opened(unit=None)
    await house.tell(case)
    assert f"http://127.0.0.1:8402/cases/{case.case_id}" in (await house.page("/")).text


async def test_every_page_opens(house: House) -> None:
    await house.officer()
    await house.sign_in("wang")
    await house.tell(opened(unit=None))
    for path in ["/", "/?show=all", "/?show=done", "/account", "/sign-out", "/?lang=en"]:
        assert (await house.page(path)).status_code == 200, path


async def test_the_list_of_accounts_is_for_the_account_manager(house: House) -> None:
    await house.officer()
    await house.officer("admin", agency="commerce", unit="office", posts=("system-admin",))
    await house.sign_in("wang")
    assert (await house.page("/accounts")).status_code == 403
    await house.sign_in("admin")
    shown = await house.page("/accounts")
    assert shown.status_code == 200 and "测试甲" in shown.text and "wang" in shown.text


async def test_a_post_without_an_inbox_is_told_so(house: House) -> None:
    await house.officer(agency="city_office", unit=None, posts=())
    await house.sign_in("wang")
    shown = await house.page("/")
    assert shown.status_code == 200 and "您的岗位没有收件箱" in shown.text


async def test_without_a_session_a_browser_is_sent_to_sign_in_and_back(house: House) -> None:
    await house.officer()
    answer = await house.page("/?show=all")
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert where.startswith("http://127.0.0.1:8400/sign-in?next=http%3A%2F%2F127.0.0.1%3A8400%2F")
    shown = await house.page(where.removeprefix("http://127.0.0.1:8400"))
    assert 'value="http://127.0.0.1:8400/?show=all"' in shown.text


async def test_a_principal_without_an_account_is_told_so(house: House) -> None:
    """Whoever signs in by a token of elsewhere has no account here: that is said, and nothing fails."""
    someone = house.bearer(agency="police", posts=("desk",), principal_id="not-an-account")
    for who in (someone, house.bearer(agency="police", posts=("desk",), principal_id=str(new_id()))):
        answer = await house.client.get("/account", headers=who | {"accept": "text/html"})
        assert answer.status_code == 404
