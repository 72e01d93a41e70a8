"""HTML routes of notify: the home page (the inbox), sign-in, the officer's account, the managed accounts, and the rooms."""

from fastapi import APIRouter

from services.notify.pages import (
    account,
    accounts,
    approvals,
    bulletins,
    campaigns,
    clocks,
    duties,
    inbox,
    meetings,
    oidc,
    public_warnings,
    publicity,
    reports,
    seats,
    sign_in,
    systems,
    webhooks,
)

routers: list[APIRouter] = [inbox.router, clocks.router, seats.router, sign_in.router, oidc.router, account.router, systems.router, approvals.router, accounts.router, duties.router, meetings.router, reports.router, bulletins.router, campaigns.router, publicity.router, public_warnings.router, webhooks.router]
