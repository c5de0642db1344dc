"""One seed of the product's pure code: no HTTP, no database, thousands of seeds in minutes.

workload.py   what people and fate do, drawn per seed; the published figures
timeline.py   virtual seconds and a faulty network
stores.py     stores of four kinds, in a few lines
bridge.py     the product's own pure code, driven as flow, courier and reconcile drive it
wire.py       readings as the product takes them, writes as the stores take them
sales.py      what hybrid measures
guard_desk.py, checkouts.py   baskets that are asked about; what the guard means at the moment
books.py      voids of oversold orders and undo: causes that count once
limits.py, marks.py   the hourly limit; the mark that tells an old database
checks.py     I1 to I6, after every event
play.py       one seed from baseline to verdict
naive.py      the yardstick: a poller that copies numbers
"""

from storebridge_proving.simulate.core.play import RISK, run_core_seed
from storebridge_proving.simulate.core.workload import WORKLOADS

__all__ = ["RISK", "WORKLOADS", "run_core_seed"]
