"""The loop: what it shows, when, and that nothing ends it but the end."""

from __future__ import annotations

import logging
import threading
import time

import numpy as np
import pytest

import dae_edge
from dae_edge.camera import Controls, Loop, Models, View, open_source
from dae_edge.camera.capture import Patience
from dae_edge.camera.spread import Spread
from dae_edge.errors import BadValueError, ModelLoadError
from tests.support import Eyes, FakeCamera, Slow, wait_for

SHORT = Patience(opening=0.3, silence=0.1, refusal=0.05, first_wait=0.02, last_wait=0.1)


@pytest.fixture
def denoise() -> dae_edge.Denoiser:
    return dae_edge.load("lowlight", threads=1)


@pytest.fixture
def slow(denoise: dae_edge.Denoiser) -> Slow:
    return Slow(denoise)


def run(loop: Loop, *sinks: Eyes) -> threading.Thread:
    thread = threading.Thread(target=loop.run, args=(sinks,), daemon=True)
    thread.start()
    return thread


def end(loop: Loop, thread: threading.Thread) -> None:
    loop.controls.stop()
    thread.join(3)
    assert not thread.is_alive()


def file(frames: int, *, rate: float = 1000.0) -> FakeCamera:
    return FakeCamera(["frame"] * frames, then="none", live=False, rate=rate)


def test_the_loop_counts_and_ends(denoise: dae_edge.Denoiser) -> None:
    eyes, source = Eyes(), file(7)
    summary = Loop(source, denoise, fast=True).run([eyes])
    assert summary.frames == len(eyes.views) == len(summary.times) == 7
    assert [view.number for view in eyes.views] == list(range(7))
    assert eyes.views[0].before.shape == eyes.views[0].after.shape == (32, 48, 3)
    assert summary.times.percentile(50) <= summary.times.percentile(99)
    assert summary.noisy.psnr is None
    assert eyes.closed == source.closed == 1


def test_a_view_says_how_the_loop_does(slow: Slow) -> None:
    slow.seconds = 0.01
    eyes = Eyes()
    summary = Loop(FakeCamera(rate=50), slow, seconds=0.8).run([eyes])
    figures = eyes.views[-1].figures
    assert 15 < figures.fps < 70
    assert 10 < figures.infer_ms < figures.age_ms
    assert figures.status == ""
    assert figures.work == "lowlight at 48x32"
    assert summary.frames >= 15


def test_stop_ends_it_and_every_sink_has_the_last_frame(slow: Slow) -> None:
    loop = Loop(file(100), slow, fast=True)

    class Stopping(Eyes):
        def show(self, view: View) -> None:
            super().show(view)
            if view.number == 2:
                loop.controls.stop()

    first, second = Stopping(), Eyes()
    assert loop.run([first, second]).frames == 3
    assert len(first.views) == len(second.views) == 3


def test_ctrl_c_ends_it_with_a_summary(slow: Slow) -> None:
    class Interrupt(Eyes):
        def show(self, view: View) -> None:
            super().show(view)
            if view.number == 4:
                raise KeyboardInterrupt

    eyes = Interrupt()
    summary = Loop(file(100), slow, fast=True).run([eyes])
    assert summary.seconds > 0
    assert eyes.closed == 1


def test_a_file_keeps_its_own_pace(slow: Slow) -> None:
    source = FakeCamera(["frame"] * 11, then="none", live=False, rate=50)
    assert 0.19 < Loop(source, slow).run().seconds < 2, "ten fiftieths, and not as fast as it goes"


def test_a_sink_that_fails_is_left_out(slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Eyes):
        def show(self, view: View) -> None:
            raise OSError("No space left on device.")

    broken, eyes = Broken(), Eyes()
    with caplog.at_level(logging.INFO, "dae_edge"):
        summary = Loop(file(5), slow, fast=True).run([broken, eyes])
    assert summary.frames == len(eyes.views) == 5
    assert broken.closed == 1
    assert caplog.messages == ["No space left on device. Going on without it."]


