"""Measurements that a person runs: ``storebridge bench``. Nothing here judges; it counts, times and says how."""
