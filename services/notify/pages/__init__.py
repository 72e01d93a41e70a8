"""HTML routes of notify: the home page (the inbox), sign-in, the officer's account."""

from fastapi import APIRouter

from services.notify.pages import account, oidc, sign_in

routers: list[APIRouter] = [sign_in.router, oidc.router, account.router]
