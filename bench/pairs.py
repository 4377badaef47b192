"""Real noise with a clean reference, as data sets lay it out: pictures in pairs, or clips of two sets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.bench.clips import middle
from dae_edge.data.pictures import loose_pictures, read_picture
from dae_edge.errors import BadValueError, MediaError

Frame = NDArray[np.uint8]

# Words that data sets tell noisy and clean files apart by.
_WORDS = (("noisy", "clean"), ("real", "mean"), ("noisy", "gt"), ("low", "high"))
_OF_A_CLIP = re.compile(r"^\*[\W_]*\d+$")

WANTED = (
    "files named like 1_real.png and 1_mean.png (or _noisy and _clean, _noisy and _gt, _low and _high), each "
    "pair a picture of its own, or like noisy_1.png and clean_1.png, the frames of one clip"
)


@dataclass(frozen=True)
class Pair:
    """Noisy and clean files in order; a single clean one serves all noisy ones.

    `noisy` holds a single file where the pair is a picture, the frames of a clip otherwise.
    """

    name: str
    noisy: tuple[Path, ...]
    clean: tuple[Path, ...]


def find_pairs(folder: Path) -> list[Pair]:
    """All pairs in a folder and its subfolders, in order of name.

    The word in front of a number (noisy_1.png) makes the files one clip; behind a name
    (street_noisy.png) it makes them single pictures. A clip may have one clean still for all frames.

    Raises `MediaError` where a noisy or clean file has no partner, `BadValueError` where there is no pair.
    """
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder.")
    pairs: list[Pair] = []
    for place in [folder, *sorted(p for p in folder.rglob("*") if p.is_dir())]:
        below = place.relative_to(folder)
        pairs += [
            Pair((below / p.name).as_posix() if p.name or below.name else folder.name, p.noisy, p.clean)
            for p in _in_one(place)
        ]
    if not pairs:
        raise BadValueError(f"{folder} holds no pairs: {WANTED}.")
    return pairs


def read_pair(pair: Pair, frames: int, size: tuple[int, int]) -> tuple[list[Frame], list[Frame]]:
    """Noisy and clean frames, (H, W, 3) uint8 BGR; the middle of `size` (width, height) of larger ones.

    Cut and not shrunk, as shrinking would average the noise away. 16-bit and grey files come as
    8-bit colour. Raises `MediaError` where the files are not all of one size.
    """
    read = {path: read_picture(path) for path in dict.fromkeys((*pair.noisy[:frames], *pair.clean[:frames]))}
    first = pair.noisy[0]
    for path, picture in read.items():
        if picture.shape != read[first].shape:
            raise MediaError(f"{first} and {path.name} are not of one size.")
    noisy = [middle(read[path], size) for path in pair.noisy[:frames]]
    clean = [middle(read[path], size) for path in pair.clean[:frames]]
    return noisy, clean * len(noisy) if len(clean) == 1 else clean


def _in_one(folder: Path) -> list[Pair]:
    """The pairs of one folder: by the words that most of its files carry."""
    files = loose_pictures(folder)
    for words in _WORDS:
        noisy, clean = ({rest: p for p in files if (rest := _rest(p, word))} for word in words)
        if noisy and clean:
            return _match(noisy, clean)
    for words in _WORDS[:2]:
        for word, other in (words, words[::-1]):
            lonely = [p for p in files if _rest(p, word)]
            if lonely:
                raise MediaError(f"{lonely[0]} has no partner: no file of its folder says {other!r}.")
    return []


def _match(noisy: dict[str, Path], clean: dict[str, Path]) -> list[Pair]:
    order = sorted(noisy, key=_by_number)
    of_a_clip = all(_OF_A_CLIP.match(rest) for rest in order)
    if of_a_clip and len(clean) == 1:
        return [Pair("", tuple(noisy[rest] for rest in order), tuple(clean.values()))]
    for rest in [*noisy.keys(), *clean.keys()]:
        if rest not in noisy or rest not in clean:
            alone = (noisy if rest in noisy else clean)[rest]
            raise MediaError(f"{alone} has no partner: {WANTED}.")
    if of_a_clip:
        return [Pair("", tuple(noisy[r] for r in order), tuple(clean[r] for r in order))]
    return [Pair(rest.replace("*", "").strip("_- "), (noisy[rest],), (clean[rest],)) for rest in order]


def _rest(path: Path, word: str) -> str | None:
    """The name with `*` for the word that marks it, "*_1" of noisy_1.png; None where it is not there."""
    marked, count = re.subn(rf"(?i)(^|[\W_]){word}(?=$|[\W_\d])", r"\1*", path.stem, count=1)
    return marked if count else None


def _by_number(rest: str) -> tuple[str, int]:
    """2 before 10."""
    digits = re.search(r"(\d+)$", rest)
    return (rest[: digits.start()], int(digits[1])) if digits else (rest, 0)
