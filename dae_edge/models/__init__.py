"""The Keras models. Written in `keras.ops`, so they train on TensorFlow, JAX or PyTorch."""
