"""Trainings of the networks that ship: teachers, mixup, even draws, several processes."""
