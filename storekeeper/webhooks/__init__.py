"""The work of the process that sends webhooks."""
