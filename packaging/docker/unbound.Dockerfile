# A resolver for the compose files. Hermetic validates DNSSEC itself and needs the records.
FROM debian:trixie-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends unbound dns-root-data \
  && rm -rf /var/lib/apt/lists/*
COPY packaging/docker/unbound.conf /etc/unbound/unbound.conf
EXPOSE 53/udp 53/tcp
ENTRYPOINT ["unbound", "-d", "-c", "/etc/unbound/unbound.conf"]
