"""One function for each outside format: its bytes become envelopes. Names of persons and their phones are never read."""

from services.intake.adapters.channels.envelope import (
    LONGEST_TEXT,
    Fields,
    Handin,
    Wrong,
    WrongField,
    csv_items,
    each,
    json_items,
    xml_items,
)

Items = list[Handin | Wrong]
_NUMBER = 100


def police_calls(body: bytes) -> Items:
    """110 接处警记录 (JSON): jjdbh, bjsj, bjnr, bjlb, sfdz, xzqh, cjdw, zldh."""

    def one(fields: Fields) -> Handin:
        return Handin(
            external_ref=fields.need("jjdbh", _NUMBER),
            subject=fields.text("bjlb") or "",
            text=fields.need("bjnr", LONGEST_TEXT),
            region=fields.text("xzqh"),
            place=fields.text("sfdz"),
            posted_at=fields.when("bjsj"),
            dispatched_by=fields.text("cjdw"),
            dispatch_no=fields.text("zldh", _NUMBER),
        )

    return each(json_items(body), "jjdbh", one)


def consumer_line(body: bytes) -> Items:
    """12315 投诉举报 (JSON): recordNo, type (投诉 or 举报), title, content, accused, accusedAddress, region, registerTime,
    distributeOrg, distributeNo."""

    def one(fields: Fields) -> Handin:
        kind = fields.need("type", 10)
        if kind not in ("投诉", "举报"):
            raise WrongField("type", "value", "应为“投诉”或“举报”", "must be 投诉 or 举报")
        content, accused = fields.need("content", LONGEST_TEXT - 300), fields.text("accused")
        return Handin(
            external_ref=fields.need("recordNo", _NUMBER),
            subject=f"{kind}：{fields.text('title', 150) or ''}",
            text=f"{content}\n被反映单位：{accused}" if accused else content,
            region=fields.text("region"),
            place=fields.text("accusedAddress"),
            posted_at=fields.when("registerTime"),
            dispatched_by=fields.need("distributeOrg"),
            dispatch_no=fields.text("distributeNo", _NUMBER),
        )

    return each(json_items(body), "recordNo", one)


def service_line(body: bytes) -> Items:
    """12345 工单 (XML): WorkOrder with OrderNo, Title, Content, OccurAddr, AreaCode, CreateTime, DispatchOrg, DispatchNo."""

    def one(fields: Fields) -> Handin:
        return Handin(
            external_ref=fields.need("OrderNo", _NUMBER),
            subject=fields.text("Title") or "",
            text=fields.need("Content", LONGEST_TEXT),
            region=fields.text("AreaCode"),
            place=fields.text("OccurAddr"),
            posted_at=fields.when("CreateTime"),
            dispatched_by=fields.text("DispatchOrg"),
            dispatch_no=fields.text("DispatchNo", _NUMBER),
        )

    return each(xml_items(body, "WorkOrder"), "OrderNo", one)


def petitions(body: bytes) -> Items:
    """信访件 (JSON): xfjbh, xfrq, gaishu (概述), wtsd (问题属地), wtdz (问题地址), zsdw (转送单位), zswh (转送文号)."""

    def one(fields: Fields) -> Handin:
        return Handin(
            external_ref=fields.need("xfjbh", _NUMBER),
            text=fields.need("gaishu", LONGEST_TEXT),
            region=fields.text("wtsd"),
            place=fields.text("wtdz"),
            posted_at=fields.when("xfrq"),
            dispatched_by=fields.text("zsdw"),
            dispatch_no=fields.text("zswh", _NUMBER),
        )

    return each(json_items(body), "xfjbh", one)


_OBJECTS = {"网站": "网站", "APP": "APP", "账号": "账号", "号码": "号码", "短信": "短信"}


def telecom_notices(body: bytes) -> Items:
    """通信运营商通报 (CSV): 通报编号, 发现时间, 对象类型 (网站, APP, 号码, 短信), 对象, 情况说明, 属地, 运营商."""

    def one(fields: Fields) -> Handin:
        kind = fields.need("对象类型", 10)
        if kind not in ("网站", "APP", "号码", "短信"):
            raise WrongField("对象类型", "value", "应为网站、APP、号码或短信", "must be 网站, APP, 号码 or 短信")
        return Handin(
            external_ref=fields.need("通报编号", _NUMBER),
            subject=f"通信运营商通报：{kind}",
            text=f"{fields.need('情况说明', LONGEST_TEXT - 300)}\n{_OBJECTS[kind]}：{fields.need('对象')}",
            region=fields.text("属地"),
            posted_at=fields.when("发现时间"),
            dispatched_by=fields.text("运营商"),
        )

    return each(csv_items(body), "通报编号", one)


def media_monitoring(body: bytes) -> Items:
    """媒体监测 (JSON): id, source, title, summary, url, published_at, region."""

    def one(fields: Fields) -> Handin:
        source, url = fields.need("source"), fields.text("url", 500)
        return Handin(
            external_ref=fields.need("id", _NUMBER),
            subject=fields.need("title"),
            text=f"{fields.need('summary', LONGEST_TEXT - 1000)}\n来源：{source}" + (f"，{url}" if url else ""),
            region=fields.text("region"),
            posted_at=fields.when("published_at"),
            dispatched_by=source,
        )

    return each(json_items(body), "id", one)


def net_patrol(body: bytes) -> Items:
    """网上巡查线索 (CSV): 线索编号, 发现时间, 类型 (网站, APP, 账号), 名称, 地址或账号, 平台, 情况, 属地, 巡查单位 (D-M5, D-A3)."""

    def one(fields: Fields) -> Handin:
        kind = fields.need("类型", 10)
        if kind not in ("网站", "APP", "账号"):
            raise WrongField("类型", "value", "应为网站、APP 或账号", "must be 网站, APP or 账号")
        name, where, platform = fields.text("名称"), fields.need("地址或账号", 500), fields.text("平台")
        target = "，".join(part for part in (name, where, platform) if part)
        return Handin(
            external_ref=fields.need("线索编号", _NUMBER),
            subject=f"网上巡查：{kind}",
            text=f"{fields.need('情况', LONGEST_TEXT - 1000)}\n{kind}：{target}",
            region=fields.text("属地"),
            posted_at=fields.when("发现时间"),
            dispatched_by=fields.text("巡查单位"),
        )

    return each(csv_items(body), "线索编号", one)
