"""Numeric code that more than one stage needs; it knows neither a stage nor the store's layout."""
