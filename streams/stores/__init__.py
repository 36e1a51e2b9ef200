"""Where records are kept: one narrow interface (``port``) and the real stores behind it."""
