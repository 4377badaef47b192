"""What all watching pages share."""

from __future__ import annotations

from starlette.websockets import WebSocket

from dae_edge.camera.controls import Controls
from dae_edge.camera.view import View
from dae_edge.camera.web.feed import Feed
from dae_edge.camera.web.pair import WIDEST, Pair, PairEncoder
from dae_edge.camera.web.viewer import TOO_MANY, Viewer

MOST_VIEWERS = 8


class Broadcast:
    """The feed, the encoder and the pages that watch.

    source: the camera's name, for people
    """

    def __init__(self, controls: Controls, *, source: str = "") -> None:
        self.controls, self.source = controls, source
        self.feed = Feed()
        self.viewers: set[Viewer] = set()
        self._encoder = PairEncoder()

    async def watch(self, websocket: WebSocket) -> None:
        """Serve one page until it leaves."""
        await websocket.accept()
        if len(self.viewers) >= MOST_VIEWERS:
            await websocket.close(TOO_MANY, f"{MOST_VIEWERS} pages are watching, which is the most")
            return
        viewer = Viewer(websocket, self)
        self.viewers.add(viewer)
        self.feed.watched = True
        try:
            await viewer.watch()
        finally:
            self.viewers.discard(viewer)
            self.feed.watched = bool(self.viewers)

    @property
    def width(self) -> int:
        """Pixels that the page which can use the most can use."""
        return min(max(viewer.width for viewer in self.viewers), WIDEST)

    def encode(self, view: View) -> Pair:
        """The view's pair, once for all pages."""
        return self._encoder(view, self.width)
