"""What this machine can do with this package: each check looks at one thing and says what it found.

No check needs more than the base install, none raises, and none waits for ever.
"""
