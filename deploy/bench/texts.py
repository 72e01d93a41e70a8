"""Invented tips for the load: the language people use, places of the plan, every one about pyramid selling."""

from __future__ import annotations

import random
from typing import NamedTuple

_OPENINGS = (
    "您好，我要反映", "尊敬的领导，请你们管一管", "我是附近住户，实名不方便，举报", "求助！", "已经第三次反映了，",
    "我是租房的，隔壁", "请工商和公安联合查处", "我亲戚被骗，",
)  # fmt: skip
_DEEDS = (
    "有人搞传销，每天几十人来听课，讲的都是两三年赚一千万",
    "拉人头发展下线，每人交{fee}元，说拉满三个人就能升级拿提成",
    "打着连锁经营的旗号让人交{fee}元入会费，拉来亲戚朋友按人数返钱",
    "用手机软件发展会员，层层返利，上线按下线的投资额拿奖励，很多人投了{fee}元",
    "以招工为名把外地年轻人骗来，白天上课洗脑，晚上二十几个人睡地铺，催着向家里要{fee}元入伙",
    "推销保健品的团队，买{fee}元产品才有资格，再介绍别人买就有直推奖和团队奖",
)
_PLACES = ("南文社区", "安堂社区", "岚田社区", "青岗社区", "起凤环社区", "叠石社区", "全禄社区", "石井社区")
_FIRST, _SECOND = "翠金兴隆卓岐锦丽嘉宏润鸿瑞凯雅福泰盛旭晟景御", "湖桥华都山涌绣景汇源丰宇庭居悦荟苑轩澜岸岭韵"
_ESTATE_TYPES = ("花园", "公寓", "小区", "新村", "苑", "名城", "雅居", "广场")
_AGAIN = 0.1
"""So often a tip is about the door of one of the last thousand."""
_ENDINGS = (
    "，进出的都是外地口音，希望尽快处理。", "，楼道里整天吵，邻居都很害怕。", "，门口有人望风，请便衣去看。",
    "，打过电话没有下文，请给个答复。", "。", "，有照片可以提供，盼回复！",
)  # fmt: skip


def tip(number: int) -> dict[str, str]:
    """The tip of a number: the same each time, different from its neighbours.

    Its door lies in one of some 85,000 estates and is, once in ten, that of an earlier tip: many leads, few gatherings.
    """
    rng = random.Random(number)
    again = number > 0 and rng.random() < _AGAIN
    door = _door(rng.randrange(max(0, number - 1000), number) if again else number)
    deed = rng.choice(_DEEDS).format(fee=rng.choice((2800, 3900, 6980, 9800, 39800, 69800)))
    return {
        "subject": f"举报{door.estate}的传销",
        "text": f"{rng.choice(_OPENINGS)}{door.community}{door.estate}{door.number}{deed}{rng.choice(_ENDINGS)}",
    }


def held_person(number: int) -> dict[str, str]:
    """A tip that somebody is held, now."""
    door = _door(number)
    return {
        "subject": "救命，有人被关",
        "text": f"我弟弟被骗到{door.community}{door.estate}{door.number}的传销窝点，被控制不让出门，手机也被收走了，请马上救人！",
    }


class _Door(NamedTuple):
    community: str
    estate: str
    number: str


def _door(number: int) -> _Door:
    rng = random.Random(f"door {number}")
    name = rng.choice(_FIRST) + rng.choice(_SECOND) + rng.choice(_FIRST) + rng.choice(_ESTATE_TYPES)
    return _Door(rng.choice(_PLACES), name, f"{rng.randint(1, 40)}栋{rng.randint(2, 30)}{rng.randint(1, 8):02d}房")
