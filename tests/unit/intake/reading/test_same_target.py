"""Same target: many voices, one place; and never a stranger (points 3 and 4 of what users lack, D-M6)."""

from datetime import datetime, timedelta, timezone

import pytest

from services.intake.domain.reading import read
from services.intake.domain.same_target import Bounds, Message, compare, group
from tests.unit.intake.reading.cases import cases

CHINA = timezone(timedelta(hours=8))
START = datetime(2026, 9, 1, 8, tzinfo=CHINA)


def message(identity: str, text: str, day: int = 0, subject: str = "举报传销") -> Message:
    return Message(identity, read(subject, text), subject, text, START + timedelta(days=day))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("清江新城望月苑10栋1806是传销窝点", "望月苑10幢1806室里的传销没人管，天天开会"),
        ("城东锦绣花园10栋1806传销窝点", "举报：锦绣花园小区10栋1806室传销"),
        ("我们小区望月苑10栋1806传销", "整个社区都知道望月苑10栋1806传销"),
        ("望月苑10栋2单元1806传销", "在望月苑10号楼1806有人搞传销，几十个人"),
        ("银河大厦19楼有公司搞传销拉人头", "银河大厦十九层那家传销还在开会"),
        ("头目电话13800000001，搞传销", "传销客服的号码是13800000001，骗了我妈"),
        ("“聚福宝”APP是传销，拉人返钱", "我妈陷进传销“聚福宝”软件里了"),
        ("文峰大道198号三楼传销", "传销就在文峰大道198号，请查"),
        ("文峰大道198号三楼传销", "文峰大道一百九十八号又有人听课拉人头"),
        ("望月苑9栋2单元603传销", "九幢603（望月苑）又在上课了，发展下线"),
        ("望月苑9栋2单元603传销", "望月苑９＃楼２－６０３搞传销"),
        ("望月苑7号楼3单元1502传销", "望月苑 7-3-1502 传销窝点"),
        ("望月苑二期9栋603传销", "望月苑9栋603传销"),
        ("头目的电话是138-0000-0001，搞传销", "骗我的那个人手机一三八零零零零零零零一，搞传销"),
        ("传销QQ群88123456天天拉人", "进了群号88123456，是传销"),
        ("拉人的微信号zhuan8866，搞传销", "加我的人vx：zhuan8866，他做传销"),
        ("“聚福宝”APP是传销，拉人返钱", "我妈投了聚福宝八万块，拉人头的，打不开了"),
    ],
)
def test_joined(one: str, other: str):
    standing = group([message("1", one), message("2", other, day=3)])
    assert standing["1"].lead == standing["2"].lead == "1"
    assert standing["2"].joined_by


@pytest.mark.parametrize("file", sorted({case.file for case in cases() if case.target}))
def test_messages_about_one_target_are_joined_and_strangers_never(file: str):
    ours = [case for case in cases() if case.file == file and case.relevant]
    standing = group([message(case.name, case.text, subject=case.subject) for case in ours])
    leads: dict[str, set[str]] = {}
    for case in ours:
        leads.setdefault(standing[case.name].lead, set()).add(case.target.rstrip("~") or case.name)
    assert {lead: who for lead, who in leads.items() if len(who) > 1} == {}
    whole = {case.target for case in ours if case.target and not case.target.endswith("~")}
    for target in whole:
        assert len({standing[case.name].lead for case in ours if case.target == target}) == 1, target


def test_copies_with_small_changes_are_joined_even_without_a_place():
    text = "本市有一个以投资养老为名的传销团队，专门骗取老年人的钱财，金额上千万元，请立案查处。"
    standing = group([message("1", "赵某一，" + text), message("2", "赵某二，" + text)])
    assert standing["2"].lead == "1"


