"""The reference trainer: a label folder or a pack in, a classifier and its report out.

``python -m train_ref fit | eval | predict | report``. Of fastload it uses the public names alone.
"""
