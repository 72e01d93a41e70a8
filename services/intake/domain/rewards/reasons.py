"""Why a reward is not given, as codes with the words the reporter reads. No free text: it could name somebody."""

REASONS: dict[str, tuple[str, str]] = {
    "not-verified": ("举报的情况经查未能核实", "what was reported could not be verified"),
    "known-before": ("举报前有关部门已经掌握该情况", "the authorities knew of it before the report"),
    "not-earliest": ("同一情况有更早的举报人", "somebody else reported the same matter earlier"),
    "not-natural-person": ("奖励只给予自然人", "only natural persons are rewarded"),
    "official": ("负有查处职责的公职人员不属奖励范围", "officials whose duty it is are not rewarded"),
    "infringed-party": ("被侵权方或其委托的人不属奖励范围", "the infringed party and those acting for it are not rewarded"),
    "offender": ("举报人参与了该违法行为", "the reporter took part in the offence"),
    "already-rewarded": ("同一举报已经得到奖励", "the report was rewarded already"),
    "wrong-figures": ("数额或等级有误，将重新提出", "the figures were wrong; a new proposal follows"),
    "not-collected": ("超过领取期限未领取", "it was not collected in time"),
    "no-budget": ("本年度经费不足，补足后重新提出", "the year's budget is used up; a new proposal follows"),
}
"""Code → words in Chinese and English."""

CLAIM_REASONS = ("not-verified", "known-before", "not-earliest", "not-natural-person", "official", "infringed-party", "offender", "already-rewarded")
"""Reasons for which a claim itself is refused."""
