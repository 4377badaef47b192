"""Keras -> ONNX and TFLite, with quantization and a check that the file still denoises."""
