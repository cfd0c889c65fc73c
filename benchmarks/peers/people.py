"""The one user, for the peers that know people by their address."""

from benchmarks import data

EMAIL = f"{data.USERNAME}@example.com"
CREDENTIALS = f'{{"email": "{EMAIL}", "password": "{data.PASSWORD}"}}'