def test_where_denoising_fails_the_camera_is_shown_and_the_cause_said_once(
    slow: Slow, caplog: pytest.LogCaptureFixture
) -> None:
    slow.broken = True
    eyes = Eyes()
    loop = Loop(FakeCamera(), slow)
    with caplog.at_level(logging.INFO, "dae_edge"):
        thread = run(loop, eyes)
        assert wait_for(lambda: len(eyes.views) > 20)
        assert np.array_equal(eyes.views[-1].after, eyes.views[-1].before)
        assert eyes.views[-1].figures.status == "not denoised: no such kernel"
        assert len(slow.shapes) == 3, "a model that fails again and again rests"
        slow.broken = False
        assert wait_for(lambda: eyes.views[-1].figures.status == "")
    end(loop, thread)
    assert not np.array_equal(eyes.views[-1].after, eyes.views[-1].before)
    assert len(caplog.messages) == 1
    assert loop.summary.raw >= 20


def test_a_lost_camera_shows_its_last_frame_and_a_status(slow: Slow) -> None:
    def revive(count: int) -> FakeCamera:
        return FakeCamera(then="frame" if count > 3 else "none")

    eyes = Eyes()
    loop = Loop(FakeCamera(["frame"] * 5, then="none", revive=revive), slow, patience=SHORT)
    thread = run(loop, eyes)
    assert wait_for(lambda: any("camera lost" in view.figures.status for view in eyes.views))
    held = next(view for view in eyes.views if "camera lost" in view.figures.status)
    assert held.number == 4
    assert held.figures.age_ms > 40
    assert wait_for(lambda: eyes.views[-1].number > 10)
    assert eyes.views[-1].figures.status == ""
    end(loop, thread)
    assert slow.resets > 1, "what the model remembers is from before"
    assert loop.summary.reopened >= 3


def test_a_camera_that_never_gives_a_frame_shows_black_and_why(slow: Slow) -> None:
    eyes = Eyes()
    loop = Loop(FakeCamera(then="none"), slow, patience=SHORT)
    thread = run(loop, eyes)
    assert wait_for(lambda: bool(eyes.views))
    end(loop, thread)
    assert eyes.views[0].number == -1
    assert eyes.views[0].before.shape == (32, 48, 3)
    assert "camera lost" in eyes.views[0].figures.status


def test_the_end_comes_soon_even_with_a_read_that_never_returns(slow: Slow) -> None:
    source = FakeCamera(["frame"], then="block")
    loop = Loop(source, slow)
    thread = run(loop, Eyes())
    time.sleep(0.1)
    began = time.perf_counter()
    end(loop, thread)
    assert time.perf_counter() - began < 2
    source.unblock.set()


def test_a_change_of_size_is_a_new_clip(denoise: dae_edge.Denoiser) -> None:
    eyes = Eyes()
    script = [(32, 48), "frame", (48, 64), "frame", (32, 48), "frame"]
    summary = Loop(FakeCamera(script, then="none", live=False), denoise, fast=True).run([eyes])
    assert [view.after.shape[:2] for view in eyes.views] == [(32, 48)] * 2 + [(48, 64)] * 2 + [(32, 48)] * 2
    assert summary.raw == 0


@pytest.mark.parametrize("times_slower", [0.3, 3.0])
def test_a_slow_model_drops_frames_and_ages_none(slow: Slow, times_slower: float) -> None:
    period = 0.03
    slow.seconds = times_slower * period
    eyes = Eyes()
    summary = Loop(FakeCamera(rate=1 / period), slow, seconds=2.0).run([eyes])
    shown = 1000 * max(period, slow.seconds)  # a frame's own time on the screen
    assert summary.ages.percentile(50) < 2 * shown
    # ... and the last ones are no older than the first: nothing piles up.
    ages = [view.figures.age_ms for view in eyes.views]
    assert np.median(ages[-5:]) < np.median(ages[:5]) + shown
    assert (summary.dropped > 20) == (times_slower > 1)


