"""Which path leads where."""

from __future__ import annotations

from starlette.routing import Route

from runner.emulator.oauth import about, authorize, connect, grants, openid


def routes() -> list[Route]:
    oauth = "/services/oauth2"
    return [
        Route(f"{oauth}/authorize", authorize.authorize, methods=["GET", "POST"]),
        Route(f"{oauth}/login", authorize.login, methods=["POST"]),
        Route(f"{oauth}/consent", authorize.consent, methods=["POST"]),
        Route(authorize.SUCCESS, authorize.success, methods=["GET"]),
        Route("/setup/connect", connect.connect, methods=["GET", "POST"]),
        Route(f"{oauth}/token", grants.token, methods=["POST"]),
        Route(f"{oauth}/introspect", about.introspect, methods=["POST"]),
        Route(f"{oauth}/revoke", about.revoke, methods=["GET", "POST"]),
        Route(f"{oauth}/userinfo", about.userinfo, methods=["GET", "POST"]),
        Route("/.well-known/openid-configuration", openid.configuration, methods=["GET"]),
        Route("/id/keys", openid.published_keys, methods=["GET"]),
        Route("/id/{org_id}/{user_id}", about.identity, methods=["GET", "POST"]),
    ]
