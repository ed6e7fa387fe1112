# seatwarden as a container that runs `serve`; docs/service.md says how it is built and started.
FROM python:3.13-slim-bookworm AS build

# The libraries by their digests, in a layer of their own: seatwarden changes more often.
WORKDIR /source
COPY constraints.txt ./
RUN python -m venv /opt/seatwarden \
    && /opt/seatwarden/bin/pip install --no-cache-dir --require-hashes --requirement constraints.txt
COPY pyproject.toml README.md LICENSE ./
COPY packaging/editable_links.py packaging/
COPY seatwarden seatwarden
COPY grammar grammar
COPY policy policy
COPY engine engine
COPY docs/codes docs/codes
RUN /opt/seatwarden/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim-bookworm

# By number, so that Kubernetes can see that it is not root; volumes are given to 10001.
RUN groupadd --gid 10001 seatwarden \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/seatwarden --create-home --shell /usr/sbin/nologin seatwarden
COPY --from=build /opt/seatwarden /opt/seatwarden

# State folder and locks: /var/lib/seatwarden. HEALTH_PORT is `http.port` of the site file.
ENV PATH=/opt/seatwarden/bin:$PATH \
    XDG_STATE_HOME=/var/lib \
    HEALTH_PORT=9464
VOLUME /var/lib/seatwarden
WORKDIR /var/lib/seatwarden
USER 10001:10001

HEALTHCHECK --interval=60s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import http.client, os, sys; asked = http.client.HTTPConnection('127.0.0.1', int(os.environ['HEALTH_PORT']), timeout=5); asked.request('GET', '/health'); sys.exit(asked.getresponse().status != 200)"]

# Ended with SIGTERM: licenses under way are finished, so give it time (docker stop --time 600).
STOPSIGNAL SIGTERM
ENTRYPOINT ["seatwarden"]
CMD ["serve", "--site", "/etc/seatwarden/site.yaml"]
