"""The forms in which an answer is written. The same answer gives the same bytes."""
