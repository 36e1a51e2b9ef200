"""InfluxDB 2: the server for tests and demonstrations, and its set-up."""
