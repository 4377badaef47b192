from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dae_edge.metrics import psnr
from dae_edge.scenes import Room, draw_clip, draw_leaves
from dae_edge.scenes.develop import develop
from dae_edge.scenes.leaves import power_law_radii
from dae_edge.scenes.palette import mute
from dae_edge.scenes.photograph import photograph
from dae_edge.scenes.sway import Sway


def test_leaves_are_the_same_for_a_seed_and_full_of_things() -> None:
    first, again = (draw_leaves(np.random.default_rng(3), 60, 80) for _ in range(2))
    assert first.shape == (60, 80, 3)
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 100


def test_radii_follow_the_power_law() -> None:
    radii = power_law_radii(np.random.default_rng(0), 2.0, 200.0, 200_000)
    assert radii.min() >= 2
    assert radii.max() <= 200
    # p(r) ~ r**-3 between a and b: the share above t is (t**-2 - b**-2) / (a**-2 - b**-2).
    for threshold in (4.0, 10.0, 40.0):
        expected = (threshold**-2 - 200**-2) / (2.0**-2 - 200**-2)
        assert (radii > threshold).mean() == pytest.approx(expected, rel=0.1)


def test_clips_are_seeded_and_half_stand_still_somewhere() -> None:
    clips = [draw_clip(np.random.default_rng(seed), 3, 48, 64) for seed in range(24)]
    assert clips[0].shape == (3, 48, 64, 3)
    assert (clips[5] == draw_clip(np.random.default_rng(5), 3, 48, 64)).all()
    still = [np.mean((c[0] == c[-1]).all(axis=-1)) for c in clips]
    assert np.mean([share > 0.2 for share in still]) > 0.25  # webcams on a shelf
    assert np.mean([share < 0.2 for share in still]) > 0.25  # hands, pans


@pytest.mark.parametrize("shape", [(20, 30, 3), (300, 200, 3)])
def test_a_background_of_any_size_is_taken(shape: tuple[int, int, int]) -> None:
    picture = np.full(shape, 77, np.uint8)
    clip = draw_clip(np.random.default_rng(0), 2, 48, 64, background=picture)
    assert np.mean(clip == 77) > 0.2


def test_the_room_moves_only_where_things_move() -> None:
    room = Room(320, 240)
    first, later = room.frame(0.0), room.frame(1.0)
    assert (first == room.frame(0.0)).all()
    changed = (first != later).any(axis=-1)
    assert 0.02 < changed.mean() < 0.6
    assert not changed[:, 280:].any()  # the shelf stands still


@pytest.mark.parametrize("size", [(160, 120), (1280, 720), (200, 300)])
def test_the_room_comes_in_any_size(size: tuple[int, int]) -> None:
    assert Room(*size).frame(0.5).shape == (size[1], size[0], 3)


def test_the_preview_is_a_sheet_and_a_clip(dae_edge: Callable[..., Any], tmp_path: Path) -> None:
    ended = dae_edge("scenes", "--preview", tmp_path / "look")
    assert ended.code == 0, ended.err
    sheet = cv2.imread(str(tmp_path / "look" / "scenes.png"))
    assert sheet.std() > 20
    film = cv2.VideoCapture(str(tmp_path / "look" / "scenes.mp4"))
    frames = [film.read()[1] for _ in range(48)]
    assert (frames[0] != frames[47]).any()
    again = dae_edge("scenes", "--preview", tmp_path / "look")
    assert again.code == 1
    assert "add --force" in again.err


