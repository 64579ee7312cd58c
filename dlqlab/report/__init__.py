"""Reports: the charts of a run, notebooks executed headless, the HTML page, the verdict in the terminal."""
