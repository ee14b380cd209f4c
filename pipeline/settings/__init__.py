"""params.yaml, its checks and messages; paths, seeds, ids, inputs; how a program runs and ends.

May import no other room.
"""
