"""Template tags and filters about deliveries: they draw what a view has read, and read nothing."""
