"""Faces: found by a detector, upright or turned, judged for quality, cut out for the networks."""
