/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The unit or container of an owner, from real cgroups named as by systemd and the container engines; for live
 * processes and for ended ones.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auditor.h"
#include "host/cgroup.h"
#include "traffic.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FIRST_PORT 30001

static struct node n;
static int root = -1;
static char top[64]; /* a slice for this test alone */

/* Below `top`. The part after the last slash was created by the processes there. */
static const struct place {
    const char *path, *unit, *container;
} places[] = {
    {"system.slice/web.service", "web.service", ""},
    {"system.slice/web.service/smbd.service", "web.service", ""},
    {"system.slice/docker-" ID ".scope", "", "docker 0123456789ab"},
    {"machine.slice/libpod-" ID ".scope/container", "", "libpod 0123456789ab"},
    {"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" ID ".scope", "",
     "cri-containerd 0123456789ab"},
    {"docker/" ID, "", "docker 0123456789ab"},
    {"lxc.payload.web/system.slice/nginx.service", "", "lxc web"},
    {"user.slice/user-1000.slice/session-3.scope", "session-3.scope", ""},
    {"user.slice/user-1000.slice/user@1000.service/app.slice/smbd.service", "user@1000.service/smbd.service", ""},
    {"plain", "", ""},
};
#define PLACES (sizeof(places) / sizeof(*places))

/* Create (or remove, deepest first) each folder of the path. */
static void each_folder(const char *path, bool make)
{
    char text[512];

    snprintf(text, sizeof(text), "%s", path);
    for (char *c = strchr(text, '/'); make && c; c = strchr(c + 1, '/')) {
        *c = '\0';
        mkdirat(root, text, 0755);
        *c = '/';
    }
    if (make) {
        cr_assert(mkdirat(root, text, 0755) == 0 || errno == EEXIST, "%s: %s", text, strerror(errno));
        return;
    }
    do
        unlinkat(root, text, AT_REMOVEDIR);
    while (strrchr(text, '/') && (*strrchr(text, '/') = '\0', true));
}

static const char *full_path(const struct place *place)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", top, place->path);
    return path;
}

static void setup(void)
{
    netns_need_root();
    node_open(&n);
    root = qpw_cgroup_root_open();
    cr_assert_geq(root, 0);
    snprintf(top, sizeof(top), "qportwatch-test-%d.slice", getpid());
    for (size_t i = 0; i < PLACES; i++)
        each_folder(full_path(&places[i]), true);
}

static bool are_removed(void *argument)
{
    struct stat st;

    for (size_t i = 0; i < PLACES; i++)
        each_folder(full_path(&places[i]), false);
    return fstatat(root, top, &st, 0) < 0;
}

static void teardown(void)
{
    node_close(&n);
    cr_expect(netns_until(are_removed, NULL, NETNS_DEADLINE_MS), "%s is left", top);
    close(root);
}

TestSuite(owners_cgroups, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

static void enter(const char *folder)
{
    char path[600];
    int fd;

    snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
    fd = openat(root, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        _exit(9);
    close(fd);
}

struct life {
    size_t place;
    bool stays;        /* false: it ends at once */
    const char *moves; /* the folder to which it moves between the socket and its first packet; NULL: none */
    int ready[2];
};

static int live(void *argument)
{
    struct life *life = argument;
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.2", (uint16_t)(FIRST_PORT + life->place), &to);
    int fd;

    prctl(PR_SET_NAME, "inmate");
    enter(full_path(&places[life->place]));
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (life->moves)
        enter(life->moves);
    else
        (void)connect(fd, (struct sockaddr *)&to, size); /* recorded again */
    if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, size) != 1 || write(life->ready[1], "x", 1) != 1)
        return 1;
    if (life->stays)
        pause();
    enter("."); /* so that the folder can be removed */
    return 0;
}

static void expect_all(const char *match)
{
    static char out[1 << 17];
    json_t *document, *row, *owner;
    unsigned found = 0;
    size_t i;

    cr_assert_eq(node_command(&n, out, sizeof(out), "connections --json"), 0, "%s", out);
    document = json_loads(out, 0, NULL);
    cr_assert(document, "%s", out);
    json_array_foreach(json_object_get(document, "connections"), i, row) {
        int place = (int)json_integer_value(json_object_get(row, "responder_port")) - FIRST_PORT;
        const char *unit, *container;

        if (place < 0 || place >= (int)PLACES)
            continue;
        owner = json_object_get(row, "owner");
        unit = json_string_value(json_object_get(owner, "unit"));
        container = json_string_value(json_object_get(owner, "container"));
        cr_expect_str_eq(unit ? unit : "", places[place].unit, "%s: %s", places[place].path, unit);
        cr_expect_str_eq(container ? container : "", places[place].container, "%s: %s", places[place].path, container);
        cr_expect_str_eq(json_string_value(json_object_get(owner, "process")), "inmate");
        cr_expect_str_eq(json_string_value(json_object_get(owner, "match")), match, "%s: %s", places[place].path,
                         json_string_value(json_object_get(owner, "match")));
        found++;
    }
    cr_expect_eq(found, PLACES, "%u of %zu", found, PLACES);
    json_decref(document);
}

static void everywhere(bool stays, const char *match)
{
    pid_t pids[PLACES];
    struct life life = {.stays = stays};
    char c;

    cr_assert_eq(pipe(life.ready), 0);
    node_attach(&n, "node0 --mode tc");
    for (life.place = 0; life.place < PLACES; life.place++) {
        pids[life.place] = netns_fork(&n.node, live, &life);
        cr_assert_eq(read(life.ready[0], &c, 1), 1);
        if (!stays)
            cr_assert_eq(netns_wait(pids[life.place], NETNS_DEADLINE_MS), 0);
    }
    expect_all(match);
    for (size_t i = 0; stays && i < PLACES; i++)
        netns_stop(pids[i], SIGKILL);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

Test(owners_cgroups, of_processes_that_live) { everywhere(true, "exact"); }
Test(owners_cgroups, of_processes_that_have_ended) { everywhere(false, "created"); }

/* The cgroup in which a socket was created counts even if its process moves before the first packet. */
Test(owners_cgroups, moving_away_hides_nothing_of_who_has_ended)
{
    struct life life = {.place = 0};
    static char out[1 << 16];
    char other[512];
    json_t *document;

    snprintf(other, sizeof(other), "%s", full_path(&places[PLACES - 1]));
    life.moves = other;
    cr_assert_eq(pipe(life.ready), 0);
    node_attach(&n, "node0 --mode tc");
    cr_assert_eq(netns_wait(netns_fork(&n.node, live, &life), NETNS_DEADLINE_MS), 0);
    cr_assert_eq(node_command(&n, out, sizeof(out), "connections --json to:10.7.0.2"), 0, "%s", out);
    document = json_loads(out, 0, NULL);
    cr_assert(document, "%s", out);
    cr_expect_eq(json_array_size(json_object_get(document, "connections")), 1, "%s", out);
    cr_expect_str_eq(node_text(document, "connections.0.owner.unit"), "web.service");
    cr_expect_str_eq(node_text(document, "connections.0.owner.match"), "created");
    json_decref(document);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}
