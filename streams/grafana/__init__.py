"""``inowatch deploy grafana``: the site's settings and limits, handed to ``deploy.grafana``."""
