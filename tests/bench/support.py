"""A small bench record that tests share."""

from __future__ import annotations

from collections.abc import Sequence

from dae_edge.bench.record import (
    Bandwidth,
    Conditions,
    Limit,
    Machine,
    Quality,
    Record,
    Row,
    Settings,
    Stages,
    Times,
)


def some_row(
    medians: Sequence[float] = (10.0, 11.0, 12.0), *, format: str = "onnx-int8", psnr: float = 30.0
) -> Row:
    middle = sorted(medians)[len(medians) // 2]
    times = Times(
        n=3 * len(medians), mean=middle, min=min(medians), p50=middle, p90=max(medians), p95=max(medians),
        p99=max(medians), max=max(medians), median=middle, medians=list(medians),
        spread=(max(medians) - min(medians)) / middle, late=0.0, samples=[[m, m, m] for m in medians],
    )  # fmt: skip
    return Row(
        "lowlight", format, "onnxruntime", 640, 480, 2, file=f"lowlight-{format}.onnx", file_bytes=180_000,
        sha256="0" * 64, precision="int8", load_ms=40.0, first_ms=30.0, times=times,
        stages=Stages(0.1, middle - 0.2, 0.1), cpu_ms=2 * middle, peak_mib=120.0, base_mib=60.0,
        mac_per_pixel=4900.0, gmacs=150.0, of_limit=0.3, quality=Quality(20.7, psnr),
    )  # fmt: skip


def some_record(*rows: Row) -> Record:
    return Record(
        created="2026-01-02T03:04:05+00:00",
        version="0.1.0",
        machine=Machine(
            "a CPU", ["avx2"], 2, [0, 1], "performance", 3000.0, 2048.0, "Linux", "3.11", {"numpy": "2"}
        ),
        settings=Settings(turns=3, clip="drawn room, preset dark"),
        conditions=Conditions([], 0.1, 0.2, 0.01, 0.0, None, None, None),
        limits=[Limit("onnxruntime", "int8", 2, 500.0, 0.02)],
        bandwidth=[Bandwidth(2, 20.0)],
        rows=list(rows) or [some_row()],
    )
