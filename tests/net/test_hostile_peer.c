/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A peer that has the right key and is hostile: what it sends costs its neighbours neither memory nor disk, and has a word. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor.h"
#include "nodes.h"

TestSuite(hostile_peer, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define MOST_KIB 8192 /* what a serve with honest peers has of its own at most */

/*
 * Answers each request with 1 GiB and writes down how much of it was read: argv: address, folder of the key, file. Statements
 * come in pieces, of which nobody said how many; events say their length; what is asked for with gzip is not packed.
 */
static char endless[] =
    "import http.server, ssl, sys\n"
    "piece = b'x' * (1 << 20)\n"
    "class H(http.server.BaseHTTPRequestHandler):\n"
    "    protocol_version = 'HTTP/1.1'\n"
    "    def log_message(self, *a): pass\n"
    "    def do_GET(self):\n"
    "        chunked, sent = 'statement' in self.path, 0\n"
    "        self.send_response(200)\n"
    "        self.send_header(*(('Transfer-Encoding', 'chunked') if chunked else ('Content-Length', str(1 << 30))))\n"
    "        self.end_headers()\n"
    "        try:\n"
    "            for i in range(1024):\n"
    "                self.wfile.write(b'%x\\r\\n%s\\r\\n' % (len(piece), piece) if chunked else piece)\n"
    "                sent += 1\n"
    "        except OSError: pass\n"
    "        open(sys.argv[3], 'a').write('%s %d\\n' % ('statement' if chunked else 'events', sent))\n"
    "        self.close_connection = True\n"
    "s = http.server.ThreadingHTTPServer((sys.argv[1], 9101), H)\n"
    "c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
    "c.minimum_version = ssl.TLSVersion.TLSv1_3\n"
    "c.load_cert_chain(sys.argv[2] + '/certificate.pem', sys.argv[2] + '/key.pem')\n"
    "s.socket = c.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)\n"
    "s.serve_forever()\n";

static void serve_hostile(struct nodes *c, size_t i, char *script)
{
    char address[32], keys[160], told[160], log[160];

    snprintf(address, sizeof(address), "10.88.0.%zu", i + 1);
    c->serve[i] = 0;
    c->talker[i] = netns_start(&c->ns[i], nodes_path(c, i, "hostile.log", log),
                               (char *[]){(char *)"python3", (char *)"-c", script, address, (char *)nodes_path(c, i, "keys", keys),
                                          (char *)nodes_path(c, i, "told", told), NULL});
    netns_until_port(&c->ns[i], "tcp", NODES_PORT);
}

static bool has_told(void *argument)
{
    const struct nodes *c = argument;

    return netns_output(&c->bridge, NULL, 0, "grep -q statement %s/node2/told && grep -q events %s/node2/told && jq -e "
                        "'.peers[0] | .polls[\"too-large\"] >= 1 and .events.result == \"too-large\"' %s/node1/state/status.json",
                        c->folder, c->folder, c->folder) == 0;
}

Test(hostile_peer, a_gibibyte_is_not_read)
{
    struct nodes c;
    char out[4096];

    nodes_open(&c, 2);
    serve_hostile(&c, 1, endless);
    nodes_attach(&c, 0);
    nodes_serve(&c, 0);
    if (!netns_until(has_told, &c, NETNS_DEADLINE_MS)) {
        netns_output(&c.bridge, out, sizeof(out), "cat %s/node2/told %s/node2/hostile.log %s/node1/state/status.json", c.folder, c.folder, c.folder);
        cr_assert(false, "%s", out);
    }
    netns_run(&c.bridge, "! awk '$2 > 8' %s/node2/told | grep .", c.folder); /* MiB, of which most lie in the sockets */
    cr_expect_leq(netns_process_number(c.serve[0], "RssAnon", 10), MOST_KIB, "%lu KiB",
                  (unsigned long)netns_process_number(c.serve[0], "RssAnon", 10));
    cr_expect_leq(netns_process_number(c.serve[0], "VmHWM", 10) - netns_process_number(c.serve[0], "RssFile", 10), 2 * MOST_KIB);
    netns_run(&c.bridge, "[ $(du -sk %s/node1/state | cut -f1) -le 1024 ]", c.folder);
    netns_output(&c.ns[0], out, sizeof(out), PROGRAM " cluster status --cluster %s/node1/state", c.folder);
    cr_expect(strstr(out, "its answer is larger than this node reads"), "%s", out);
    nodes_close(&c);
}
