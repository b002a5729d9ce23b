"""A million pictures, a thousand hours of video: the same predictor on all cores or machines."""

import os

# Ray reads these when it is imported. It sends nobody word of its use, and prints nothing.
os.environ |= {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_LOG_LEVEL": "CRITICAL",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_worker_niceness": "0",  # who starts a batch says by `nice` how much it may disturb
}
