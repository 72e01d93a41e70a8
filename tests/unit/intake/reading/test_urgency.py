"""Urgent means held, hurt or in danger now (D-B2, D-Q1.6; point 2 of what users lack: minutes, not working days)."""

import pytest

from services.intake.domain.reading import read

NOW = [
    "我爱人一直困在这个传销窝点，出不来",
    "传销窝点里面现在控制8个人",
    "传销的人不让我弟弟离开，手机也没收了",
    "我女儿被骗进传销，已经失联五天",
    "传销头目要家里打钱才肯放人",
    "被传销软禁在房间里，门反锁着",
    "传销窝点有人跳楼，腿断了，里面还关着几个人",
    "他们传销的人24小时看着我儿子，上厕所都跟着",
    "我妹妹才十五岁，被骗到传销窝点",
    "传销组织非法拘禁了我老公",
    "我从传销里逃出来了，里面还有六个人没出来，被关着",
    "去年进了传销的我哥，到现在还被关在里面",
    "里面被困的学生有十几个，是传销",
    "我同学在传销窝里偷偷发来定位求救",
]
NOT_NOW = [
    "请问传销限制人身自由要判几年？",
    "《禁止传销条例》规定了什么情形，非法拘禁怎么处罚",
    "传销最可怕的是控制思想，进去的人都走火入魔",
    "如果被传销困住怎么办？防骗手册里有吗",
    "我当年被传销关过十天，后来逃出来了，现在回家了，窝点还在骗人请查处",
    "传销窝点在二楼，他们没有限制人身自由，都是自愿的",
    "希望政府打击传销，把受害者解救出来",
    "工商清查传销时没收了他们的手机，可第二天又回来了",
    "传销平台老板失联，电话打不通，我和朋友的钱都没了",
    "传销会场有专人看守，记者想拍照也进不去",
    "举报传销没人管，非要等到出人命才管吗？",
    "传销拉人，说加入以后财富自由、时间自由",
]
ALONE = [
    ("我弟弟被债主关在出租屋里不让走，求救", True),
    ("丈夫把我姐姐锁在家里好几天了，还打她，请救救她", True),
    ("老板把工人关在厂里不放人，扣了身份证", True),
    ("隔壁有人被绑架了，听到喊救命", True),
    ("我女儿在学校门口被人带走，关在火车站旁的宾馆里不让走", True),
    ("电梯坏了，老人被困在电梯里半小时", False),
    ("学校封闭管理，把学生关在学校里不让出门", False),
    ("父亲瘫痪，困在家里出不来", False),
    ("车被锁在车库里出不去", False),
    ("他被公安机关关在看守所，家属想会见", False),
    ("我感觉被开发商绑架了，退也退不了", False),
    ("限制他人人身自由是不是犯法？", False),
    ("弟弟有精神病，家里只能把他锁着", False),
]


@pytest.mark.parametrize("text", NOW)
def test_rings(text: str):
    reading = read("举报", text)
    assert reading.relevant and reading.urgent and "confinement" in reading.kinds


@pytest.mark.parametrize("text", NOT_NOW)
def test_does_not_ring(text: str):
    assert not read("反映情况", text).urgent


@pytest.mark.parametrize(("text", "urgent"), ALONE)
def test_a_person_held_by_anybody_is_for_the_police(text: str, urgent: bool):
    reading = read("反映情况", text)
    assert (reading.relevant, reading.urgent) == (False, urgent)
    if urgent:
        assert reading.belongs_to == "public_security" and reading.kinds == ()


@pytest.mark.parametrize("text", [NOW[i] for i in (0, 1, 2, 4, 5, 7)])
def test_a_comparison_beside_somebody_held_is_no_comparison(text: str):
    hedged = text.replace("传销", "像传销一样的", 1)
    assert read("", hedged).urgent
