"""The `dae-edge` command."""
