"""The ward board: one row per bed, worst first, live in a browser.

``view`` decides what is shown and in which words; ``server`` carries it to the page. It judges
nothing: rows come judged, and what is stale or missing here is only said, never guessed.
"""
