"""Facts about the target: how many people, how much money, where, which organisation, which app, who leads.

Never facts about the reporter: a number or a name that follows 本人, 我的电话, 举报人 is not read.
"""

import re
from dataclasses import replace
from itertools import chain, islice

from services.intake.domain.reading.expressions import MONEY, NUMBER
from services.intake.domain.reading.model import Facts
from services.intake.domain.reading.names import find_apps, find_organisations, find_persons
from services.intake.domain.reading.numbers import to_int
from services.intake.domain.reading.places import find_places

_PEOPLE = re.compile(
    rf"({NUMBER})(?:个|名|位|号)?(?:左右)?(?:的)?(?:人(?!民|头|次|均|工|家|才|大)|受害人|受害者|受害群众|会员|男女|青年|年轻人|老人|学生|女孩|男孩|下线|群众|成员|姑娘|小伙)"
)
_MONEY = re.compile(MONEY)
_PAID = re.compile(
    r"(?:交|缴|缴纳|交纳|投|投资|投入|支付|付|骗|骗走|骗了|损失|花|充值|打款|转账|转|汇|入会费|会费|加盟费|门槛|费用|每份|一份|一单|买|申购|认购|出|要|收)(?:了|走|取|去|我|他|她|是|为|近|约|共|老人|大概|高达|够)*[^。，,]{0,4}$"
)
_GAIN = re.compile(
    r"(?:收入|获利|回报|赚|挣|返|分红|奖励|奖|得|拿|利润|罚款|罚|变成|变|月入|年入|工资|提成|身家|处)(?:到|取|了|约|近|高达|\d{1,4}(?:至|-|到))*[^。，,]{0,3}$"
)
_PHONE = re.compile(r"(?<![\d.])(1[3-9]\d{9}|1[3-9]\d[- ]\d{4}[- ]\d{4}|0\d{2,3}-?\d{7,8}|400-?\d{3}-?\d{4})(?![\d.])")
_MINE = re.compile(
    r"(?:我的?|本人|联系|举报人|反映人|投诉人|来电人|回复我|致电|打我)[^。；;\n]{0,10}$|(?:联系电话|联系方式|电话联系|手机号码?|电话号码?|电话|手机)[是为:： ]{0,3}$"
)
_THEIRS = re.compile(
    r"(?:他|她|他们|(?:加|骗|拉|找|叫|联系|忽悠)我的|头目|老板|经理|主管|主任|的人叫|拉人的|骗人的|骗子的|介绍人|拉我的|骗我的|对方|骗子|客服|公司|窝点|讲师|负责人|上线|组织者|房东|团伙|为首|推荐人|群主|其)[^。；;\n]{0,16}$"
)
_SPOKEN_PHONE = re.compile("(?<![一二三四五六七八九零幺])[一幺][三四五六七八九][一二三四五六七八九零幺]{9}(?![一二三四五六七八九零幺])")
_DIGITS = str.maketrans("一二三四五六七八九零幺", "12345678901")
_ACCOUNT = re.compile(
    r"(?:(?P<group>qq群|微信群|群号?|群聊)|qq号?|微信号?|薇信|威信|v信|vx|wx|加v|加微)[:：是为 ]{0,3}(?P<id>(?:[1-9]\d{5,10}|[a-z][a-z0-9_-]{5,19}))(?![\da-z_.-])"
)
_LEVELS = re.compile(
    r"([\d一二两三四五六七八九十][\d十]?)个?(?:级|层|代)(?:三阶|三晋|代理|分销|会员|下线|返利|提成|返佣|奖|拿|制|别|以上|关系|结构|网络)"
)
_DIVIDED = re.compile(r"(?:分成|分为|分|有|共|设)([\d一二两三四五六七八九十][\d十]?)个?(?:级别|等级|层级|级|层(?!楼))")
_UNITS = re.compile("人民币|rmb|¥|元|块|多|来|余")
_PARTS = re.compile(r"\d+(?:\.\d+)?|[^\d.]")
_MOST = 8


