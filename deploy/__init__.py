"""Sets up the servers the product stands on: a broker, a store, dashboards. It judges nothing."""
