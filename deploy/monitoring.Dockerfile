# Prometheus and Grafana with what they are told about this server: targets `prometheus` and `grafana`.
ARG PROMETHEUS_VERSION
ARG GRAFANA_VERSION
FROM prom/prometheus:${PROMETHEUS_VERSION} AS prometheus
COPY --chmod=755 deploy/prometheus /etc/prometheus

FROM grafana/grafana:${GRAFANA_VERSION} AS grafana
COPY --chmod=755 deploy/grafana /etc/grafana/provisioning/dashboards
COPY --chmod=755 deploy/grafana-datasource.yml /etc/grafana/provisioning/datasources/prometheus.yml
