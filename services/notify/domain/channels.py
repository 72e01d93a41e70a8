"""The ways out of the house: which there are, what an address of each looks like, and what of it may be shown. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from services.notify.domain.targets import BadTargetError, parsed


class Channel(StrEnum):
    """How a target is reached."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    DINGTALK = "dingtalk"
    WECOM = "wecom"
    FEISHU = "feishu"
    SMS = "sms"


ROBOTS = (Channel.DINGTALK, Channel.WECOM, Channel.FEISHU)

PER_MINUTE: dict[Channel, int | None] = {
    Channel.WEBHOOK: None,
    Channel.EMAIL: 60,
    Channel.DINGTALK: 20,
    Channel.WECOM: 20,
    Channel.FEISHU: 100,
    Channel.SMS: 30,
}
"""Messages a minute to one target, unless plan or owner say less: what the makers of the robots allow."""

_MAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,128}")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")


def robot_token(channel: Channel, url: str, *, local: bool) -> tuple[str, str]:
    """Base address (`https://host`) and token of a chat robot's address. BadTargetError when it is none."""
    parts = parsed(url, local=local)
    if not _HOST.fullmatch(parts.netloc):
        raise BadTargetError("host")
    if channel is Channel.FEISHU:
        before, _, token = parts.path.rstrip("/").rpartition("/")
        well = before == "/open-apis/bot/v2/hook" and not parts.query
    else:
        path, name = (
            ("/robot/send", "access_token") if channel is Channel.DINGTALK else ("/cgi-bin/webhook/send", "key")
        )
        token = (parse_qs(parts.query).get(name) or [""])[0]
        well = parts.path == path
    if not well or not _TOKEN.fullmatch(token):
        raise BadTargetError("robot-address")
    return f"{parts.scheme}://{parts.netloc}", token


def checked(channel: Channel, address: str, *, local: bool) -> str:
    """An address in the form in which it is kept; BadTargetError says by a code what is wrong with it."""
    if channel is Channel.EMAIL:
        if len(address) > 254 or not _MAIL.fullmatch(address):
            raise BadTargetError("mail-address")
        return address
    if channel is Channel.SMS:
        digits = re.sub(r"[ -]", "", address).removeprefix("+86")
        if not _PHONE.fullmatch(digits):
            raise BadTargetError("phone-number")
        return digits
    if channel in ROBOTS:
        robot_token(channel, address, local=local)
    else:
        parsed(address, local=local)
    return address


def shown(channel: Channel, address: str) -> str:
    """What may be shown of an address: enough for its owner to know it again, not enough to use it."""
    if channel is Channel.WEBHOOK:
        return address
    if channel is Channel.EMAIL:
        name, _, domain = address.rpartition("@")
        return f"{name[:1]}***@{domain}"
    if channel is Channel.SMS:
        return f"{address[:3]}****{address[-4:]}"
    return f"{urlsplit(address).hostname}/…{address.rstrip('/')[-4:]}"
