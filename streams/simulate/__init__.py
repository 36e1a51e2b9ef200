"""A seeded ward of delivery devices: plausible care, named hazards, the same bytes every time."""
