"""The entry points are tested with the whole data plane behind them."""

from tests.proxy.committed import committed, db
from tests.proxy.plane import plane, recorder, road, stored, upstream

__all__ = ["committed", "db", "plane", "recorder", "road", "stored", "upstream"]