def test_the_preview_wants_a_folder(dae_edge: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ended = dae_edge("scenes", "--preview", tmp_path / "file")
    assert ended.code == 1
    assert "cannot be written" in ended.err


@pytest.fixture(scope="module")
def drawn() -> list[np.ndarray]:
    return [draw_leaves(np.random.default_rng([5, index]), 288, 288, bank=5) for index in range(60)]


@pytest.fixture(scope="module")
def photographed(drawn: list[np.ndarray]) -> list[np.ndarray]:
    return [photograph(picture, np.random.default_rng([6, n]), bank=5) for n, picture in enumerate(drawn)]


@pytest.fixture
def photographs(data: Path) -> list[np.ndarray]:
    return [cv2.imread(str(path)) for path in sorted((data / "stills").glob("*.jpg"))]


def spectrum(pictures: list[np.ndarray]) -> np.ndarray:
    """(5,) dB: median power of brightness an octave, from 64 to 2 pixels a cycle."""
    side = 256
    window = np.outer(np.hanning(side), np.hanning(side))
    cycles = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    octaves = [(cycles >= 2.0**-n) & (cycles < 2.0 ** (1 - n)) for n in range(6, 1, -1)]
    rows = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float)
        top, left = ((length - side) // 2 for length in grey.shape)
        piece = grey[top : top + side, left : left + side]
        power = np.abs(np.fft.fft2((piece - piece.mean()) * window)) ** 2
        rows.append([10 * np.log10(power[octave].mean()) for octave in octaves])
    return np.median(rows, axis=0)


def contrast(pictures: list[np.ndarray]) -> np.ndarray:
    """Each picture's median standard deviation of brightness within 8x8 pixels."""
    medians = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float)
        height, width = (length // 8 * 8 for length in grey.shape)
        medians.append(np.median(grey[:height, :width].reshape(height // 8, 8, -1, 8).std(axis=(1, 3))))
    return np.array(medians)


def edges(pictures: list[np.ndarray]) -> tuple[float, float]:
    """Mean size of a step in brightness from pixel to pixel, and of one in colour against it."""
    steps = [
        np.abs(np.diff(cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb).astype(float), axis=1)).mean(axis=(0, 1))
        for picture in pictures
    ]
    brightness, *colours = np.mean(steps, axis=0)
    return float(brightness), float(np.mean(colours) / brightness)


def test_drawn_pictures_have_the_spectrum_of_photographs(
    drawn: list[np.ndarray], photographs: list[np.ndarray]
) -> None:
    assert np.abs(spectrum(drawn) - spectrum(photographs)).max() < 6


def test_drawn_pictures_go_from_walls_to_gravel(
    drawn: list[np.ndarray], photographs: list[np.ndarray]
) -> None:
    """A webcam sees smooth things, which photographs of landscapes hardly have; detail goes as far as theirs."""
    ours, theirs = contrast(drawn), contrast(photographs)
    assert np.percentile(ours, 10) < 2.5
    assert np.percentile(ours, 90) == pytest.approx(np.percentile(theirs, 90), rel=0.4)
    assert edges(drawn)[0] == pytest.approx(edges(photographs)[0], rel=0.6)
    assert edges(muted(drawn, drawn))[1] < 0.25


def test_coats_signs_and_lamps_are_vivid(drawn: list[np.ndarray], photographs: list[np.ndarray]) -> None:
    ours, theirs = vivid(drawn), vivid(photographs)
    assert 1.5 * np.mean(theirs) < np.mean(ours) < 4 * np.mean(theirs)
    assert np.mean(ours < 0.01) > 0.3  # most of what is seen is muted all the same


def test_muted_layers_vary_less_in_colour_and_some_are_of_one_that_is_vivid() -> None:
    """All muted to grey, vivid surfaces in the dark came out 2 dB worse."""
    colours = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    random = np.random.default_rng(1)
    layers = [mute(colours, random) for _ in range(300)]
    changed = [layer.astype(float) for layer in layers if (layer != colours).any()]
    assert 0.4 < len(changed) / len(layers) < 0.6

    means = np.array([layer.mean(axis=(0, 1)) for layer in changed])
    vivid = means.min(axis=1) < means.max(axis=1) / 3
    assert 0.1 < vivid.mean() < 0.4
    # Seen relative to the lamp that shines on them.
    varied = [green_against_magenta(layer / mean) for layer, mean in zip(changed, means, strict=True)]
    before = green_against_magenta(colours / colours.mean(axis=(0, 1)))
    assert max(varied) < before
    assert np.median(varied) < before / 2


def green_against_magenta(picture: np.ndarray) -> float:
    """How much it varies."""
    return float((picture[..., 1] - picture[..., ::2].mean(axis=-1)).std())


def vivid(pictures: list[np.ndarray]) -> np.ndarray:
    """(n,): each picture's share of pixels of which one channel is a tenth of another at most."""
    extremes = [(picture.min(axis=-1), picture.max(axis=-1)) for picture in pictures]
    return np.array([((least <= most / 10) & (most > 25)).mean() for least, most in extremes])


def muted(pictures: list[np.ndarray], drawn: list[np.ndarray]) -> list[np.ndarray]:
    """Those that were drawn with hardly anything vivid, of which there is more than in photographs."""
    return [picture for picture, share in zip(pictures, vivid(drawn), strict=True) if share < 0.01]


def test_lifelike_clips_are_seeded_and_differ_from_others() -> None:
    plain, lifelike, again = (
        [draw_clip(np.random.default_rng(seed), 2, 48, 64, lifelike=kind) for seed in range(8)]
        for kind in (False, True, True)
    )
    assert all((one == other).all() for one, other in zip(lifelike, again, strict=True))
    assert not any((one == other).all() for one, other in zip(lifelike[:4], plain[:4], strict=True))


def test_what_moves_in_lifelike_clips_has_texture() -> None:
    """Flat surfaces lose nothing when memory is kept though they move; a gate that sees many keeps it."""
    shares: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(40):
        clip = draw_clip(np.random.default_rng(seed), 2, 96, 96, lifelike=True)
        whole = np.mean((clip[0] != clip[1]).any(axis=-1)) > 0.9
        shares[bool(whole)].append(flat([clip[0]]))
    assert min(len(shares[True]), len(shares[False])) >= 8
    assert np.mean(shares[True]) < 0.6 * np.mean(shares[False])


def test_a_part_sways_and_comes_back() -> None:
    picture = draw_leaves(np.random.default_rng(3), 120, 160)
    stood, reached = [], []
    for seed in range(12):
        sway = Sway(np.random.default_rng(seed), 120, 160)
        moments = [sway(picture, time) for time in range(64)]
        assert moments[0].shape == picture.shape
        assert moments[0].dtype == np.uint8
        changed = np.any([moment != moments[0] for moment in moments], axis=(0, -1))
        stood.append(1 - changed.mean())
        reached.append(psnr([moments[0]], [moments[5]]))
        again = sway(picture, 2 * np.pi / sway.speed)
        assert np.abs(again.astype(int) - moments[0]).max() <= 2
    assert 0.1 < np.mean(stood) < 0.9
    assert np.median(reached) < 40


def peakedness(pictures: list[np.ndarray]) -> float:
    """Median kurtosis of steps in brightness: high where next to all of them are at a few clean edges."""
    values = []
    for picture in pictures:
        steps = np.diff(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float), axis=1)
        values.append((steps**4).mean() / (steps**2).mean() ** 2)
    return float(np.median(values))


def flat(pictures: list[np.ndarray]) -> float:
    """Share of the squares of 8x8 pixels whose brightness varies by less than a level."""
    shares = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float)
        height, width = (length // 8 * 8 for length in grey.shape)
        squares = grey[:height, :width].reshape(height // 8, 8, -1, 8)
        shares.append((squares.std(axis=(1, 3)) < 1).mean())
    return float(np.mean(shares))


def test_photographed_pictures_are_nearer_to_photographs(
    drawn: list[np.ndarray], photographed: list[np.ndarray], photographs: list[np.ndarray]
) -> None:
    theirs = peakedness(photographs)
    assert peakedness(photographed) == pytest.approx(theirs, rel=0.4)
    assert peakedness(drawn) > 1.6 * theirs
    assert flat(photographed) < 0.6 * flat(drawn)
    assert flat(muted(photographed, drawn)) > 0.5 * flat(photographs)
    assert np.abs(spectrum(photographed) - spectrum(photographs)).max() < 6
    assert edges(photographed)[0] == pytest.approx(edges(photographs)[0], rel=0.3)
    assert edges(muted(photographed, drawn)) == pytest.approx(edges(photographs), rel=0.3)


def test_what_developing_leaves_is_slight_and_the_same_for_a_seed(drawn: list[np.ndarray]) -> None:
    developed = [develop(picture, np.random.default_rng([7, n])) for n, picture in enumerate(drawn)]
    assert (developed[3] == develop(drawn[3], np.random.default_rng([7, 3]))).all()
    fidelity = [psnr([after], [before]) for after, before in zip(developed, drawn, strict=True)]
    assert min(fidelity) > 20
    assert 28 < np.median(fidelity) < 45


def test_lifelike_colours_vary_as_little_against_brightness_as_photographs() -> None:
    ratios = {}
    for lifelike in (False, True):
        clips = [draw_clip(np.random.default_rng(n), 1, 96, 96, lifelike=lifelike)[0] for n in range(60)]
        blue, green, red = np.stack(clips).astype(float).transpose(3, 0, 1, 2)
        axes = ((blue + green + red) / 3**0.5, (2 * green - blue - red) / 6**0.5, (red - blue) / 2**0.5)
        light, green_magenta, red_blue = (axis.var(axis=(1, 2)).mean() for axis in axes)
        ratios[lifelike] = np.array([green_magenta, red_blue]) / light
    # Three sets of photographs have 0.025 to 0.066 and 0.08 to 0.15; leaves have more, and lamps add a little.
    assert (ratios[False] > [0.07, 0.1]).all()
    assert (ratios[True] > [0.015, 0.04]).all()
    assert (ratios[True] < [0.075, 0.15]).all()
