"""JSON routes of notify."""

from fastapi import APIRouter

from services.notify.api import directory, notices, oauth, trace, webhooks

routers: list[APIRouter] = [oauth.router, directory.router, notices.router, webhooks.router, trace.router]
