"""What may be measured on: clips, pairs, and what of them is refused by name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dae_edge.bench.clips import Clip, find_clips, middle, read_clip
from dae_edge.bench.pairs import Pair, find_pairs, read_pair
from dae_edge.bench.takes import Take
from dae_edge.errors import BadValueError, MediaError
from tests.support import write_video

SIZE = (848, 480)


def write(path: Path, value: int = 90, size: tuple[int, int] = (60, 40), kind: type = np.uint8) -> Path:
    """A flat colour picture, `size` (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((size[1], size[0], 3), value, kind))
    return path


def test_clips_come_from_videos_folders_and_stills(tmp_path: Path) -> None:
    video = read_clip(write_video(tmp_path / "a.mp4"), 5, None)
    assert len(video.frames) == 5
    for index in range(3):
        write(tmp_path / "folder" / f"{index}.png", index, (60, 41))
    folder = read_clip(tmp_path / "folder", 5, None)
    assert [int(f[0, 0, 0]) for f in folder.frames] == [0, 1, 2]
    assert folder.frames[0].shape == (40, 60, 3)  # even, for the mosaic
    still = read_clip(tmp_path / "folder" / "2.png", 4, (30, 30))
    assert len(still.frames) == 4
    assert still.frames[0].shape == (20, 30, 3)


def test_a_folder_of_clips(tmp_path: Path) -> None:
    write_video(tmp_path / "b.mp4")
    write(tmp_path / "c" / "1.png")
    write(tmp_path / "d.jpg")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert [path.name for path in find_clips(tmp_path)] == ["b.mp4", "c", "d.jpg"]


def test_wrong_clips_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no clips"):
        find_clips(tmp_path)
    with pytest.raises(MediaError, match="nowhere is not a folder"):
        find_clips(tmp_path / "nowhere")
    with pytest.raises(MediaError, match="holds no pictures"):
        read_clip(tmp_path, 3, None)
    write(tmp_path / "1.png")
    write(tmp_path / "2.png", size=(60, 48))
    with pytest.raises(MediaError, match="frame 2 is 60x48, the first 60x40"):
        read_clip(tmp_path, 3, None)
    (tmp_path / "3.png").write_text("no picture")
    with pytest.raises(MediaError, match=r"3\.png cannot be read as a picture"):
        read_clip(tmp_path / "3.png", 3, None)
    with pytest.raises(BadValueError, match="8x8 is too small"):
        read_clip(write(tmp_path / "4.png", size=(8, 8)), 1, None)


def test_deep_and_grey_pictures_come_as_8_bit_colour(tmp_path: Path) -> None:
    deep = read_clip(write(tmp_path / "deep.png", 257 * 100, kind=np.uint16), 1, None).frames[0]
    assert (deep.dtype, deep.shape, int(deep[0, 0, 0])) == (np.uint8, (40, 60, 3), 100)
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((40, 60), 70, np.uint8))
    grey = read_clip(tmp_path / "grey.png", 1, None).frames[0]
    assert (grey.shape, int(grey[0, 0, 2])) == ((40, 60, 3), 70)
    assert isinstance(read_clip(tmp_path / "grey.png", 2, None), Clip)


def test_pairs_are_pictures_or_clips_by_their_names(tmp_path: Path) -> None:
    for name in ("1_real", "1_mean", "2_real", "2_mean"):
        write(tmp_path / "stills" / f"{name}.png")
    for name in ("0001_NOISY_SRGB_010", "0001_GT_SRGB_010"):
        write(tmp_path / "deep" / "er" / f"{name}.png")
    for number in (2, 10, 3):
        write(tmp_path / "night" / f"noisy_{number}.png", number)
        write(tmp_path / "night" / f"clean_{number}.png", 100 + number)
        write(tmp_path / "tripod" / f"noisy{number}.png", number)
    write(tmp_path / "tripod" / "clean.png", 200)
    pairs = {pair.name: pair for pair in find_pairs(tmp_path)}
    assert list(pairs) == ["deep/er/0001__SRGB_010", "night", "stills/1", "stills/2", "tripod"]
    assert [path.name for path in pairs["stills/1"].clean] == ["1_mean.png"]
    noisy, clean = read_pair(pairs["night"], 2, SIZE)
    assert [int(frame[0, 0, 0]) for frame in noisy + clean] == [2, 3, 102, 103]
    noisy, clean = read_pair(pairs["tripod"], 9, SIZE)
    assert [int(frame[0, 0, 0]) for frame in noisy] == [2, 3, 10]
    assert [int(frame[0, 0, 0]) for frame in clean] == [200, 200, 200]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("a_real", "a_mean", "b_real"), r"b_real\.png has no partner"),
        (("noisy_1", "noisy_2", "clean_1", "clean_3"), r"noisy_2\.png has no partner"),
        (("noisy_1", "noisy_2"), r"noisy_1\.png has no partner"),
        (("holiday", "garden"), "holds no pairs: files named like"),
    ],
)
def test_pairs_without_a_partner_are_named(tmp_path: Path, names: tuple[str, ...], sentence: str) -> None:
    for name in names:
        write(tmp_path / f"{name}.png")
    with pytest.raises((MediaError, BadValueError), match=sentence):
        find_pairs(tmp_path)


def test_pairs_of_two_sizes_are_named(tmp_path: Path) -> None:
    pair = Pair("a", (write(tmp_path / "a_real.png"),), (write(tmp_path / "a_mean.png", size=(60, 42)),))
    with pytest.raises(MediaError, match=r"a_real\.png and a_mean\.png are not of one size"):
        read_pair(pair, 1, SIZE)


def test_large_pairs_are_cut_and_not_shrunk() -> None:
    frame = np.arange(40 * 60, dtype=np.uint16).astype(np.uint8).reshape(40, 60, 1).repeat(3, axis=2)
    assert np.array_equal(middle(frame, (20, 10)), frame[15:25, 20:40])
    assert middle(frame, (40, 60)) is frame  # no more pixels, only otherwise


def test_the_data_lies_as_it_lies(data: Path) -> None:
    pairs = find_pairs(data / "real_noise")
    assert [len(pair.noisy) for pair in pairs] == [1] * 15 + [3]
    assert pairs[-1].name == "videnn_mountains"
    assert len(find_clips(data / "clips")) == 10


def test_a_take_is_known_by_what_decides_its_frames(tmp_path: Path) -> None:
    path = write(tmp_path / "still.png")
    take = Take("still", "dim", path, 4, SIZE, 5)
    same = Take("still", "dim", path, 4, SIZE, 5)
    others = [
        Take("still", "dark", path, 4, SIZE, 5),
        Take("still", "dim", path, 5, SIZE, 5),
        Take("still", "dim", path, 4, (30, 30), 5),
        Take("still", "dim", path, 4, SIZE, 6),
        Take("still", "clean", path, 4, SIZE, 5),
    ]
    assert take.key == same.key
    assert len({take.key, *(other.key for other in others)}) == 6
    first, again = take.load(), same.load()
    assert all(np.array_equal(a, b) for a, b in zip(first.noisy, again.noisy, strict=True))
    write(path, 91)
    assert Take("still", "dim", path, 4, SIZE, 5).key != take.key
