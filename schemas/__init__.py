"""Nouns: every record that crosses a boundary, and the state that is kept between records.

Knows nothing of judging, moving or storing. Imports nothing of this project.
"""
