"""Denoise raw BGR frames, standard input to standard output, with numpy and LiteRT alone.

python denoise_tflite.py lowlight-tflite-int8-640x480.tflite < dark.bgr > clean.bgr
"""

import math
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(sys.argv[1], num_threads=2)
run = interpreter.get_signature_runner()
inputs = run.get_input_details()  # a .tflite has one size, so that every shape is known

# A clip begins with a memory of zeros.
states = {name: np.zeros(i["shape"], i["dtype"]) for name, i in inputs.items() if name.startswith("state_")}
# 0 (the frame untouched) to 1 (fully denoised), in files that have it; here it may not be left out.
knob = {name: np.ones(i["shape"], i["dtype"]) for name, i in inputs.items() if name == "strength"}

shape = inputs["frame"]["shape"]
while len(frame := sys.stdin.buffer.read(math.prod(shape))) == math.prod(shape):
    got = run(frame=np.frombuffer(frame, np.uint8).reshape(shape), **states, **knob)
    states = {name: got[name + "_next"] for name in states}  # what it remembers goes into the next run
    sys.stdout.buffer.write(got["denoised"].tobytes())