def test_a_long_copy_may_differ_in_every_sentence():
    one = (
        "我是五月经初中同学介绍来到贵市的，说是做建材销售，月薪九千，到了以后由两个女的接站，住在城西一处民房里，后来三天由不同的人带去不同的住户家里"
        "听所谓的行业知识，要求我交三千九百元成为会员，并要求我再叫三个以上亲戚朋友过来。"
    )
    other = (
        "我五月经初中同学介绍来贵市，说是做建材销售，月薪九千，到了以后有两个女的接站，住城西一处民房里，后来三天由不同的人带去不同住户家里"
        "听所谓行业知识，要求我交三千九百元成为会员，还要求我再叫三个以上亲戚朋友过来，请查。"
    )
    assert group([message("1", one), message("2", other)])["2"].joined_by == ("wording",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("望月苑10栋1806有传销", "望月苑10栋1704有传销"),
        ("望月苑10栋1806有传销", "望月苑5栋1806有传销"),
        ("望月苑10栋1806有传销", "映月苑10栋1806有传销"),
        ("望月苑一期10栋1806有传销", "望月苑二期10栋1806有传销"),
        ("有人搞传销，请马上查处", "有人搞传销，请马上查处"),
        ("“资金盘”APP传销害人", "举报资金盘，拉人头的，叫“鼎泰矿机”"),
        ("锦绣花园5栋有传销", "城东锦绣花园5栋有传销"),
        ("望月苑有传销", "望月苑有人搞传销，每天很吵，外地人很多，请派人来看看"),
        ("有人搞传销，请查处", "有人搞传销，家里人都被洗脑了"),
        ("东山区阳光花园1栋101有传销", "西湖区阳光花园1栋101有传销"),
        ("他们用微信搞传销", "有人在微信群里拉人头搞传销"),
        ("“权健”传销害了我妈，请查处“权健”公司", "“权健”公司又在搞传销，“权健”的人天天开会"),
        (
            "望月苑有人搞传销，每天早上几十个人开会唱歌，请政府查处",
            "银杏苑有人搞传销，每天早上几十个人开会唱歌，请政府查处",
        ),
        ("“聚福宝”公司搞传销，骗取老人钱财上千万元，请查处", "“万利来”公司搞传销，骗取老人钱财上千万元，请查处"),
    ],
)
def test_strangers_stay_apart(one: str, other: str):
    standing = group([message("1", one), message("2", other)])
    assert standing["1"].lead != standing["2"].lead


def test_a_third_message_never_joins_two_rooms():
    three = [
        message("1", "望月苑10栋1806有传销"),
        message("2", "望月苑10栋有传销，上下楼都是"),
        message("3", "望月苑10栋1704也是传销窝点", day=1),
    ]
    leads = {identity: one.lead for identity, one in group(three).items()}
    assert leads["1"] != leads["3"]


def test_the_same_estate_is_suggested_not_joined():
    standing = group([message("1", "望月苑有传销，好多人"), message("2", "望月苑里搞传销的又来了", day=2)])
    assert standing["2"].suggested == ("1",) and standing["2"].lead == "2"


def test_the_same_room_years_apart_is_seen_before_and_not_joined():
    standing = group([message("2", "望月苑10栋1806传销", day=700), message("1", "望月苑10栋1806传销窝点")])
    assert standing["2"].seen_before == ("1",) and standing["2"].lead == "2"
    assert standing["1"].seen_before == ()


def test_a_market_and_an_estate_of_one_name_are_seen_before_in_one_district_only():
    earlier = message("1", "东山区玉湖小区一带有传销")
    later = message("2", "东山区玉湖大市场的传销害人", day=900)
    elsewhere = message("3", "西湖区玉湖市场有传销", day=900)
    assert group([earlier, later])["2"].seen_before == ("1",)
    assert group([earlier, elsewhere])["3"].seen_before == ()


def test_without_times_messages_are_taken_as_they_come():
    pair = [Message(i, read("", t), "", t) for i, t in (("b", "望月苑10栋1806传销"), ("a", "望月苑10栋1806有传销的人"))]
    assert group(pair)["a"].lead == "b"


def test_the_plan_sets_the_bounds():
    pair = [message("1", "望月苑10栋传销"), message("2", "望月苑10栋的传销好吵", day=5)]
    assert group(pair)["2"].lead == "1"
    strict = group(pair, Bounds(join=90))
    assert strict["2"].lead == "2" and strict["2"].suggested == ("1",)
    assert group(pair, Bounds(window=timedelta(days=1)))["2"].seen_before == ("1",)


def test_comparing_goes_both_ways():
    texts = ["望月苑10栋1806传销", "望月苑10栋传销", "望月苑传销", "“聚福宝”APP传销", "银河大厦19楼传销"]
    for a in texts:
        for b in texts:
            one, other = message("1", a), message("2", b)
            assert compare(one, other).score == compare(other, one).score
            assert (set(compare(one, other).reasons)) == set(compare(other, one).reasons)
