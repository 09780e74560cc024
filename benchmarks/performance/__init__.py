"""What training, serving, ingestion and metrics cost: seconds, images a second, memory."""
