"""Pages without a browser: headers, static files, forms, errors, escaping, addresses."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from shared.web import static_files
from shared.web.render import environment
from tests.pages import gallery

PAGE = {"accept": "text/html"}
OWN = {"sec-fetch-site": "same-origin", **PAGE}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> gallery.Gallery:
    return gallery.build(tmp_path_factory.mktemp("gallery"))


@pytest.fixture
def client(shown: gallery.Gallery) -> Iterator[TestClient]:
    with TestClient(shown.app, raise_server_exceptions=False, base_url="http://127.0.0.1:8401") as opened:
        yield opened


@pytest.fixture
def officer(client: TestClient, shown: gallery.Gallery) -> TestClient:
    client.cookies.set(gallery.COOKIE, shown.cookie())
    return client


def test_a_page_is_never_cached_and_allows_no_inline_script(officer: TestClient) -> None:
    answer = officer.get("/gallery", headers=PAGE)
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "script-src" not in policy
    assert "<script>" not in answer.text and " onclick=" not in answer.text


def test_an_unhandled_error_has_the_same_guards_and_tells_nothing_of_itself(officer: TestClient) -> None:
    for answer in (officer.get("/broken", headers=PAGE), officer.get("/broken")):
        assert answer.status_code == 500
        assert answer.headers.get_list("content-security-policy") == [
            officer.get("/gallery", headers=PAGE).headers["content-security-policy"]
        ]
        assert "out of order" not in answer.text and "Traceback" not in answer.text


def test_no_template_holds_an_inline_script_or_handler() -> None:
    root = Path(static_files.__file__).parents[2]
    wrong = []
    for file in [*root.glob("services/*/templates/**/*.html"), *root.glob("shared/web/templates/**/*.html")]:
        text = file.read_text(encoding="utf-8")
        if any(sign in text for sign in ("<script>", " onclick=", " onsubmit=", " onchange=", "hx-on", "javascript:")):
            wrong.append(file.name)
    assert wrong == []


def test_every_template_of_every_service_compiles() -> None:
    root = Path(static_files.__file__).parents[2]
    found = [file for file in root.glob("services/*/templates/**/*.html")]
    assert found
    for file in found:
        service, _, *path = file.relative_to(root / "services").parts
        environment(service).get_template("/".join(path))


def test_a_browser_without_sign_in_is_led_there_and_back(client: TestClient) -> None:
    answer = client.get("/gallery?state=late", headers=PAGE, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/sign-in?next=http%3A%2F%2F127.0.0.1%3A8401%2Fgallery%3Fstate%3Dlate")


def test_static_files_are_kept_for_ever_by_their_hash_only(client: TestClient) -> None:
    address = static_files.address("dachuan.css")
    first = client.get(address, headers={"accept-encoding": "gzip"})
    assert "immutable" in first.headers["cache-control"] and first.headers["content-encoding"] == "gzip"
    assert client.get("/static/dachuan.css?v=0").headers["cache-control"] == "no-cache"
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["../render.py", "..%2frender.py", "%2e%2e/render.py", "vendor", "", "nothing.css"])
def test_nothing_outside_the_static_folder_is_served(client: TestClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_a_public_page_reads_and_sets_no_cookie(client: TestClient, shown: gallery.Gallery) -> None:
    client.cookies.set(gallery.COOKIE, shown.cookie())
    client.cookies.set("dachuan_lang", "en")
    answer = client.get("/citizen", headers=PAGE)
    assert 'lang="zh-CN"' in answer.text and "公安分局" not in answer.text
    assert "set-cookie" not in client.get("/citizen?lang=en", headers=PAGE).headers


def test_the_language_follows_address_then_cookie_then_installation(officer: TestClient) -> None:
    assert 'lang="zh-CN"' in officer.get("/gallery", headers=PAGE).text
    first = officer.get("/gallery?lang=en", headers=PAGE)
    assert 'lang="en"' in first.text and "dachuan_lang=en" in first.headers["set-cookie"]
    assert 'lang="en"' in officer.get("/gallery", headers=PAGE).text


def test_links_to_other_services_follow_the_name_that_was_typed(client: TestClient, shown: gallery.Gallery) -> None:
    signed_in = {**PAGE, "cookie": f"{gallery.COOKIE}={shown.cookie()}"}
    for name in ("localhost", "127.0.0.1"):
        text = client.get(f"http://{name}:8401/gallery", headers=signed_in).text
        assert f'href="http://{name}:8402/cases"' in text
    foreign = client.get("http://evil.example:8401/gallery", headers=signed_in).text
    assert "evil.example" not in foreign and 'href="http://127.0.0.1:8402/cases"' in foreign


def test_links_keep_the_root_path_of_an_ingress(tmp_path: Path) -> None:
    made = gallery.build(tmp_path, root_path="/intake")
    with TestClient(made.app, base_url="https://dachuan.example", root_path="/intake") as client:
        text = client.get("/intake/citizen", headers=PAGE).text
    assert 'href="/intake/report' in text and 'href="/intake/static/dachuan.css?v=' in text


def form(**changes: object) -> dict[str, object]:
    return {"idempotency_key": str(uuid4()), "version": "3", "note": "核查完毕", **changes}


def test_a_form_is_answered_by_a_redirect_that_says_what_was_done(officer: TestClient) -> None:
    answer = officer.post("/act", data=form(), headers=OWN, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/gallery?done=saved")
    assert "已保存。" in officer.get("/gallery?done=saved", headers=PAGE).text
    assert "<i>" not in officer.get("/gallery?done=<i>x", headers=PAGE).text


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (form(note=""), 422),
        (form(version="x"), 422),
        (form(extra="1"), 422),
        (form(idempotency_key="1"), 422),
        (form(version="2"), 409),
        (form(note="a\0b"), 400),
    ],
)
def test_a_wrong_form_is_told_in_a_page_and_never_a_500(
    officer: TestClient, sent: dict[str, object], status: int
) -> None:
    answer = officer.post("/act", data=sent, headers=OWN)
    assert answer.status_code == status
    assert "<h1>" in answer.text and "核查完毕" not in answer.text


def test_a_form_from_another_site_is_refused(officer: TestClient) -> None:
    assert officer.post("/act", data=form(), headers={**PAGE, "sec-fetch-site": "cross-site"}).status_code == 403
    assert officer.post("/act", data=form(), headers=PAGE).status_code == 403


def test_json_is_no_form_and_a_program_gets_a_problem_document(officer: TestClient) -> None:
    answer = officer.post("/act", json=form(), headers={"sec-fetch-site": "same-origin"})
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")


def test_an_error_page_tells_only_the_half_in_its_language(officer: TestClient) -> None:
    sent = form(version="2")
    zh = officer.post("/act", data=sent, headers=OWN).text
    en = officer.post("/act?lang=en", data=sent, headers=OWN).text
    assert "版本已变，记录未改。" in zh and "The version has moved on" not in zh
    assert "The version has moved on; the record stands." in en and "版本已变" not in en


def test_an_address_that_no_page_can_have_is_a_page_not_found(client: TestClient) -> None:
    for address, status in (("/gallery/nothing", 404), (f"/gallery/{uuid4()}", 200)):
        assert client.get(address, headers=PAGE).status_code == status
    assert "UUID" not in client.get("/gallery/nothing", headers=PAGE).text
