"""One model, one format, one file: convert, describe, check, and only then write."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from dae_edge.errors import BadValueError, DaeEdgeError, ExportError, ParityError
from dae_edge.export import check, drift, executed
from dae_edge.export.calibrated import Calibrated, Ranges
from dae_edge.export.clips import (
    CALIBRATION_SEED,
    CHECK_SEED,
    Pair,
    contrast_card,
    drawn_pairs,
    frames_in,
    with_states,
)
from dae_edge.export.describe import describe
from dae_edge.export.framed import Size
from dae_edge.export.open_model import open_model
from dae_edge.export.picture_model import Frame, PictureModel, Tensors
from dae_edge.export.sensitivity import Sensitivity, leave_worst, sensitivities
from dae_edge.export.ways import Attach, Way, ways, written_by_hand
from dae_edge.files import check_output, writing_together
from dae_edge.formats import Format
from dae_edge.manifest import Manifest, sidecar, sidecar_json
from dae_edge.runtime import Denoiser
from dae_edge.runtime.engine import Engine
from dae_edge.runtime.load import COMPANIONS, engine_of, model_path

__all__ = ["Exported", "Session", "export", "model_path", "open_model"]

FRAMES = 6  # of each clip, to calibrate, to rank layers and to check: enough for the memory to fill
SCENES = (2, 4)  # through each camera, to calibrate, fewer where frames are large: a bright one must be there
ANY_SIZE = (240, 320)  # where a file takes any size, it is calibrated on this one
ODD_SIZE = (181, 251)  # and checked on this one too, which no stride divides
CARDS = 4  # of hard edges, to check on: with one, ranges that cut edges off on others passed
TIMED = 1.5  # seconds to measure a file's speed for

Say = Callable[[str], None]


@dataclass(frozen=True)
class Exported:
    """What an export made.

    ms:           median milliseconds a frame of `timed` (height, width), two threads
    executed:     what the runtime does with the graph, in words
    floats:       layers left in float because the loss was too large with them in 8 bits
    sensitivity:  each layer alone in 8 bits, worst first, where it was asked for or needed
    """

    path: Path
    manifest: Manifest
    parity: check.Parity
    bytes: int
    ms: float
    timed: tuple[int, int]
    executed: str
    floats: tuple[str, ...] = ()
    sensitivity: list[Sensitivity] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "path": str(self.path),
            "format": self.manifest.format,
            "bytes": self.bytes,
            "ms": round(self.ms, 2),
            "size": [self.timed[1], self.timed[0]],
            "channels": self.manifest.channels,
            "mac_per_pixel": self.manifest.mac_per_pixel,
            "executed": self.executed,
            "layers_in_float": list(self.floats),
            "sensitivity_db": [asdict(layer) for layer in self.sensitivity],
            **self.manifest.quality,
        }


class Session:
    """A model on its way to files; what several formats need is made once.

    source:      the model's own file; a `config.json` beside it is its recipe
    calibration: a folder of the user's frames for the calibrated formats; drawn clips otherwise
    """

    def __init__(self, model: PictureModel, source: Path, *, calibration: Path | None = None) -> None:
        self._model, self._source, self._calibration = model, source, calibration
        self._references: dict[tuple[int, int, int], check.Reference] = {}
        self._long: dict[int, check.Reference] = {}
        self._contrast: list[check.Reference] = []
        self._networks: dict[Ranges, Calibrated] = {}

    def export(
        self,
        format: Format,
        output: Path,
        *,
        size: Size = None,
        force: bool = False,
        max_loss: float | None = None,
        sensitivity: bool = False,
        say: Say = lambda _: None,
    ) -> Exported:
        """Write the model as `format` to `output`, and its manifest beside it.

        size:        (height, width), or None for any size where the format and the model allow it
        max_loss:    dB that a quantized file may lose to Keras; the format's own by default
        sensitivity: measure every layer alone in 8 bits
        say:         told what is going on, a few words at a time

        Raises `ParityError` where the file does not hold against Keras; then nothing is written.
        """
        targets = [
            output,
            *(output.with_suffix(s) for s in COMPANIONS.get(format.suffix, ())),
            sidecar(output),
        ]
        for path in targets:
            check_output(path, force=force)
        job = _Job(self, format, _settle_size(self._model, format, size), max_loss, say)
        try:
            exported, files = job.make(output, sensitivity=sensitivity)
        except DaeEdgeError:
            raise
        except Exception as failure:  # the converters raise whatever they like
            reason = (str(failure).strip().splitlines() or [type(failure).__name__])[0]
            raise ExportError(f"{format.name} could not be made: {reason}") from failure
        companions = {suffix: content for suffix, content in files.items() if suffix}
        described = sidecar_json(exported.manifest, files[""], companions)
        contents = [*files.values(), described.encode()]
        with writing_together(targets, force=force) as temporaries:
            for path, content in zip(temporaries, contents, strict=True):
                path.write_bytes(content)
        return exported

    def examples(self, shape: tuple[int, int]) -> list[tuple[Frame, Tensors]]:
        """Frames of (height, width) and the states they meet, to calibrate on."""
        channels = self._model.channels
        if self._calibration is not None:
            return list(with_states(self._model, [frames_in(self._calibration, channels, *shape)]))
        scenes = int(np.clip(SCENES[1] * math.prod(ANY_SIZE) / math.prod(shape), *SCENES))
        pairs = drawn_pairs(channels, *shape, frames=FRAMES, seed=CALIBRATION_SEED, scenes=scenes)
        return list(with_states(self._model, [pair.noisy for pair in pairs]))

    def network(self, ranges: Ranges) -> Calibrated:
        """The model as a graph by hand wants it. Ranges are the same at any size, so it does for all."""
        hand = written_by_hand(self._model)
        assert hand is not None
        if ranges not in self._networks:
            wider: dict[str, Any] = {}
            if ranges == "edges":
                card = contrast_card(*ANY_SIZE, CALIBRATION_SEED)
                wider = {"edges": with_states(self._model, [card])}
            elif ranges == "whole":
                wider = {"whole": True}
            self._networks[ranges] = hand.Network(self._model, self.examples(ANY_SIZE), **wider)
        return self._networks[ranges]

    def reference(self, shape: tuple[int, int], frames: int, seed: int) -> check.Reference:
        """Drawn clips of (height, width), and what Keras makes of them."""
        key = (*shape, seed)
        if key not in self._references:
            pairs = drawn_pairs(self._model.channels, *shape, frames=frames, seed=seed)
            self._references[key] = check.Reference(self._model, pairs)
        return self._references[key]

    def contrast_references(self) -> list[check.Reference]:
        """Cards of hard edges, each of `ANY_SIZE`, and what Keras makes of them."""
        if not self._contrast:
            cards = [contrast_card(*ANY_SIZE, CHECK_SEED + index) for index in range(CARDS)]
            self._contrast = [check.Reference(self._model, [Pair(card, card)]) for card in cards]
        return self._contrast

    def long_reference(self, frames: int) -> check.Reference:
        """A drawn clip long enough for a memory to show what steers it wrong, and what Keras makes of it."""
        if frames not in self._long:
            self._long[frames] = drift.reference(self._model, frames)
        return self._long[frames]


def export(
    model: PictureModel,
    format: Format,
    output: Path,
    *,
    source: Path,
    calibration: Path | None = None,
    **options: Any,
) -> Exported:
    """A `Session` of one export; `options` as there."""
    return Session(model, source, calibration=calibration).export(format, output, **options)


@dataclass(frozen=True)
class _Held:
    """How an accepted file did; `long` where there is a memory that 8 bits might let drift."""

    parity: check.Parity
    long: drift.Drift | None

    def quality(self) -> dict[str, float | None]:
        return self.parity.figures() | (self.long.figures() if self.long else {})


_Made: TypeAlias = tuple[Way, Attach, tuple[str, ...], _Held]  # layers left in float among them


class _Job:
    """One file in the making: size is settled, (height, width) or None for any."""

    def __init__(
        self, session: Session, format: Format, size: Size, max_loss: float | None, say: Say
    ) -> None:
        self._session, self._format, self._size, self._say = session, format, size, say
        self._model = session._model
        self._shape = size or ANY_SIZE
        self._max_loss = format.max_loss if max_loss is None else max_loss

    def make(self, output: Path, *, sensitivity: bool) -> tuple[Exported, dict[str, bytes]]:
        way, attach, floats, held = self._first_that_holds()
        if sensitivity and not self._ranks:
            self._rank(way if way.layers else self._ways(self._size)[-1]())
        manifest = replace(self._manifest(way), quality=held.quality())
        files = attach(manifest)
        self._say("measuring its speed")
        engine = self._engine(files)
        ms = _speed(engine, self._session.reference(self._shape, FRAMES, CHECK_SEED).noisy)
        done = Exported(
            path=output,
            manifest=manifest,
            parity=held.parity,
            bytes=sum(map(len, files.values())),
            ms=ms,
            timed=self._shape,
            executed=_executed(self._format, files[""]),
            floats=tuple(map(self._label, floats)),
            sensitivity=[replace(layer, layer=self._label(layer.layer)) for layer in self._ranks],
        )
        return done, files

    def _first_that_holds(self) -> _Made:
        """The best way whose file holds against Keras; the last one's error where none does."""
        *better, last = range(len(self._ways(self._size)))
        for index in better:
            try:
                return self._try(index)
            except ParityError as failure:
                self._say(f"{failure} Trying another way")
        return self._try(last)

    def _try(self, index: int) -> _Made:
        self._say("converting")
        self._index = index  # of the way, for its twins
        self._twins: dict[tuple[int, int], Way] = {}
        self._ranks: list[Sensitivity] = []
        way = self._ways(self._size)[index]()
        made = leave_worst(
            way, lambda made, left: self._accept(way, made, left), lambda: self._rank(way), self._say
        )
        return (way, *made)

    def _accept(self, way: Way, made: Attach, left: tuple[str, ...]) -> _Held:
        """Hold a candidate against Keras on clips it was not calibrated on."""
        session, format = self._session, self._format
        self._say("checking against Keras")
        engine = self._engine(made(self._manifest(way)))
        held_out = session.reference(self._shape, FRAMES, CHECK_SEED)
        stepwise = way.stepwise and format.max_difference is not None
        parity = check.measure(held_out, engine, stepwise=stepwise)
        check.require(parity, format, self._max_loss)
        if self._size is None:
            odd = session.reference(ODD_SIZE, 2, CHECK_SEED)
            check.require(check.measure(odd, engine, stepwise=stepwise), format, self._max_loss)
        if format.quantized and not way.layers:  # what is cut off by ranges that another way makes wider
            edges = self._for_frames(ANY_SIZE, way, made, left)
            for card in session.contrast_references():
                check.require_contrast(check.measure(card, edges, stepwise=False), format, self._max_loss)
        long = None
        if format.quantized and self._model.states:
            self._say(f"checking for drift over {drift.FRAMES} frames")
            shown = session.long_reference(drift.FRAMES)
            long = drift.measure(shown, self._for_frames(drift.SIZE, way, made, left))
            at_rest = self._max_loss * (1 if way.layers else drift.FIXED)
            drift.require(long, format.name, self._max_loss, at_rest)
        return _Held(parity, long)

    def _for_frames(self, size: tuple[int, int], way: Way, made: Attach, left: tuple[str, ...]) -> Engine:
        """An engine for frames of `size` (height, width): the file, or its twin of that size."""
        if self._size in (None, size):
            return self._engine(made(self._manifest(way)))
        if size not in self._twins:
            self._twins[size] = self._ways(size)[self._index]()
        other = self._twins[size]
        # The same layers, in the same order, under the twin's own names.
        names = dict(zip(way.layers, other.layers, strict=True))
        twin = other.make([names[layer] for layer in left])
        return self._engine(twin(describe(self._model, self._format, size, self._session._source, other)))

    def _rank(self, way: Way) -> list[Sensitivity]:
        """Each layer alone, on short clips that no file is checked on, and the start of the one for drift.

        That start holds a rest, where what lets a memory go shows. What steers a memory wrong differs from
        clip to clip: ranked on another long one, `lowlight`'s gate came near the end, and ten layers more
        were left in float for it.
        """
        references = [self._session.reference(self._shape, FRAMES, CALIBRATION_SEED)]
        if self._model.states:
            references.append(self._session.long_reference(2 * drift.LEG))

        def run(left: tuple[str, ...]) -> list[list[Frame]]:
            made = way.make(left)
            engines = [self._engine(made(self._manifest(way)))]
            if self._model.states:
                engines.append(self._for_frames(drift.SIZE, way, made, left))
            return [reference.run(engine) for reference, engine in zip(references, engines, strict=True)]

        self._ranks = sensitivities(way.layers, run, references, self._say)
        return self._ranks

    def _ways(self, size: Size) -> list[Callable[[], Way]]:
        examples = partial(self._session.examples, size or ANY_SIZE)
        return ways(self._model, self._format, size, examples, self._session.network)

    def _manifest(self, way: Way, size: Size = None) -> Manifest:
        return describe(self._model, self._format, size or self._size, self._session._source, way)

    def _engine(self, files: dict[str, bytes]) -> Engine:
        return engine_of(self._format.engine, *files.values(), threads=2)

    def _label(self, layer: str) -> str:
        """The Keras layer's name, out of what the converters made of it."""
        known = {a.name for a in self._model.model.layers}
        parts = layer.replace(";", "/").replace(":", "/").split("/")
        names = (name for part in parts for name in (part, part.rpartition("_")[0]))  # they append numbers
        return next((name for name in names if name in known), layer)


