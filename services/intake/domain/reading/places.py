"""Places down to the room, as people write them: 清江新城望月苑10栋1806室, 银河公馆2栋2楼, 三元路8号."""

import re
from itertools import islice

from services.intake.domain.reading.folding import load
from services.intake.domain.reading.model import Place
from services.intake.domain.reading.numbers import short_number

_DATA = load("places")
_TYPES = tuple(sorted(_DATA["estate_types"].split(), key=len, reverse=True))
_TYPE_SET = frozenset(_TYPES)
_TYPE_LENGTHS = tuple(sorted({len(word) for word in _TYPES}, reverse=True))
_PLAIN = tuple(_DATA["plain_types"].split())
_NOT = frozenset(_DATA["not_estates"].split())
_BREAK = re.compile("|".join(sorted(_DATA["breaks"].split(), key=len, reverse=True)) + r"|和(?=[^园谐平家美])")
_NOT_OF_NAME = re.compile(r"[^\u4e00-\u9fffa-z0-9·]")
_C = "一二三四五六七八九十"
_BUILDING = rf"(?P<b>[a-z\d{_C}东南西北][\da-z{_C}]{{0,3}}+)\s?(?:栋|幢|号楼|座|#楼|#|号栋|橦)(?!椅|谈|落)"
_UNIT = rf"(?:(?P<u>[\d{_C}甲乙丙丁a-z][\d{_C}]?)\s?(?:单元|-(?=\d{{3,4}}(?!\d))))"
_FLOOR = rf"(?:第?(?P<f>[-\d{_C}][\d{_C}]{{0,2}})\s?(?:楼|层)(?!盘|下|上|道|梯|房|顶|栋|层|主|市))"
_END = r"(?![\d元块万千百亿人年名多余来位天月个%号路.]|平方|平米)"
_ROOM = rf"(?:(?P<r>\d{{3,4}}[a-z]?|\d\d(?=户|室)|[{_C}零]{{3,4}}){_END}\s?(?:室|号?房间?|户)?)"
_SEP = r"[\s,，、-]{0,2}"
_PATTERNS = tuple(
    (cues, re.compile(expression))
    for cues, expression in (
        ("栋幢楼座#橦", rf"{_BUILDING}(?:{_SEP}{_UNIT})?(?:{_SEP}{_FLOOR})?(?:{_SEP}{_ROOM})?"),
        ("单", rf"(?P<u>[\d{_C}甲乙丙丁a-z][\d{_C}]?)\s?单元(?:{_SEP}{_FLOOR})?(?:{_SEP}{_ROOM})?"),
        (
            "楼层",
            rf"(?P<f>[-\d{_C}][\d{_C}]{{0,2}})\s?(?:楼|层)(?!盘|下|上|道|梯|房|顶|栋|层|主|市)(?:{_SEP}{_ROOM})?",
        ),
        ("室房", rf"(?P<r>[\d{_C}][\d{_C}零]{{2,3}}+[a-z]?)\s?(?:室|号房|房(?!价|产|源|租|贷))"),
        ("上下壁门", r"(?:楼上|楼下|隔壁|对门|对面)的?(?P<n>\d{3,4})(?![\d元块万千百米年户人平.])"),
        (
            "-",
            r"(?P<b>\d{1,3}+)(?P<x>-)(?:(?P<u>\d{1,2})-)?(?P<r>\d{3,4})(?![\d-])(?:室|号(?!码)|房)?" + _END,
        ),
    )
)
_ROAD = re.compile(rf"(?:路|街|大道|巷|弄|胡同)\s?(\d{{1,5}}+|[{_C}百零]{{1,7}}+)\s?号(?!线|楼|公交)")
_AREA_PIECE = re.compile(
    r"^((?:[a-z]\d{0,3}|[\u4e00-\u9fff]{1,6}?)(?:省|自治区|自治州|自治县|市(?!场|民|政|里|内)|(?<![小社园校库矿景城片新])区(?!域|块|别)|县城|县(?!政府)|镇(?!政府)|乡(?!政府)|街道办事处|街道办|街道|社区(?!服务|居委|医院|卫生|食堂|广场|菜)|经开区|高新区|开发区|新区))"
)
_AREAS = re.compile(
    r"[a-z]\d{1,3}+(?:市|区|县|镇)|[\u4e00-\u9fff]{2}(?:区(?!域|别|块)|县(?!城|里|长)|镇(?!政府|里|上|区))"
)
_NO_NAME = frozenset("请找去让向叫给由被从往跟和与或等就都也要说全本我各该外每乡城村集市哪个这那某到在的几")
_NO_AREA = tuple(_DATA["area_stop"].split())
_CJK = re.compile("[\u4e00-\u9fff]")
_OWN_HOME = re.compile(r"(?:我家|我们家|我住|我们住|本人住|家住|我就住|我租|本人家|住户是我|我父母家)[^，。；,;]{0,8}$")
_PHASE = re.compile(r"(?:[一二三四五六]期|\d期|[东南西北]区|[a-z]区)$")
_STREET = re.compile("[\u4e00-\u9fff]{2,5}(?:大道|路|街|巷)(?!口|边|段|旁|上)(?=[\u4e00-\u9fff]{3})")
_NO_ESTATE = re.compile(rf"[\d{_C}]{{1,3}}(?:栋|幢|号楼|座|期)|.*(?:\d年|半年|年起|月起).*")
_COMMAS = frozenset("，,、 ")
_FORMAL = str.maketrans("壹贰叁肆伍陆柒捌玖", "一二三四五六七八九")
_LOOSE = (*_TYPES, *"湾庭府园城台阁居墅岸洲岛邸里", "一号", "二号", "国际")
"""Endings after which 7-1802 is a door."""
_AREA_MARKS = frozenset("省州市区县镇乡道")
_IN_BRACKETS = re.compile("(?:室|号)?[（(【]([\u4e00-\u9fffa-z0-9]{2,14})[）)】]")
_LOOK_BACK = 22
_MOST = 8


