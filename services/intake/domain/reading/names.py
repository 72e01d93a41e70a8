"""Names of organisations, apps and the persons who lead them, as far as the message gives them plainly."""

import re
from itertools import islice

from services.intake.domain.reading.folding import load

_MOST = 6
_SHORT = 3
"""Characters from which a name is told without its trade."""
_DATA = load("names")
_SURNAMES = frozenset(_DATA["surnames"].replace("\n", ""))
_STOPS = frozenset(_DATA["stops"])
_NOT_NAMES = tuple(_DATA["not_names"].split())

_OPEN, _CLOSE = '“"「『《(（‘【', '”"」』》)）’】'
_QUOTED = r"[“\"「『《（(‘【]([^”\"」』》）)’】“。，,；;]{2,20})[”\"」』》）)’】]"
_TRADE = r"(?:电子商务|电商|商贸|贸易|生物科技|农业科技|生物技术|网络科技|信息科技|科技|投资管理|资产管理|投资|实业|文化传媒|文化传播|信息咨询|企业管理|健康管理|大健康|百货)"
"""What a registered name adds to the one people use: 众享云联电子商务有限公司 is 众享云联, but 福星生物科技 stays whole."""
_ORG_TYPES = r"(?:有限责任公司|股份有限公司|有限公司|分公司|公司|集团|商贸|联盟|商学院|基金会|合作社|工作室|俱乐部|交易中心|交易所|商会|研究院|国际控股|控股|养生馆|生活馆|体验馆|健康馆|健康驿站|面膜|护肤品|微商|招商会)"
_APP_TYPES = r"(?:app|应用|软件|小程序|公众号|微信群|qq群|平台|网站|商城|系统|币)"
_ORG_END = re.compile(rf"(?P<trade>{_TRADE}{{0,2}}){_ORG_TYPES}")
_TRADE_END = re.compile(rf"{_TRADE}+$")
_QUOTE = re.compile(_QUOTED)
_BEFORE_QUOTE = re.compile(
    r"(?:名叫|叫做|叫|名为|称为|称作|自称|所谓的?|打着|组织|公司|项目|平台|集团|团队|加入|入股|参加|做|搞)(?:了|的)?(?:一个|个)?$"
)
_AFTER_QUOTE = re.compile(rf"(?:的)?(?:{_ORG_TYPES}|组织|团队|项目|平台|团伙|骗局|传销|养生馆|生活馆|健康|保健|产品|面膜|微商|品牌|化妆品)")
_APP_BEFORE = re.compile(rf"{_APP_TYPES}(?:名叫|叫做|叫|名称是|名称|名为|名|是|:|：)?$")
_APP_AFTER = re.compile(rf"(?:的|这个|这款)?(?:网络|手机|虚拟|优选|购物|微信)?{_APP_TYPES}")
_CALLED = re.compile(
    r"(?:名叫|叫做|名为|称为|自称为?|叫个|个叫|款叫|家叫|入股|加入了?|投资了?(?![额款人者金])|参与了?|参加了?|在做|做的是|公司名称?[是为:：]|平台[是为:：]|项目[是为:：])([\u4e00-\u9fffa-z0-9]{2,10}?)(?:的)?(?:公司|集团|组织|平台|项目|团队|app|软件|商城|传销|联盟|投资|理财|大概|，|,|。|的直销|国际)"
)
_LATIN_APP = re.compile(rf"[a-z][a-z0-9]{{1,15}}+(?:的)?(?:手机|网络|这个|这款)?{_APP_TYPES}")
_LATIN = re.compile("[a-z][a-z0-9]+")
_COIN = re.compile(r"(?:币|商城app|手机app|app)(?!圈|市|值)")
_LATIN_END = re.compile("(?<=[\u4e00-\u9fff])[a-z]{1,6}$")
_HOST = re.compile(
    r"(?<![a-z0-9@.])((?:[a-z0-9-]{1,40}\.){1,3}(?:com|cn|net|org|vip|top|cc|xyz|io|me|club|shop|app|info))(?![a-z0-9])"
)
_BREAK = re.compile(
    r"位于|名叫|叫做|名为|自称|所谓的?|关于|举报|投诉|反映|查处|我们|我|你|他|她|们|的|在|是|有|了|这家|那家|一家|这个|那个|一个|该|此|某|去|到|从|和|与|及|对|被|让|把|将|利用|通过|打着|以|加入|进入|进|做|搞|里|说|给|向|就|都|也|楼|栋|号|层|室|骗入|入股|整个|请|管|叫|找|开|成立|注册|每个|各|哪|家|种|办|像|等|由|为|并|还|后|前|称|卖|买|用|带|看|听|推销|生产|销售|宣传|帮|炒|刷|投资|省|市(?!场)|区(?!块)|县"
)
_AREA = re.compile(
    r"^(?:[\u4e00-\u9fff]{2,8}?(?:省|自治区))?(?:[a-z0-9\u4e00-\u9fff]{1,6}?(?:市|区|县|镇|乡|街道)(?!场))*"
)
_NOT_ORGS = frozenset(
    "老总 上总 大总 行业 三无 有限 股份 保险 物业 装修 分 总 子 母 上市 直销 传销 皮包 空壳 大 小 本 贵 某 骗子 黑 假 正规 外地 私人 网络 投资 贸易 科技 销售 家政 中介 理财 金融 健康 保健 生物 搬家 快递 电信 移动 其他 别的 什么 他们 我们 这种 那种 很多 不法 诈骗 一些 食品 农业 文化 传媒 咨询 管理 商务 信息 广告 生物科技 开 新 老 好 国际 全 跨国 大型 中国 国家 专业 犯罪 利益 非法 工商 房产 旅游 建筑 挂牌 上级 自己 电子商务 镇上 村上 县上 院长 主任 经理 家长 老师 导师 总监 老总 洗脑 会长 场长 店长 部长".split()
)
_NOT_APPS = frozenset(
    "微信 qq 支付宝 抖音 快手 淘宝 京东 美团 手机 网络 电商 腾讯 百度 微博 app 各种 网上 虚拟 数字 手机app 某 该 这个 那个 一个 购物 积分 社交 交友 婚恋 投资 直播 线上 网购 交易 理财 招聘 短视频 视频 政务 投诉 留言 问政 人民 炒 数字货 虚拟货 加密货 货 项目方刷 挖 人民币 硬 外 加密 刷 货 传销 空气 返利 比特 下载 互联网 信息 用 搞 网 管理 监管 会员 传销组织 金融 支付 第三方 拼团 平台 系统 公司 cx vx wx ip pc ok vip mmm".split()
)
_TALK = frozenset(
    word
    for group in load("signs")["sign"]
    if group["code"] not in ("known_case", "named")
    for word in group.get("words", "").split()
)
"""Words of the trade (资金盘, 区块链) are nobody's name."""
_NOT_HAN = re.compile("[^\u4e00-\u9fffa-z0-9·]")
_NOT_IN_NAMES = re.compile(r"[，。？！的了我你他她们不没有吗吧这那哪些就骗被很]|[\d万千百]元|^[\d一二两三四五六七八九十百千万几数]+多?[人个名元]")
_TAIL = re.compile(r"(?:有限责任|股份有限|有限|股份|公司|集团|app|软件|平台|商城|组织|项目|团队)+$")
_NOT_FIRST = frozenset("个来去到做让上下看找带想要能会可不该此")
_CUES = "|".join(sorted(_DATA["cues"].split(), key=len, reverse=True))
_LEADER = re.compile(
    rf"(?:{_CUES})(?:之一)?(?:名字|姓名)?(?:分别)?(?:名叫|叫做|叫作|叫|是|为)?[:：;； （(“\"]{{0,2}}([\u4e00-\u9fff][\u4e00-\u9fffx×*]{{1,3}})"
)
_HEADED = re.compile(r"以([\u4e00-\u9fff][\u4e00-\u9fffx×*]{1,3}?)(?:、[^。，,]{2,12})?(?:等人?)?为首")
_WHO = re.compile(
    r"(?:一个|有个|个)(?:叫|名叫|姓名叫)([\u4e00-\u9fff][\u4e00-\u9fffx×*]{1,3})(?:的人|的女|的男|的头|，|,|。|的)"
)
_REPORTER = re.compile(r"(?:我|本人|举报人|反映人|投诉人)(?:的名字|姓名)?(?:叫|是|:|：)?$")


