"""Delete the keys that this run and killed runs left in Redis; keys are named for their process."""

import os
from pathlib import Path

import redis

own = os.environ["PEER_REDIS_PREFIX"]
client = redis.Redis.from_url(os.environ["PEER_REDIS_URL"])
for key in list(client.scan_iter("bench_*")):
    name = key.decode()
    process = name.split("_")[1]
    if name.startswith(own) or not Path("/proc", process).exists():
        client.delete(key)
