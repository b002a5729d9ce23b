"""Pictures and videos in and out: untrusted files become arrays, frames become clips."""
