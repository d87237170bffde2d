"""The story that `perennial demo` tells: the whole cycle on real flights, and every step verified."""
