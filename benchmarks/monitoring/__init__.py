"""How well monitoring and retraining decide: simulated years through the real stages."""
