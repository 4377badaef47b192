"""The denoisers on offer while the loop runs, each loaded when it is first chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dae_edge.camera.notices import Notices
from dae_edge.errors import DaeEdgeError
from dae_edge.runtime import Denoiser
from dae_edge.runtime.load import REFERENCE, SHIPPED
from dae_edge.runtime.opening import read_sidecar

Load = Callable[[str], Denoiser]


class Models:
    """Names and the denoisers behind them; one of them is current.

    Those that were loaded stay: making and dropping runtimes all day would cost memory.
    """

    def __init__(
        self, current: str, denoise: Denoiser, *, others: Sequence[str] = (), load: Load | None = None
    ) -> None:
        """`load` is called with a name of `others` when it is first chosen."""
        self._load = load
        self._loaded = {current: denoise}
        self.name = current
        self.names = tuple(dict.fromkeys((current, *(others if load is not None else ()))))
        self._failed: set[str] = set()

    @property
    def current(self) -> Denoiser:
        return self._loaded[self.name]

    def choose(self, name: str, notices: Notices) -> bool:
        """Make `name` current; where it cannot be loaded, say so once, keep the last and give False."""
        if name == self.name:
            return True
        if name not in self._loaded:
            if name in self._failed or self._load is None:
                return False
            try:
                self._loaded[name] = self._load(name)
            except DaeEdgeError as failure:
                self._failed.add(name)
                notices.say("model", f"{failure} Going on with {self.name}.")
                return False
        self.name = name
        self.current.reset()  # what it remembers is from before
        return True

    def can_follow(self, name: str) -> bool:
        """Whether `name` can carry its memory along with what moves."""
        if name in self._loaded:
            return bool(self._loaded[name].manifest.memory)
        return bool((read_sidecar(SHIPPED[name]) or {}).get("memory")) if name in SHIPPED else False

    def cheaper(self, name: str) -> tuple[str, ...]:
        """The shipped models on offer with smaller files than `name`, largest first; none for a file."""
        if name not in SHIPPED:
            return ()
        size = {known: path.stat().st_size for known, path in SHIPPED.items() if known in self.names}
        smaller = (k for k in size if size[k] < size.get(name, 0) and k not in REFERENCE.values())
        return tuple(sorted(smaller, key=lambda k: -size[k]))
