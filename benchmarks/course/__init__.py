"""The course's app at today's versions: what Storekeeper is compared with, not a part of it."""
