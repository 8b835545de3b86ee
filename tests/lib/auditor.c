/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor.h"

#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef QPW_BUILD
#define QPW_BUILD "build"
#endif
#define PROGRAM QPW_BUILD "/qportwatch"
#define MAX_WORDS 48

void node_open(struct node *n)
{
    netns_need_root();
    *n = (struct node){0};
    snprintf(n->folder, sizeof(n->folder), "/tmp/qportwatch-test-XXXXXX");
    cr_assert(mkdtemp(n->folder), "making a folder: %s", strerror(errno));
    snprintf(n->log, sizeof(n->log), "%s/log", n->folder);
    n->node = netns_new();
    n->client = netns_new();
    netns_veth(&n->node, "node0", &n->client, "client0");
    netns_run(&n->node, "ethtool -K node0 tso off gso off tx off >/dev/null 2>&1; true");
    netns_run(&n->client, "ethtool -K client0 tso off gso off tx off >/dev/null 2>&1; true");
    netns_address(&n->node, "node0", "10.7.0.1/24");
    netns_address(&n->node, "node0", "fd07::1/64");
    netns_address(&n->client, "client0", "10.7.0.2/24");
    netns_address(&n->client, "client0", "fd07::2/64");
}

void node_close(struct node *n)
{
    char command[128];

    if (n->auditor)
        node_stop(n, SIGTERM);
    node_command(n, NULL, 0, "detach");
    netns_close(&n->node);
    netns_close(&n->client);
    snprintf(command, sizeof(command), "rm -rf %s", n->folder);
    cr_assert(system(command) == 0, "removing %s", n->folder);
}

static unsigned split(char *text, char **words, unsigned room)
{
    unsigned n = 0;
    char *save;

    for (char *word = strtok_r(text, " ", &save); word && n < room - 1; word = strtok_r(NULL, " ", &save))
        words[n++] = word;
    words[n] = NULL;
    return n;
}

unsigned node_note(struct node *n, const char *ifname)
{
    struct netns here = netns_here();
    unsigned found;

    netns_enter(&n->node);
    found = bpfleft_add_hooks(netns_ifindex(&n->node, ifname), &n->left);
    netns_enter(&here);
    netns_close(&here);
    return found;
}

static bool is_running_or_ended(void *argument)
{
    struct node *n = argument;
    bool running;
    json_t *document;
    int status;

    if (netns_has_ended(n->auditor))
        return true;
    document = node_status(n, &status);
    running = document && status == 0 && json_integer_value(node_value(document, "auditor.pid")) == n->auditor;

    json_decref(document);
    return running;
}

void node_attach(struct node *n, const char *format, ...)
{
    char text[1024], *words[MAX_WORDS] = {PROGRAM, "attach", "--no-tui", "--no-alerts"};
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    split(text, words + 4, MAX_WORDS - 4);
    n->auditor = netns_start(&n->node, n->log, words);
    if (!netns_until(is_running_or_ended, n, NETNS_DEADLINE_MS) || netns_has_ended(n->auditor)) {
        netns_output(&n->node, text, sizeof(text), "tail -n 5 %s", n->log);
        cr_assert_fail("the auditor %d does not come up: %s", (int)n->auditor, text);
    }
    netns_until_file(n->log, "node0: ", NETNS_DEADLINE_MS);
    node_note(n, "node0");
}

int node_stop(struct node *n, int signal_number)
{
    int status = netns_stop(n->auditor, signal_number);

    n->auditor = 0;
    return status;
}

void node_nothing_left(struct node *n)
{
    struct netns here = netns_here();
    unsigned left;

    cr_assert(n->left.n_programs > 0, "nothing was ever noted");
    cr_expect(bpfleft_gone(&n->left, NETNS_DEADLINE_MS), "programs or maps of ours are left in the kernel");
    netns_enter(&n->node);
    left = bpfleft_in_hooks(netns_ifindex(&n->node, "node0"));
    netns_enter(&here);
    netns_close(&here);
    cr_expect_eq(left, 0, "%u programs are left in node0's hooks", left);
}

int node_command(struct node *n, char *out, size_t size, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return netns_output(&n->node, out, size, "exec %s %s", PROGRAM, text);
}

