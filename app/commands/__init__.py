"""The commands of `app.cli`: a module each, with `add_arguments` and `run`."""
