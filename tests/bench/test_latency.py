"""The whole benchmark on pretended models, and once on the shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from dae_edge.bench import alone
from dae_edge.bench.here import Here
from dae_edge.bench.latency import File, Playback, bench
from dae_edge.bench.limit import CHAINS
from dae_edge.bench.record import Record, Settings
from dae_edge.errors import BadValueError
from dae_edge.runtime.load import SHIPPED
from tests.bench.fake import Fake, Pretended

QUICK = Settings(seconds=0.05, warm_up_seconds=0.0, warm_up_frames=1)
SIZE = (80, 60)


def pretended(folder: Path, **texts: str) -> list[File]:
    files = []
    for name, text in texts.items():
        path = folder / f"{name}.onnx"
        path.write_text(text)
        files.append(File(path, "onnxruntime"))
    return files


def run(files: list[File], settings: Settings = QUICK, **more: object) -> Record:
    asked = {"threads": [1], "sizes": [SIZE], "limits": False} | more
    return bench(files, Fake(), settings, **asked)  # type: ignore[arg-type]


def test_a_row_for_each_file_size_and_thread_count(tmp_path: Path) -> None:
    files = pretended(tmp_path, a="name=a", b="name=b")
    record = run(files, sizes=[SIZE, (40, 30), SIZE], threads=[1, 2, 1])
    assert [row.key for row in record.rows] == [
        (name, "onnx-int8", "onnxruntime", *size, threads)
        for threads in (1, 2) for name in "ab" for size in (SIZE, (40, 30))
    ]  # fmt: skip
    assert record.settings.clip == "grey steps"


def test_a_row_knows_its_file_and_costs(tmp_path: Path) -> None:
    (file,) = pretended(tmp_path, a="seconds=0.002")
    (row,) = run([file], Settings(fps=1000, seconds=0.05, sustained_seconds=0.1)).rows
    assert row.times is not None
    assert (row.file, row.file_bytes) == ("a.onnx", 13)
    assert len(row.sha256) == 64
    assert len(row.times.medians) == 5
    assert row.times.late == 1
    assert row.times.median >= 2
    assert row.gmacs == pytest.approx(1000 * 80 * 60 / row.times.median / 1e6)
    assert row.stages is not None
    assert row.stages.infer == pytest.approx(2)
    assert row.first_ms is not None
    assert row.first_ms >= 2
    assert row.peak_mib is not None
    assert row.base_mib is not None
    assert row.peak_mib >= row.base_mib > 1
    assert row.sustained is not None
    assert row.quality is not None
    assert row.quality.psnr == 30


def test_models_that_fail_say_so_and_the_others_go_on(tmp_path: Path) -> None:
    files = pretended(
        tmp_path, refuse="load=refuse", crash="load=crash", late="run=crash", soon="frames=2", then="frames=40", good="",
    )  # fmt: skip
    rows = {row.file.removesuffix(".onnx"): row for row in run(files).rows}
    assert {name: row.status for name, row in rows.items() if name != "good"} == dict.fromkeys(
        ("refuse", "crash", "late", "soon", "then"), "failed"
    )
    assert rows["refuse"].problem == "it is no model."
    assert rows["crash"].problem == rows["late"].problem == "it crashed its process (SIGSEGV)"
    assert rows["soon"].problem == rows["then"].problem == "the engine gave up"
    assert rows["good"].times is not None
    assert all(row.times is None for name, row in rows.items() if name != "good")


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    (row,) = run([File(tmp_path / "gone.onnx", "onnxruntime")]).rows
    assert row.status == "failed"
    assert row.problem.endswith("gone.onnx cannot be read: No such file or directory.")


def test_a_model_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "PATIENCE", 1.5)
    rows = run(pretended(tmp_path, hang="seconds=30")).rows
    assert rows[0].problem == "it did not answer within 1.5 s"


def test_a_file_for_one_size_is_run_at_that(tmp_path: Path) -> None:
    files = pretended(tmp_path, fixed="size=40x30", free="name=free")
    assert [(r.width, r.height) for r in run(files, sizes=()).rows] == [(40, 30), (1280, 720)]
    (row, _) = run(files).rows
    assert (row.status, row.problem) == ("skipped", "made for 40x30: --size 40x30")
    both = run(files, sizes=[SIZE, (40, 30)]).rows
    assert "skipped" not in {row.status for row in both}  # it was measured at its own


def test_files_that_say_the_same_of_themselves_are_told_apart(tmp_path: Path) -> None:
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
    twins = pretended(tmp_path / "old", a="", b="") + pretended(tmp_path / "new", a="")
    assert [row.model for row in run(twins).rows] == ["old/a", "b", "new/a"]
    alone_now = pretended(tmp_path / "new", c="name=c")
    assert [row.model for row in run(alone_now).rows] == ["c"]


def test_profile_asks_the_child(tmp_path: Path) -> None:
    (row,) = run(pretended(tmp_path, a=""), profile=True).rows
    assert [(one.name, one.calls) for one in row.operators] == [("Conv", 2.0)]


def test_a_clip_goes_to_and_fro_and_begins_anew_with_each_turn(tmp_path: Path) -> None:
    (file,) = pretended(tmp_path, a="")
    model = Pretended(file.path)
    playback = Playback(model, Fake().clip((2, 2), 3).noisy[:4])
    playback.begin()
    for _ in range(8):
        playback.step()
    assert model.seen == [-1, 0, 10, 20, 30, 20, 10, 0, 10]


@pytest.mark.parametrize(
    ("settings", "threads", "says"),
    [
        (Settings(seconds=0), [1], r"`seconds` \(=0\) must be greater than 0"),
        (Settings(fps=-1), [1], r"`fps` \(=-1\)"),
        (Settings(seconds=float("nan")), [1], r"`seconds` \(=nan\)"),
        (Settings(sustained_seconds=-2), [1], r"`sustained` \(=-2\) must be 0 or greater"),
        (Settings(), [0], r"`threads` \(=\[0\]\)"),
        (Settings(), [], r"`threads` \(=\[\]\)"),
    ],
)
def test_settings_out_of_range_are_refused(
    tmp_path: Path, settings: Settings, threads: list[int], says: str
) -> None:
    with pytest.raises(BadValueError, match=says):
        run(pretended(tmp_path, a=""), settings, threads=threads)


def test_no_model_is_refused() -> None:
    with pytest.raises(BadValueError, match="none was given"):
        run([])


def test_the_shipped_formats_and_a_foreign_file() -> None:
    paths = [*SHIPPED.values(), CHAINS / "chain-fp32.onnx"]
    settings = Settings(seconds=0.3, warm_up_seconds=0)
    record = bench(
        [File(path, "onnxruntime") for path in paths], Here(), settings,
        threads=[1], sizes=[(160, 120)], profile=True,
    )  # fmt: skip
    *ours, foreign = record.rows
    assert {f"{row.model} {row.format}" for row in ours} == {
        "lowlight-s onnx-int8", "lowlight-s onnx-fp32", "lowlight onnx-int8", "lowlight onnx-fp32",
        "lowlight-l onnx-int8", "lowlight-l onnx-fp16",
    }  # fmt: skip
    for row in ours:
        assert row.times is not None
        assert 0 < row.times.p50 <= row.times.p90 <= row.times.p99 <= row.times.max
        assert row.quality is not None
        assert row.quality.psnr > row.quality.noisy_psnr + 3
        assert {one.name: one.calls for one in row.operators}[
            "QLinearConv" if row.precision == "int8" else "Conv"
        ] >= 13  # fmt: skip
        assert sum(one.share for one in row.operators) == pytest.approx(1)
        assert row.stages is not None
        assert row.stages.infer > row.stages.convert
    assert foreign.status == "failed"
    assert "not made by `dae-edge export`" in foreign.problem
    assert {(one.engine, one.precision) for one in record.limits} == {
        ("onnxruntime", "fp32"), ("onnxruntime", "int8"),
    }  # fmt: skip
    assert all(one.gmacs > 0.1 for one in record.limits)
    assert record.bandwidth[0].gb_per_s > 0.1
    assert Record.from_json(record.to_json()).rows[0].key == record.rows[0].key


def test_an_engine_without_a_profile_says_so(tiny_tflite: Path) -> None:
    settings = Settings(seconds=0.05, warm_up_seconds=0)
    (row,) = bench(
        [File(tiny_tflite, "litert")], Here(), settings, threads=[1], profile=True, limits=False
    ).rows
    assert (row.width, row.height) == (80, 60)
    assert row.operators == []
    assert "LiteRT's Python interface has no profile by operator" in row.unprofiled
