"""What can be asked of the page: its files, the live stream, and a few changes by POST."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from dae_edge.camera.web import assets
from dae_edge.camera.web.broadcast import Broadcast
from dae_edge.errors import BadValueError

LARGEST_BODY = 4096  # bytes
_SLOWEST_BODY = 5.0  # seconds

_SETTINGS = frozenset(("strength", "brighten", "frozen", "model", "recording"))


def build(broadcast: Broadcast) -> Starlette:
    """The application, unguarded.

    GET  /  and the page's files
    GET  /watch     a WebSocket; `viewer` says what goes over it
    POST /settings  JSON object of settings to change -> all settings
    POST /snapshot  {} -> asks the loop for a picture of its next frame, as a file
    """
    controls = broadcast.controls

    async def change(request: Request) -> Response:
        values = await _json(request)
        unknown = sorted(set(values) - _SETTINGS)
        if unknown:
            raise HTTPException(400, f"`{unknown[0]}` is no setting of the page.")
        try:
            controls.update(**values)
        except BadValueError as failure:
            raise HTTPException(400, str(failure)) from failure
        return JSONResponse(controls.snapshot_state())

    async def snapshot(request: Request) -> Response:
        await _json(request)
        controls.snapshot()
        return JSONResponse({"asked": True}, 202)

    app = Starlette(
        routes=[
            *[Route(path, _serve(*asset)) for path, asset in assets.load().items()],
            Route("/settings", change, methods=["POST"]),
            Route("/snapshot", snapshot, methods=["POST"]),
            WebSocketRoute("/watch", broadcast.watch),
        ],
        exception_handlers={HTTPException: _explain},
    )
    app.router.redirect_slashes = False  # one path a thing
    return app


def _serve(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    async def asset(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return asset


async def _json(request: Request) -> dict[str, Any]:
    """The body as a JSON object; size and time are limited while it comes, whatever it announced."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send application/json.")
    body = bytearray()
    try:
        async with asyncio.timeout(_SLOWEST_BODY):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise HTTPException(413, f"At most {LARGEST_BODY} bytes.", {"connection": "close"})
    except TimeoutError as failure:
        raise HTTPException(408, "The request came too slowly.", {"connection": "close"}) from failure
    except ClientDisconnect as failure:
        raise HTTPException(400, "The request was cut off.") from failure
    try:
        # As a float a number of hundreds of digits is infinite, which every setting refuses.
        values = json.loads(body, parse_int=float)
    except (ValueError, RecursionError) as failure:
        raise HTTPException(400, "The body is not JSON.") from failure
    if not isinstance(values, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    return values


async def _explain(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    return JSONResponse({"error": failure.detail}, failure.status_code, failure.headers)