def test_controls_change_the_next_frame_and_leave_the_camera_alone(slow: Slow) -> None:
    eyes, source = Eyes(), FakeCamera()
    loop = Loop(source, slow)
    thread = run(loop, eyes)
    assert wait_for(lambda: len(eyes.views) > 3)
    loop.controls.strength = 0.25
    assert wait_for(lambda: slow.strengths[-1] == 0.25)
    dark = eyes.views[-1].after.mean()
    loop.controls.brighten = 1.0
    assert wait_for(lambda: len(eyes.views) > 20 and eyes.views[-1].after.mean() >= dark)
    loop.controls.frozen = True
    time.sleep(0.05)
    number, reads = eyes.views[-1].number, source.reads
    time.sleep(0.1)
    assert eyes.views[-1].number == number
    assert source.reads > reads, "a live camera is read on behind a frozen view"
    loop.controls.frozen = False
    assert wait_for(lambda: eyes.views[-1].number > number)
    end(loop, thread)
    assert len(source.openings) == 1


def test_a_frozen_file_waits(slow: Slow) -> None:
    eyes = Eyes()
    loop = Loop(FakeCamera(["frame"] * 40, then="none", live=False, rate=50), slow)
    thread = run(loop, eyes)
    assert wait_for(lambda: len(eyes.views) > 3)
    loop.controls.frozen = True
    time.sleep(0.15)
    number = eyes.views[-1].number
    time.sleep(0.2)
    assert eyes.views[-1].number == number
    loop.controls.frozen = False
    thread.join(5)
    assert loop.summary.frames == 40


def test_another_model_is_chosen_while_it_runs(slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    other = Slow(slow._real)

    def load(name: str) -> Slow:
        if name == "broken":
            raise ModelLoadError("broken.onnx cannot be loaded.")
        return other

    models = Models("lowlight", slow, others=("other", "broken"), load=load)
    loop = Loop(FakeCamera(), models)
    thread = run(loop, eyes := Eyes())
    assert wait_for(lambda: len(eyes.views) > 2)
    loop.controls.model = "other"
    assert wait_for(lambda: eyes.views[-1].figures.work.startswith("other"))
    with caplog.at_level(logging.INFO, "dae_edge"):
        loop.controls.model = "broken"
        assert wait_for(lambda: loop.controls.model == "other")
    assert caplog.messages == ["broken.onnx cannot be loaded. Going on with other."]
    end(loop, thread)


def test_the_demo_knows_what_it_gained(denoise: dae_edge.Denoiser) -> None:
    source = open_source("demo:dim", size=(160, 120), rate=100)
    summary = Loop(source, denoise, seconds=1.0).run()
    assert summary.noisy.psnr is not None
    assert summary.denoised.psnr is not None
    assert summary.denoised.psnr > summary.noisy.psnr + 3


def test_options_that_do_not_fit_the_source(slow: Slow) -> None:
    with pytest.raises(BadValueError, match="--fast"):
        Loop(FakeCamera(), slow, fast=True)
    with pytest.raises(BadValueError, match="--auto"):
        Loop(FakeCamera(live=False), slow, auto=True)


def test_percentiles_in_constant_room() -> None:
    spread = Spread()
    assert spread.percentile(50) == 0
    values = np.random.default_rng(0).lognormal(3, 1, 20_000)
    for value in values:
        spread.add(float(value))
    for share in (1, 50, 95, 99):
        assert spread.percentile(share) == pytest.approx(np.percentile(values, share), rel=0.015)
    assert len(spread) == 20_000


def test_controls_are_validated() -> None:
    controls = Controls(model="a", models=("a", "b"))
    for bad in (
        {"strength": 1.5}, {"strength": "1"}, {"strength": float("nan")}, {"brighten": True}, {"compare": "both"},
        {"model": "c"}, {"frozen": 1}, {"recording": "yes"}, {"colour": 1},
    ):  # fmt: skip
        before = controls.snapshot_state()
        with pytest.raises(BadValueError, match=rf"`{next(iter(bad))}`"):
            controls.update(strength=0.5, **bad) if "strength" not in bad else controls.update(**bad)
        assert controls.snapshot_state() == before, "all or none"
    controls.update(strength=0, model="b", compare="split")
    controls.frozen = True
    assert controls.snapshot_state() == {
        "strength": 0.0, "brighten": 0.0, "compare": "split", "frozen": True, "model": "b", "recording": False,
        "models": ["a", "b"], "notice": "",
    }  # fmt: skip
    controls.snapshot()
    controls.snapshot()
    assert (controls.take_snapshots(), controls.take_snapshots()) == (2, 0)