def _trim(run: str) -> str:
    run = _NOT_HAN.split(run)[-1]
    last = 0
    for found in _BREAK.finditer(run):
        last = found.end()
    return _AREA.sub("", run[last:])


def find_organisations(whole: str) -> tuple[str, ...]:
    """Names of companies, leagues, groups: without type words such as 有限公司, without the area before them."""
    names: dict[str, None] = {}
    for match in islice(_QUOTE.finditer(whole), _MOST * 3):
        before = whole[max(0, match.start() - 8) : match.start()]
        said = match[0][0] not in "（(" and _BEFORE_QUOTE.search(before)
        if said or _AFTER_QUOTE.match(whole, match.end()):
            _keep(names, match[1], _NOT_ORGS)
    for match in islice(_ORG_END.finditer(whole), _MOST * 4):
        name = _trim(whole[max(0, match.start() - 16) : match.start()])
        _keep(names, name if len(name) >= _SHORT or not name else name + match["trade"], _NOT_ORGS)
    for match in islice(_CALLED.finditer(whole), _MOST * 2):
        _keep(names, _trim(match[1]), _NOT_ORGS, least=3)
    return tuple(names)[:_MOST]


def find_apps(whole: str) -> tuple[str, ...]:
    """Names of apps, accounts, coins and sites; well-known carriers (微信, 支付宝) are not targets."""
    names: dict[str, None] = {}
    for match in islice(_QUOTE.finditer(whole), _MOST * 3):
        before = whole[max(0, match.start() - 8) : match.start()]
        if _APP_AFTER.match(whole, match.end()) or _APP_BEFORE.search(before):
            _keep(names, match[1], _NOT_APPS)
    for match in islice(_LATIN_APP.finditer(whole), _MOST * 3):
        _keep(names, _LATIN.match(match[0])[0], _NOT_APPS)
    for match in islice(_COIN.finditer(whole), _MOST * 2):
        name = _trim(whole[max(0, match.start() - 6) : match.start()])
        _keep(names, _LATIN_END.sub("", name), _NOT_APPS)
    for match in islice(_HOST.finditer(whole), _MOST) if "." in whole else ():
        if not match[1].endswith(("baidu.com", "qq.com", "weibo.com", "gov.cn", "people.com.cn", "sina.com.cn")):
            names[match[1].removeprefix("www.")] = None
    return tuple(names)[:_MOST]


