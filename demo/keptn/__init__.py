"""A Keptn small enough for a laptop: it runs shipyard sequences from a Git upstream and speaks Keptn 1.4.5's API."""
