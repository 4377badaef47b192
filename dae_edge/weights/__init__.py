"""The trained models that ship with the package, each with its model card."""
