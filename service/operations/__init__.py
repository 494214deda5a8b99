"""Running the service: logs, metrics, limits, health, backup, the demo."""
