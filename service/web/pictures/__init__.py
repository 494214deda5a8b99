"""Pictures of a client's path: where they are on it, and what has been and is to come over time.

Each is inline SVG that holds no script, no style and no outside reference, in a wide and a narrow form of which the
style sheet (static/pictures.css) shows one. Everything drawn comes from what the reader may see; what they may not see
is drawn as not shown, never guessed.
"""

from service.web.pictures.path import path_picture, path_places
from service.web.pictures.timeline import Timeline, timeline_of, timeline_svg

__all__ = ["Timeline", "path_picture", "path_places", "timeline_of", "timeline_svg"]
