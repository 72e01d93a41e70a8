"""Facts of the target: numbers, places down to the room, names; and never the reporter's (point 6 of what users lack)."""

import pytest

from services.intake.domain.reading import Place, read
from services.intake.domain.reading.facts import yuan
from services.intake.domain.reading.numbers import short_number, to_int
from services.intake.domain.reading.places import area_of


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("8", 8), ("二十一", 21), ("上百", 100), ("几十", 20), ("数百", 200), ("一千两百", 1200), ("三万八", 38000),
        ("1.5万", 15000), ("两三百", 200), ("六七", 6), ("二三十", 20), ("一八零六", 1806), ("十来", 10), ("", None), ("甲", None),
    ],
)  # fmt: skip
def test_numbers(written: str, value: int | None):
    assert to_int(written) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("69800元", 69800), ("6.98万", 69800), ("3万7千4", 37400), ("一千多万", 10_000_000), ("近十个亿", 10**9),
        ("12,800元", 12800), ("一百五十元", 150), ("五万多块", 50000), ("1.2w", 12000),
    ],
)  # fmt: skip
def test_amounts(written: str, value: int):
    assert yuan(written) == value


@pytest.mark.parametrize(
    ("written", "short"), [("十二", "12"), ("08", "8"), ("A3".lower(), "a3"), ("一八零六", "1806")]
)
def test_house_numbers(written: str, short: str):
    assert short_number(written) == short


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("传销窝点在云山区锦绣花园10栋1806室。", ("云山区", "", "锦绣花园", "10", "", "", "1806")),
        ("传销窝点在锦绣花园十幢2单元1806。", ("", "", "锦绣花园", "10", "2", "", "1806")),
        ("举报锦绣花园１０号楼１８０６有传销", ("", "", "锦绣花园", "10", "", "", "1806")),
        ("锦绣花园10-2-1806有人搞传销", ("", "", "锦绣花园", "10", "2", "", "1806")),
        ("锦绣花园10-1806有人搞传销", ("", "", "锦绣花园", "10", "", "", "1806")),
        ("银河大厦19楼是传销公司", ("", "", "银河大厦", "", "", "19", "")),
        ("传销的人住在望江小区A3栋二单元5楼", ("", "", "望江", "a3", "2", "5", "")),
        ("在柳河镇康宁公寓搞传销", ("柳河镇", "", "康宁公寓", "", "", "", "")),
        ("传销窝点：中心区文峰大道198号", ("中心区", "文峰大道198号", "", "", "", "", "")),
        ("南门社区有传销", ("南门社区", "", "", "", "", "", "")),
    ],
)
def test_places(text: str, place: tuple[str, ...]):
    first = read("", text).places[0]
    assert (first.area, first.road, first.estate, first.building, first.unit, first.floor, first.room) == place


def test_the_room_named_alone_belongs_to_the_building_named_before():
    places = read("举报传销", "我在锦绣花园5栋上班，楼上1203那套房子天天传销上课").places
    assert ("锦绣花园", "5", "1203") in {(one.estate, one.building, one.room) for one in places}


@pytest.mark.parametrize("said", ["我家住锦绣花园5栋1103，", "我家就在锦绣花园5栋1103室，", "本人住锦绣花园5栋1103，"])
def test_the_writers_own_door_is_never_a_target(said: str):
    reading = read("", said + "楼上1203是传销窝点")
    assert all("1103" not in target for target in reading.targets)
    assert all("1103" not in place.text and place.room != "1103" for place in reading.places)
    assert any(target.endswith("/5/1203") for target in reading.targets)


@pytest.mark.parametrize(
    "text",
    [
        "一栋自建房里有传销",
        "传销十年前就有",
        "价格比平台低200-300元，是传销",
        "2019-10-14发现传销",
        "打110、12315都没人管传销",
    ],
)
def test_numbers_that_are_no_place(text: str):
    assert [place for place in read("", text).places if place.room or place.building] == []


def test_phones_of_the_target_are_kept_and_the_reporters_dropped():
    reading = read(
        "传销", "头目电话13800000001，他们客服0760-88880000。我的电话13900000002，请联系我。举报人手机：13900000003"
    )
    assert reading.phones == ("13800000001", "076088880000")


@pytest.mark.parametrize(
    ("text", "persons"),
    [
        ("传销头目叫郑某平，河南人", ("郑某平",)),
        ("以韩某敏为首的传销团队", ("韩某敏",)),
        ("传销窝点老总：赵四海，", ("赵四海",)),
        ("我叫王小明，举报传销", ()),
        ("传销负责人在哪里不知道", ()),
        ("头目高薪招人搞传销", ()),
    ],
)
def test_who_leads_and_never_the_writer(text: str, persons: tuple[str, ...]):
    assert read("", text).persons == persons


def test_organisations_and_apps():
    reading = read(
        "传销", "一个名叫“星光联盟”的组织推广“聚福宝”APP，公司是福星生物科技有限公司，网站 www.fuxing-abc.com"
    )
    assert {"星光联盟", "福星生物科技"} <= set(reading.organisations)
    assert {"聚福宝", "fuxing-abc.com"} <= set(reading.apps)
    assert "微信" not in read("传销", "他们用微信平台搞传销").apps


@pytest.mark.parametrize(
    ("text", "people", "money", "levels"),
    [
        ("传销窝点里控制着8个人，每人交69800元", 8, 69800, None),
        ("发展了上万人参加传销，每个会员要交两万元", 10000, 20000, None),
        ("五级三阶制传销，投33500元，获利1040万", None, 33500, 5),
        ("传销分为四级，加入要3980元", None, 3980, 4),
        ("罚款5万至50万元，传销", None, None, None),
        ("包治百病的传销", None, None, None),
    ],
)
def test_how_many_how_much(text: str, people: int | None, money: int | None, levels: int | None):
    reading = read("", text)
    assert (reading.people, reading.money, reading.levels) == (people, money, levels)


def test_targets_come_strongest_first_and_name_a_part_of_an_estate_twice():
    targets = read("传销", "地址清江新城望月苑10栋1806，头目叫郑某平").targets
    assert targets[:2] == ("room:清江新城望月苑/10/1806", "room:望月苑/10/1806")
    assert [target.partition(":")[0] for target in targets] == [
        "room",
        "room",
        "room",
        "building",
        "building",
        "person",
        "estate",
        "estate",
        "root",
    ]


@pytest.mark.parametrize(
    ("text", "areas"),
    [
        ("住在小区的人说社区和园区都有", set()),
        ("发生在东山区的事", {"东山区"}),
        ("a4区和a9市", {"a4区", "a9市"}),
        ("我县各镇", set()),
        ("清河县柳河镇", {"清河县", "柳河镇"}),
    ],
)
def test_areas_named_anywhere(text: str, areas: set[str]):
    assert area_of(text) == areas


def test_a_place_says_when_it_means_one_door():
    assert Place("x", estate="x", room="1").precise and not Place("x", estate="x", building="1").precise
