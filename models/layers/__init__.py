"""Layers that Keras lacks, or whose Keras version gives another result on two replicas than on one.

All of them keep float32 weights and compute what is delicate, statistics and norms, in float32 under any precision.
State that a call in training changes (a counter, a power iteration) follows from values that are the same on every
replica, so each replica updates its own copy and no replica waits for another.
"""
