"""What all watching pages share."""

from __future__ import annotations

from starlette.websockets import WebSocket

from dae_edge.camera.controls import Controls
from dae_edge.camera.view import View
from dae_edge.camera.web.pair import WIDEST, Pair, PairEncoder
from dae_edge.camera.web.viewer import TOO_MANY, Viewer

MOST_VIEWERS = 8


class Broadcast:
    """The newest view, the encoder and the pages that watch.

    source: the camera's name, for people
    view:   left here by the loop's thread and found by the server's; whoever was too slow for the
            one before never sees it
    """

    def __init__(self, controls: Controls, *, source: str = "") -> None:
        self.controls, self.source = controls, source
        self.view: View | None = None
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
        try:
            await viewer.watch()
        finally:
            self.viewers.discard(viewer)

    @property
    def width(self) -> int:
        """Pixels that the page which can use the most can use."""
        return min(max(viewer.width for viewer in self.viewers), WIDEST)

    def encode(self, view: View) -> Pair:
        """The view's pair, once for all pages."""
        return self._encoder(view, self.width)
