"""What an exported file costs and what it is worth."""
