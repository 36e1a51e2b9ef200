"""Evidence: what happened and who looked, in chains that cannot be changed unseen."""