def _executed(format: Format, content: bytes) -> str:
    look = {"onnxruntime": executed.by_onnxruntime, "litert": executed.by_litert}.get(format.engine)
    return look(content) if look else ""


def _speed(engine: Engine, frames: list[Frame]) -> float:
    """Median milliseconds a frame, the first ones left out."""
    denoise, times = Denoiser(engine, follow=False), []
    begun = time.perf_counter()
    for index in range(1000):
        now = time.perf_counter()
        if index > 6 and now - begun > TIMED:
            break
        denoise(frames[index % len(frames)])
        times.append(1000 * (time.perf_counter() - now))
    return float(np.median(times[2:]))


def _settle_size(model: PictureModel, format: Format, size: Size) -> Size:
    """The size the file will have; `BadValueError` for one it cannot have."""
    if model.size is not None:
        if size not in (None, model.size):
            height, width = model.size
            raise BadValueError(f"`--size` must be {width}x{height}: this model takes no other.")
        return model.size
    if size is None:
        if not format.any_size:
            raise BadValueError(f"`--size` must be given as WxH: a {format.name} file has one fixed size.")
        return None
    if min(size) < 2 * model.stride:
        raise BadValueError(
            f"`--size` (={size[1]}x{size[0]}) must be {2 * model.stride} pixels a side at least."
        )
    return size
