# syntax=docker/dockerfile:1
# Two stages: the environment from the hashed locks, then the product as a user without rights.
FROM python:3.13.9-slim-bookworm AS build
WORKDIR /srv/sise
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
COPY requirements/uv.lock requirements/runtime.lock requirements/
RUN python -m venv /opt/sise \
 && /opt/sise/bin/pip install --require-hashes -r requirements/uv.lock \
 && VIRTUAL_ENV=/opt/sise /opt/sise/bin/uv pip sync --require-hashes requirements/runtime.lock
COPY . .
RUN /opt/sise/bin/pybabel compile --directory locale --domain messages \
 && VIRTUAL_ENV=/opt/sise /opt/sise/bin/uv pip install --no-deps --no-build-isolation .
# The compiled kernels are made once, here, from where they will run: a container starts with a warm cache.
ENV NUMBA_CACHE_DIR=/opt/sise/numba-cache
RUN cd / \
 && for loops in indicators backtest.sweeping; do \
      /opt/sise/bin/python -P -c "from app.domain.$loops import warm_up; warm_up()" || exit 1; done \
 && chown -R 10001:10001 /opt/sise/numba-cache

FROM python:3.13.9-slim-bookworm
RUN groupadd --gid 10001 sise && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin sise
COPY --from=build /opt/sise /opt/sise
ENV PATH=/opt/sise/bin:$PATH NUMBA_CACHE_DIR=/opt/sise/numba-cache PYTHONUNBUFFERED=1 \
    SISE_HOST=0.0.0.0 SISE_DATA_DIR=/tmp/sise
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
ENTRYPOINT ["sise"]
CMD ["serve"]