def _keep(names: dict[str, None], name: str | None, refused: frozenset[str], least: int = 2) -> None:
    if not name:
        return
    name = _TAIL.sub("", name.strip(" ·"))
    if (trade := _TRADE_END.search(name)) and trade.start() >= _SHORT:
        name = name[: trade.start()]
    if len(name) < least or name in refused or name in _TALK or len(name) > 18 or name.isdigit() or name[0] in _NOT_FIRST:
        return
    if "传销" in name or _NOT_IN_NAMES.search(name):
        return
    names[name] = None


def find_persons(whole: str) -> tuple[str, ...]:
    """Who is said to lead: 头目叫郑某平, 以韩某敏为首. Never the writer."""
    names: dict[str, None] = {}
    for expression in (_HEADED, _LEADER, _WHO):
        for match in islice(expression.finditer(whole), _MOST * 2):
            if _REPORTER.search(whole[max(0, match.start() - 6) : match.start()]):
                continue
            name = _name(match[1])
            if name:
                names[name] = None
    return tuple(names)[:_MOST]


def _name(run: str) -> str:
    if run[0] not in _SURNAMES or run.startswith(_NOT_NAMES):
        return ""
    for cut, char in enumerate(run):
        if cut and char in _STOPS:
            run = run[:cut]
            break

    run = run[:3]
    return run if len(run) >= 2 else ""