def find_target(whole: str, estates: list[tuple[int, int]]) -> Facts:
    """Whom and where a folded message points at; `estates` are where words stand that end a place's name."""
    return Facts(
        places=find_places(whole, estates),
        organisations=find_organisations(whole),
        apps=find_apps(whole),
        phones=_phones(whole),
        persons=find_persons(whole),
    )


def count_facts(whole: str, target: Facts) -> Facts:
    """The facts with how many people, how much money and how many levels the message tells of."""
    return replace(target, people=_people(whole), money=_money(whole), levels=_levels(whole))


def _people(whole: str) -> int | None:
    counts = [to_int(m[1]) for m in islice(_PEOPLE.finditer(whole), _MOST * 2)]
    known = [count for count in counts if count is not None and 2 <= count <= 50_000_000]
    return max(known) if known else None


def yuan(written: str) -> int | None:
    """An amount in yuan: 69800元, 6.98万, 3万7千4 (37400), 三万八.

    >>> yuan("69800元"), yuan("6.98万"), yuan("3万7千4"), yuan("三万八"), yuan("十个亿")
    (69800, 69800, 37400, 38000, 1000000000)
    """
    text = written.replace(",", "").replace("个", "")
    text = _UNITS.sub("", text)
    parts = _PARTS.findall(text)
    if not parts:
        return None
    if not any(part[0].isdigit() and part.isascii() for part in parts):
        return to_int(text)
    total, last = 0.0, 0
    value: float | None = None
    scale = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000, "w": 10_000, "k": 1000}
    for part in parts:
        if part in scale:
            total = (total if value is None else total + value * scale[part]) if total or value else scale[part]
            if value is None and total:
                total = total * scale[part] if part in ("万", "亿") and total < scale[part] else total
            last, value = scale[part], None
        elif part[0].isdigit() and part.isascii():
            value = float(part)
        elif part in "一二两三四五六七八九":
            value = float("零一二三四五六七八九".find(part)) if part != "两" else 2.0
        elif part in "几数近上":
            continue
        else:
            return None
    if value is not None:
        total += value * (last // 10) if last >= 100 and value < 10 else value
    return round(total)


def _money(whole: str) -> int | None:
    paid: list[int] = []
    other: list[int] = []
    for match in islice(_MONEY.finditer(whole), 24):
        amount = yuan(match[0])
        if amount is None or not 10 <= amount <= 10**13:
            continue
        before = whole[max(0, match.start() - 14) : match.start()]
        if whole[match.end() : match.end() + 1] in ("人", "名", "户", "个", "台", "吨", "亩", "次", "岁"):
            continue
        if _GAIN.search(before):
            continue
        (paid if _PAID.search(before) else other).append(amount)
    amounts = paid or other
    return max(amounts) if amounts else None


def _levels(whole: str) -> int | None:
    for match in islice(chain(_LEVELS.finditer(whole), _DIVIDED.finditer(whole)), _MOST):
        value = to_int(match[1])
        if value and 2 <= value <= 30:
            return value
    return None


def _phones(whole: str) -> tuple[str, ...]:
    phones: dict[str, None] = {}
    for match in islice(_PHONE.finditer(whole), _MOST * 2):
        if not _mine(whole, match.start()):
            phones[match[1].replace("-", "").replace(" ", "")] = None
    for match in islice(_SPOKEN_PHONE.finditer(whole), _MOST):
        if not _mine(whole, match.start()):
            phones[match[0].translate(_DIGITS)] = None
    for match in islice(_ACCOUNT.finditer(whole), _MOST):
        if not _mine(whole, match.start()):
            phones[("群" if match["group"] else "号") + match["id"]] = None
    return tuple(phones)[:_MOST]


def _mine(whole: str, at: int) -> bool:
    """Whether the number at `at` is the writer's own."""
    before = whole[max(0, at - 20) : at]
    return bool(_MINE.search(before)) and not _THEIRS.search(before)


__all__ = ["Facts", "count_facts", "find_target", "yuan"]
