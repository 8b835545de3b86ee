/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Polling peers over HTTPS: honest ones, and each kind that is not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "netns.h"
#include "serve/poll.h"
#include "util/names.h"

TestSuite(poll, .timeout = NETNS_TIMEOUT_S);

#define PORT 9101

/* What the server sends by path; each connection in a thread of its own, so that a hung one holds up none. */
static char server[] =
    "import gzip, http.server, os, ssl, sys, time\n"
    "class H(http.server.BaseHTTPRequestHandler):\n"
    "    protocol_version = 'HTTP/1.1'\n"
    "    def log_message(self, *a): pass\n"
    "    def say(self, status, body, *headers):\n"
    "        self.send_response(status)\n"
    "        for n, v in headers: self.send_header(n, v)\n"
    "        self.send_header('Qpw-Boot', str(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 + 7000000))\n"
    "        self.send_header('Content-Length', str(len(body)))\n"
    "        self.end_headers()\n"
    "        self.wfile.write(body)\n"
    "    def do_GET(self):\n"
    "        p = self.path\n"
    "        if p == '/slow': time.sleep(30)\n"
    "        if p == '/drip':\n"
    "            self.send_response(200); self.send_header('Content-Length', '1000'); self.end_headers()\n"
    "            for i in range(300): self.wfile.write(b'x'); self.wfile.flush(); time.sleep(0.1)\n"
    "        elif p == '/large': self.say(200, b'x' * (512 * 1024 + 1))\n"
    "        elif p == '/endless':\n"
    "            self.send_response(200); self.send_header('Connection', 'close'); self.end_headers()\n"
    "            for i in range(1000): self.wfile.write(b'x' * 65536)\n"
    "        elif p == '/bomb': self.say(200, gzip.compress(b'x' * (64 << 20)), ('Content-Encoding', 'gzip'))\n"
    "        elif p == '/elsewhere': self.say(302, b'', ('Location', 'https://peer:9101/'))\n"
    "        elif p == '/forbidden': self.say(403, b'')\n"
    "        elif self.headers.get('If-None-Match') == '\"e-7\"': self.say(304, b'')\n"
    "        elif p == '/gzip': self.say(200, gzip.compress(b'packed'), ('Content-Encoding', 'gzip'), ('ETag', '\"e-7\"'))\n"
    "        else: self.say(200, b'plain', ('ETag', '\"e-7\"'))\n"
    "s = http.server.ThreadingHTTPServer((sys.argv[1], 9101), H)\n"
    "c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
    "c.minimum_version = c.maximum_version = ssl.TLSVersion.TLSv1_2 if sys.argv[2] == 'old' else ssl.TLSVersion.TLSv1_3\n"
    "c.load_cert_chain(sys.argv[3] + '.crt', sys.argv[3] + '.key')\n"
    "c.verify_mode = ssl.CERT_REQUIRED\n"
    "c.load_verify_locations(sys.argv[4] + '.crt')\n"
    "s.socket = c.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)\n"
    "s.serve_forever()\n";

static struct netns ns;
static char folder[64], pin[2][QPW_POLL_PIN];
static pid_t servers[2];

static void make_key(unsigned i)
{
    char text[128];

    netns_run(&ns, "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=node%u -addext "
                   "subjectAltName=DNS:node%u -days 2 -keyout %u.key -out %u.crt", folder, i, i, i, i);
    cr_assert_eq(netns_output(&ns, text, sizeof(text), "openssl x509 -in %s/%u.crt -pubkey -noout | openssl pkey -pubin -outform der | "
                              "openssl dgst -sha256 -binary | base64 -w0", folder, i), 0);
    cr_assert_eq(strlen(text), 44u, "%s", text);
    snprintf(pin[i], sizeof(pin[i]), "sha256:%.44s", text);
}

static pid_t serve(const char *addr, const char *version, unsigned key, unsigned accepts)
{
    char own[96], other[96], *argv[] = {"python3", "-c", server, (char *)addr, (char *)version, own, other, NULL};

    snprintf(own, sizeof(own), "%s/%u", folder, key);
    snprintf(other, sizeof(other), "%s/%u", folder, accepts);
    return netns_start(&ns, NULL, argv);
}

/* Key 0 is this node's, key 1 the peer's at 127.0.0.2; 127.0.0.3 speaks TLS 1.2 only. */
static void begin(void)
{
    netns_need_root();
    ns = netns_new();
    snprintf(folder, sizeof(folder), "/tmp/qportwatch-poll.XXXXXX");
    cr_assert(mkdtemp(folder));
    make_key(0);
    make_key(1);
    servers[0] = serve("127.0.0.2", "new", 1, 0);
    servers[1] = serve("127.0.0.3", "old", 1, 0);
    netns_enter(&ns);
}

