"""A million pictures, a thousand hours of video: the same predictor on all cores or machines."""

import os

# Ray reads these when it is imported: it is to report nothing to its makers and to print nothing.
os.environ |= {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_LOG_LEVEL": "CRITICAL",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_worker_niceness": "0",  # the user sets the priority of a batch by `nice`
}
