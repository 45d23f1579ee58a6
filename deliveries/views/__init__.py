"""Pages of the portal, one screen each."""
