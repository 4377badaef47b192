"""The loop: newest frame in, denoised frame out to every sink, figures kept."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dae_edge.camera.auto import Auto, Level, ladder
from dae_edge.camera.capture import Capture, Captured, FileCapture, LiveCapture, Patience
from dae_edge.camera.controls import Controls
from dae_edge.camera.denoising import Denoised, Denoising
from dae_edge.camera.models import Models
from dae_edge.camera.notices import Notices
from dae_edge.camera.sources import Source
from dae_edge.camera.summary import Summary
from dae_edge.camera.view import Figures, Sink, View
from dae_edge.errors import BadValueError, FrameError
from dae_edge.opencv import single_threaded
from dae_edge.runtime import Denoiser

_TICK = 0.1  # seconds after which sinks are shown the last frame again, with the newest status
_DARK = 1.0  # seconds without a first frame before a black one with the status takes its place


class Loop:
    """Denoise a source until it ends, `controls.stop()` is called, or `seconds` have passed.

    From a live source the newest frame is denoised and what came meanwhile is dropped, so a slow
    machine shows fewer frames, never older ones. A file keeps its own pace, unless `fast`, and every
    frame. Nothing that a camera, a model or a sink does wrong ends the loop.

    auto:   lower the model or the working resolution until a live source's rate holds
    follow: with `auto`, follow motion where the rate holds and the model can
    """

    def __init__(
        self,
        source: Source,
        denoise: Denoiser | Models,
        *,
        controls: Controls | None = None,
        auto: bool = False,
        follow: bool = True,
        fast: bool = False,
        seconds: float | None = None,
        patience: Patience | None = None,
        notices: Notices | None = None,
    ) -> None:
        if fast and source.live:
            raise BadValueError(f"`--fast` is for a file; {source.name} has its own pace.")
        if auto and not source.live:
            raise BadValueError(f"`--auto` is for a live source; of {source.name} every frame is denoised.")
        models = denoise if isinstance(denoise, Models) else Models(denoise.manifest.name, denoise)
        if auto and models.current.manifest.size is not None:
            raise BadValueError("`--auto` needs a model for any size; this file was exported for one.")
        _check_size(models.current, source)
        self.controls = controls or Controls(model=models.name, models=models.names)
        self._source, self._models = source, models
        self._fast, self._seconds, self._patience = fast, seconds, patience
        self._notices = notices or Notices()
        self._denoising = Denoising(models, self.controls, self._notices)
        self._auto_wanted, self._auto_for, self._may_follow = auto, "", follow
        self._auto: Auto | None = None
        self._pace = _Pace(source.rate)
        self._rate = _Rate()
        self._sinks: list[Sink] = []
        self._view: View | None = None
        self.summary = Summary(source.name, models.name)

    @property
    def last(self) -> View | None:
        """The view that was shown last, None before the first."""
        return self._view

    def run(self, sinks: Sequence[Sink] = ()) -> Summary:
        """Run to the end and close the sinks; Ctrl-C ends it too."""
        _keep_memory()
        with single_threaded():
            return self._run(sinks)

    def _run(self, sinks: Sequence[Sink]) -> Summary:
        self._sinks = list(sinks)
        capture = self._start()
        begun = time.monotonic()
        try:
            while not self._over(begun):
                if self._waits_frozen():
                    continue
                captured = capture.take(_TICK)
                if captured is not None:
                    self._step(capture, captured)
                elif capture.ended:
                    break
                else:
                    self._hold(capture, begun)
        except KeyboardInterrupt:
            pass
        finally:
            self.summary.seconds = time.monotonic() - begun
            self.summary.dropped, self.summary.reopened = capture.dropped, capture.reopened
            capture.close()
            for sink in self._sinks:
                self._close(sink)
        return self.summary

    def _start(self) -> Capture:
        if self._source.live:
            return LiveCapture(self._source, patience=self._patience, notices=self._notices)
        return FileCapture(self._source)

    def _over(self, begun: float) -> bool:
        late = self._seconds is not None and time.monotonic() - begun >= self._seconds
        return late or self.controls.stopping

    def _step(self, capture: Capture, captured: Captured) -> None:
        """Denoise a new frame and show it."""
        if not self._source.live and not self._fast:
            self._pace.wait(captured.number, self.controls)
        began = time.perf_counter()
        denoised = self._denoising(captured, self._level())
        now = time.monotonic()
        self._rate.add(now)
        figures = self._figures(capture, denoised, 1000 * (now - captured.taken), now)
        view = View(captured.shot.frame, denoised.after, captured.number, captured.taken, figures)
        if self.controls.frozen and self._view is not None:
            view = replace(self._view, figures=figures)
        self._show(view)
        busy = time.perf_counter() - began
        self._count(captured, denoised, figures, busy)
        if self._auto is not None:
            self._adapt(self._auto, busy, capture.period, now)

    def _hold(self, capture: Capture, begun: float) -> None:
        """No new frame: show the last one again, or a black one, with what is the matter."""
        now = time.monotonic()
        if self._view is None:
            if now - begun < _DARK:
                return
            width, height = self._source.size if all(self._source.size) else (640, 480)
            black = np.zeros((height, width, 3), np.uint8)
            self._view = View(black, black, -1, begun, Figures(0.0, 0.0, 0.0, 0, ""))
        age = 1000 * (now - self._view.taken)
        figures = replace(
            self._view.figures,
            fps=self._rate.now(now),
            age_ms=age,
            dropped=capture.dropped,
            status=capture.status or self._denoising.status,
        )
        self._show(replace(self._view, figures=figures))

    def _waits_frozen(self) -> bool:
        """A file waits while the view is frozen; a live camera is read on behind it."""
        if self._source.live or not self.controls.frozen or self._view is None:
            return False
        self._show(self._view)
        time.sleep(_TICK)
        self._pace.shift(_TICK)
        return True

    def _level(self) -> Level:
        """The model and the working size for the next frame."""
        wanted = self.controls.model
        if not self._auto_wanted:
            return Level(wanted)
        if self._auto is None or wanted != self._auto_for:
            follows = self._may_follow and self._models.can_follow(wanted)
            levels = ladder(wanted, self._models.cheaper(wanted), follows=follows)
            self._auto, self._auto_for = Auto(levels), wanted
        return self._auto.level

    def _adapt(self, auto: Auto, busy: float, period: float, now: float) -> None:
        """Change the level for the next frame where the rate does not hold, or could at a better one."""
        before = auto.level
        level = auto.note(busy, period, now)
        if level != before:
            said = f"{level}, to hold {1 / period:.0f} fps"
            self.controls.say(said)
            self._notices.say("auto", said)

    def _figures(self, capture: Capture, denoised: Denoised, age: float, now: float) -> Figures:
        return Figures(
            fps=self._rate.now(now),
            infer_ms=denoised.milliseconds,
            age_ms=age,
            dropped=capture.dropped,
            status=capture.status or self._denoising.status,
            work=denoised.work,
        )

    def _count(self, captured: Captured, denoised: Denoised, figures: Figures, busy: float) -> None:
        summary, shot = self.summary, captured.shot
        summary.frames += 1
        summary.size = (shot.frame.shape[1], shot.frame.shape[0])
        summary.ages.add(figures.age_ms)
        summary.outside.add(1000 * busy - denoised.milliseconds)
        if denoised.raw:
            summary.raw += 1
            return
        summary.times.add(denoised.milliseconds)
        if shot.clean is not None:
            summary.noisy.add(shot.frame, shot.clean)
            summary.denoised.add(denoised.clean, shot.clean)

    def _show(self, view: View) -> None:
        self._view = view
        for sink in list(self._sinks):
            try:
                sink.show(view)
            except Exception as failure:  # one sink's trouble is not the others'
                self._notices.say(type(sink).__name__, f"{failure} Going on without it.")
                self._sinks.remove(sink)
                self._close(sink)

    def _close(self, sink: Sink) -> None:
        try:
            sink.close()
        except Exception as failure:  # the others want to be closed too
            self._notices.say(f"closing {type(sink).__name__}", str(failure))


def _keep_memory() -> None:
    """Teach the allocator to keep frames' memory from one frame to the next.

    By default glibc gives blocks of this size back to the system and takes them anew, empty: 700 page
    faults and 2 ms for each frame of 1280x720. It raises its limit to the largest mapped block, up to
    32 MB, that it saw freed (mallopt(3), M_MMAP_THRESHOLD); this one is never touched and costs nothing.
    """
    np.empty(24 << 20, np.uint8)


def _check_size(denoise: Denoiser, source: Source) -> None:
    """Refuse at the start what would fail at every frame."""
    fixed = denoise.manifest.size
    if fixed is not None and all(source.size) and source.size != (fixed[1], fixed[0]):
        raise FrameError(
            f"{source.name} gives {source.size[0]}x{source.size[1]}, "
            f"but this file was exported for {fixed[1]}x{fixed[0]}."
        )


class _Pace:
    """When a file's frames are due."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._begun: float | None = None

    def wait(self, number: int, controls: Controls) -> None:
        """Sleep until frame `number` is due, or until the loop is to stop."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        due = self._begun + number / self._rate
        while not controls.stopping and (left := due - time.monotonic()) > 0:
            time.sleep(min(left, _TICK))

    def shift(self, seconds: float) -> None:
        """The file stood still for so long."""
        if self._begun is not None:
            self._begun += seconds


class _Rate:
    """Frames a second, of the last thirty."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=30)

    def add(self, now: float) -> None:
        self._times.append(now)

    def now(self, now: float) -> float:
        """Falls towards 0 while nothing comes."""
        if len(self._times) < 2:
            return 0.0
        first, last, gaps = self._times[0], self._times[-1], len(self._times) - 1
        usual = (last - first) / gaps
        until = last if now - last < 2 * usual else now
        return gaps / (until - first) if until > first else 0.0
