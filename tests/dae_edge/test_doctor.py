"""What doctor says of machines that are drawn up in a folder."""

import errno
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dae_edge.doctor import cameras, holds, probe, processor, software, vision
from dae_edge.runtime.load import FAMILY

FLAGS = "fpu sse2 avx avx2 avx512f avx512_vnni avx512_bf16"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("cpuinfo", "says", "state"),
    [
        (f"processor : 0\nflags\t\t: {FLAGS}\n", "AVX2, AVX-512, AVX-512 VNNI, bfloat16", "fine"),
        ("flags : fpu sse2 avx2\n", "AVX2", "limited"),
        ("flags : fpu sse2\n", "none that help", "limited"),
        ("Features : fp asimd asimddp i8mm bf16\n", "NEON, dot product, i8mm, bfloat16", "fine"),
        ("Features : fp asimd\n", "NEON", "limited"),
    ],
)
def test_instructions_that_matter(tmp_path: Path, cpuinfo: str, says: str, state: str) -> None:
    found = processor.check(tree(tmp_path, {"cpuinfo": cpuinfo}), tmp_path)[-1]
    assert (found.found, found.state) == (says, state)


def test_a_system_without_cpuinfo_is_no_failure(tmp_path: Path) -> None:
    assert "not told" in processor.check(tmp_path, tmp_path)[-1].found


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, None),
        ({"box/cpu.max": "50000 100000", "self/cgroup": "0::/box\n", "cpu.max": "max 100000"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu.max": "nonsense"}, None),
        ({}, None),
    ],
)
def test_a_containers_limit(tmp_path: Path, files: dict[str, str], cores: float | None) -> None:
    tree(tmp_path, files)
    assert processor.cgroup_cores(tmp_path, tmp_path) == cores


def test_a_limit_below_the_cores_is_said(tmp_path: Path) -> None:
    found = processor.check(tmp_path, tree(tmp_path, {"cpu.max": "50000 100000"}))[1]
    assert found.state == "limited"
    assert "the container grants 0.5" in found.found
    assert "--threads than 1" in found.advice


def test_cameras_are_listed_with_names_and_links(tmp_path: Path) -> None:
    dev = tree(tmp_path / "dev", {"video10": "", "video2": "", "video-loop": ""})
    (dev / "v4l/by-id").mkdir(parents=True)
    (dev / "v4l/by-id/usb-Cam-index0").symlink_to("../../video2")
    sys_class = tree(tmp_path / "sys", {"video2/name": "Cam\n"})
    found = cameras.devices(dev, sys_class)
    assert [(d.path.name, d.name, d.link) for d in found] == [
        ("video2", "Cam", "usb-Cam-index0"),
        ("video10", "unnamed", ""),
    ]


def test_no_camera_is_said_with_what_to_try(tmp_path: Path) -> None:
    (found,), answers = cameras.check(tmp_path, tmp_path)
    assert "none" in found.found
    assert "--source demo" in found.advice
    assert answers == []


def test_who_holds_a_camera_is_named(tmp_path: Path) -> None:
    proc = tree(tmp_path, {"12/comm": "obs\n", "13/comm": "vim\n", "self/comm": "me"})
    for pid, target in (("12", "/dev/video0"), ("13", "/tmp/x")):
        (proc / pid / "fd").mkdir()
        (proc / pid / "fd/3").symlink_to(target)
    assert cameras.holders(Path("/dev/video0"), proc) == ["obs (pid 12)"]


GRANTED = {"width": 640, "height": 480, "rate": 30.0}
FORMATS = [
    {
        "code": "MJPG",
        "sizes": [
            {"width": 640, "height": 480, "rates": [30.0]},
            {"width": 1920, "height": 1080, "rates": [15.0, 30.0]},
        ],
    },
    {"code": "YUYV", "sizes": [{"width": 640, "height": 480, "rates": []}]},
]


@pytest.mark.parametrize(
    ("answer", "state", "says"),
    [
        ({"capture": True, "granted": GRANTED, "formats": FORMATS}, "fine", "Cam: 640x480 at 30 fps"),
        ({"capture": True, "granted": None}, "missing", "Cam: opens, but gives no frame"),
        ({"error": "did not answer within 8 seconds"}, "missing", "Cam: did not answer within 8 seconds"),
        ({"error": "cannot be asked", "errno": errno.EBUSY}, "limited", "Cam: in use"),
    ],
)
def test_what_a_camera_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object], state: str, says: str
) -> None:
    dev = tree(tmp_path / "dev", {"video0": ""})
    sys_class = tree(tmp_path / "sys", {"video0/name": "Cam"})
    monkeypatch.setattr(cameras, "ask", lambda path: answer)
    (found,), (told,) = cameras.check(dev, sys_class)
    assert (found.state, found.found) == (state, says)
    assert told["name"] == "Cam"
    if state == "fine":
        assert found.advice == "MJPG to 1920x1080 at 30, YUYV to 640x480"


def test_a_metadata_device_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cameras, "ask", lambda path: {"capture": False})
    found, answers = cameras.check(tree(tmp_path, {"video1": ""}), tmp_path)
    assert found == []
    assert answers[0]["capture"] is False


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open anything")
def test_no_permission_says_which_group(tmp_path: Path) -> None:
    dev = tree(tmp_path, {"video0": ""})
    (dev / "video0").chmod(0)
    (found,), _ = cameras.check(dev, tmp_path)
    assert found.state == "missing"
    assert "usermod -aG video" in found.advice


