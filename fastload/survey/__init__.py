"""What people look at to know a pack: facts, thumbnails, a batch as the model gets it, a page."""
