"""Who may ask: the right host name, the page's own origin, the token; and what a browser may do.

Three doors are shut here. A page of somebody else's whose name is made to resolve to this machine
(DNS rebinding) sends its own name as Host. A page of somebody else's that posts or opens a WebSocket
here sends its own Origin. And whoever else is on the network does not know the token.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

_HOST = re.compile(r"^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$", re.ASCII)

_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",  # the first address holds the token
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own, out of everybody else's reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Lets through what may pass and refuses the rest; adds the headers that tie a browser's hands.

    host:  what the server is bound to
    token: None on a loopback address where everybody on the machine may watch; else it must come in
           the cookie that the address with `?token=` sets, or as `Authorization: Bearer`
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int, token: str | None) -> None:
        self._app, self._token = app, token
        self._local = is_loopback(host)
        machine = socket.gethostname().lower()
        self._names = (
            {"localhost"} if self._local else {"localhost", host.lower(), machine, f"{machine}.local"}
        )
        # Cookies are kept by host name without the port, so the port tells two programs' apart.
        self._cookie = f"dae-edge-{port}"
        # Made from the token, so that with the same token a page outlives the program's restart.
        self._session = hmac.digest((token or "").encode(), b"dae-edge cookie", "sha256").hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refuse(scope, headers)
        if refusal is not None:
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).send_denial_response(refusal)
            else:
                await refusal(scope, receive, self._strict(send, ""))
        elif scope["type"] == "http":
            newcomer = scope["path"] == "/" and self._query_token(scope)
            await self._app(scope, receive, self._strict(send, headers["host"], welcome=newcomer))
        else:
            await self._app(scope, receive, send)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._known(hosts[0]):
            return PlainTextResponse("This server has another name; ask it by its address.", 400)
        origins = headers.getlist("origin")
        own = {f"{scheme}://{hosts[0].lower()}" for scheme in ("http", "https")}  # https: behind a proxy
        if any(origin.lower() not in own for origin in origins):
            return PlainTextResponse("Another page may not ask here.", 403)
        if not self._may(scope, headers):
            return PlainTextResponse(
                "Open the address that dae-edge printed: it holds the token.",
                401,
                {"www-authenticate": "Bearer"},
            )
        return None

    def _known(self, host: str) -> bool:
        """Whether a Host header is an address, which no rebinding forges, or a name of ours."""
        match = _HOST.match(host)
        if match is None:
            return False
        name = (match[1] or match[2]).lower()
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return address.is_loopback or not self._local

    def _may(self, scope: Scope, headers: Headers) -> bool:
        if self._token is None:
            return True
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer.strip(), self._token):
            return True
        if _same(_cookie(headers, self._cookie), self._session):
            return True
        return scope["type"] == "http" and scope["path"] == "/" and self._query_token(scope)

    def _query_token(self, scope: Scope) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return self._token is not None and len(given) == 1 and _same(given[0], self._token)

    def _strict(self, send: Send, host: str, *, welcome: bool = False) -> Send:
        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**_HEADERS, "content-security-policy": _policy(host)})
                if welcome:
                    headers.append(
                        "set-cookie", f"{self._cookie}={self._session}; HttpOnly; SameSite=Strict; Path=/"
                    )
            await send(message)

        return strict


def _policy(host: str) -> str:
    """Only what this server gives; the WebSocket is named for Safari, whose 'self' left it out."""
    live = f"'self' ws://{host}" if host else "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src {live}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie("; ".join(headers.getlist("cookie"))).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _same(given: str, secret: str) -> bool:
    """In constant time, so that no clock tells how much of a guess was right."""
    return hmac.compare_digest(given.encode(errors="replace"), secret.encode())
