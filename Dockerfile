FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements/ requirements/
RUN python -m venv /opt/boot \
 && python -m venv --without-pip /opt/stalewatch \
 && /opt/boot/bin/pip install --no-cache-dir -r requirements/boot.txt \
 && /opt/boot/bin/uv pip install --no-cache --python /opt/stalewatch/bin/python \
      --compile-bytecode -r requirements/run.txt
COPY . .
RUN for project in sdk .; do \
      /opt/boot/bin/uv build --no-cache --wheel --no-build-isolation \
        --python /opt/boot/bin/python --out-dir /opt/wheels "$project" || exit 1; \
    done \
 && /opt/boot/bin/uv pip install --no-cache --python /opt/stalewatch/bin/python \
      --compile-bytecode --no-deps /opt/wheels/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/stalewatch --create-home stalewatch \
 && mkdir -p /etc/stalewatch
COPY --from=build /opt/stalewatch /opt/stalewatch
USER stalewatch
WORKDIR /var/lib/stalewatch
VOLUME /var/lib/stalewatch
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
  ["/opt/stalewatch/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["/opt/stalewatch/bin/stalewatch"]
CMD ["up", "--config", "/etc/stalewatch/stalewatch.yaml"]
