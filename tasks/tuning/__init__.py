"""Tuning: with which settings, and how much better for it?"""
