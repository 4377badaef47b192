"""What a model file says of itself and what it is made of, without running it.

Files of any maker are read: nothing of them is executed, no other file is opened because they
say so, and what is cut short, corrupt or made to exhaust the reader is one `ModelLoadError`.
"""

from dae_edge.runtime.inspect.contents import Contents as Contents
from dae_edge.runtime.inspect.contents import Port as Port
from dae_edge.runtime.inspect.inspection import SUFFIXES as SUFFIXES
from dae_edge.runtime.inspect.inspection import Inspection as Inspection
from dae_edge.runtime.inspect.inspection import inspect as inspect
from dae_edge.runtime.inspect.inspection import manifest_in as manifest_in
from dae_edge.runtime.inspect.inspection import read_contents as read_contents
