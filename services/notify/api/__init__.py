"""JSON routes of notify."""

from fastapi import APIRouter

from services.notify.api import (
    bulletins,
    campaigns,
    clocks,
    directory,
    duties,
    meetings,
    notices,
    oauth,
    public,
    public_warnings,
    publicity,
    reports,
    seats,
    trace,
    webhooks,
)

routers: list[APIRouter] = [oauth.router, directory.router, notices.router, webhooks.router, trace.router, clocks.router, seats.router, duties.router, meetings.router, reports.router, bulletins.router, campaigns.router, publicity.router, public_warnings.router, public.router]
