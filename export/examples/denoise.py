"""Denoise raw BGR frames, standard input to standard output, with numpy and onnxruntime alone.

python denoise.py lowlight-int8.onnx 640x480 [STRENGTH] < dark.bgr > clean.bgr
"""

import json
import math
import sys

import numpy as np
import onnxruntime

model, size, *strength = sys.argv[1:]
width, height = map(int, size.split("x"))
onnxruntime.set_default_logger_severity(3)  # errors; it would warn that `strength` may be left out
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
manifest = json.loads(session.get_modelmeta().custom_metadata_map["dae_edge"])


def length(side):
    """Of a state's side: a number, or "H/2", half of the frame's height padded to the network's stride."""
    if isinstance(side, int):
        return side
    frame, stride = {"H": height, "W": width}[side[0]], manifest["multiple"]
    return -(-frame // stride) * stride // int(side[2:] or 1)


# A clip begins with a memory of zeros.
states = {s["name"]: np.zeros([length(n) for n in s["shape"]], s["dtype"]) for s in manifest["states"]}
# 0 (the frame untouched) to 1 (fully denoised); left out, it is 1.
knob = {"strength": np.array(float(strength[0]), np.float32)} if strength else {}

outputs = [output.name for output in session.get_outputs()]
shape = (1, height, width, manifest["frame"]["shape"][3])
while len(frame := sys.stdin.buffer.read(math.prod(shape))) == math.prod(shape):
    feeds = {"frame": np.frombuffer(frame, np.uint8).reshape(shape), **states, **knob}
    got = dict(zip(outputs, session.run(None, feeds), strict=True))
    states = {name: got[name + "_next"] for name in states}  # what it remembers goes into the next run
    sys.stdout.buffer.write(got["denoised"].tobytes())
