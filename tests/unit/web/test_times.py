"""Times as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.web import i18n, times

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # noon in China
ZH = i18n.translations("zh_CN")
EN = i18n.translations("en")


@pytest.mark.parametrize(
    ("left", "zh", "en"),
    [
        (timedelta(days=2), "还剩2天", "2 days left"),
        (timedelta(days=9, hours=23), "还剩9天", "9 days left"),
        (timedelta(days=1, hours=3), "还剩1天3小时", "1 day 3 hours left"),
        (timedelta(days=1), "还剩1天", "1 day left"),
        (timedelta(hours=5, minutes=59), "还剩5小时", "5 hours left"),
        (timedelta(hours=1, minutes=20), "还剩1小时20分钟", "1 hour 20 minutes left"),
        (timedelta(minutes=9), "还剩9分钟", "9 minutes left"),
        (timedelta(seconds=20), "还剩不到1分钟", "less than a minute left"),
        (timedelta(0), "还剩不到1分钟", "less than a minute left"),
        (timedelta(hours=-3), "已超时3小时", "3 hours overdue"),
        (timedelta(days=-40), "已超时40天", "40 days overdue"),
    ],
)
def test_what_is_left_of_a_limit(left: timedelta, zh: str, en: str) -> None:
    assert times.remaining(NOW + left, NOW, ZH.gettext, ZH.ngettext) == zh
    assert times.remaining(NOW + left, NOW, EN.gettext, EN.ngettext) == en


@pytest.mark.parametrize(
    ("moment", "zh"),
    [
        (NOW, "今天 12:00"),
        (NOW - timedelta(hours=12), "今天 00:00"),
        (NOW - timedelta(hours=12, minutes=1), "昨天 23:59"),
        (NOW + timedelta(hours=12), "明天 00:00"),
        (NOW - timedelta(days=2), "11月20日 12:00"),
        (NOW - timedelta(days=400), "2025-10-18 12:00"),
    ],
)
def test_a_moment_is_said_in_china_time(moment: datetime, zh: str) -> None:
    assert times.said(moment, NOW, ZH.gettext) == zh


def test_a_limit_warns_in_its_last_fifth_and_never_later_than_an_hour_before() -> None:
    day = timedelta(days=1)
    assert times.tone(NOW + 2 * day, NOW, NOW - 5 * day) == "calm"
    assert times.tone(NOW + day, NOW, NOW - 6 * day) == "soon"
    assert times.tone(NOW + timedelta(hours=5), NOW, NOW - timedelta(hours=1)) == "calm"
    assert times.tone(NOW + timedelta(minutes=50), NOW) == "soon"
    assert times.tone(NOW - timedelta(seconds=1), NOW) == "late"
