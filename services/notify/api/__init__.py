"""JSON routes of notify."""

from fastapi import APIRouter

from services.notify.api import directory, oauth

routers: list[APIRouter] = [oauth.router, directory.router]
