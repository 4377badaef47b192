"""`python -m dae_edge`: the same as `dae-edge`."""

from dae_edge.cli.main import main

main()
