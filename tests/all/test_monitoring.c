/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Five nodes, a real Prometheus and a real Alertmanager (see tests/prometheus/test); Prometheus as a reader over TLS. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "netns.h"
#include "nodes.h"

TestSuite(monitoring, .timeout = NETNS_TIMEOUT_S);

#define PROMETHEUS_PORT "9090"

Test(monitoring, an_answered_unlisted_port_is_an_alert_in_alertmanager)
{
    static char output[65536];
    FILE *out;
    int status;

    netns_need_root();
    out = popen("tests/prometheus/test " QPW_BUILD " 2>&1", "r");
    cr_assert(out);
    output[fread(output, 1, sizeof(output) - 1, out)] = '\0';
    status = WEXITSTATUS(pclose(out));
    if (status == 77)
        cr_skip_test("%s", output);
    cr_expect_eq(status, 0, "%s", output);
}

/* ---- Over TLS ---- */

/* Let the outside host be a reader with a key of its own, and configure its Prometheus to read both nodes. */
static void make_reader(const struct nodes *c)
{
    netns_run(&c->outside, "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=prometheus -days 2 "
                           "-keyout reader.key -out reader.crt 2>/dev/null && pin=$(openssl x509 -in reader.crt -pubkey -noout | "
                           "openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64 -w0) && "
                           "echo \"reader prometheus 10.88.0.99 key=sha256:$pin\" >>policy", c->folder);
    netns_run(&c->outside, "cd %s && { echo 'global: {scrape_interval: 1s}'; echo 'scrape_configs:'; for n in 1 2; do "
                           "echo \"- {job_name: node$n, scheme: https, static_configs: [{targets: ['10.88.0.$n:9101']}], tls_config: "
                           "{cert_file: reader.crt, key_file: reader.key, ca_file: node$n/keys/certificate.pem, server_name: node$n, "
                           "min_version: TLS13}}\"; done; } >prometheus.yml", c->folder);
}

static bool is_scraped(void *argument)
{
    const struct nodes *c = argument;

    return netns_output(&c->outside, NULL, 0, "curl -sf --get http://127.0.0.1:" PROMETHEUS_PORT "/api/v1/query --data-urlencode "
                                              "'query=count(up == 1 and on(instance) qportwatch_attached == 1 and on(instance) "
                                              "count by (instance) ({__name__=~\"qportwatch_.*\"}) > 50)' | "
                                              "jq -e '.data.result[0].value[1] == \"2\"'") == 0;
}

/* Prometheus asks for OpenMetrics, which it reads more strictly than its own old format. */
Test(monitoring, prometheus_reads_serve_over_tls)
{
    char out[8192], log[160], config[128], data[128];
    char *argv[] = {(char *)"prometheus", config, data, (char *)"--web.listen-address=127.0.0.1:" PROMETHEUS_PORT, NULL};
    struct nodes c;

    if (system("command -v prometheus >/dev/null && command -v jq >/dev/null && command -v curl >/dev/null"))
        cr_skip_test("prometheus, jq and curl are needed");
    nodes_open(&c, 2);
    make_reader(&c);
    nodes_start(&c);
    nodes_until_good(&c, 0, 1);
    netns_run(&c.outside, "ip link set lo up");
    snprintf(config, sizeof(config), "--config.file=%s/prometheus.yml", c.folder);
    snprintf(data, sizeof(data), "--storage.tsdb.path=%s/tsdb", c.folder);
    snprintf(log, sizeof(log), "%s/prometheus.log", c.folder);
    c.talker[0] = netns_start(&c.outside, log, argv);
    if (!netns_until(is_scraped, &c, NETNS_DEADLINE_MS)) {
        netns_output(&c.outside, out, sizeof(out), "tail -n 5 %s; curl -s http://127.0.0.1:" PROMETHEUS_PORT "/api/v1/targets | "
                     "jq -r '.data.activeTargets[].lastError'", log);
        cr_assert(false, "%s", out);
    }
    netns_output(&c.outside, out, sizeof(out), "cd %s && curl -s --cert reader.crt --key reader.key --cacert node1/keys/certificate.pem "
                 "--resolve node1:9101:10.88.0.1 -H 'Accept: application/openmetrics-text;version=1.0.0' -D - https://node1:9101/metrics | "
                 "tr -d '\\r' | sed -n 's/^Content-Type: //p; $p'", c.folder);
    cr_expect_str_eq(out, "application/openmetrics-text; version=1.0.0; charset=utf-8\n# EOF\n");
    netns_run(&c.outside, "cd %s && [ $(curl -s -o /dev/null -w '%%{http_code}' --cert reader.crt --key reader.key --cacert "
                          "node1/keys/certificate.pem --resolve node1:9101:10.88.0.1 https://node1:9101/v1/statement) = 403 ]", c.folder);
    nodes_close(&c);
}
