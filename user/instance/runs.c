/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/runs.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/netns.h"
#include "instance/objects.h"
#include "util/cleanup.h"
#include "util/names.h"

#define LOOKS 200
#define LOOK_US 10000

bool qpw_run_is_of_here(const struct qpw_hook_site *site)
{
    struct qpw_meta meta;

    return !qpw_hook_site_meta(site, &meta) || !meta.netns || meta.netns == qpw_netns_inode();
}

/* Return the newest instance of this namespace, the one with the highest map id; 0: none. */
static uint32_t watching(const struct qpw_hook_scan *scan)
{
    uint32_t newest = 0;

    for (size_t i = 0; i < scan->n; i++)
        if (scan->site[i].instance > newest && qpw_run_is_of_here(&scan->site[i]))
            newest = scan->site[i].instance;
    return newest;
}

int qpw_hook_scan_split(struct qpw_hook_scan *scan, struct qpw_hook_scan *ret_others, struct qpw_error *err)
{
    uint32_t newest = watching(scan);
    struct qpw_hook_scan others = {0};
    size_t kept = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < scan->n; i++) {
        if (scan->site[i].instance == newest)
            scan->site[kept++] = scan->site[i];
        else
            r = qpw_hook_scan_add(&others, &scan->site[i], err);
    }
    scan->n = kept;
    if (r < 0) {
        qpw_hook_scan_clear(scan);
        qpw_hook_scan_clear(&others);
    }
    *ret_others = others;
    return r;
}

const char *qpw_run_text(const struct qpw_hook_site *site, char *buf, size_t size)
{
    char when[40] = "by another version";
    struct qpw_meta meta = {0};
    bool known = qpw_hook_site_meta(site, &meta);

    if (known)
        qpw_time_text(meta.attached_unix_ns, when, sizeof(when));
    snprintf(buf, size,
             "%s carries programs of another run of qportwatch (attached %s%s), which do not count for this one; "
             "'qportwatch detach %s' removes them",
             site->ifname, when, known && !qpw_run_is_of_here(site) ? ", in another network namespace" : "",
             site->ifname);
    return buf;
}

/* ---- Other namespaces, entered by a separate thread so that the caller stays in its own ---- */

struct search {
    uint32_t instance;
    const char *const *names;
    size_t n_names, removed;
    struct qpw_error err; /* of the first failure */
    int r;
};

static bool is_wanted(const struct search *s, const struct qpw_hook_site *site)
{
    if (site->instance != s->instance)
        return false;
    for (size_t i = 0; i < s->n_names; i++)
        if (!strcmp(s->names[i], site->ifname))
            return true;
    return s->n_names == 0;
}

/* Detach what the search wants in this network namespace. */
static int detach_wanted(struct search *s, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_hook_scan_clear) struct qpw_hook_scan scan = {0};
    unsigned counted = 0;
    int r = qpw_hook_scan_find(&scan, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < scan.n; i++) {
        if (!is_wanted(s, &scan.site[i]))
            continue;
        r = qpw_hooks_detach(scan.site[i].ifindex, scan.site[i].point, &scan.site[i].entry, err);
        if (r < 0)
            return r;
        s->removed += scan.site[i].ifindex != counted;
        counted = scan.site[i].ifindex;
    }
    return 0;
}

static void detach_in(int netns_fd, void *data)
{
    struct search *s = data;
    struct qpw_error err;
    int r;

    if (setns(netns_fd, CLONE_NEWNET) < 0)
        r = qpw_fail(&err, -errno, "entering another network namespace: %s", strerror(errno));
    else
        r = detach_wanted(s, &err);
    if (r < 0 && s->r == 0) {
        s->r = r;
        s->err = err;
    }
}

static void *search(void *argument)
{
    qpw_netns_each_other(detach_in, argument);
    return NULL;
}

int qpw_run_detach_elsewhere(uint32_t instance, const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err)
{
    struct search s = {.instance = instance, .names = names, .n_names = n};
    struct qpw_objects_elsewhere question = {.instance = instance, .n = (uint32_t)n};
    struct qpw_objects_done done;
    sigset_t all, before;
    pthread_t thread;
    int r;

    for (size_t i = 0; i < n && i < QPW_OBJECT_NAMES; i++)
        snprintf(question.names[i], sizeof(question.names[i]), "%s", names[i]);
    if (qpw_objects_elsewhere(&question, &done, &r)) {
        *ret_removed = done.removed;
        if (r < 0 && err)
            *err = done.err;
        return r;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* leave signals to the caller's thread */
    r = -pthread_create(&thread, NULL, search, &s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r < 0)
        return qpw_fail(err, r, "starting a thread: %s", strerror(-r));
    pthread_join(thread, NULL);
    *ret_removed = s.removed;
    if (s.r < 0 && err)
        *err = s.err;
    return s.r;
}

bool qpw_run_until_gone(uint32_t instance)
{
    int fd;

    for (int i = 0; i < LOOKS; i++) {
        fd = qpw_object_map(instance);
        if (fd < 0)
            return errno == ENOENT;
        close(fd);
        usleep(LOOK_US);
    }
    return false;
}
