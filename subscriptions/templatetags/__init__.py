"""Template tags and filters of the portal: they draw what a view has read, and read nothing."""
