"""Apache Kafka: its jars, a broker of one's own for demo and tests, and the contract's topics."""
