"""Real processes under load, killed, starved and cut off: nothing acknowledged is lost, nothing is there twice."""