static void end(void)
{
    for (unsigned i = 0; i < 2; i++)
        netns_stop(servers[i], SIGKILL);
    cr_assert(!strncmp(folder, "/tmp/qportwatch-poll.", 21));
    netns_run(&ns, "rm -rf %s", folder);
    netns_close(&ns);
}

static struct {
    enum qpw_poll_result result;
    char body[64], etag[QPW_POLL_ETAG], trouble[160];
    bool has_boot;
    int64_t offset_us;
    uint64_t error_us;
} got[16];
static size_t n_got, last;

static void take(void *data, const struct qpw_polled *p)
{
    got[p->target].result = p->result;
    snprintf(got[p->target].body, sizeof(got->body), "%.*s", (int)(p->length < 60 ? p->length : 60), p->bytes ? p->bytes : "");
    snprintf(got[p->target].etag, sizeof(got->etag), "%s", p->etag);
    snprintf(got[p->target].trouble, sizeof(got->trouble), "%s", p->trouble);
    got[p->target].has_boot = p->has_boot;
    got[p->target].offset_us = p->offset_us;
    got[p->target].error_us = p->error_us;
    last = p->target;
    n_got++;
}

static struct qpw_poll *open_poll(unsigned key, const char *ca)
{
    char certificate[96], secret[96];
    struct qpw_poll_options options = {.certificate = certificate, .key = secret, .ca = ca, .port = PORT};
    struct qpw_error err;
    struct qpw_poll *p;

    snprintf(certificate, sizeof(certificate), "%s/%u.crt", folder, key);
    snprintf(secret, sizeof(secret), "%s/%u.key", folder, key);
    cr_assert_eq(qpw_poll_open(&options, take, NULL, &p, &err), 0, "%s", err.text);
    n_got = 0;
    return p;
}

static struct qpw_poll_target target(const char *addr, const char *pinned)
{
    struct qpw_poll_target t = {.name = "node1", .n_addrs = 1, .n_pins = pinned ? 1 : 0};

    cr_assert_eq(qpw_address_parse(addr, t.addr[0]), 0);
    snprintf(t.pin[0], sizeof(t.pin[0]), "%s", pinned ? pinned : "");
    return t;
}

static void until(struct qpw_poll *p, size_t n)
{
    struct pollfd fd = {qpw_poll_fd(p), POLLIN, 0};

    while (n_got < n) {
        cr_assert_eq(poll(&fd, 1, NETNS_DEADLINE_MS), 1, "%zu of %zu polls ended", n_got, n);
        qpw_poll_step(p);
    }
}

/* Start a poll of a path, with the bounds of a statement. */
static int start(struct qpw_poll *p, const struct qpw_poll_target *t, size_t index, const char *path, const char *etag)
{
    struct qpw_poll_ask what = {.path = path, .etag = etag, .most = QPW_POLL_BYTES};

    return qpw_poll_start(p, t, index, &what);
}

static void ask(struct qpw_poll *p, const struct qpw_poll_target *t, const char *path, const char *etag)
{
    cr_assert_eq(start(p, t, 0, path, etag), 0);
    until(p, n_got + 1);
}

static bool answers(void *argument)
{
    struct qpw_poll_target t = target(argument, pin[1]);
    struct qpw_poll *p = open_poll(0, NULL);

    ask(p, &t, "/", "");
    qpw_poll_close(p);
    return got[0].result == QPW_POLL_OK || got[0].result == QPW_POLL_TLS;
}

static void until_served(void)
{
    cr_assert(netns_until(answers, "127.0.0.2", NETNS_DEADLINE_MS), "%s", got[0].trouble);
    cr_assert(netns_until(answers, "127.0.0.3", NETNS_DEADLINE_MS), "%s", got[0].trouble);
}

static void expect(enum qpw_poll_result wanted, const char *what)
{
    cr_expect_eq(got[0].result, wanted, "%s: %s, not %s: %s", what, qpw_poll_result_name(got[0].result), qpw_poll_result_name(wanted),
                 got[0].trouble);
    cr_expect_eq(!*got[0].trouble, wanted == QPW_POLL_OK || wanted == QPW_POLL_UNCHANGED, "%s: '%s'", what, got[0].trouble);
}