def find_places(whole: str, estates: list[tuple[int, int]]) -> tuple[Place, ...]:
    """Places of a folded message, the most precise first; `estates` are spans of words that end a name."""
    found: list[Place] = []
    last = ("", "", "", "")
    for match in _anchors(whole):
        start = match.start()
        groups = match.groupdict()
        if groups.get("b") == "一" and not groups["r"] and _CJK.match(whole, match.end()):
            continue  # 一栋自建房, 一栋五层的楼: a building, not building one
        inherited = False
        building, room = groups.get("b"), groups.get("r") or groups.get("n")
        area, name, phase = ("", "", "") if groups.get("n") else _name_before(whole, start)
        if not name and building and whole[start - 1 : start] in _COMMAS:
            area, name, phase = _name_before(whole, start - 1)  # 青枫路锦澜湾，6#1203
            if not name.endswith(_LOOSE):
                area, name, phase = "", "", ""
        if not name:
            if not building and not room:
                continue
            area, name, phase = (
                last[:3]
                if last[1]
                else _name_behind(whole, match.end()) or _estate_near(whole, start, estates) or last[:3]
            )
            building, inherited = building or last[3], True
        if not name or (not groups.get("u") and _loose(groups) and not name.endswith(_LOOSE if groups.get("x") else _TYPES)):
            continue
        building = short_number(building or "")
        last = (area, name, phase, building)
        begin = start if inherited else max(0, whole.rfind(name, 0, start))
        text = (name + match[0] if inherited else whole[begin : match.end()]).strip()
        if room and len(room) == 2:  # 17楼04户
            room = short_number(groups["f"]) + room if groups.get("f") else ""
        unit, floor, room = (short_number(part or "") for part in (groups.get("u"), groups.get("f"), room))
        if not inherited and _OWN_HOME.search(whole[max(0, begin - 12) : begin]):
            # where the writer lives leads to the writer, and points at nobody's door
            text, unit, floor, room = name, "", "", ""
        found.append(Place(text, area, "", name, building, unit, floor, room, phase))
        if len(found) >= _MOST:
            break
    for start, end in estates[: _MOST * 6]:
        area, name, _ = _name_before(whole, end)
        if name and whole[start:end] == "社区":
            found.append(Place(text=f"{name}社区", area=f"{name}社区"))
        elif name and _is_estate(name, whole[start:end]):
            found.append(Place(text=name, area=area, estate=_plain(name)))
    for match in islice(_ROAD.finditer(whole), _MOST) if "号" in whole else ():
        end = match.start(1)
        area, name = _split_area(_after_break(whole[max(0, end - 12) : end].rstrip(" ")))
        if len(name) >= 2:
            number = short_number(match[1])
            found.append(Place(text=f"{name}{match[1]}号", area=area, road=f"{name}{number}号"))
    return _distinct(found)


def _loose(groups: dict[str, str | None]) -> bool:
    """A floor, or a bare 10-1806, is a place only after a name that says what it is."""
    return bool(groups.get("x")) or not (groups.get("b") or groups.get("r") or groups.get("n"))