def test_a_camera_that_never_answers_is_left() -> None:
    hanging = (sys.executable, "-c", "import time; time.sleep(60)")
    assert cameras.ask(Path("/dev/video0"), 0.3, hanging) == {"error": "did not answer within 0.3 seconds"}


def test_a_camera_that_crashes_its_asker_is_survived() -> None:
    crashing = (sys.executable, "-c", "import os; os.abort()")
    assert "made the process that asked it end" in cameras.ask(Path("/dev/video0"), 5, crashing)["error"]


def test_the_real_asker_answers_for_a_file_that_is_no_camera(tmp_path: Path) -> None:
    path = tree(tmp_path, {"video0": ""}) / "video0"
    assert cameras.ask(path, 30)["errno"] == errno.ENOTTY


def webcam(handle: int, request: int, answer: bytearray) -> int:
    """A driver with MJPG at 1280x720 (30 and 15 fps) and YUYV in steps up to 640x480."""
    index = struct.unpack_from("<I", answer)[0]
    mjpg, yuyv = (int.from_bytes(code, "little") for code in (b"MJPG", b"YUYV"))
    if request == probe._QUERYCAP:
        answer[:9] = b"uvcvideo\0"
        struct.pack_into("<II", answer, 84, 0x84A00001, 0x04200001)
        return 0
    if request == probe._ENUM_FMT and index < 2:
        struct.pack_into("<I", answer, 44, (mjpg, yuyv)[index])
        return 0
    if request == probe._ENUM_FRAMESIZES and index == 0:
        if struct.unpack_from("<I", answer, 4)[0] == mjpg:
            struct.pack_into("<III", answer, 8, 1, 1280, 720)
        else:
            struct.pack_into("<7I", answer, 8, 3, 16, 640, 16, 16, 480, 16)
        return 0
    if request == probe._ENUM_FRAMEINTERVALS and index < 2:
        assert struct.unpack_from("<II", answer, 8) in {(1280, 720), (640, 480)}
        struct.pack_into("<III", answer, 16, 1, 1, (30, 15)[index])
        return 0
    raise OSError(errno.EINVAL, "no more")


def test_formats_are_read_as_the_kernel_lays_them_out() -> None:
    found = probe.describe(3, webcam)
    assert found["driver"] == "uvcvideo"
    assert found["capture"] is True
    assert cameras.modes(found["formats"]) == "MJPG to 1280x720 at 30, YUYV to 640x480 at 30"


def test_extras_say_what_gets_them() -> None:
    found = software.extras(
        [
            'numpy>=1.26; extra == "there"',
            'no-such-package>=2; extra == "web"',
            "rich>=13",
            'x; extra == "dev"',
        ]
    )
    assert [(f.name, f.state) for f in found] == [("[there]", "fine"), ("[web]", "plain")]
    assert found[1].advice == 'pip install "dae-edge[web]"'


def test_opencvs_build_is_read() -> None:
    build = (
        "  GUI:                           QT5\n  Video I/O:\n    FFMPEG:        YES\n    v4l/v4l2:     NO\n"
    )
    assert vision.built_with(build, "FFMPEG")
    assert not vision.built_with(build, "v4l/v4l2")
    assert not vision.built_with("", "FFMPEG")


def test_the_highest_rate_leaves_room_for_the_loop() -> None:
    size = (1280, 720)  # where the loop may take 3 ms itself
    assert holds.highest_rate(13.6, size) == 60
    assert holds.highest_rate(13.7, size) == 30
    assert holds.highest_rate(30.4, size) == 24
    assert holds.highest_rate(64, size) is None


def test_models_are_measured() -> None:
    rows, _ = holds.measure(0.05, 1, sizes=((64, 48),))
    assert [row.model for row in rows] == list(FAMILY)
    assert all(0 < row.p50 <= row.p95 for row in rows)


def test_the_command_says_what_there_is(
    dae_edge: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "SIZES", ((64, 48),))
    monkeypatch.setattr(holds.measure, "__kwdefaults__", {"sizes": ((64, 48),), "models": None})
    ended = dae_edge("doctor", "--seconds", "0.05", "--json", tmp_path / "d.json")
    assert ended.code == 0, ended.err  # type: ignore[attr-defined]
    for word in ("processor", "onnxruntime", "OpenCV", "ffmpeg", "lowlight", "next:"):
        assert word in ended.out  # type: ignore[attr-defined]
    figures = json.loads((tmp_path / "d.json").read_text())
    assert figures["schema"] == 1
    assert figures["holds"][0]["size"] == [64, 48]


def test_no_model_that_runs_ends_with_1(
    dae_edge: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("illegal instruction")

    monkeypatch.setattr(holds, "load", fail)
    ended = dae_edge("doctor")
    assert ended.code == 1  # type: ignore[attr-defined]
    assert "no model runs on this machine: illegal instruction" in ended.err  # type: ignore[attr-defined]


def test_doctor_works_where_opencv_does_not() -> None:
    code = (
        "import sys; sys.modules['cv2'] = None; sys.argv = ['dae-edge', 'doctor', '--seconds', '0']\n"
        "from dae_edge.cli.main import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "does not start" in ended.stdout
