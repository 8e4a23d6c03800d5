"""What work takes: memory and CPU time of processes and their children, on a machine that is named.

Nothing here imports torch.
"""