Test(poll, of_honest_and_other_peers)
{
    static const struct {
        const char *path;
        enum qpw_poll_result result;
    } answers_by_path[] = {{"/large", QPW_POLL_TOO_LARGE}, {"/endless", QPW_POLL_TOO_LARGE}, {"/bomb", QPW_POLL_TOO_LARGE},
                           {"/elsewhere", QPW_POLL_STATUS}, {"/forbidden", QPW_POLL_REFUSED}};
    struct qpw_poll_target good, other;
    char ca[96];
    struct qpw_poll *p;

    begin();
    until_served();
    good = target("127.0.0.2", pin[1]);
    p = open_poll(0, NULL);
    ask(p, &good, "/", "");
    expect(QPW_POLL_OK, "the right key");
    cr_expect_str_eq(got[0].body, "plain");
    cr_expect_str_eq(got[0].etag, "\"e-7\"");
    cr_assert(got[0].has_boot);
    cr_expect_leq(llabs(got[0].offset_us - 7000000), (long long)got[0].error_us + 1000, "%ld +- %lu", got[0].offset_us, got[0].error_us);
    ask(p, &good, "/", "\"e-7\"");
    expect(QPW_POLL_UNCHANGED, "known already");
    ask(p, &good, "/gzip", "");
    expect(QPW_POLL_OK, "packed");
    cr_expect_str_eq(got[0].body, "packed");
    for (size_t i = 0; i < sizeof(answers_by_path) / sizeof(*answers_by_path); i++) {
        ask(p, &good, answers_by_path[i].path, "");
        expect(answers_by_path[i].result, answers_by_path[i].path);
    }
    other = target("127.0.0.2", pin[0]);
    ask(p, &other, "/", "");
    expect(QPW_POLL_WRONG_KEY, "another pin");
    snprintf(other.pin[1], sizeof(other.pin[1]), "%s", pin[1]);
    other.n_pins = 2; /* while the key is being changed */
    ask(p, &other, "/", "");
    expect(QPW_POLL_OK, "the second pin");
    other = target("127.0.0.3", pin[1]);
    snprintf(other.name, sizeof(other.name), "old");
    ask(p, &other, "/", "");
    expect(QPW_POLL_TLS, "TLS 1.2");
    other = target("127.0.0.4", pin[1]);
    snprintf(other.name, sizeof(other.name), "absent");
    ask(p, &other, "/", "");
    expect(QPW_POLL_UNREACHABLE, "nobody there");
    memcpy(other.addr[1], good.addr[0], 16);
    other.n_addrs = 2;
    ask(p, &other, "/", "");
    expect(QPW_POLL_OK, "the second address");
    other = target("127.0.0.2", NULL);
    cr_expect_eq(start(p, &other, 0, "/", ""), -EINVAL, "neither pin nor CA");
    qpw_poll_close(p);
    p = open_poll(1, NULL);
    ask(p, &good, "/", "");
    expect(QPW_POLL_REFUSED, "this node's key is not known there");
    qpw_poll_close(p);
    snprintf(ca, sizeof(ca), "%s/1.crt", folder);
    p = open_poll(0, ca);
    ask(p, &other, "/", "");
    expect(QPW_POLL_OK, "a certificate of the CA with the peer's name");
    snprintf(other.name, sizeof(other.name), "node2");
    ask(p, &other, "/", "");
    expect(QPW_POLL_WRONG_KEY, "a certificate of the CA with another name");
    qpw_poll_close(p);
    end();
}

/* Hung and dripping peers end after five seconds, and the honest one does not wait for them. */
Test(poll, a_hung_peer_holds_up_no_other)
{
    struct qpw_poll_target good, hung;
    struct qpw_poll *p;

    begin();
    until_served();
    good = hung = target("127.0.0.2", pin[1]);
    snprintf(hung.name, sizeof(hung.name), "hung");
    p = open_poll(0, NULL);
    cr_assert_eq(start(p, &hung, 1, "/slow", ""), 0);
    cr_assert_eq(start(p, &hung, 2, "/drip", ""), 0);
    cr_assert_eq(start(p, &good, 3, "/", ""), 0);
    until(p, 1);
    cr_expect_eq(last, 3u);
    cr_expect_eq(got[3].result, QPW_POLL_OK, "%s", got[3].trouble);
    until(p, 3);
    cr_expect_eq(got[1].result, QPW_POLL_SLOW, "%s", got[1].trouble);
    cr_expect_eq(got[2].result, QPW_POLL_SLOW, "%s", got[2].trouble);
    cr_assert_eq(start(p, &good, 1, "/slow", ""), 0);
    qpw_poll_close(p); /* in the middle of one */
    end();
}
