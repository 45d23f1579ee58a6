"""Numbers about what happened: for the overview, the list of webhooks, probes and Prometheus.

Traffic and health are read from hourly counters and one row for each endpoint, so that no page
counts deliveries; charts turn numbers into rectangles. This room only reads. Its modules are imported
one by one, so that a probe does not load the charts, nor a page the metrics.
"""
