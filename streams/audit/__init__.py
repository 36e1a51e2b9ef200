"""The quality team's questions: SQL files, asked of a store's history."""
