"""Encoding, model families, converters, metrics, calibration."""
