/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/gather.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "alert/found.h"
#include "cluster/statement.h"
#include "cluster/status.h"
#include "facts/live.h"
#include "host/clock.h"
#include "serve/found_of_live.h"
#include "serve/hear.h"
#include "serve/state.h"
#include "util/cleanup.h"
#include "words/cluster_status.h"

#define HEAD_NS 3600000000000ull
#define OFFSET_NS 600000000000ull /* the best measurement of the clocks within ten minutes */
#define PATH "/v1/statement?samples=1"
#define SOON_NS 100000000
#define BEGIN_S 1 /* before the first poll: by then there is a statement of this node to compare with */

/* A peer, as far as it was heard. */
struct gathered {
    struct qpw_poll_target target;
    struct qpw_statement statement;
    bool has_statement;
    bool polling;
    char etag[QPW_POLL_ETAG];
    uint64_t since_unix_ns, polled_unix_ns, got_unix_ns;
    enum qpw_poll_result result;
    char trouble[160];
    uint64_t polls[QPW_POLL_RESULT_COUNT];
    bool has_offset;
    int64_t offset_us;
    uint64_t offset_error_us, offset_ns; /* when it was measured */
    uint64_t head_ns; /* when the last head of its log was kept */
    struct qpw_hear hear;
};

struct qpw_gather {
    struct qpw_poll *poll;
    int epoll_fd, timer_fd, soon_fd;
    char own[4096], state[4096];
    struct gathered *peers;
    size_t n_peers;
    struct qpw_statement self;
    bool has_self;
    struct qpw_live live;
    void (*served)(const void *data, struct qpw_cluster_status *ret);
    const void *served_data;
    unsigned ticks;
    bool soon; /* soon_fd will expire: the status is to be written */
    bool has_found; /* found.json is this one's */
};

/* ---- One peer ---- */

static void take_offset(struct gathered *g, const struct qpw_polled *p, uint64_t now_ns)
{
    if (!p->has_boot || (g->has_offset && p->error_us > g->offset_error_us && now_ns < g->offset_ns + OFFSET_NS))
        return;
    g->has_offset = true;
    g->offset_us = p->offset_us;
    g->offset_error_us = p->error_us;
    g->offset_ns = now_ns;
}

/* Keep the head of the peer's log, once an hour. */
static void keep_head(const struct qpw_gather *g, struct gathered *peer, uint64_t now_ns)
{
    struct qpw_log_chain head = {.number = peer->statement.chain_seq};

    if (!head.number || (peer->head_ns && now_ns < peer->head_ns + HEAD_NS))
        return;
    snprintf(head.sum, sizeof(head.sum), "%.64s", peer->statement.chain_sha256);
    if (strlen(head.sum) == 64 && qpw_state_head(g->state, peer->target.name, now_ns, &head) == 0)
        peer->head_ns = now_ns;
}

/* Take a peer's statement if it is valid and about that peer: nobody speaks for another. */
static void take_statement(struct qpw_gather *g, struct gathered *peer, const struct qpw_polled *p, uint64_t now_ns)
{
    char file[256], name[300];
    struct qpw_statement statement;
    struct qpw_error err = {""};
    int r = qpw_statement_read(p->bytes, p->length, peer->target.name, &statement, &err);

    if (r == 0 && strcmp(statement.node, peer->target.name))
        r = qpw_fail(&err, -EINVAL, "its statement is about another node, %s", statement.node);
    if (r < 0) {
        qpw_statement_clear(&statement);
        peer->result = QPW_POLL_INVALID;
        snprintf(peer->trouble, sizeof(peer->trouble), "%.159s", err.text);
        return;
    }
    qpw_statement_clear(&peer->statement);
    peer->statement = statement;
    peer->has_statement = true;
    peer->got_unix_ns = now_ns;
    snprintf(peer->etag, sizeof(peer->etag), "%s", p->etag);
    snprintf(name, sizeof(name), QPW_STATE_PEERS "/%s", qpw_state_name(peer->target.name, ".json", file, sizeof(file)));
    qpw_state_write_bytes(g->state, name, p->bytes, p->length, 0640);
    keep_head(g, peer, now_ns);
}

/* Have the status written within 100 ms: events of many peers, or many of one, cost one writing. */
static void write_soon(struct qpw_gather *g)
{
    struct itimerspec t = {.it_value.tv_nsec = SOON_NS};

    g->soon = g->soon || timerfd_settime(g->soon_fd, 0, &t, NULL) == 0;
}

static void polled(void *data, const struct qpw_polled *p)
{
    struct qpw_gather *g = data;
    struct gathered *peer = &g->peers[p->target];
    uint64_t now_ns = qpw_clock_unix_ns();

    if (p->kind == QPW_HEAR_KIND) {
        if (qpw_hear_polled(&peer->hear, g->poll, &peer->target, p))
            write_soon(g);
        return;
    }
    peer->polling = false;
    peer->polled_unix_ns = now_ns;
    peer->result = p->result;
    snprintf(peer->trouble, sizeof(peer->trouble), "%s", p->trouble);
    take_offset(peer, p, now_ns);
    if (p->result == QPW_POLL_OK)
        take_statement(g, peer, p, now_ns);
    peer->polls[peer->result]++;
    /* An unchanged statement is that of an auditor that has stopped making new ones: got_unix_ns stays. */
}

