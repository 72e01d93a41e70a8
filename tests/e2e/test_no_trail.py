"""No identity trail anywhere: 300 reporters, each with an address, a browser, cookies, file names and EXIF of their own;
none of it is found in logs, databases, WAL, topics, objects or temporary files."""

from __future__ import annotations

import concurrent.futures
import os
import secrets
from pathlib import Path

import httpx
import pytest

from tests.e2e.town import Town, a_town
from tests.e2e.trail import Searcher, everywhere, shapes
from tests.unit.intake.evidence.samples import photo

REPORTERS = 300
WITH_FILES = 30
"""How many send a photo along; each costs a process of its own."""

STORY = "安堂社区兴华里{n}栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"


_JSON = {"content-type": "application/json"}


class Reporter:
    """One person's connection, browser and telephone, with marks that exist nowhere else."""

    def __init__(self, number: int) -> None:
        self.number = number
        mark = secrets.token_hex(5)
        # a whole 127/8 of loopback addresses: the service sees this very one as its peer
        self.address = f"127.{100 + number // 200}.{number % 200 + 20}.{secrets.randbelow(90) + 110}"
        self.marks = {
            "forwarded": f"2001:db8:{mark[:4]}:{mark[4:8]}::{mark[8:]}",
            "agent": f"Phone/{mark}a",
            "cookie": f"cookie-{mark}b",
            "referer": f"ref-{mark}c",
            "language": f"lang-{mark}d",
            "key": f"idem-{mark}e",
            "trace": secrets.token_hex(16),
            "boundary": f"edge{mark}f",
            "file": f"IMG-{mark}g",
            "exif": f"serial-{mark}h",
        }

    @property
    def canaries(self) -> list[str]:
        return [self.address, *self.marks.values()]

    def headers(self) -> dict[str, str]:
        m = self.marks
        return {
            "x-forwarded-for": f"{m['forwarded']}, 10.0.0.1",
            "forwarded": f'for="[{m["forwarded"]}]"',
            "x-real-ip": m["forwarded"],
            "user-agent": m["agent"],
            "cookie": f"dachuan_session={m['cookie']}; visited={m['cookie']}",
            "referer": f"https://example.invalid/{m['referer']}",
            "origin": f"https://{m['referer']}.invalid",
            "accept-language": m["language"],
            "traceparent": f"00-{m['trace']}-00f067aa0ba902b7-01",
        }

    def report(self, url: str) -> str:
        """Tell, with a photo where this one sends any; what was answered goes wrong too, now and then."""
        with httpx.Client(
            transport=httpx.HTTPTransport(local_address=self.address, retries=2), headers=self.headers(), timeout=60
        ) as client:
            body = {"plan": "dayong", "text": STORY.format(n=self.number)}
            answer = client.post(f"{url}/v1/public/tips", json=body, headers={"idempotency-key": self.marks["key"]})
            assert answer.status_code == 201, answer.text
            receipt = answer.json()["receipt"]
            assert client.post(f"{url}/v1/receipts", json={"receipt": receipt}).status_code == 200
            # refusals and faults are where trails are left in logs
            assert client.post(f"{url}/v1/public/tips", content=b"{", headers=_JSON).status_code == 400
            assert client.get(f"{url}/no-such-page/{self.marks['referer']}").status_code == 404
            if self.number < WITH_FILES:
                self.send_photo(client, url, receipt)
            return receipt

    def send_photo(self, client: httpx.Client, url: str, receipt: str) -> None:
        edge, name = self.marks["boundary"], self.marks["file"]
        for data, status in ((photo(self.marks["exif"]), 201), (b"<svg>" + self.marks["exif"].encode(), 415)):
            body = (
                (
                    f'--{edge}\r\ncontent-disposition: form-data; name="receipt"\r\n\r\n{receipt}\r\n'
                    f'--{edge}\r\ncontent-disposition: form-data; name="file"; filename="{name}.jpg"\r\n'
                    f"content-type: image/{name}\r\n\r\n"
                ).encode()
                + data
                + f"\r\n--{edge}--\r\n".encode()
            )
            answer = client.post(
                f"{url}/v1/public/files",
                content=body,
                headers={"content-type": f"multipart/form-data; boundary={edge}"},
            )
            assert answer.status_code == status, answer.text


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """An instance of its own whose temporary files stand where they can be looked at."""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    # 300 at once are no flood to be turned back here
    monkeypatch.setenv("DACHUAN_WORK_BURST", "2000")
    with a_town() as made:
        made.temporary = temporary  # type: ignore[attr-defined]
        yield made


@pytest.mark.parametrize("shape", shapes("x" * 12))
def test_the_search_finds_what_is_there(shape: str, tmp_path: Path) -> None:
    canary = secrets.token_hex(8)
    searcher = Searcher([canary, "another-canary"])
    around = [b"", b"\0" * 3, b"abcdefg"]
    for before in around:
        content = before + shapes(canary)[shape] + b"after"
        if shape.startswith("base64"):
            assert searcher.within(shapes(canary)[shape])
        (tmp_path / "deep").mkdir(exist_ok=True)
        (tmp_path / "deep" / "file").write_bytes(os.urandom(1000) + content)
        found = searcher.below(tmp_path)
        assert list(found) == ["deep/file"] and all(hit.startswith(canary) for hit in found["deep/file"])


def test_three_hundred_reporters_leave_no_trail(town: Town) -> None:
    """Point 6: the reporter is safe; no identity trail."""
    reporters = [Reporter(number) for number in range(REPORTERS)]
    url = town.stack.url("intake")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda reporter: reporter.report(url), reporters))
    assert town.count("intake", "SELECT count(*) FROM tips") == REPORTERS
    assert town.count("intake", "SELECT count(*) FROM tip_files") == WITH_FILES
    town.wait("casework has heard", lambda: town.count("casework", "SELECT count(*) FROM cases") > 0)
    town.wait("nothing waits", lambda: town.count("intake", "SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0)
    for service in ("intake", "casework", "notify", "scoring"):
        # what only stands in memory is written to the data files and the log
        town.count(service, "SELECT count(*) FROM pg_stat_activity")
    lead = str(town.count("intake", "SELECT lead_id FROM tips WHERE lead_id IS NOT NULL LIMIT 1"))

    searcher = Searcher([*(canary for reporter in reporters for canary in reporter.canaries), *receipts])
    found = everywhere(searcher, town.cluster)
    for where, hits in searcher.below(town.temporary).items():  # type: ignore[attr-defined]
        found[f"temporary/{where}"] = hits
    assert not found, "\n".join(f"{where}: {sorted(hits)[:5]}" for where, hits in sorted(found.items()))

    # the same search does find what is meant to be there: a lead's id, in the databases, the log and the topics
    there = everywhere(Searcher([lead]), town.cluster)
    assert any(where.startswith("database intake.leads") for where in there), there.keys()
    assert any(where.startswith("database casework.") for where in there), there.keys()
    assert any(where.startswith("topic intake.lead.v1") for where in there), there.keys()
    assert any("kafka" in where for where in there) and any("pg_wal" in where for where in there), there.keys()
