"""What the reference trainer reaches: recipes for rare classes, waiting for data, exact resume.

``python -m benchmarks.trainer TILES PHOTOS`` runs it all and writes ``benchmarks/train_ref.md``.
"""