/* ---- Comparing ---- */

static void write_found(struct qpw_gather *g, uint64_t now_ns)
{
    json_t *document = qpw_found_of_live(&g->live, now_ns);

    if (document)
        g->has_found |= qpw_state_write(g->state, QPW_FOUND_FILE, document, 0644) == 0;
    json_decref(document);
}

static struct qpw_peer_events status_of_events(const struct qpw_hear *h)
{
    const struct qpw_heard_finding *newest = &h->heard.newest;
    struct qpw_peer_events e = {.number = h->heard.chain.number, .missed = h->heard.missed, .at_unix_ns = newest->unix_ns,
                                .severity = newest->severity};

    snprintf(e.result, sizeof(e.result), "%s", h->has_result ? qpw_poll_result_name(h->result) : "");
    snprintf(e.trouble, sizeof(e.trouble), "%s", h->trouble);
    snprintf(e.text, sizeof(e.text), "%s", newest->text);
    return e;
}

static struct qpw_peer_status status_of(const struct gathered *peer)
{
    struct qpw_peer_status s = {.polled_unix_ns = peer->polled_unix_ns, .got_unix_ns = peer->got_unix_ns, .seq = peer->statement.seq,
                                .has_offset = peer->has_offset, .offset_us = peer->offset_us, .offset_error_us = peer->offset_error_us};

    snprintf(s.name, sizeof(s.name), "%s", peer->target.name);
    snprintf(s.result, sizeof(s.result), "%s", peer->polled_unix_ns ? qpw_poll_result_name(peer->result) : "");
    snprintf(s.trouble, sizeof(s.trouble), "%s", peer->trouble);
    snprintf(s.epoch, sizeof(s.epoch), "%s", peer->statement.epoch);
    snprintf(s.version, sizeof(s.version), "%s", peer->statement.version);
    snprintf(s.policy, sizeof(s.policy), "%s", peer->statement.policy.digest);
    snprintf(s.answer, sizeof(s.answer), "%s", peer->statement.answer);
    qpw_stated_devices(&peer->statement, "", s.monitored, sizeof(s.monitored));
    s.events = status_of_events(&peer->hear);
    for (unsigned i = 0; i < QPW_POLL_RESULT_COUNT && s.n_polls < QPW_CLUSTER_RESULTS; i++) {
        snprintf(s.polls[s.n_polls].name, sizeof(s.polls->name), "%s", qpw_poll_result_name(i));
        s.polls[s.n_polls++].n = peer->polls[i];
    }
    return s;
}

static void write_status(struct qpw_gather *g, uint64_t now_ns)
{
    struct qpw_cluster_status s = {.at_unix_ns = now_ns, .peers = calloc(g->n_peers + 1, sizeof(*s.peers)), .n = g->n_peers};
    json_t *document;

    if (!s.peers)
        return;
    snprintf(s.node, sizeof(s.node), "%s", g->has_self ? g->self.node : "");
    for (size_t i = 0; i < g->n_peers; i++)
        s.peers[i] = status_of(&g->peers[i]);
    if (g->served)
        g->served(g->served_data, &s);
    document = qpw_cluster_status_file(&s);
    if (document)
        qpw_state_write(g->state, QPW_CLUSTER_STATUS_FILE, document, 0644);
    json_decref(document);
    free(s.peers);
}

/* Read this node's own statement; one that cannot be read is as good as none. */
static void read_self(struct qpw_gather *g)
{
    struct qpw_statement statement;
    struct qpw_error err;

    if (qpw_statement_load(g->own, &statement, &err) == 0) {
        qpw_statement_clear(&g->self);
        g->self = statement;
        g->has_self = true;
    } else {
        qpw_statement_clear(&statement);
        g->has_self = false;
    }
}

static void compare(struct qpw_gather *g, uint64_t now_ns)
{
    struct qpw_live_peer *peers = calloc(g->n_peers + 1, sizeof(*peers));

    for (size_t i = 0; peers && i < g->n_peers; i++) {
        const struct gathered *p = &g->peers[i];

        memcpy(peers[i].name, p->target.name, sizeof(peers[i].name));
        peers[i].statement = p->has_statement ? &p->statement : NULL;
        peers[i].got_unix_ns = p->got_unix_ns;
        peers[i].since_unix_ns = p->since_unix_ns;
        peers[i].wrong_key = p->polled_unix_ns && p->result == QPW_POLL_WRONG_KEY;
        peers[i].trouble = *p->trouble ? p->trouble : NULL;
        peers[i].has_offset = p->has_offset;
        peers[i].offset_us = p->offset_us;
        peers[i].offset_error_us = p->offset_error_us;
    }
    if (peers && qpw_live_compare(&g->live, &g->self, peers, g->n_peers, now_ns) == 0)
        write_found(g, now_ns);
    free(peers);
}