json_t *node_status(struct node *n, int *ret_exit)
{
    static char text[1 << 20];
    json_error_t error;
    json_t *document;
    int status = node_command(n, text, sizeof(text), "status --json 2>/dev/null");

    if (ret_exit)
        *ret_exit = status;
    document = json_loads(text, 0, &error);
    if (json_is_false(json_object_get(document, "attached"))) {
        json_decref(document);
        document = NULL;
    }
    if (!ret_exit)
        cr_assert(document, "nothing is attached, or status gave no JSON (exit status %d): %s", status, text);
    return document;
}

json_t *node_report(struct node *n)
{
    static char text[1 << 20];
    json_t *report;

    cr_assert_eq(node_command(n, text, sizeof(text), "report --json"), 0, "%s", text);
    report = json_loads(text, 0, NULL);
    cr_assert(report, "%s", text);
    return report;
}

json_t *node_finding(json_t *report, uint16_t port)
{
    json_t *finding, *found = NULL, *findings = node_value(report, "findings");
    size_t i;

    json_array_foreach(findings, i, finding)
        if (json_integer_value(json_object_get(finding, "port")) == port && !strcmp(json_string_value(json_object_get(finding, "protocol")), "tcp"))
            found = finding;
    cr_assert(found, "no finding about port %u", port);
    return found;
}

json_t *node_value(json_t *document, const char *path)
{
    char copy[256], *save;
    json_t *value = document;

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *word = strtok_r(copy, ".", &save); word && value; word = strtok_r(NULL, ".", &save))
        value = json_is_array(value) ? json_array_get(value, atoi(word)) : json_object_get(value, word);
    cr_assert(value, "no '%s' in the document", path);
    return value;
}

const char *node_text(json_t *document, const char *path)
{
    const char *text = json_string_value(node_value(document, path));

    return text ? text : "";
}

int64_t node_number(json_t *document, const char *path)
{
    return json_integer_value(node_value(document, path));
}

struct wanted {
    struct node *n;
    const char *path;
    const char *text; /* NULL: number; path NULL: a coverage record of that kind */
    int64_t number;
};

static bool is_so(void *argument)
{
    struct wanted *w = argument;
    int status;
    json_t *document = node_status(w->n, &status);
    bool so = false;

    if (document && !w->path)
        so = node_coverage(document, w->text) > 0;
    else if (document && w->text)
        so = !strcmp(node_text(document, w->path), w->text);
    else if (document)
        so = node_number(document, w->path) == w->number;
    json_decref(document);
    return so;
}

static void until(struct wanted *w)
{
    char text[16384] = "";

    if (netns_until(is_so, w, NETNS_DEADLINE_MS))
        return;
    node_command(w->n, text, sizeof(text), "status");
    cr_assert(false, "%s does not become %s/%lld:\n%s", w->path ? w->path : "coverage", w->text ? w->text : "",
              (long long)w->number, text);
}

void node_until_text(struct node *n, const char *path, const char *wanted)
{
    until(&(struct wanted){n, path, wanted, 0});
}

void node_until_number(struct node *n, const char *path, int64_t wanted)
{
    until(&(struct wanted){n, path, NULL, wanted});
}

void node_until_coverage(struct node *n, const char *kind)
{
    until(&(struct wanted){n, NULL, kind, 0});
}

unsigned node_coverage(json_t *document, const char *kind)
{
    json_t *record;
    unsigned count = 0;
    size_t i;

    json_array_foreach(node_value(document, "coverage.events"), i, record)
        count += !strcmp(json_string_value(json_object_get(record, "event")), kind);
    return count;
}

int node_foreign_program(int type, const char *name)
{
    struct bpf_insn code[] = {
        /* Pass: XDP_PASS is 2; at TC -1 is "continue", at a cgroup 1. */
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0,
         .imm = type == BPF_PROG_TYPE_XDP ? 2 : type == BPF_PROG_TYPE_CGROUP_SOCK ? 1 : -1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    int fd = bpf_prog_load(type, name, "GPL", code, 2, NULL);

    cr_assert(fd >= 0, "loading a foreign program: %s", strerror(-fd));
    return fd;
}

void node_write(struct node *n, const char *name, const char *text, char *path, size_t size)
{
    FILE *out;

    snprintf(path, size, "%s/%s", n->folder, name);
    out = fopen(path, "w");
    cr_assert(out && fputs(text, out) >= 0 && fclose(out) == 0, "writing %s", path);
}
