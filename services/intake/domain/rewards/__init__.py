"""Informant rewards (举报奖励): what is proposed and why, who gets it, who may decide, what the fund can bear. No I/O."""