static void tick(struct qpw_gather *g)
{
    struct qpw_poll_ask ask = {.path = PATH, .most = QPW_POLL_BYTES};
    unsigned every = g->n_peers > QPW_GATHER_MANY ? 3 : 1;
    uint64_t now_ns = qpw_clock_unix_ns();

    read_self(g);
    if (g->has_self)
        compare(g, now_ns);
    write_status(g, now_ns);
    for (size_t i = 0; i < g->n_peers; i++) {
        struct gathered *p = &g->peers[i];

        if ((g->ticks + i) % every)
            continue;
        qpw_hear_tick(&p->hear, g->poll, &p->target, i, every == 1 ? QPW_HEAR_WAIT_S : 0);
        if (p->polling)
            continue;
        ask.etag = p->etag;
        p->since_unix_ns = p->since_unix_ns ? p->since_unix_ns : now_ns;
        p->polling = qpw_poll_start(g->poll, &p->target, i, &ask) == 0;
    }
    g->ticks++;
}

/* ---- The loop ---- */

QPW_CLEANUP_POINTER(struct qpw_gather, qpw_gather_close)

static int open_peers(struct qpw_gather *g, const struct qpw_gather_options *options)
{
    g->peers = calloc(options->n_peers + 1, sizeof(*g->peers));
    if (!g->peers)
        return -ENOMEM;
    for (; g->n_peers < options->n_peers; g->n_peers++) {
        struct gathered *peer = &g->peers[g->n_peers];

        peer->target = options->peers[g->n_peers];
        qpw_hear_open(&peer->hear, g->state, peer->target.name);
    }
    return 0;
}

/* Return whether what the descriptor says is waited for; else errno says why not. */
static bool watch(const struct qpw_gather *g, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    return epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

int qpw_gather_open(const struct qpw_gather_options *options, struct qpw_gather **ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_gather_closep) struct qpw_gather *g = calloc(1, sizeof(*g));
    struct itimerspec t = {{options->every_s, 0}, {BEGIN_S, 0}};
    int r;

    *ret = NULL;
    if (!g)
        return qpw_fail(err, -ENOMEM, "out of memory");
    g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    g->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    g->soon_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    snprintf(g->own, sizeof(g->own), "%s", options->own);
    snprintf(g->state, sizeof(g->state), "%s", options->state);
    g->served = options->served;
    g->served_data = options->served_data;
    r = qpw_state_open(g->state, err);
    if (r < 0)
        return r;
    if (open_peers(g, options) < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = qpw_poll_open(&options->poll, polled, g, &g->poll, err);
    if (r < 0)
        return r;
    if (!watch(g, g->timer_fd) || !watch(g, g->soon_fd) || !watch(g, qpw_poll_fd(g->poll)) || timerfd_settime(g->timer_fd, 0, &t, NULL) < 0)
        return qpw_fail(err, -errno, "waiting for peers: %s", strerror(errno));
    *ret = QPW_TAKE(g);
    return 0;
}

/* Take what is known of a peer, but not its requests, which end with the other poller. */
static void take_known(struct gathered *peer, struct gathered *old)
{
    struct qpw_hear hear = peer->hear;
    struct qpw_poll_target target = peer->target;

    *peer = *old;
    old->statement = (struct qpw_statement){0};
    peer->target = target;
    peer->polling = false;
    peer->hear = hear;
    peer->hear.heard = old->hear.heard;
}

void qpw_gather_take_over(struct qpw_gather *g, struct qpw_gather *old)
{
    for (size_t i = 0; i < g->n_peers; i++)
        for (size_t j = 0; j < old->n_peers; j++)
            if (!strcmp(g->peers[i].target.name, old->peers[j].target.name))
                take_known(&g->peers[i], &old->peers[j]);
    g->live = old->live;
    old->live = (struct qpw_live){0};
    g->has_found = old->has_found;
    old->has_found = false;
}

void qpw_gather_close(struct qpw_gather *g)
{
    char path[4608];

    if (!g)
        return;
    snprintf(path, sizeof(path), "%s/" QPW_FOUND_FILE, g->state);
    if (g->has_found)
        unlink(path);
    qpw_poll_close(g->poll);
    for (size_t i = 0; i < g->n_peers; i++)
        qpw_statement_clear(&g->peers[i].statement);
    qpw_statement_clear(&g->self);
    qpw_live_clear(&g->live);
    qpw_closep(&g->epoll_fd);
    qpw_closep(&g->timer_fd);
    qpw_closep(&g->soon_fd);
    free(g->peers);
    free(g);
}

int qpw_gather_fd(const struct qpw_gather *g)
{
    return g->epoll_fd;
}

void qpw_gather_step(struct qpw_gather *g)
{
    uint64_t expirations;

    if (read(g->timer_fd, &expirations, sizeof(expirations)) == sizeof(expirations))
        tick(g);
    qpw_poll_step(g->poll);
    if (read(g->soon_fd, &expirations, sizeof(expirations)) == sizeof(expirations)) {
        g->soon = false;
        write_status(g, qpw_clock_unix_ns());
    }
}
