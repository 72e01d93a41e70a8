"""PostgreSQL, Apache Kafka and the four services on one machine, with the same security as a cluster."""
