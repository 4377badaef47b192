"""Pictures and clips the package draws itself: to train on, to calibrate on, to demonstrate on."""

from dae_edge.scenes.clip import draw_clip as draw_clip
from dae_edge.scenes.leaves import draw_leaves as draw_leaves
from dae_edge.scenes.room import Room as Room
