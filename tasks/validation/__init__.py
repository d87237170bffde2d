"""Validation: can this data be trusted?"""
