"""What applications tell over OTLP/HTTP: spans of invalidations and receipts, made durable."""
