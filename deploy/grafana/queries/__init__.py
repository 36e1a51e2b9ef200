"""Every question that Grafana puts to InfluxDB, in Flux; nowhere else is any.

Each reads the bucket and the span of time that Grafana fills in, names the columns that come back,
and names no field that tells who somebody is: of a patient there is the pseudonym, to follow a link
by, and of what was refused there are counts only. What is absent stays absent, never 0.
"""
