"""Sise: a self-hosted stock-investing simulator and live monitor.

The layers, top to bottom; an import may only point down (`pyproject.toml`, import-linter):

    cli                       commands; supervisor and doctor stand behind it
    main · embedded           composition root of the web process · the embedded servers
    web                       pages: run GraphQL documents, render templates
    graphql                   the schema: what pages, bots and tests may ask
    services                  use cases: one public function, one transaction
    env                       the open connections of one process, first argument of every service
    adapters · db             everything outside the process · PostgreSQL
    domain                    pure maths: values in, values out
    telemetry · clock         logs and metrics · the only clock
    config · providers        settings, read once · those of the sites that vouch for people
    errors                    the error tree
"""

__version__ = "0.1.0"
