"""Names of persons that a public text seems to carry. A hint for whoever writes or checks it, never a refusal: words look like names."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SURNAMES = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|"
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许韩冯邓曹彭曾肖萧田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛"
    "闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷"
    "曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝]"
)
_GIVEN = r"[\u4e00-\u9fff·]{1,2}?"
_NAME = rf"(?:{_SURNAMES}){_GIVEN}"
_CUES = (
    "名叫|叫做|姓名为?|名字[是叫]|犯罪嫌疑人|嫌疑人|被告人|当事人|受害人|被害人|受骗人|头目|头子|骨干|组织者|老总|经理|老板|讲师|导师|业主|"
    "房东|房主|负责人|法定代表人|法人代表|男子|女子|村民|居民|举报人|店主|为首的"
)
_AFTER = r"(?=[（(][男女]|[，,][男女][，,。]|先生|女士|小姐|老师|等\s?\d*[一二三四五六七八九十]*余?[名人]|[一二两三四五六七八九十]人|以?为首)"
_CUED = re.compile(
    rf"(?:{_CUES})[：: “\"（(]?((?:{_SURNAMES})[\u4e00-\u9fff]{{1,2}})(?=[，,。；;、：:！？）)”\"（( ]|等|和|与|以|在|因|于|向|将|被|通过|利用|组织|供述|交代|自称|涉嫌|先生|女士|$)"
)
_LISTED = re.compile(rf"(?<![\u4e00-\u9fff])({_NAME}(?:、{_NAME})*){_AFTER}")
_HEADED = re.compile(rf"(?:以|由)({_NAME}(?:、{_NAME})*)(?:等人)?为首")
_COMMON = re.compile(
    "某|高[价额息度压]|方[面式法案]|[万余]元|金[额融]|任[何意务]|应当|时[间候]|安[全排]|平[台时]|全[部国镇市体家]|成[员立功为]|连续|常[见用]|马上|向[上社群]|关[于系注]|包[括装]|"
    "白天|车站|花费|江[门苏西]|明[显确知]|何[时人]|单[位独]|易受|余人|商[店场家]|古镇|文[件化]|曾[经被任]|周[边围末一二三四五六日]|严[重格厉禁]|项目|石井|[的了是在有不我你他她们]"
)


@dataclass(frozen=True, slots=True)
class Name:
    """What looks like a name, and the line of the text (from 1) it stands in."""

    words: str
    line: int


def likely_names(text: str) -> list[Name]:
    """What looks like names of persons, in the order of the lines. 张某, 李某某 and 王×× pass."""
    found: dict[tuple[str, int], None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in (_CUED, _LISTED, _HEADED):
            for match in pattern.finditer(line):
                for name in match.group(1).split("、"):
                    if not _COMMON.search(name):
                        found[name, number] = None
    return [Name(words, line) for words, line in sorted(found, key=lambda one: one[1])]
