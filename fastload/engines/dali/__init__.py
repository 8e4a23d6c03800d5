"""The engine on NVIDIA DALI: one graph, on the CPU or on a GPU, fed with the plan's parameters."""
