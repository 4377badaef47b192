"""URLs: which ones are streams, and how to show one without its secrets."""

from __future__ import annotations

import re

_STREAM = re.compile(r"^(https?|rtsps?|rtmp|udp|tcp|srt)://", re.IGNORECASE)
_USER = re.compile(r"://[^/\s]*@")  # to the last @ before the path: passwords hold that sign too
_SECRET = re.compile(r"([?&;](?:pass\w*|pwd|user\w*|login|token|key|secret|auth\w*|sig\w*)=)[^&;#\s]*", re.I)


def is_stream(spec: str) -> bool:
    """Whether `spec` is a URL that frames can come from."""
    return _STREAM.match(spec) is not None


def hide_credentials(text: str) -> str:
    """`text` with user names, passwords and tokens in its URLs left out."""
    return _SECRET.sub(r"\1***", _USER.sub("://", text))
