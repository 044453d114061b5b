# The gateway, and everything it is started with: `python -m gateway_project.server`, `python manage.py …`

FROM python:3.11-slim-bookworm AS packages
COPY requirements/base.txt /tmp/base.txt
RUN python -m venv /opt/gatehouse \
    && /opt/gatehouse/bin/pip install --no-cache-dir --require-hashes -r /tmp/base.txt

FROM python:3.11-slim-bookworm
ENV PATH=/opt/gatehouse/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/var/lib/gatehouse
RUN useradd --system --uid 10001 --home-dir /var/lib/gatehouse --create-home gatehouse
COPY --from=packages /opt/gatehouse /opt/gatehouse
WORKDIR /srv/gatehouse
# What comes along is listed in .dockerignore
COPY . .
RUN python -m compileall -q .
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]
CMD ["python", "-m", "gateway_project.server"]
