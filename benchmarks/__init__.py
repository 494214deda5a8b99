"""What each speed figure is measured by. `python -m benchmarks` prints them and writes latest.json."""
