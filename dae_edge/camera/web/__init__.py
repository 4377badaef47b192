"""The web page: before and after in a browser, with the loop's settings, as a sink of the loop.

The way of a frame: the loop's thread leaves its newest view in `broadcast`; in the server's thread
each watching page's `viewer`, when the page has drawn what it had, takes the newest and sends it as
one JPEG that `pair` encodes once for all pages. `app` is what can be asked, `guard` who may ask,
`patience` how long anybody may take, `server` the thread it all runs in, and `page/` what the
browser gets.
"""

from dae_edge.camera.web.guard import is_loopback as is_loopback
from dae_edge.camera.web.server import WebPage as WebPage
