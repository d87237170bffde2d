"""Monitoring: is it still good, has the world or the data changed, what should happen?"""
