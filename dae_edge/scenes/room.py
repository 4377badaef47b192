"""The demonstration scene: someone at a desk in a room, as a webcam on a laptop sees it.

Drawn, like everything else here, so it may be shown and shipped by anyone. The wall, the shelf
with its lettering and the chart hold still, where an average over time wins; the person sways and
waves and the pendulum swings, where it must not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.scenes import textures

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

_SHARP = 2  # everything is drawn this much larger, then shrunk
_INK: Colour = (46, 40, 38)
_SKIN: Colour = (138, 170, 222)


class Room:
    """The scene at any size; `frame(seconds)` gives (height, width, 3) uint8 BGR in full light."""

    def __init__(self, width: int = 640, height: int = 480, *, seed: int = 0) -> None:
        self.width, self.height = width, height
        self._unit = height / 480  # the scene is laid out 480 high, centred
        random = np.random.default_rng([seed, 0x2003])
        self._background = self._shrink(self._draw_background(random))
        self._body = self._sprite(self._draw_body, random)
        self._head = self._sprite(self._draw_head, random)
        self._hand = self._sprite(self._draw_hand, random)
        self._pendulum = self._sprite(self._draw_pendulum, random)

    def frame(self, seconds: float) -> Picture:
        """The scene at a time; the same time is always the same picture."""
        picture = self._background.copy()
        sway = 7 * math.sin(1.1 * seconds)
        nod = 2.0 * math.sin(2.3 * seconds)
        swing = 14 * math.sin(2 * math.pi * seconds / 1.6)
        wave = 22 * math.sin(5.2 * seconds) * max(0.0, math.sin(0.7 * seconds)) - 8
        self._paste(picture, self._pendulum, pivot=(0, -170), turn=swing)
        self._paste(picture, self._body, shift=(sway, 0))
        self._paste(picture, self._head, shift=(1.6 * sway, nod), pivot=(0, 60), turn=0.5 * sway)
        self._paste(picture, self._hand, shift=(sway, 0), pivot=(128, 170), turn=wave)
        return picture

    # Layout: x to the right of the middle, y below it, in units of 1/480 of the height.

    def _canvas(self, channels: int = 3) -> Picture:
        return np.zeros((self.height * _SHARP, self.width * _SHARP, channels), np.uint8)

    def _at(self, x: float, y: float) -> tuple[int, int]:
        scale = self._unit * _SHARP
        return round(self.width * _SHARP / 2 + x * scale), round(self.height * _SHARP / 2 + y * scale)

    def _long(self, units: float) -> int:
        return max(1, round(units * self._unit * _SHARP))

    def _box(self, canvas: Picture, x: float, y: float, w: float, h: float, colour: Colour) -> None:
        cv2.rectangle(canvas, self._at(x, y), self._at(x + w, y + h), colour, -1)

    def _blob(
        self, canvas: Picture, x: float, y: float, w: float, h: float, colour: Colour, turn: float = 0
    ) -> None:
        axes = (self._long(w / 2), self._long(h / 2))
        cv2.ellipse(canvas, self._at(x, y), axes, turn, 0, 360, colour, -1, cv2.LINE_AA)

    def _text(self, canvas: Picture, text: str, x: float, y: float, high: float, colour: Colour) -> None:
        scale = high * self._unit * _SHARP / 21
        weight = max(1, round(scale * 1.6))
        (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)
        left, base = self._at(x, y)
        origin = (left - width // 2, base)
        cv2.putText(canvas, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, weight, cv2.LINE_AA)

    def _draw_background(self, random: np.random.Generator) -> Picture:
        canvas = self._canvas()
        canvas[:] = (150, 168, 176)
        wide = self.width / self._unit / 2
        for x in np.arange(-wide, wide, 26):  # wallpaper
            self._box(canvas, x, -240, 9, 400, (158, 176, 186))
        self._draw_window(canvas)
        self._draw_shelf(canvas, random, wide)
        self._draw_chart(canvas)
        self._blob(canvas, -62, -172, 74, 74, (60, 84, 120))  # the clock the pendulum hangs from
        self._blob(canvas, -62, -172, 62, 62, (225, 232, 236))
        for hour in range(12):
            turn = hour * math.pi / 6
            x, y = -62 + 25 * math.sin(turn), -172 - 25 * math.cos(turn)
            self._blob(canvas, x, y, 3.5, 3.5, _INK)
        cv2.line(canvas, self._at(-62, -172), self._at(-62, -194), _INK, self._long(2), cv2.LINE_AA)
        cv2.line(canvas, self._at(-62, -172), self._at(-48, -164), _INK, self._long(2.6), cv2.LINE_AA)
        self._grain(canvas, random, 0.10)
        return self._lamp_light(canvas)

    def _draw_window(self, canvas: Picture) -> None:
        self._box(canvas, -300, -205, 176, 216, (196, 208, 214))
        self._box(canvas, -290, -195, 156, 196, (92, 58, 34))
        for index, (x, high) in enumerate([(-288, 70), (-256, 110), (-222, 60), (-190, 92), (-160, 48)]):
            self._box(canvas, x, 1 - high, 29, high, (52, 38, 30))
            for floor in range(8, high - 8, 13):
                for column in range(3):
                    if (floor * 7 + column * 5 + index * 3) % 4:
                        self._box(canvas, x + 4 + 8 * column, 1 - high + floor, 4, 6, (120, 196, 236))
        self._blob(canvas, -164, -164, 30, 30, (214, 232, 238))
        self._box(canvas, -215, -195, 7, 196, (196, 208, 214))
        self._box(canvas, -290, -98, 156, 7, (196, 208, 214))

    def _draw_shelf(self, canvas: Picture, random: np.random.Generator, wide: float) -> None:
        titles = ("NOISE", "LIGHT", "OPTICS", "EDGE", "SIGNAL", "TIME", "PHOTON", "LENS", "RAW", "GAIN")
        for row, base in enumerate((-110, -8)):
            self._box(canvas, 120, base, wide, 9, (54, 82, 122))
            x = 126.0
            while x < wide:
                w, h = random.uniform(15, 27), random.uniform(58, 88)
                colour = tuple(int(v) for v in random.uniform(45, 200, size=3))
                self._box(canvas, x, base - h, w - 2, h, colour)  # type: ignore[arg-type]
                self._box(canvas, x, base - h + 8, w - 2, 3, (205, 214, 220))
                if w > 17:
                    self._spine(canvas, titles[(row * 5 + int(x)) % len(titles)], x + w / 2, base - 8, w)
                x += w

    def _spine(self, canvas: Picture, title: str, x: float, base: float, wide: float) -> None:
        """A title that runs up a book's back."""
        patch = np.zeros((self._long(wide - 5), self._long(54), 3), np.uint8)
        scale = patch.shape[0] / 34
        cv2.putText(
            patch, title, (2, int(patch.shape[0] * 0.8)), cv2.FONT_HERSHEY_SIMPLEX, scale,
            (235, 240, 242), max(1, round(scale * 1.6)), cv2.LINE_AA,
        )  # fmt: skip
        upright = cv2.rotate(patch, cv2.ROTATE_90_COUNTERCLOCKWISE)
        left, bottom = self._at(x - (wide - 5) / 2, base)
        top = bottom - upright.shape[0]
        place = canvas[max(top, 0) : bottom, left : left + upright.shape[1]]
        np.maximum(place, upright[-len(place) :, : place.shape[1]], out=place)

    def _draw_chart(self, canvas: Picture) -> None:
        """Letters and bars that get smaller: what a denoiser blurs first."""
        self._box(canvas, 124, 24, 190, 136, (70, 92, 110))
        self._box(canvas, 130, 30, 178, 124, (226, 232, 234))
        for text, y, high in (
            ("E F P", 62, 25),
            ("T O Z L", 86, 16),
            ("P E C F D", 104, 11),
            ("E D F C Z P", 117, 8),
        ):
            self._text(canvas, text, 182, y, high, _INK)
        for index in range(22):
            step = 7 - 0.25 * index
            x = 243 + 2.7 * index
            self._box(canvas, x, 38, max(step / 3, 0.6), 76, _INK)
        self._text(canvas, "dae-edge", 218, 144, 17, (150, 90, 40))

    def _draw_body(self, canvas: Picture, random: np.random.Generator) -> None:
        points = [
            (-128, 240),
            (-118, 150),
            (-84, 112),
            (-30, 92),
            (30, 92),
            (84, 112),
            (118, 150),
            (128, 240),
        ]
        outline = np.array([self._at(x, y) for x, y in points], np.int32)
        mask = np.zeros(canvas.shape[:2], np.uint8)
        cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA)
        shirt = self._canvas()
        shirt[:] = (112, 72, 52)
        for y in range(96, 240, 17):
            self._box(shirt, -140, y, 280, 6, (178, 168, 160))
        self._grain(shirt, random, 0.35)
        canvas[..., :3] = shirt
        canvas[..., 3] = mask
        neck = self._canvas()
        self._blob(neck, 0, 92, 56, 46, (118, 150, 204))
        canvas[..., :3] = np.where(neck.any(axis=2, keepdims=True), neck, canvas[..., :3])
        canvas[..., 3] |= (255 * neck.any(axis=2)).astype(np.uint8)

    def _draw_head(self, canvas: Picture, random: np.random.Generator) -> None:
        face = self._canvas()
        self._blob(face, 0, 6, 136, 150, (40, 52, 70))  # hair behind
        self._grain(face, random, 0.6)
        self._blob(face, 0, 26, 112, 148, _SKIN)
        self._blob(face, -54, 32, 18, 34, (124, 156, 208))
        self._blob(face, 54, 32, 18, 34, (124, 156, 208))
        self._blob(face, 0, -34, 118, 52, (40, 52, 70))
        for side in (-1, 1):
            self._blob(face, 25 * side, 20, 25, 13, (238, 240, 242))
            self._blob(face, 25 * side, 20, 11, 12, (84, 58, 36))
            self._blob(face, 25 * side, 20, 5, 6, (20, 18, 18))
            self._blob(face, 25 * side, 5, 30, 5, (44, 56, 74), turn=-2 * side)
            self._blob(face, 32 * side, 50, 26, 18, (132, 158, 224))
        self._blob(face, 0, 40, 15, 30, (128, 160, 214))
        self._blob(face, 0, 71, 42, 13, (104, 104, 186))
        self._blob(face, 0, 68, 42, 6, _SKIN)
        canvas[..., :3] = cv2.GaussianBlur(face, (0, 0), 0.8 * _SHARP)
        canvas[..., 3] = 255 * face.any(axis=2)

    def _draw_hand(self, canvas: Picture, random: np.random.Generator) -> None:
        arm = self._canvas()
        cv2.line(arm, self._at(128, 236), self._at(134, 150), (112, 72, 52), self._long(46), cv2.LINE_AA)
        self._grain(arm, random, 0.35)
        self._blob(arm, 136, 112, 46, 58, _SKIN)
        for turn, x, y in ((-24, 114, 80), (-8, 128, 70), (6, 142, 70), (20, 156, 78), (62, 162, 110)):
            self._blob(arm, x, y, 13, 50, _SKIN, turn=turn)
        canvas[..., :3] = arm
        canvas[..., 3] = 255 * arm.any(axis=2)

    def _draw_pendulum(self, canvas: Picture, random: np.random.Generator) -> None:
        rod = self._canvas()
        cv2.line(rod, self._at(-62, -134), self._at(-62, -62), (60, 84, 120), self._long(4), cv2.LINE_AA)
        self._blob(rod, -62, -54, 34, 34, (70, 170, 214))
        self._blob(rod, -66, -58, 12, 12, (150, 214, 236))
        canvas[..., :3] = rod
        canvas[..., 3] = 255 * rod.any(axis=2)

    def _grain(self, canvas: Picture, random: np.random.Generator, depth: float) -> None:
        """Fine natural texture over what is drawn so far, in place."""
        noise = textures.spectral_noise(random, 1.0)
        tiles = (-(-canvas.shape[0] // textures.SIDE), -(-canvas.shape[1] // textures.SIDE))
        grain = np.tile(noise, tiles)[: canvas.shape[0], : canvas.shape[1], None]
        canvas[:] = np.clip(canvas * (1 + depth * (grain - 0.5)), 0, 255).astype(np.uint8)

    def _lamp_light(self, canvas: Picture) -> Picture:
        """One lamp above the shelf: the room falls off into the dark on the left."""
        height, width = canvas.shape[:2]
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        lamp_x, lamp_y = self._at(170, -200)
        distance = np.hypot(x - lamp_x, y - lamp_y) / height
        light = np.clip(1.12 - 0.62 * distance, 0.3, 1.0)[..., None]
        warm = np.array([0.90, 0.97, 1.03], np.float32)
        return np.clip(canvas * light * warm, 0, 255).astype(np.uint8)

    def _sprite(self, draw: object, random: np.random.Generator) -> Picture:
        canvas = self._canvas(4)
        draw(canvas, random)  # type: ignore[operator]
        return self._shrink(canvas)

    def _shrink(self, canvas: Picture) -> Picture:
        size = (self.width, self.height)
        return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

    def _paste(
        self,
        picture: Picture,
        sprite: Picture,
        *,
        shift: tuple[float, float] = (0, 0),
        pivot: tuple[float, float] = (0, 0),
        turn: float = 0.0,
    ) -> None:
        """Lay a sprite over the picture, turned by degrees about a pivot, then shifted."""
        centre = (self.width / 2 + pivot[0] * self._unit, self.height / 2 + pivot[1] * self._unit)
        matrix = cv2.getRotationMatrix2D(centre, -turn, 1.0)
        matrix = matrix + np.array([[0, 0, shift[0]], [0, 0, shift[1]]]) * self._unit
        left, top, right, bottom = self._reach(sprite, matrix)
        matrix[:, 2] -= (left, top)
        moved = cv2.warpAffine(sprite, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
        place = picture[top:bottom, left:right]
        cover = moved[..., 3:].astype(np.float32) / 255
        place[:] = (place + cover * (moved[..., :3].astype(np.float32) - place) + 0.5).astype(np.uint8)

    def _reach(self, sprite: Picture, matrix: NDArray[Any]) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) within the frame that the moved sprite can touch."""
        x, y, w, h = cv2.boundingRect(np.ascontiguousarray(sprite[..., 3]))
        corners = np.array([[x, y, 1], [x + w, y, 1], [x, y + h, 1], [x + w, y + h, 1]]) @ matrix.T
        left, top = np.floor(corners.min(axis=0)).astype(int) - 1
        right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
        return max(left, 0), max(top, 0), min(right, self.width), min(bottom, self.height)
