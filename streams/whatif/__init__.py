"""``inowatch whatif``: recorded history judged by other limits, and what that changes."""
