# One image for every service of docker-compose.yml: this checkout with its locked packages. No Docker inside: Lambda
# functions are processes of the emulator's container.
ARG BASE_IMAGE=python:3.13-slim
FROM ${BASE_IMAGE}

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONUNBUFFERED=1

WORKDIR /opt/dlqlab

# Packages before code: they change less often, and a changed line of code then builds in seconds.
COPY requirements.txt ./
RUN pip install --require-hashes --requirement requirements.txt

COPY . .
RUN pip install --no-deps --no-build-isolation --editable . \
    && python -m compileall -q app dlqlab loadtest taskrules \
    && mkdir --mode=1777 runs .dlqlab

# Any user may run it (docker-compose.yml takes the id from the environment), so home is a place that all may write to.
ENV HOME=/tmp USER=dlqlab
USER 1000:1000

# All interfaces of the container, whose port is published on the host's loopback only.
CMD ["dlqlab", "up", "--foreground", "--host", "0.0.0.0"]
