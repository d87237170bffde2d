"""How to notice a database that has vanished.

A deleted pod says no farewell, and the kernel's own wait for one is two hours.
"""

ARGUMENTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}
