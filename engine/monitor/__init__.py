"""License use and the site's own license."""