def _anchors(whole: str) -> list[re.Match[str]]:
    matches: list[re.Match[str]] = []
    spans: list[tuple[int, int]] = []
    for cues, expression in _PATTERNS:
        if not any(cue in whole for cue in cues):
            continue
        for match in islice(expression.finditer(whole), _MOST * 3):
            if not any(s < match.end() and match.start() < e for s, e in spans):
                matches.append(match)
                spans.append(match.span())
    return sorted(matches, key=lambda one: one.start())


def _name_before(whole: str, end: int) -> tuple[str, str, str]:
    """Area, estate and phase that end before `end`."""
    run = _after_break(whole[max(0, end - _LOOK_BACK) : end].rstrip(" "))
    area, name = _split_area(run)
    phase = ""
    if name and name[-1] in "期区" and (part := _PHASE.search(name)) and part.start():
        name, phase = name[: part.start()], _same_phase(part[0])
    if len(name) < 2 or name.isdigit() or name in _NOT or _NO_ESTATE.fullmatch(name):
        return area, "", ""
    return area, _plain(name), phase


def _same_phase(phase: str) -> str:
    return short_number(phase[:-1]) + phase[-1]


def _name_behind(whole: str, start: int) -> tuple[str, str, str] | None:
    """The estate in brackets right behind a door: 9栋603（桃园里）."""
    behind = _IN_BRACKETS.match(whole, start)
    if not behind:
        return None
    area, name, phase = _name_before(behind[1], len(behind[1]))
    return (area, name, phase) if name else None


def _after_break(run: str) -> str:
    """The end of `run` behind the last word that no name contains."""
    if not run.isalnum():
        run = _NOT_OF_NAME.split(run)[-1]
    last = 0
    for found in _BREAK.finditer(run):
        last = found.end()
    return run[last:]


def _split_area(run: str) -> tuple[str, str]:
    area = ""
    if _AREA_MARKS.isdisjoint(run):
        return area, run
    while (match := _AREA_PIECE.match(run)) and len(run) > match.end():
        area, run = match[1], run[match.end() :]
    return area, run


def _plain(name: str) -> str:
    """The name itself: without the street it stands in, without a type that says nothing, in plain numerals."""
    name = name.translate(_FORMAL)
    street = _STREET.match(name)
    if street and name.endswith(_LOOSE) and len(root(name[street.end() :])) >= 2:
        name = name[street.end() :]
    if name.endswith(_PLAIN):
        for word in _PLAIN:
            if name.endswith(word) and len(name) - len(word) >= 2:
                return name[: -len(word)]
    return name


def _is_estate(name: str, kind: str) -> bool:
    return len(name) - len(kind) >= 1 or (name != kind and len(name) >= 2) or not name.endswith(kind)


def _estate_near(whole: str, position: int, estates: list[tuple[int, int]]) -> tuple[str, str, str] | None:
    for _, end in reversed(estates):
        if end <= position:
            area, name, phase = _name_before(whole, end)
            if name:
                return area, name, phase
    return None


def _distinct(found: list[Place]) -> tuple[Place, ...]:
    ranked = sorted(found, key=lambda one: (not one.room, not one.floor, not one.building))
    kept: list[Place] = []
    for place in ranked:
        if not any(_says_more(other, place) for other in kept):
            kept.append(place)
    return tuple(kept)[:_MOST]


def _says_more(known: Place, place: Place) -> bool:
    if place.road:
        return known.road == place.road
    if not place.estate:
        return known.area == place.area
    same = known.estate == place.estate or place.estate in known.estate
    return same and all(
        not mine or mine == theirs
        for mine, theirs in (
            (place.building, known.building),
            (place.unit, known.unit),
            (place.floor, known.floor),
            (place.room, known.room),
            (place.phase, known.phase),
        )
    )


def area_of(whole: str) -> frozenset[str]:
    """Districts, counties and towns a message names anywhere, as their last two characters and the type: 东山区."""
    return frozenset(
        match[0]
        for match in islice(_AREAS.finditer(whole), _MOST * 3)
        if not match[0].endswith(_NO_AREA) and match[0][-2] not in _NO_NAME
    )


def only_type(name: str) -> bool:
    """Whether a name is nothing but a type: 写字楼 is nobody's address."""
    return name in _TYPE_SET or name in _NOT


def root(estate: str) -> str:
    """What is left of a name without any type word: 玉湖大市场 and 玉湖小区 share 玉湖."""
    name = estate
    for length in _TYPE_LENGTHS:
        if len(name) - length >= 2 and name[-length:] in _TYPE_SET:
            name = name[:-length]
            break
    return name.removesuffix("大") if len(name) > 2 else name
