"""The last two stages are tested with everything around them."""

from tests.proxy.committed import committed, db
from tests.proxy.pipeline.way import transport, way
from tests.proxy.plane import plane, recorder, road, stored, upstream

__all__ = ["committed", "db", "plane", "recorder", "road", "stored", "transport", "upstream", "way"]
